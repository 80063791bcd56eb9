"""train, predict, score, report, compare and demo on muons in a calorimeter, through the command line."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import tomli_w
import torch

from cloudchamber.cli import compare_energy, compare_energy_systems, demo_energy
from cloudchamber.cli.compare_energy_systems import RECIPES, TREES, load_plan
from cloudchamber.cli.entry import main
from cloudchamber.errors import InputError
from cloudchamber.infer.energy_bundle import EnergyBundle, load_energy_bundle, save_energy_bundle
from cloudchamber.infer.energy_predict import predict_muons
from cloudchamber.model.registry import build_network
from cloudchamber.score.energy import score_energy
from cloudchamber.score.published_energy import ABLATIONS
from cloudchamber.source.energy import read_muons, write_muons
from cloudchamber.source.energy_predictions import read_energy_predictions
from cloudchamber.train.energy_recipe import load_energy_recipe
from cloudchamber.train.recipe import list_recipes
from tests.infer.energy import true_energies
from tests.train.muons import SMALL_PAPER, SMALL_SPARSE, make_energy_recipe, make_muons

N_TRAIN, N_VALIDATION, N_TEST = 256, 400, 300
QUANTILES: dict[str, object] = {"kind": "quantiles", "levels": [0.15865, 0.5, 0.84135], "scale": "log"}


def write_recipe(path: Path, name: str, published: str = "", model: dict[str, object] | None = None) -> None:
    recipe = make_energy_recipe(model, QUANTILES, epochs=6).model_dump(mode="json")
    recipe |= {"name": name, "published": published}
    recipe["data"] = {"train": {"n": 880_000, "seed": 1}, "validation": {"n": 40_000, "seed": 2}}
    recipe["budgets"] = {
        "quick": {"train": N_TRAIN, "validation": N_VALIDATION, "epochs": 6, "batch": 16},
    }
    recipe["training"]["steps"] = "none"
    recipe["training"] = {k: "none" if v is None else v for k, v in recipe["training"].items()}
    recipe["budgets"]["quick"] |= {"cycle_epochs": "none", "copies": "none"}
    path.write_text(tomli_w.dumps(recipe))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Toy muons, a trained model and its predictions."""
    place = tmp_path_factory.mktemp("energy")
    for seed, (name, n) in enumerate((("train", N_TRAIN), ("validation", N_VALIDATION), ("test", N_TEST))):
        muons = make_muons(n, seed + 1)
        write_muons(place / f"{name}.h5", n, iter([muons]), {"seed": seed + 1})
    write_recipe(place / "small.toml", "small")
    given = f"--data {place}/train.h5 --validation {place}/validation.h5 --threads 1 --budget quick"
    assert main(f"train {place}/small.toml -o {place}/run {given}".split()) == 0
    assert main(f"predict {place}/run/bundle {place}/test.h5 -o {place}/out.h5".split()) == 0
    return place


def test_predictions_are_those_of_the_bundle(folder: Path) -> None:
    bundle = load_energy_bundle(folder / "run" / "bundle")
    wanted = predict_muons(bundle, read_muons(folder / "test.h5")[0])
    found = read_energy_predictions(folder / "out.h5")
    np.testing.assert_allclose(found.energy_gev, wanted.energy_gev, rtol=1e-5)
    assert found.high_gev is not None
    assert wanted.high_gev is not None
    np.testing.assert_allclose(found.high_gev, wanted.high_gev, rtol=1e-5)
    assert bundle.config.n_train == N_TRAIN


def test_symmetries_change_the_predictions_a_little(folder: Path, tmp_path: Path) -> None:
    command = f"predict {folder}/run/bundle {folder}/test.h5 --symmetries -o {tmp_path}/out.h5"
    assert main(command.split()) == 0
    found, plain = (read_energy_predictions(where / "out.h5") for where in (tmp_path, folder))
    assert found.attributes["symmetries"] == 1
    assert not np.array_equal(found.raw_gev, plain.raw_gev)
    assert np.median(np.abs(found.raw_gev / plain.raw_gev - 1)) < 0.2


