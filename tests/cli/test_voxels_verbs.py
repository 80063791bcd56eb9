"""The verbs on sparse events, from simulation to score, and what they say of bad input."""

import json
from pathlib import Path

import h5py
import pytest

from cloudchamber.cli.entry import main

SMALL = """
side_px = 64
[vertex]
particles = [1, 2]
[muons]
count = [1, 1]
"""
RECIPE = """
name = "small"
task = "voxels"
about = "Small."
[data]
relabel = true
train = {n = 6, seed = 3}
validation = {n = 3, seed = 4}
[model.options]
levels = 2
filters = 4
repetitions = 1
[training]
epochs = 1
batch = 2
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated events, regular and relabelled, a trained model and its predictions."""
    place = tmp_path_factory.mktemp("voxels")
    (place / "small.toml").write_text(SMALL)
    (place / "recipe.toml").write_text(RECIPE)
    common = ["simulate", "voxels", "--config", str(place / "small.toml"), "-n", "6", "--seed", "3"]
    assert main([*common, "-o", str(place / "regular.h5")]) == 0
    assert main([*common, "--relabel", "-o", str(place / "train.h5")]) == 0
    train = ["train", str(place / "recipe.toml"), "--data", str(place / "train.h5"), "--threads", "1"]
    assert main([*train, "--validation", str(place / "regular.h5"), "-o", str(place / "run")]) == 0
    bundle = str(place / "run" / "bundle")
    assert main(["predict", bundle, str(place / "regular.h5"), "-o", str(place / "out.h5")]) == 0
    return place


def test_simulation_is_the_same_bytes_with_two_workers(folder: Path) -> None:
    again = folder / "again.h5"
    command = ["simulate", "voxels", "--config", str(folder / "small.toml"), "-n", "6", "--seed", "3"]
    assert main([*command, "--workers", "2", "-o", str(again)]) == 0
    assert again.read_bytes() == (folder / "regular.h5").read_bytes()
    assert main([*command, "-o", str(again)]) == 2


def test_check_and_info(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder / "regular.h5"), str(folder / "out.h5")]) == 0
    text = capsys.readouterr().out
    assert "6 events" in text
    assert "predicted voxels" in text
    assert main(["info", str(folder / "regular.h5"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["events"] == 6
    assert sum(found["share of voxels"].values()) == pytest.approx(1, abs=1e-3)
    assert main(["info", str(folder / "regular.h5")]) == 0
    assert "MIP" in capsys.readouterr().out


def test_score_of_regular_labels_is_that_of_relabelled_ones(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = []
    for truth in ("regular.h5", "train.h5"):
        out = tmp_path / f"{truth}.json"
        assert main(["score", str(folder / "out.h5"), str(folder / truth), "--json", str(out)]) == 0
        found.append(json.loads(out.read_text()))
    assert found[0] == found[1]
    assert 0 <= found[0]["voxels"]["accuracy"]["value"] <= 1
    assert "non-zero accuracy" in capsys.readouterr().out


def test_report_holds_both_parts(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert main(["report", str(folder / "out.h5"), str(folder / "regular.h5"), "-o", str(page)]) == 0
    text = page.read_text()
    assert "Michel" in text
    assert "cloudchamber simulate voxels -n 6" in text


def test_show_writes_a_page(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    prediction = ["--prediction", str(folder / "out.h5")]
    assert main(["show", str(folder / "regular.h5"), "2", *prediction, "-o", str(page)]) == 0
    assert "event 2" in page.read_text()
    assert main(["show", str(folder / "regular.h5"), "6", "-o", str(page)]) == 2


def test_bad_input_is_one_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.h5"
    broken.write_bytes((folder / "regular.h5").read_bytes())
    with h5py.File(broken, "r+") as file:
        file["energy_mev"][3] = -2.0
    bundle, target = str(folder / "run" / "bundle"), tmp_path / "out.h5"
    for command in (
        ["check", str(broken)],
        ["predict", bundle, str(broken), "-o", str(target)],
        ["score", str(folder / "out.h5"), str(broken)],
        ["predict", "walls/full", str(folder / "regular.h5"), "-o", str(target)],
        ["simulate", "voxels", "-n", "2", "--setting", "none", "-o", str(target)],
    ):
        capsys.readouterr()
        assert main(command) == 2, command
        lines = capsys.readouterr().err.strip().splitlines()
        assert lines[-1].startswith("cloudchamber: ")
        assert "expected" in lines[-1]
        assert not target.exists()
    assert main(["check", str(broken)]) == 2
    assert "energy_mev, event 0, voxel 3: expected energies from 0 MeV up" in capsys.readouterr().err
