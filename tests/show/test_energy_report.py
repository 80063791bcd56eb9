"""The report, the picture and the page of muons: they hold what was given, and need no network."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudchamber.calorimeter_events import join_muons
from cloudchamber.errors import InputError
from cloudchamber.score.published_energy import ABLATIONS
from cloudchamber.show.energy_display import write_energy_display
from cloudchamber.show.energy_picture import (
    cell_edges_mm,
    draw_muon,
    energy_text,
    muon_text,
    write_energy_picture,
)
from cloudchamber.show.energy_report import EnergyFacts, write_energy_report
from tests.show.energy import GRID, Scored, scored_muons, toy_muon

EVIL = "</script><script>alert(1)</script>"


@pytest.fixture(scope="module")
def scored() -> Scored:
    return scored_muons()


def write(path: Path, scored: Scored, **changes: Any) -> str:
    given: dict[str, Any] = {
        "true_gev": scored.true_gev, "predicted_gev": scored.predicted_gev, "score": scored.score,
        "facts": EnergyFacts(model="<b>net</b>", seed=7),
    }  # fmt: skip
    write_energy_report(path, **(given | changes))
    return path.read_text(encoding="utf-8")


def test_report_says_what_was_found(scored: Scored, tmp_path: Path) -> None:
    ablation = {row.key: row.mi for row in ABLATIONS}
    page = write(
        tmp_path / "r.html", scored, raw=scored.raw, published=scored.raw, calibration=scored.calibration,
        ablation=ablation,
    )  # fmt: skip
    value, _, error = scored.score.mi.text(2).partition(" ± ")
    assert f"<b>{value} <i>±</i> {error} %</b>" in page
    assert "&lt;b&gt;net&lt;/b&gt;" in page
    for text in (
        "on 3,000 muons",
        f"<dt>MI with the published correction</dt><dd>{scored.raw.mi.text(2)} %</dd>",
        "Quoted:",
        "19.42 ± 0.08",
        "The seed was 7",
        "cloudchamber&#39;s simulation",
    ):
        assert text in page
    assert page.count("<svg") == 5
    assert not re.search(r'<(script|img|link|iframe)[^>]+(src|href)="(?!data:)', page)
    assert len(page) < 1e6


def test_report_of_one_network_alone(scored: Scored, tmp_path: Path) -> None:
    score = scored.score.model_copy(update={"coverage": (), "coverage_by_prediction": ()})
    page = write(tmp_path / "r.html", scored, score=score, facts=EnergyFacts(simulated=False))
    assert page.count("<svg") == 3
    assert "Quoted:" not in page
    assert "the muons given" in page
    with pytest.raises(InputError, match="that of 5 muons"):
        write(tmp_path / "r.html", scored, true_gev=scored.true_gev[:5])


def test_energies_in_words() -> None:
    assert [energy_text(each) for each in (0.5, 54.04, 999.9, 1234.0)] == [
        "0.5 GeV",
        "54 GeV",
        "1 TeV",
        "1.23 TeV",
    ]
    text = muon_text(toy_muon(), 1400.0, (900.0, 2000.0))
    assert text == "μ⁻ of 1.5 TeV · predicted 1.4 TeV (68%: 900 GeV to 2 TeV) · 8.5 GeV in 13 cells"
    assert muon_text(toy_muon(truth=False)) == "8.5 GeV in 13 cells"


def test_picture_projects_the_cells(tmp_path: Path) -> None:
    z, x, y = cell_edges_mm(GRID)
    np.testing.assert_allclose([z[0], z[-1], x[0], x[-1], y[0], y[-1]], [-20, 380, -20, 20, -15, 15])
    figure = draw_muon(toy_muon(), title="a muon")
    sides: list[np.ndarray] = [
        np.ma.filled(np.ma.asarray(axes.collections[0].get_array()), 0) for axes in figure.axes[1:3]
    ]
    np.testing.assert_allclose([side.sum() for side in sides], 8502, rtol=1e-5)
    assert sides[0].shape == (8, 10)
    assert sides[1].shape == (6, 10)
    assert sides[1][2, 4] == pytest.approx(8050, rel=1e-5)
    assert figure.get_suptitle().startswith("a muon · μ⁻ of 1.5 TeV")
    write_energy_picture(tmp_path / "m.png", toy_muon(truth=False), 1400.0)
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="one muon"):
        draw_muon(join_muons([toy_muon(), toy_muon()]))


def test_page_holds_the_cells(tmp_path: Path) -> None:
    path, events = tmp_path / "m.html", join_muons([toy_muon(), toy_muon(300.0)])
    ends = np.array([[900.0, 2000.0], [200.0, 500.0]])
    write_energy_display(
        path, events, predicted_gev=np.array([1400.0, 310.0]), interval_gev=ends, facts={"data": EVIL}
    )
    page = path.read_text(encoding="utf-8")
    assert EVIL not in page
    assert not re.search(r'<(script|img|link|iframe)[^>]+(src|href)="(?!data:)', page)
    found = re.search(r'<script type="application/json" id="voxels-data">(.*?)</script>', page)
    assert found is not None
    data = json.loads(found[1])
    assert data["shape"] == [8, 6, 10]
    assert data["cellCm"] == [0.5, 0.5, 4.0]
    assert data["originCm"] == [-2.0, -1.5, -2.0]
    assert [each["name"] for each in data["events"]] == ["muon 0", "muon 1"]
    for each, event in zip(data["events"], events, strict=True):
        raw = np.frombuffer(base64.b64decode(each["position"]["base64"]), "<u2").reshape(-1, 3)
        np.testing.assert_array_equal(raw[:, [2, 0, 1]], event.position)
        energy = np.frombuffer(base64.b64decode(each["energy"]["base64"]), "<f4")
        np.testing.assert_allclose(energy, 1000 * event.energy_gev, rtol=1e-6)
    assert "μ⁻ of 300 GeV · predicted 310 GeV (68%: 200 GeV to 500 GeV)" in data["events"][1]["facts"]
    start = re.search(r'id="energy"[^>]*value="([\d.]+)"', page)
    assert start is not None
    low, high = np.log(2.0), np.log(6050.0)
    assert float(start[1]) == pytest.approx((np.log(10) - low) / (high - low), abs=1e-3)


def test_page_of_mistakes(tmp_path: Path) -> None:
    events = toy_muon()
    with pytest.raises(InputError, match="at least one muon"):
        write_energy_display(tmp_path / "m.html", events.chosen(0, 0))
    for wrong in ({"names": ["a", "b"]}, {"predicted_gev": np.ones(2)}, {"interval_gev": np.ones((3, 2))}):
        with pytest.raises(InputError, match="one for each of 1 muons"):
            write_energy_display(tmp_path / "m.html", events, **wrong)