def test_score_says_mi_bias_and_coverage(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    page = tmp_path / "report.html"
    command = f"score {folder}/out.h5 {folder}/test.h5 --json {tmp_path}/score.json --report {page}"
    assert main(command.split()) == 0
    predicted = read_energy_predictions(folder / "out.h5")
    truth = true_energies(read_muons(folder / "test.h5")[0])
    wanted = score_energy(truth, predicted.energy_gev, predicted.low_gev, predicted.high_gev)
    found = json.loads((tmp_path / "score.json").read_text())
    assert found["energy"] == json.loads(wanted.model_dump_json())
    curve = load_energy_bundle(folder / "run" / "bundle").config.deck
    deck = score_energy(truth, predicted.raw_gev, calibration=curve)
    assert found["deck"]["mi"]["value"] == pytest.approx(deck.mi.value)
    assert len(found["energy"]["coverage"]) == 6
    text = capsys.readouterr().out
    assert f"MI {wanted.mi.text(2)} % on {N_TEST} muons" in text
    for words in ("median bias (%)", "hold the truth (%)", "published: default", "19.42 ± 0.08"):
        assert words in text
    assert "MI" in page.read_text()


def test_report_is_a_page(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert main(["report", str(folder / "out.h5"), str(folder / "test.h5"), "-o", str(page)]) == 0
    text = page.read_text()
    assert "plot-resolution" in text
    assert f"{N_TEST} muons in 12 × 8 × 10 cells" in text
    assert main(["report", str(folder / "out.h5"), str(folder / "test.h5"), "-o", f"{folder}/out.h5"]) == 2


def test_bad_input_is_one_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_muons(tmp_path / "few.h5", 3, iter([make_muons(3, 9)]), {})
    for name in ("unknown", "curves"):
        (tmp_path / f"{name}.h5").write_bytes((folder / "test.h5").read_bytes())
    with h5py.File(tmp_path / "unknown.h5", "r+") as file:
        muons = file["muons"][:]
        muons["energy_gev"][2] = np.nan
        file["muons"][:] = muons
    (tmp_path / "curves.h5").write_bytes((folder / "out.h5").read_bytes())
    with h5py.File(tmp_path / "curves.h5", "r+") as file:
        file.attrs["curves"] = '{"deck": {"kind": "deck"}}'
    bundle, target, test = f"{folder}/run/bundle", f"{tmp_path}/target", f"{folder}/test.h5"
    for command, said in (
        (f"score {folder}/out.h5 {tmp_path}/few.h5", f"found {N_TEST}"),
        (f"score {folder}/out.h5 {tmp_path}/unknown.h5", "known"),
        (f"score {tmp_path}/curves.h5 {test}", "attribute curves"),
        (f"score {test} {test}", "expected"),
        (f"predict walls/full {test} -o {target}", "expected"),
        (f"predict {bundle} {folder}/out.h5 -o {target}", "expected"),
        (f"train {folder}/small.toml --begin-with {bundle} -o {target}", "for energy"),
        (f"train {folder}/small.toml --data {test} --validation {test} -o {target}", "muons"),
        (f"compare energy --recipes , -o {target}", "a recipe or a bundle"),
        (f"compare energy --budget none -o {target}", "budget"),
    ):
        capsys.readouterr()
        assert main(command.split()) == 2, command
        lines = capsys.readouterr().err.strip().splitlines()
        assert lines[-1].startswith("cloudchamber: ")
        assert said in lines[-1], command
        assert not Path(target).is_file()


def test_compare_trains_once_and_scores_all_on_the_same_muons(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(compare_energy_systems, "RECIPES", (f"{tmp_path}/cells.toml",))
    for name in ("train", "validation", "test"):
        (tmp_path / f"{name}.h5").write_bytes((folder / f"{name}.h5").read_bytes())
    sparse: dict[str, object] = {"name": "energy-sparse", "options": SMALL_SPARSE}
    write_recipe(tmp_path / "cells.toml", "energy/cells", "default", sparse)
    plain: dict[str, object] = {"name": "energy-paper", "options": {**SMALL_PAPER, "cnn": False}}
    write_recipe(tmp_path / "features.toml", "features", "no_cnn", plain)
    recipes = f"{tmp_path}/cells.toml,{tmp_path}/features.toml"
    command = ["compare", "energy", "-o", str(tmp_path), "--budget", "quick", "--threads", "1"]
    command += ["--recipes", recipes, "--bundles", f"{folder}/run/bundle"]
    assert main(command) == 0
    text = capsys.readouterr().out
    found = json.loads((tmp_path / "compare.json").read_text())
    assert found["test"] == {"n": N_TEST, "seed": 3}
    assert [row["key"] for row in found["published"]] == [row.key for row in ABLATIONS]
    systems = {row["name"]: row for row in found["systems"]}
    assert list(systems) == ["energy/cells", "features", TREES, "small"]
    assert [row["n_train"] for row in systems.values()] == [N_TRAIN] * 4
    truth = true_energies(read_muons(tmp_path / "test.h5")[0])
    for name, run in (("energy/cells", "energy-cells"), ("features", "features")):
        bundle = load_energy_bundle(tmp_path / run / "bundle")
        raw = read_energy_predictions(tmp_path / run / "predictions.h5").raw_gev
        mi = score_energy(truth, raw, calibration=bundle.config.deck).mi
        assert systems[name]["mi"]["value"] == pytest.approx(mi.value)
        (line,) = [line for line in text.splitlines() if mi.text(2) in line and "±" in line][:1]
        published = {"energy/cells": "19.42 ± 0.08", "features": "17.45 ± 0.09"}[name]
        assert published in line
    gains = [row["rank_gain"]["value"] for row in found["systems"]]
    ranks = [row["raw"]["rank"]["value"] for row in found["systems"]]
    assert gains == pytest.approx([rank - ranks[0] for rank in ranks])
    assert gains[0] == gains[3] == 0  # the bundle was trained as the first recipe says
    assert min(gains[1:3]) > 1e-3
    # Toys are their cells: five features of the showers tell all of it to trees.
    assert systems[TREES]["energy"]["mi"]["value"] > 10
    assert len(systems[TREES]["energy"]["coverage"]) == 6

    stamp = (tmp_path / "energy-cells" / "bundle" / "weights.safetensors").stat().st_mtime_ns
    assert main(command) == 0
    assert (tmp_path / "energy-cells" / "bundle" / "weights.safetensors").stat().st_mtime_ns == stamp
    assert json.loads((tmp_path / "compare.json").read_text()) == found


def test_all_of_a_comparison_train_on_the_same_muons(tmp_path: Path) -> None:
    for budget in ("quick", "two-cores", "full"):
        plan = load_plan(None, budget)
        assert [recipe.name for recipe in plan] == list(RECIPES)
        assert len({recipe.data.model_dump_json() for recipe in plan}) == 1
    assert {recipe.published for recipe in plan} >= {row.key for row in ABLATIONS}
    assert set(RECIPES) <= set(list_recipes("energy"))
    assert load_plan("energy/sparse", "two-cores")[0].data == load_plan(None, "two-cores")[0].data
    other = make_energy_recipe().model_dump(mode="json") | {"name": "other"}
    other["training"] = {"epochs": 1}
    other["budgets"] = {"quick": {"train": 100, "validation": 50, "epochs": 1}}
    other["budgets"]["quick"] |= {"cycle_epochs": "none"}
    other["data"]["train"]["seed"] = 5
    (tmp_path / "other.toml").write_text(tomli_w.dumps(other))
    with pytest.raises(InputError, match=r"data\.train"):
        load_plan(f"{tmp_path}/other.toml", "quick")


def test_the_test_set_is_smaller_for_a_quick_look() -> None:
    assert compare_energy.FEW_MUONS < compare_energy.MUONS


def test_demo_with_a_small_model(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_energy_bundle(folder / "run" / "bundle").config
    torch.manual_seed(3)
    shape = (50, 32, 32)
    options = {**config.options, "shape": list(shape)}
    network = build_network(config.network, options).eval()
    grid = type(config.grid)()
    config = config.model_copy(update={"options": options, "grid": grid})
    save_energy_bundle(tmp_path / "bundle", EnergyBundle(config, network, "# small\n\nUntrained.\n"))
    monkeypatch.setattr(demo_energy, "BUNDLE", str(tmp_path / "bundle"))
    assert main(f"demo energy -n 12 --workers 1 -o {tmp_path}/demo".split()) == 0
    assert "new muons of cloudchamber's simulation" in capsys.readouterr().out
    made = sorted(p.name for p in (tmp_path / "demo").iterdir())
    assert made == ["display.html", "event.png", "muons.h5", "predictions.h5", "report.html"]
    assert "cloudchamber demo energy -n 12" in (tmp_path / "demo" / "report.html").read_text()


def test_sparse_counterparts_keep_the_flags_of_the_ablation() -> None:
    dense = load_plan(None, "two-cores")
    for before, after in zip(dense, load_plan(None, "two-cores", sparse=True, epochs=3), strict=True):
        assert after.training.epochs == 3
        assert (after.published, after.data) == (before.published, before.data)
        if before.model.name == "energy-paper" and before.model.options.get("cnn", True):
            assert after.model.name == "energy-sparse"
            assert after.name != before.name
            assert before.model.options.items() <= after.model.options.items()
        else:
            assert (after.model, after.name) == (before.model, before.name)


def test_networks_learn_as_another_recipe_does() -> None:
    guide = load_energy_recipe("energy/best")
    own = load_plan(None, "two-cores", sparse=True)
    for before, after in zip(own, load_plan(None, "two-cores", sparse=True, like="energy/best"), strict=True):
        assert after.name == f"{before.name}-like-best"
        assert (after.published, after.data, after.output) == (before.published, before.data, before.output)
        assert after.model.options == {**before.model.options, "cells": "log"}
        assert after.model.features == "arcsinh" != before.model.features
        assert after.training.optimiser == "muon" != before.training.optimiser
        assert after.training.schedule == guide.training.schedule != before.training.schedule
        for name in ("epochs", "batch", "steps", "patience"):
            assert getattr(after.training, name) == getattr(before.training, name)
    with pytest.raises(InputError, match="none-such"):
        load_plan(None, "two-cores", like="energy/none-such")
