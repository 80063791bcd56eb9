"""``cloudchamber plan``: from options to the page, resumed, and every mistake one line."""

import json
from pathlib import Path

import pytest
import torch

from cloudchamber.cli import main
from cloudchamber.infer.bundle import Bundle, BundleConfig, save_bundle
from cloudchamber.infer.thresholds import Thresholds
from cloudchamber.model.registry import build_network
from cloudchamber.prepare.normalise import Inputs, Standardise
from cloudchamber.score.planning import Plan


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """An untrained network on the maps of the tracks."""
    torch.manual_seed(1)
    options: dict[str, object] = {"inputs": 2, "features": 4, "blocks": 1}
    config = BundleConfig(
        name="tiny",
        task="walls",
        network="walls-resnet",
        options=options,
        inputs=Inputs(maps={"x0": Standardise(), "score": Standardise(scale="arcsinh")}),
        thresholds=Thresholds(),
        symmetries=False,
    )
    path = tmp_path / "tiny"
    save_bundle(path, Bundle(config, build_network("walls-resnet", options).eval(), "# tiny\n\nUntrained.\n"))
    return path


def test_plan_and_go_on(tmp_path: Path, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "plan"
    words = ["plan", "walls", "-o", str(folder), "--bundles", str(bundle), "--full-bundles", str(bundle)]
    words += ["--quick", "-n", "2", "--workers", "1"]
    assert main([*words, "--scans", "momentum"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [str(folder / name) for name in ("plan.json", "plan.csv", "plan.html")]
    assert "plan: 4 points of curves, 4 of them to simulate (0.1 million muons)" in said.err
    plan = Plan.model_validate_json((folder / "plan.json").read_text())
    assert [(point.setting, point.x) for point in plan.points] == [
        ("challenge-2022", 0), ("full", 1), ("full", 2), ("full", 3)
    ]  # fmt: skip
    assert all(point.n == 2 and point.bundle == "tiny" for point in plan.points)
    assert plan.command.startswith("cloudchamber plan walls -o")
    assert "--scans momentum -n 2 --seed 2027 --quick" in plan.command
    assert json.loads((folder / "plan.json").read_text())["rates"][1]["setting"] == "full"
    records = sorted((folder / "points").iterdir())
    assert len(records) == 4
    records[0].unlink()
    assert main([*words, "--scans", "panels, momentum"]) == 0
    assert "6 points" not in capsys.readouterr().err
    again = Plan.model_validate_json((folder / "plan.json").read_text())
    assert [scan.name for scan in again.scans] == ["panels", "momentum"]
    assert tuple(point for point in again.points if point.scan == "momentum") == plan.points
    assert main([*words, "--scans", "panels,momentum"]) == 0
    assert "8 points of curves, 0 of them to simulate\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("--quick", "-o"),
        ("-o {here}/p --scans colour", "'colour'"),
        ("-o {here}/p --scans exposure,,panels", "''"),
        ("-o {here}/p --bundles none --full-bundles none", "--full-bundles"),
        ("-o {here}/p --bundles {here}/missing", "missing"),
        ("-o {here}/p --bundles {here}/tiny,", "--bundles"),
        ("-o {here}/p --bundles {here}/tiny,{here}/tiny", "more than once"),
        ("-o {here}/p -n 0", "-n"),
        ("-o {here}/p --seed -1", "--seed"),
        ("-o {here}/p --workers two", "two"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, bundle: Path, capsys: pytest.CaptureFixture[str], options: str, named: str
) -> None:
    assert main(["plan", "walls", *options.format(here=tmp_path).split()]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("cloudchamber: ")
    assert named in said
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("muons", ["0", "5:3", "many", "1:2:3"])
def test_malformed_muons(tmp_path: Path, capsys: pytest.CaptureFixture[str], muons: str) -> None:
    path = tmp_path / "x.h5"
    assert main(["simulate", "walls", "-n", "1", "-o", str(path), "--muons", muons]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "--muons" in said
    assert not path.exists()


def test_simulate_a_range_of_exposures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, again, fixed = (tmp_path / f"{name}.h5" for name in ("one", "again", "fixed"))
    words = ["simulate", "walls", "-n", "4", "--seed", "3", "--muons", "20:300"]
    assert main([*words, "-o", str(one)]) == 0
    assert "4 volumes, 20 to 300 muons each (log-uniform), setting challenge-2022" in capsys.readouterr().err
    assert main([*words, "-o", str(again)]) == 0
    assert one.read_bytes() == again.read_bytes()
    config = tmp_path / "few.toml"
    config.write_text("[muons]\ncount = 30\n")
    plain = ["simulate", "walls", "-n", "4", "--seed", "3"]
    assert main([*plain, "--muons", "30", "-o", str(fixed)]) == 0
    assert main([*plain, "--config", str(config), "-o", str(again), "--overwrite"]) == 0
    assert fixed.read_bytes() == again.read_bytes()
