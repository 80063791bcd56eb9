"""``score``, ``show`` and ``report`` from files to files."""

import json
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.cli import main
from cloudchamber.score.walls import WallsScore, score_walls
from cloudchamber.simulate.walls.config import Volume, WallsConfig
from cloudchamber.simulate.walls.geometry import generate_walls
from cloudchamber.source.predictions import write_predictions
from cloudchamber.source.store import WALLS_UNITS
from cloudchamber.source.writer import write_store

N = 6


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("score")
    rng = np.random.default_rng(8)
    walls = np.stack([generate_walls(rng, Volume()) for _ in range(N)])
    x0_m = np.where(walls, 0.012, 0.03) * np.exp(rng.normal(0, 0.5, walls.shape))
    attributes: dict[str, str | int | float] = {
        "task": "walls",
        "seed": 8,
        "config": WallsConfig().model_dump_json(),
    }
    with write_store(folder / "truth.h5", N, attributes, WALLS_UNITS) as add:
        add({"x0": x0_m.astype(np.float32), "targs": walls.astype(np.int64)})
    preds = walls ^ (rng.random(walls.shape) < 0.01)
    write_predictions(folder / "out.h5", preds, np.where(preds, 0.9, 0.05), {"model": "a-model"})
    write_predictions(folder / "short.h5", preds[:-1], None, {})
    with write_store(folder / "blind.h5", N, attributes, WALLS_UNITS) as add:
        add({"x0": x0_m.astype(np.float32)})
    return folder


def test_score_prints_and_writes_what_score_walls_finds(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "score.json"
    assert main(["score", str(files / "out.h5"), str(files / "truth.h5"), "--json", str(path)]) == 0
    shown = capsys.readouterr().out
    found = WallsScore.model_validate(json.loads(path.read_text(encoding="utf-8")))
    assert f"IOU {found.iou.text(4)} on {N} simulated volumes" in shown
    for part in ("Strong", "0.7931", "a-model", "By layer", "Calibration"):
        assert part in shown
    from cloudchamber.source.predictions import read_predictions
    from cloudchamber.source.store import read_walls

    predicted, data = read_predictions(files / "out.h5"), read_walls(files / "truth.h5")
    if data.walls is None:
        pytest.fail("the targets are gone")
    assert found == score_walls(predicted.walls, data.walls, predicted.probability)


def test_report_and_show_write_pages(files: Path, tmp_path: Path) -> None:
    report, display = tmp_path / "report.html", tmp_path / "display.html"
    assert main(["report", str(files / "out.h5"), str(files / "truth.h5"), "-o", str(report)]) == 0
    page = report.read_text(encoding="utf-8")
    assert "a-model" in page
    assert "--seed 8 --setting challenge-2022" in page
    command = [
        "show",
        str(files / "truth.h5"),
        "3",
        "--prediction",
        str(files / "out.h5"),
        "-o",
        str(display),
    ]
    assert main(command) == 0
    assert "truth.h5, sample 3" in display.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["score", "short.h5", "truth.h5"], "short.h5: preds: expected the shape of the targets"),
        (["score", "out.h5", "blind.h5"], "blind.h5: targs"),
        (["report", "missing.h5", "truth.h5"], "missing.h5"),
        (["show", "truth.h5", "6"], "expected a sample within 0..5, found 6"),
        (["show", "truth.h5", "0", "--prediction", "short.h5"], "short.h5: preds"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(files)
    before = sorted(files.iterdir())
    assert main(command) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1
    assert sorted(files.iterdir()) == before
