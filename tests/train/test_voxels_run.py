"""Training on sparse events: it learns, and killed anywhere it ends in the same weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

from cloudchamber.errors import InputError
from cloudchamber.infer.voxels_bundle import load_voxels_bundle, save_voxels_bundle
from cloudchamber.infer.voxels_finish import train_voxels_recipe
from cloudchamber.infer.voxels_predict import batches_of, predict_events
from cloudchamber.prepare.voxel_features import place_voxels, scale_energy, take_events
from cloudchamber.train.checkpoint import same_weights
from cloudchamber.train.recipe import list_recipes
from cloudchamber.train.voxels_batches import VoxelBatches
from cloudchamber.train.voxels_module import VoxelsModule
from cloudchamber.train.voxels_recipe import VoxelsRecipe, load_voxels_recipe
from cloudchamber.train.voxels_run import train_voxels
from cloudchamber.voxel_events import VoxelEvents, join_events, offsets_of

RECIPE = VoxelsRecipe.model_validate(
    {
        "name": "small",
        "task": "voxels",
        "about": "Small.",
        "data": {"train": {"n": 24, "seed": 1}, "validation": {"n": 8, "seed": 2}},
        "model": {"options": {"levels": 2, "filters": 4, "repetitions": 1}},
        "training": {"epochs": 3, "batch": 4, "schedule": {"start": 1e-3, "peak": 1e-2}},
    }
)


def event(rng: np.random.Generator) -> VoxelEvents:
    """One straight track (MIP, 0.6 MeV) and one blob (shower, 0.2 MeV) in 32 voxels a side."""
    along, start = np.arange(20), rng.integers(0, 12, 3)
    track = start + along[:, None] * np.eye(3, dtype=int)[rng.integers(3)]
    blob = rng.integers(20, 32, (30, 3))
    position = np.concatenate([track, blob])
    energy = np.concatenate([np.full(20, 0.6), np.full(30, 0.2)]) * rng.uniform(0.8, 1.2, 50)
    label = np.repeat([1, 2], [20, 30])
    number = (position[:, 2] * 32 + position[:, 1]) * 32 + position[:, 0]
    _, index = np.unique(number, return_index=True)
    return VoxelEvents(
        (32, 32, 32), 3.0, offsets_of([len(index)]), position[index].astype(np.int32),
        energy[index].astype(np.float32), label[index].astype(np.uint8),
    )  # fmt: skip


@pytest.fixture(scope="module")
def events() -> VoxelEvents:
    rng = np.random.default_rng(5)
    return join_events([event(rng) for _ in range(32)])


@pytest.fixture(scope="module")
def halves(events: VoxelEvents) -> tuple[VoxelEvents, VoxelEvents]:
    return events.chosen(0, 24), events.chosen(24, 32)


class KilledError(Exception):
    pass


def test_a_killed_run_ends_in_the_same_weights(
    halves: tuple[VoxelEvents, VoxelEvents], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train_voxels(RECIPE, *halves, tmp_path / "whole", threads=1)
    step = VoxelsModule.training_step
    for kill_at in (2, 9):

        def killed(self: VoxelsModule, *args: object, at: int = kill_at) -> torch.Tensor:
            if self.step == at:
                raise KilledError
            return step(self, *args)  # type: ignore[arg-type]

        monkeypatch.setattr(VoxelsModule, "training_step", killed)
        with pytest.raises(KilledError):
            train_voxels(RECIPE, *halves, tmp_path / "killed", threads=1, checkpoint_seconds=0)
    monkeypatch.setattr(VoxelsModule, "training_step", step)
    resumed = train_voxels(RECIPE, *halves, tmp_path / "killed", threads=1)
    assert same_weights(whole.network.state_dict(), resumed.network.state_dict())
    assert whole.metrics == resumed.metrics
    assert [line["epoch"] for line in whole.metrics] == [0, 1, 2]
    other = RECIPE.model_copy(update={"name": "other"})
    with pytest.raises(InputError, match="another"):
        train_voxels(other, *halves, tmp_path / "whole", threads=1)


@pytest.mark.parametrize("optimiser", ["adam", "muon"])
def test_it_learns_and_its_bundle_predicts_the_same(
    halves: tuple[VoxelEvents, VoxelEvents], tmp_path: Path, optimiser: str
) -> None:
    training = RECIPE.training.model_copy(update={"epochs": 10, "optimiser": optimiser})
    recipe = RECIPE.model_copy(update={"training": training})
    done = train_voxels_recipe(recipe, tmp_path / "run", *halves, threads=1)
    accuracy = done.score.accuracy.value
    assert accuracy is not None
    assert accuracy > 0.9  # a network that sees no energy and no shape has 0.6
    save_voxels_bundle(tmp_path / "bundle", done.bundle)
    loaded = load_voxels_bundle(tmp_path / "bundle")
    assert loaded.config == done.bundle.config
    before, after = (predict_events(bundle, halves[1])[1] for bundle in (done.bundle, loaded))
    np.testing.assert_allclose(before, after, atol=5e-3)
    assert "10 epochs" in " ".join(loaded.card.split())


def test_prediction_does_not_depend_on_batches(events: VoxelEvents, tmp_path: Path) -> None:
    done = train_voxels_recipe(RECIPE, tmp_path, events.chosen(0, 24), events.chosen(24, 32), threads=1)
    whole = predict_events(done.bundle, events)[1]
    np.testing.assert_allclose(predict_events(done.bundle, events, most_voxels=60)[1], whole, atol=1e-5)
    with pytest.raises(InputError, match="voxels of 3 mm"):
        predict_events(done.bundle, VoxelEvents(**{**vars(events), "voxel_mm": 4.0}))


@pytest.mark.parametrize("most", [1, 60, 120, 10**6])
def test_batches_hold_every_event_once(events: VoxelEvents, most: int) -> None:
    parts = list(batches_of(events, most))
    np.testing.assert_array_equal(np.concatenate([part.position for part in parts]), events.position)
    assert sum(len(part) for part in parts) == len(events)
    assert all(len(part) == 1 or len(part.position) <= most for part in parts)


def test_batches_follow_from_seed_and_epoch(events: VoxelEvents) -> None:
    def epoch(number: int, first: int = 0) -> list[bytes]:
        batches = VoxelBatches(events, "log", 5, seed=3, epoch=number, symmetries=True, first=first)
        return [batch.coordinates.numpy().tobytes() for batch in batches]

    assert epoch(0) == epoch(0)
    assert epoch(0)[4:] == epoch(0, first=4)
    assert epoch(0) != epoch(1)
    assert len(epoch(0)) == 6
    plain = list(VoxelBatches(events, "log", 5))
    assert sum(batch.events for batch in plain) == 32


def test_turned_events_keep_energies_and_labels_with_their_voxels(events: VoxelEvents) -> None:
    batch = next(iter(VoxelBatches(events, "linear", 32, seed=1, epoch=0, symmetries=True)))
    for k in range(32):
        here = batch.coordinates[:, 0] == k
        track = batch.coordinates[here & (batch.label == 1), 1:]
        spread = track.max(dim=0).values - track.min(dim=0).values
        assert sorted((spread > 0).tolist()) == [False, False, True]
        assert float(batch.features[here & (batch.label == 1)].min()) > 0.4


def test_energy_scales() -> None:
    energy = np.array([0.01, 0.05, 0.5, 5.0], np.float32)
    np.testing.assert_allclose(scale_energy(energy, "log")[:, 0], [0, 0, 1, 2], atol=1e-6)
    np.testing.assert_array_equal(scale_energy(energy, "linear")[:, 0], energy)


def test_only_cubes_are_turned(events: VoxelEvents) -> None:
    other = VoxelEvents(**{**vars(events), "shape": (32, 32, 40)})
    with pytest.raises(ValueError, match="only cubes"):
        place_voxels(other, [0] * 32)
    assert len(take_events(events, [3, 1])) == 2


@pytest.mark.parametrize("name", list_recipes("voxels"))
def test_recipes_are_valid(name: str) -> None:
    recipe = load_voxels_recipe(name)
    assert recipe.name == name
    for budget in recipe.budgets:
        assert load_voxels_recipe(name, budget).data.train.n == recipe.budgets[budget].train
    with pytest.raises(InputError, match="budget"):
        load_voxels_recipe(name, "none such")
