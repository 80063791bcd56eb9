"""The report and the display as texts; tests/browser opens them."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.score.walls import score_walls
from cloudchamber.show.display import write_display
from cloudchamber.show.facts import ReportFacts, find_facts, find_grid
from cloudchamber.show.page import safe_json
from cloudchamber.show.report import choose_samples, write_report
from cloudchamber.simulate.walls.config import WallsConfig


def make_report(path: Path, volumes: Any, facts: ReportFacts, probability: bool = True) -> str:
    p = volumes.probability if probability else None
    score = score_walls(volumes.preds, volumes.walls, p)
    write_report(
        path,
        x0_m=volumes.x0_m,
        walls=volumes.walls,
        preds=volumes.preds,
        probability=p,
        score=score,
        facts=facts,
    )
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def report(volumes: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    facts = ReportFacts(model="<b>unet</b>", seed=7, commands=("cloudchamber report a b",))
    make_report(path, volumes, facts)
    return path


def test_report_says_what_was_found(volumes: Any, report: Path) -> None:
    page = report.read_text(encoding="utf-8")
    score = score_walls(volumes.preds, volumes.walls)
    assert f"IOU {score.iou.value:.3f} <i>±</i> {score.iou.error:.3f}" in page
    assert "20 simulated volumes (cloudchamber&#39;s simulation)" in page
    assert "&lt;b&gt;unet&lt;/b&gt;" in page
    assert "<b>unet</b>" not in page
    for name in (
        "Strong",
        "Bury",
        "Auclair",
        "Munkes",
        "Gonzalez",
        "0.7925",
        "0.7931",
        "cloudchamber report a b",
    ):
        assert name in page


def test_report_is_one_file_with_one_plotly(report: Path) -> None:
    page = report.read_text(encoding="utf-8")
    assert page.count("plotly.js v") == 1
    assert report.stat().st_size < 8e6
    assert page.count('type="application/json"') == 9
    assert not re.search(r'<(script|img|link|iframe)[^>]+(src|href)="(?!data:)', page)
    assert [path.name for path in report.parent.iterdir()] == ["report.html"]


def test_report_without_probabilities_and_off_the_simulation(volumes: Any, tmp_path: Path) -> None:
    page = make_report(tmp_path / "report.html", volumes, ReportFacts(simulated=False), probability=False)
    assert 'id="plot-calibration' not in page
    assert "cloudchamber's simulation" not in page
    assert "cloudchamber&#39;s simulation" not in page


def test_best_median_and_worst() -> None:
    assert choose_samples(np.array([0.4, 0.9, 0.1, 0.5, 0.6])) == [("Best", 1), ("Median", 3), ("Worst", 2)]
    assert choose_samples(np.array([0.4])) == [("Best", 0)]
    assert choose_samples(np.array([0.4, 0.5])) == [("Best", 1), ("Median", 0)]


def test_page_that_cannot_be_written(volumes: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can be written"):
        write_display(tmp_path, volumes.x0_m[0])


@pytest.mark.parametrize("given", [(), ("walls",), ("preds",), ("walls", "preds", "probability")])
def test_display_shows_what_is_there(volumes: Any, tmp_path: Path, given: tuple[str, ...]) -> None:
    path = tmp_path / "display.html"
    write_display(path, volumes.x0_m[0], **{name: getattr(volumes, name)[0] for name in given})
    page = path.read_text(encoding="utf-8")
    assert page.count('type="application/json"') == 1 + len({"walls", "preds"} & set(given))
    assert ("missed wall" in page) == ({"walls", "preds"} <= set(given))


def test_display_of_a_volume_without_dense_voxels(volumes: Any, tmp_path: Path) -> None:
    write_display(tmp_path / "display.html", np.full((3, 4, 5), 0.3, np.float32))
    assert "scatter3d" in (tmp_path / "display.html").read_text(encoding="utf-8")


def test_json_cannot_leave_its_script() -> None:
    assert "<" not in safe_json('{"a": "</script><!--"}')


def test_facts_are_read_off_the_files() -> None:
    config = WallsConfig()
    attributes: dict[str, str | int | float] = {"seed": 7, "config": config.model_dump_json()}
    facts = find_facts(Path("my test.h5"), attributes, Path("out.h5"), {"model": "unet"}, (300, 10, 10, 10))
    assert facts.simulated
    assert facts.seed == 7
    assert facts.model == "unet"
    assert "10,000 muons" in facts.data
    assert facts.commands[0] == (
        "cloudchamber simulate walls -n 300 -o 'my test.h5' --seed 7 --setting challenge-2022"
    )
    assert find_grid(attributes) == (1.0, 1.0)


@pytest.mark.parametrize("config", ["{", "[]", '{"volume": 3}'])
def test_facts_of_a_foreign_file(config: str) -> None:
    facts = find_facts(Path("a.h5"), {"config": config}, Path("b.h5"), {}, (5, 10, 10, 10))
    assert not facts.simulated
    assert find_grid({"config": config}) == (1.0, 1.0)
