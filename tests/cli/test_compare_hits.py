"""``cloudchamber compare hits`` on small planes: what it trains, measures, prints and writes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudchamber.cli import simulate_wires
from cloudchamber.cli.compare_hits_sets import VARIATIONS, check_set
from cloudchamber.cli.entry import main
from cloudchamber.errors import InputError
from cloudchamber.simulate.wires.config import WiresConfig
from cloudchamber.source.wires import write_wire_events
from cloudchamber.wire_events import WireEvents

from ..hit_planes import make_hit_events

PATCH = 'name = "hits-{kind}"\noptions = {{patch = 12, filters = 2, hidden = [4], dropout = 0.0{more}}}'
PLANE = 'name = "hits-plane"\noptions = {channels = 4, head = 4, dilations = [1]}'
RECIPE = """
name = "{name}"
task = "hits"
about = "Small."
{top}
[data]
crop = 48
validation_patches = 50
train = {{n = {n}, seed = 1}}
validation = {{n = 2, seed = 2}}
[model]
{model}
[training]
epochs = 1
batch = {batch}
optimiser = "adam"
draw = {{per_epoch = {per_epoch}}}
loss = {{soft = {soft}}}
"""


def _recipe(folder: Path, name: str, model: str, n: int = 3, soft: float = 0.0, **changes: Any) -> str:
    planes = "plane" in model
    text = RECIPE.format(
        name=name, model=model, n=n, soft=soft, batch=2 if planes else 16, per_epoch=4 if planes else 64,
        top=changes.get("top", ""),
    )  # fmt: skip
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.fixture
def recipes(tmp_path: Path) -> dict[str, str]:
    return {
        "paper": _recipe(tmp_path, "paper", PATCH.format(kind="patch", more=", em_trk_none = false")),
        "distilled": _recipe(
            tmp_path, "distilled", PLANE, soft=0.5, top='teacher = {recipe = "hits/paper", per_event = 20}'
        ),
        "vertex": _recipe(tmp_path, "vertex", PATCH.format(kind="vertex", more=""), n=4),
    }


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int, WiresConfig]]:
    """Small planes in place of the simulation; what was asked for."""
    asked: list[tuple[str, int, int, WiresConfig]] = []

    def produce(path: Path, n: int, *, seed: int, config: WiresConfig, **_: Any) -> None:
        asked.append((path.name, n, seed, config))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wire_events(path, n, iter([make_hit_events(n, seed)]), {"seed": seed})

    monkeypatch.setattr(simulate_wires, "produce_readouts", produce)
    monkeypatch.setattr("cloudchamber.cli.train_hits.produce_readouts", produce)
    return asked


@pytest.mark.slow
def test_all_kinds_are_trained_measured_and_reported(
    tmp_path: Path,
    recipes: dict[str, str],
    simulated: list[tuple[str, int, int, WiresConfig]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    labelled, real = tmp_path / "labelled.h5", tmp_path / "real.h5"
    write_wire_events(labelled, 2, iter([make_hit_events(2, 8)]), {})
    plane = make_hit_events(1, 9, truth=False)
    write_wire_events(real, 1, iter([WireEvents(plane.readout, plane.code)]), {})
    names = ",".join(recipes.values())
    command = [
        "compare", "hits", "-o", str(out), "--recipes", names, "-n", "2", "--budget", "full", "--labelled",
        str(labelled), "--real", str(real), "--systematics", "distilled", "--threads", "1",
    ]  # fmt: skip
    assert main(command) == 0
    printed = capsys.readouterr().out
    made = {name: (n, seed) for name, n, seed, _ in simulated}
    assert made["train.h5"] == (4, 1)  # the most that any asks for
    assert made["validation.h5"] == (2, 2)
    assert {made[f"test-{name.replace(' ', '-')}.h5"] for name in VARIATIONS} == {(2, 2026)}
    configs = {name: config for name, _, _, config in simulated}
    nominal = configs["test-nominal.h5"]
    assert configs["test-noise-x-2.h5"] == nominal.model_copy(
        update={"noise": nominal.noise.model_copy(update={"scale": 2.0})}
    )
    assert configs["test-lifetime-x-0.1.h5"].drift.lifetime_ms == pytest.approx(3.5)
    found = json.loads((out / "compare.json").read_text(encoding="utf-8"))
    scored = found["scores"]
    assert set(scored) == {"paper", "distilled"}
    assert [key.split(", ")[1] for key in found["systematics"]] == list(VARIATIONS)
    assert found["systematics"]["distilled, nominal"] == scored["distilled"]
    assert set(found["labelled"]) == set(scored)
    (vertices,) = found["vertices"].values()
    assert [each["name"] for each in vertices["found"]][-1] == "any"
    assert vertices["n_planes"] == 2
    for title in ("Areas on 2 readouts", "the detector changed", "labelled.h5", "real.h5", "at all hits"):
        assert title in printed
    row = next(line for line in printed.splitlines() if "│ paper" in line)
    assert "–" in row  # it has no head for EM against track
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "plot-real-1" in page
    assert "The same events, the detector changed" in page
    simulated.clear()
    again = ["compare", "hits", "-o", str(out), "--recipes", names, "-n", "2", "--budget", "full"]
    assert main([*again, "--systematics", "none", "--threads", "1"]) == 0
    assert simulated == []  # nothing is made twice
    assert json.loads((out / "compare.json").read_text(encoding="utf-8"))["scores"] == scored


def test_a_given_test_set_and_bundle(
    tmp_path: Path,
    recipes: dict[str, str],
    simulated: list[tuple[str, int, int, WiresConfig]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    test, run = tmp_path / "given.h5", tmp_path / "run"
    write_wire_events(test, 3, iter([make_hit_events(3, 6)]), {})
    common = ["--threads", "1"]
    for name in ("paper", "vertex"):
        assert main(["train", recipes[name], "-o", str(run / name), *common]) == 0
    simulated.clear()
    models = ",".join(str(run / name / "bundle") for name in ("paper", "vertex"))
    first = ["compare", "hits", "-o", str(tmp_path / "one"), "--recipes", "none", "--test", str(test)]
    assert main([*first, "--bundles", models, "-n", "2", "--systematics", "none"]) == 0
    assert simulated == []
    found = json.loads((tmp_path / "one" / "compare.json").read_text(encoding="utf-8"))
    assert found["test"] == {"n": 2, "seed": None, "file": "given.h5"}
    assert found["scores"]["paper"]["n_events"] == 2
    assert found["vertices"]["vertex"]["n_planes"] == 2
    assert "Vertices searched for at all hits: vertex" in capsys.readouterr().out
    assert "searched for at all hits" in (tmp_path / "one" / "report.html").read_text(encoding="utf-8")
    capsys.readouterr()
    again = [*first, "--bundles", str(run / "paper" / "bundle")]
    assert main([*again, "-n", "4", "--systematics", "none"]) == 2
    assert "expected 4 events, found 3" in capsys.readouterr().err
    assert main([*again, "-n", "2", "--systematics", "paper"]) == 2
    assert "attribute seed: expected 2026" in capsys.readouterr().err
    assert main(first) == 2
    assert "a recipe or a bundle" in capsys.readouterr().err


def test_a_set_of_another_seed_is_not_taken_for_it(tmp_path: Path) -> None:
    events = make_hit_events(2, 6)
    write_wire_events(tmp_path / "set.h5", 2, iter([events]), {"seed": 6})
    check_set(tmp_path / "set.h5", 2, 6)
    with pytest.raises(InputError, match="attribute seed: expected 7"):
        check_set(tmp_path / "set.h5", 2, 7)


def test_the_events_of_a_changed_detector_are_the_same() -> None:
    from cloudchamber.simulate.wires.event import simulate_wires

    config = WiresConfig.model_validate({
        "geometry": {"apas": 1, "face_wires": 120}, "electronics": {"ticks": 1800}, "rebin": 6,
        "beam": {"count": 2}, "cosmics": {"count": [20, 20]},
    })  # fmt: skip
    nominal = simulate_wires(7, 0, config)
    assert nominal.activity is not None
    assert nominal.activity.any()
    for name, factors in VARIATIONS.items():
        values = config.model_dump()
        for key, factor in factors.items():
            section, _, entry = key.rpartition(".")
            values[section][entry] *= factor
        event = simulate_wires(7, 0, WiresConfig.model_validate(values))
        assert nominal.particles is not None
        assert event.particles is not None
        for column in ("pdg", "kinetic_mev"):  # of primaries: a table lists what is seen in the readout
            found, wanted = (
                each[each["parent"] < 0][column] for each in (event.particles, nominal.particles)
            )
            np.testing.assert_array_equal(found, wanted, err_msg=name)
        assert (name == "nominal") == bool((event.code == nominal.code).all())
        if name.startswith(("noise", "gain")):
            np.testing.assert_array_equal(event.activity, nominal.activity)
