"""The verbs on beam and cosmics, from training to comparison, and what they say of bad input."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from cloudchamber.cli.entry import main
from cloudchamber.infer.bundle import list_bundles
from cloudchamber.source.wire_predictions import read_wire_predictions
from cloudchamber.source.wires import read_wire_events, write_wire_events
from cloudchamber.wire_events import WireEvents
from tests.train.beam import toy_wire_events

RECIPE = """
name = "{name}"
task = "beam"
about = "Small."
[data]
train = {{n = 8, seed = 3}}
validation = {{n = 4, seed = 4}}
images = {{wires = 32, drifts = 32, least_beam = 10, least_signal = 30.0}}
[model.options]
widths = [6, 8]
blocks = [1, 1]
detail = 4
[training]
epochs = 1
batch = 4
[training.loss]
kind = "{kind}"
"""


def write(path: Path, events: WireEvents) -> None:
    write_wire_events(path, len(events), iter([events]), {"seed": 3})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Toy readouts, a trained model, its predictions of planes and of images."""
    place = tmp_path_factory.mktemp("beam")
    for name, n, seed in (("train", 8, 1), ("validation", 4, 2), ("test", 5, 3)):
        write(place / f"{name}.h5", toy_wire_events(n, seed))
    (place / "recipe.toml").write_text(RECIPE.format(name="small", kind="cross-entropy"))
    (place / "dice.toml").write_text(RECIPE.format(name="dice", kind="dice"))
    train = ["train", str(place / "recipe.toml"), "--data", str(place / "train.h5"), "--threads", "1"]
    assert main([*train, "--validation", str(place / "validation.h5"), "-o", str(place / "run")]) == 0
    predict = ["predict", str(place / "run" / "bundle"), str(place / "test.h5"), "-o"]
    assert main([*predict, str(place / "planes.h5")]) == 0
    assert main([*predict, str(place / "images.h5"), "--images"]) == 0
    return place


def test_predictions_are_of_planes_or_images(folder: Path) -> None:
    planes, about = read_wire_predictions(folder / "planes.h5")
    assert planes.label.shape == (5, 64, 64)
    assert about["model"] == "small"
    signal = read_wire_events(folder / "test.h5")[0].signal()
    assert (planes.label[signal < 30] == 0).all()
    images, about = read_wire_predictions(folder / "images.h5")
    assert images.label.shape == (5, 32, 32)
    assert json.loads(str(about["images"]))["least_beam"] == 10


@pytest.mark.parametrize(("name", "side"), [("planes", 64), ("images", 32)])
def test_score(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    side: int,
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    out = tmp_path / "score.json"
    assert main(["score", str(folder / f"{name}.h5"), str(folder / "test.h5"), "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    assert (found["n_images"], found["wires"]) == (5, side)
    assert np.sum(found["confusion"]) == 5 * side * side
    text = capsys.readouterr().out
    assert "published: Tiramisu" in text
    assert "83.1" in text


def test_report(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert main(["report", str(folder / "images.h5"), str(folder / "test.h5"), "-o", str(page)]) == 0
    text = page.read_text()
    assert "Event 0: signal" in text or "Event 1: signal" in text
    assert "without background" in text
    assert len(text) < 3_000_000


def test_compare(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["compare", "beam", "-o", str(tmp_path), "--budget", "full", "--threads", "1"]
    for name in ("train", "validation"):
        command += [f"--{'data' if name == 'train' else name}", str(folder / f"{name}.h5")]
    recipes = f"{folder / 'recipe.toml'},{folder / 'dice.toml'}"
    command += ["--test", str(folder / "test.h5"), "--recipes", recipes]
    command += ["--bundles", str(folder / "run" / "bundle")]
    assert main(command) == 0
    found = json.loads((tmp_path / "compare.json").read_text())
    assert [each["name"] for each in found["systems"]][:2] == ["small", "dice"]
    assert found["systems"][0]["score"] == found["systems"][2]["score"]
    assert "cloudchamber's simulation" in " ".join(capsys.readouterr().out.split())


def test_bad_input_is_one_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle, target = str(folder / "run" / "bundle"), tmp_path / "out.h5"
    test = folder / "test.h5"
    broken = tmp_path / "broken.h5"
    broken.write_bytes((folder / "images.h5").read_bytes())
    with h5py.File(broken, "r+") as file:
        file.attrs["images"] = "{"
    unlabelled = tmp_path / "unlabelled.h5"
    events = toy_wire_events(2)
    write(unlabelled, WireEvents(events.readout, events.code))
    few = tmp_path / "few.h5"
    write(few, toy_wire_events(2))
    train = ["train", str(folder / "recipe.toml"), "-o", str(tmp_path / "run"), "--data"]
    for command in (
        ["predict", "walls/full", str(test), "-o", str(target)],
        ["predict", bundle, str(folder / "planes.h5"), "-o", str(target)],
        ["score", str(broken), str(test)],
        ["score", str(folder / "planes.h5"), str(unlabelled)],
        ["score", str(folder / "planes.h5"), str(few)],
        [*train, str(few)],
        [*train, str(unlabelled)],
        ["compare", "beam", "-o", str(tmp_path / "c"), "--recipes", ""],
    ):
        capsys.readouterr()
        assert main(command) == 2, command
        lines = capsys.readouterr().err.strip().splitlines()
        assert lines[-1].startswith("cloudchamber: ")
        assert "expected" in lines[-1]
        assert not target.exists()


@pytest.mark.slow
@pytest.mark.skipif("beam/best" not in list_bundles("beam"), reason="the bundle is not here")
def test_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "beam", "-n", "2", "-o", str(tmp_path)]) == 0
    assert (tmp_path / "report.html").exists()
    assert "planes, pixel by pixel" in capsys.readouterr().out
