"""train, predict, score and demo, through the command line."""

import json
from pathlib import Path

import pytest
import tomli_w

from cloudchamber.cli import main
from cloudchamber.infer.bundle import load_bundle
from cloudchamber.source.predictions import read_predictions

RECIPE = {
    "name": "tiny",
    "task": "walls",
    "about": "For tests.",
    "thresholds": "layers",
    "data": {"train": {"n": 24, "seed": 1}, "validation": {"n": 8, "seed": 2}},
    "model": {"name": "walls-unet", "options": {"features": 4, "layers": 10, "gravnet": {"neighbours": 3}}},
    "training": {"epochs": 1, "batch": 8},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "few.toml").write_text("[muons]\ncount = 300\n")
    (folder / "tiny.toml").write_text(tomli_w.dumps(RECIPE))
    for name, seed, n in (("train", 1, 24), ("validation", 2, 8), ("test", 3, 6)):
        arguments = f"simulate walls -n {n} --seed {seed} -o {folder}/{name}.h5 --config {folder}/few.toml"
        assert main(arguments.split()) == 0
    return folder


def _train(data: Path, run: Path) -> int:
    given = f"--data {data}/train.h5 --validation {data}/validation.h5"
    return main(f"train {data}/tiny.toml -o {run} {given} --threads 1".split())


def test_from_recipe_to_score(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _train(data, tmp_path / "run") == 0
    bundle = load_bundle(tmp_path / "run" / "bundle")
    assert bundle.config.name == "tiny"
    assert len(bundle.config.thresholds.cuts) == 10
    out = tmp_path / "out.h5"
    assert main(["predict", str(tmp_path / "run" / "bundle"), str(data / "test.h5"), "-o", str(out)]) == 0
    assert read_predictions(out).walls.shape == (6, 10, 10, 10)
    capsys.readouterr()
    assert main(["score", str(out), str(data / "test.h5"), "--json", str(tmp_path / "score.json")]) == 0
    assert "published" in capsys.readouterr().out.lower()
    assert json.loads((tmp_path / "score.json").read_text())["n"] == 6


def test_too_few_volumes_for_the_recipe(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = f"train {data}/tiny.toml -o {tmp_path}/run --data {data}/test.h5 --validation {data}/test.h5"
    assert main(arguments.split()) == 2
    assert "expected at least the recipe's 24 volumes, found 6" in capsys.readouterr().err


def test_unknown_bundle(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "nothing", str(data / "test.h5"), "-o", str(tmp_path / "out.h5")]) == 2
    assert capsys.readouterr().err.startswith("cloudchamber: nothing: expected a bundle")
    assert not (tmp_path / "out.h5").exists()


def test_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "walls", "-n", "4", "--workers", "1", "-o", str(tmp_path / "demo")]) == 0
    assert "IOU" in capsys.readouterr().out
    page = (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")
    assert "cloudchamber" in page
    made = sorted(p.name for p in (tmp_path / "demo").iterdir())
    assert made == ["median.png", "predictions-tracks.h5", "predictions.h5", "report.html", "walls.h5"]
