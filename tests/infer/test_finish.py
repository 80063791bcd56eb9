"""Recipes as wholes: ensembles, votes, boosting, pseudo-labels, cuts."""

from pathlib import Path

import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.infer.bundle import load_bundle, save_bundle
from cloudchamber.infer.finish import train_recipe
from cloudchamber.infer.predict import predict_probability
from cloudchamber.prepare.volumes import WallVolumes
from cloudchamber.train.recipe import Ensemble, PseudoLabels, Recipe, Simulated, with_budget

from ..train.volumes import make_recipe, make_volumes

TRAIN, VALIDATION = make_volumes(96, 1), make_volumes(32, 2)


def _recipe(**changes: object) -> Recipe:
    return make_recipe(2).model_copy(update=changes)


def test_one_network(tmp_path: Path) -> None:
    done = train_recipe(_recipe(), tmp_path / "run", TRAIN, VALIDATION, threads=1)
    assert done.bundle.config.network == "walls-unet"
    assert done.score.n == 32
    assert done.seconds > 0
    save_bundle(tmp_path / "bundle", done.bundle)
    loaded = load_bundle(tmp_path / "bundle")
    x0 = VALIDATION.maps["x0"][:, None]
    ours, theirs = (predict_probability(b.network, b.config.inputs, x0) for b in (done.bundle, loaded))
    np.testing.assert_allclose(ours, theirs, atol=5e-3)  # half-precision weights


def test_an_ensemble_with_votes_and_boosting(tmp_path: Path) -> None:
    ensemble = Ensemble(copies=1, options=({"features": 4}, {"features": 8}, {}), vote_cut=0.35, boost=1.0)
    recipe = _recipe(ensemble=ensemble, thresholds="fixed", symmetries=False)
    done = train_recipe(recipe, tmp_path / "run", TRAIN, VALIDATION, threads=1)
    save_bundle(tmp_path / "bundle", done.bundle)
    loaded = load_bundle(tmp_path / "bundle")
    assert loaded.config.network == "ensemble"
    assert not loaded.config.symmetries
    shares = predict_probability(
        loaded.network, loaded.config.inputs, VALIDATION.maps["x0"][:, None], symmetries=False
    )
    assert set(np.unique(np.round(shares * 3).astype(int))) <= {0, 1, 2, 3}
    np.testing.assert_allclose(shares * 3, np.round(shares * 3), atol=1e-4)
    before = [p.stat().st_mtime_ns for p in sorted((tmp_path / "run").rglob("checkpoint.safetensors"))]
    assert len(before) == 3
    train_recipe(recipe, tmp_path / "run", TRAIN, VALIDATION, threads=1)
    after = [p.stat().st_mtime_ns for p in sorted((tmp_path / "run").rglob("checkpoint.safetensors"))]
    assert before == after


def test_pseudo_labels_never_see_labels(tmp_path: Path) -> None:
    recipe = _recipe(pseudo_labels=PseudoLabels(unlabelled=Simulated(n=32, seed=3)))
    more = make_volumes(32, 3).maps
    with pytest.raises(InputError, match="unlabelled"):
        train_recipe(recipe, tmp_path / "run", TRAIN, VALIDATION, threads=1)
    done = train_recipe(recipe, tmp_path / "run", TRAIN, VALIDATION, unlabelled=more, threads=1)
    rounds = sorted(p.name for p in (tmp_path / "run").iterdir() if p.is_dir())
    assert rounds == ["round-0", "round-1"]
    assert "second round" in done.bundle.card


def test_several_maps_in_order(tmp_path: Path) -> None:
    def both(volumes: WallVolumes) -> WallVolumes:
        score = np.random.default_rng(1).normal(size=volumes.walls.shape).astype(np.float32)
        return WallVolumes({**volumes.maps, "score": score}, volumes.walls)

    recipe = _recipe()
    options = {"layers": 6, "inputs": 2, "features": 8, "blocks": 1}
    change = {"name": "walls-resnet", "inputs": ("score", "x0"), "options": options}
    recipe = recipe.model_copy(update={"model": recipe.model.model_copy(update=change)})
    done = train_recipe(recipe, tmp_path / "run", both(TRAIN), both(VALIDATION), threads=1)
    inputs = done.bundle.config.inputs
    assert inputs.names == ("score", "x0")
    assert (inputs.maps["score"].scale, inputs.maps["x0"].scale) == ("linear", "log")
    with pytest.raises(InputError, match="score"):
        train_recipe(recipe, tmp_path / "other", TRAIN, VALIDATION, threads=1)


def test_budgets_cut_down_and_name_themselves() -> None:
    budgets = {"small": {"train": 10, "validation": 5, "epochs": 1, "copies": 2}}
    recipe = Recipe.model_validate({**make_recipe(3).model_dump(), "budgets": budgets})
    small = with_budget(recipe, "small")
    assert (small.data.train.n, small.data.validation.n, small.training.epochs) == (10, 5, 1)
    assert small.ensemble.copies == 2
    assert small.data.train.seed == recipe.data.train.seed
    with pytest.raises(InputError, match="small"):
        with_budget(recipe, "tiny")


def test_beginning_with_another_training(tmp_path: Path) -> None:
    first = train_recipe(_recipe(), tmp_path / "first", TRAIN, VALIDATION, threads=1)
    still = {"kind": "constant", "rate": 1e-12}
    recipe = Recipe.model_validate(make_recipe(1, schedule=still).model_dump())
    done = train_recipe(recipe, tmp_path / "on", TRAIN, VALIDATION, begin=first.bundle, threads=1)
    a, b = (dict(each.bundle.network.named_parameters()) for each in (first, done))
    assert all(np.allclose(a[k].detach().numpy(), b[k].detach().numpy(), atol=1e-6) for k in a)
    assert done.bundle.config.inputs == first.bundle.config.inputs
    options = {**recipe.model.options, "features": 16}
    other = recipe.model_copy(update={"model": recipe.model.model_copy(update={"options": options})})
    with pytest.raises(InputError, match="begin_with"):
        train_recipe(other, tmp_path / "other", TRAIN, VALIDATION, begin=first.bundle, threads=1)
