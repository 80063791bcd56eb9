"""Training on hits: it learns, and killed anywhere it ends in the same weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from cloudchamber.errors import InputError
from cloudchamber.model.registry import build_network
from cloudchamber.prepare.hit_images import HitImages, keep_images
from cloudchamber.train.checkpoint import same_weights
from cloudchamber.train.hits_module import HitsModule
from cloudchamber.train.hits_recipe import HitsRecipe, load_hits_recipe
from cloudchamber.train.hits_run import train_hits
from cloudchamber.train.hits_teacher import teach
from cloudchamber.train.recipe import list_recipes

from ..hit_planes import make_hit_events

PATCH = {"patch": 16, "filters": 4, "hidden": (16, 8), "dropout": 0.1}
MODELS: dict[str, dict[str, Any]] = {
    "patch": {"name": "hits-patch", "options": PATCH},
    "plane": {"name": "hits-plane", "options": {"channels": 8, "head": 8, "dilations": (1, 2)}},
    "vertex": {"name": "hits-vertex", "options": PATCH},
}
ADAM = {"optimiser": "adam", "schedule": {"kind": "one-cycle", "start": 1e-3, "peak": 1e-2}}


def recipe(model: str, *, epochs: int = 3, **changed: Any) -> HitsRecipe:
    batch = 3 if model == "plane" else 32
    training = {
        "epochs": epochs, "batch": batch, **ADAM,
        "draw": {"hardness": 0.5, "michel_share": 0.3, "per_epoch": 7 * batch},
        "augment": {"gain": 0.05, "noise": 0.3},
        "loss": {"classes": 1.0, "michel": 1.0, "michel_kind": "cross-entropy"},
    }  # fmt: skip
    return HitsRecipe.model_validate(
        {
            "name": "small",
            "task": "hits",
            "about": "Small.",
            "data": {
                "train": {"n": 8, "seed": 1}, "validation": {"n": 3, "seed": 2}, "crop": 48,
                "validation_patches": 400,
            },
            "model": MODELS[model],
            "training": {**training, **changed.pop("training", {})},
            **changed,
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def halves() -> tuple[HitImages, HitImages]:
    return keep_images([make_hit_events(8, 1)]), keep_images([make_hit_events(3, 2)])


class KilledError(Exception):
    pass


@pytest.mark.parametrize("optimiser", ["sgd", "muon"])
@pytest.mark.parametrize("model", list(MODELS))
def test_a_killed_run_ends_in_the_same_weights(
    halves: tuple[HitImages, HitImages],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    optimiser: str,
) -> None:
    schedule = {"kind": "inverse-time"} if optimiser == "sgd" else ADAM["schedule"]
    small = recipe(model, training={"optimiser": optimiser, "schedule": schedule})
    whole = train_hits(small, *halves, tmp_path / "whole", threads=1)
    step = HitsModule.training_step
    for kill_at in (4, 16):

        def killed(self: HitsModule, *args: object, at: int = kill_at) -> torch.Tensor:
            if self.step == at:
                raise KilledError
            return step(self, *args)  # type: ignore[arg-type]

        monkeypatch.setattr(HitsModule, "training_step", killed)
        with pytest.raises(KilledError):
            train_hits(small, *halves, tmp_path / "killed", threads=1, checkpoint_seconds=0)
    monkeypatch.setattr(HitsModule, "training_step", step)
    resumed = train_hits(small, *halves, tmp_path / "killed", threads=1)
    assert same_weights(whole.network.state_dict(), resumed.network.state_dict())
    assert whole.metrics == resumed.metrics
    assert [line["step"] for line in whole.metrics] == [7, 14, 21]
    with pytest.raises(InputError, match="another"):
        train_hits(small.model_copy(update={"name": "other"}), *halves, tmp_path / "whole", threads=1)


@pytest.mark.parametrize("model", list(MODELS))
def test_it_learns(halves: tuple[HitImages, HitImages], tmp_path: Path, model: str) -> None:
    small = recipe(model, epochs=8, training={"draw": {"per_epoch": 60 if model == "plane" else 960}})
    last = train_hits(small, *halves, tmp_path, threads=1).metrics[-1]
    if model == "vertex":
        assert last["val_vertex_area"] > 0.95
    else:
        assert last["val_em_area"] > 0.98
        assert last["val_michel_area"] > 0.8


def test_a_plane_learns_from_a_teacher_alone(halves: tuple[HitImages, HitImages], tmp_path: Path) -> None:
    taught = recipe("plane", epochs=8, teacher={"per_event": 200}, training={
        "draw": {"per_epoch": 60}, "loss": {"soft": 1.0, "classes": 1.0},
    })  # fmt: skip
    patches = recipe("patch", epochs=8, training={"draw": {"per_epoch": 960}})
    teacher = train_hits(patches, *halves, tmp_path / "teacher", threads=1).network
    last = train_hits(taught, *halves, tmp_path / "plane", teacher=teacher, threads=1).metrics[-1]
    assert last["val_em_area"] > 0.95
    with pytest.raises(ValueError, match="needs a teacher"):
        train_hits(taught, *halves, tmp_path / "none", threads=1)
    with pytest.raises(ValidationError, match="go together"):
        recipe("plane", teacher={"per_event": 200})


def test_the_teacher_answers_as_on_patches(halves: tuple[HitImages, HitImages]) -> None:
    network = build_network("hits-patch", PATCH)
    taught = teach(network, halves[1], recipe("patch").model.scale, 50, 0)
    assert taught.offsets.tolist() == [0, 50, 100, 150]
    np.testing.assert_allclose(taught.probability[:, :3].astype(float).sum(axis=1), 1, atol=2e-3)


def test_planes_of_noise_alone_are_refused(tmp_path: Path) -> None:
    images = keep_images([make_hit_events(2)])
    dark = HitImages(images.readout, np.full_like(images.code, 40), np.full_like(images.target, 2 + (4 << 3)))
    with pytest.raises(ValueError, match="nothing to train on"):
        train_hits(recipe("patch"), dark, images, tmp_path, threads=1)


@pytest.mark.parametrize("name", list_recipes("hits"))
def test_recipes_are_valid(name: str) -> None:
    found = load_hits_recipe(name)
    assert found.name == name
    build_network(found.model.name, found.model.options)
    for budget in found.budgets:
        assert load_hits_recipe(name, budget).data.train.n == found.budgets[budget].train
    with pytest.raises(InputError, match="budget"):
        load_hits_recipe(name, "none such")
