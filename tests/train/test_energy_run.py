"""Training on muons: it learns, and killed anywhere it ends in the same weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from cloudchamber.calorimeter_events import CalorimeterEvents
from cloudchamber.errors import InputError
from cloudchamber.model.registry import build_network
from cloudchamber.score.published_energy import ABLATIONS
from cloudchamber.train.checkpoint import load_checkpoint, same_weights
from cloudchamber.train.energy_batches import EnergyBatches, make_batch
from cloudchamber.train.energy_module import EnergyModule, mean_resolution
from cloudchamber.train.energy_recipe import load_energy_recipe
from cloudchamber.train.energy_run import TrainedEnergy, train_energy, train_energy_copies
from cloudchamber.train.recipe import list_recipes
from cloudchamber.train.resume import CHECKPOINT

from .muons import GRID, SMALL_PAPER, make_energy_recipe, make_muons

STEPS = {"cycle_epochs": 1, "factor": 0.5, "patience": 1}


@pytest.fixture(scope="module")
def halves() -> tuple[CalorimeterEvents, CalorimeterEvents]:
    return make_muons(96, 1), make_muons(48, 2)


class KilledError(Exception):
    pass


@pytest.mark.parametrize("steps", [None, STEPS])
def test_a_killed_run_ends_in_the_same_weights(
    halves: tuple[CalorimeterEvents, CalorimeterEvents],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    steps: dict[str, object] | None,
) -> None:
    # A rate at which the loss soon grows again, so that steps are taken.
    schedule = {"start": 1e-3, "peak": 0.2, "final": 0.2} if steps else {}
    recipe = make_energy_recipe(epochs=6 if steps else 3, steps=steps, schedule=schedule, patience=6)
    whole = train_energy(recipe, *halves, tmp_path / "whole", threads=1)
    step = EnergyModule.training_step
    for kill_at in (3, 14) if steps is None else (20, 32):

        def killed(self: EnergyModule, *args: Any, at: int = kill_at) -> torch.Tensor:
            if self.step == at:
                raise KilledError
            return step(self, *args)

        monkeypatch.setattr(EnergyModule, "training_step", killed)
        with pytest.raises(KilledError):
            train_energy(recipe, *halves, tmp_path / "killed", threads=1, checkpoint_seconds=0)
    monkeypatch.setattr(EnergyModule, "training_step", step)
    resumed = train_energy(recipe, *halves, tmp_path / "killed", threads=1)
    assert same_weights(whole.network.state_dict(), resumed.network.state_dict())
    assert whole.metrics == resumed.metrics
    assert (whole.loss, whole.output) == (resumed.loss, resumed.output)
    taken = load_checkpoint(tmp_path / "whole" / CHECKPOINT)[2]["schedule"]["halvings"]
    assert (taken > 0) == (steps is not None)
    other = recipe.model_copy(update={"name": "other"})
    with pytest.raises(InputError, match="another"):
        train_energy(other, *halves, tmp_path / "whole", threads=1)


def resolution(done: TrainedEnergy) -> float:
    return float(min(line["val_resolution"] for line in done.metrics))


@pytest.mark.parametrize(
    ("name", "options"),
    [("energy-sparse", None), ("energy-paper", SMALL_PAPER), ("energy-cnn", {"channels": [4]})],
)
def test_it_learns(tmp_path: Path, name: str, options: dict[str, object] | None) -> None:
    train, validation = make_muons(320, 1), make_muons(96, 2)
    model: dict[str, object] | None = {"name": name, "options": options} if options else None
    recipe = make_energy_recipe(
        model, epochs=12, batch=16, schedule={"start": 1e-3, "peak": 2e-2, "final": 1e-3}
    )
    done = train_energy(recipe, train, validation, tmp_path, threads=1)
    true = np.zeros(0) if validation.muons is None else validation.muons["energy_gev"]
    guess = np.random.default_rng(1).permutation(true)  # knows the spectrum and nothing of the muon
    assert resolution(done) < 0.5 * mean_resolution(guess, true)
    assert done.loss < 0.5 * done.metrics[0]["val_loss"]
    assert (done.scale is None) == (name == "energy-cnn")
    assert done.options["shape"] == GRID.shape


@pytest.mark.parametrize("kind", ["energy", "quantiles", "density"])
def test_intervals_hold_the_truth_as_often_as_they_say(tmp_path: Path, kind: str) -> None:
    train, validation = make_muons(640, 1), make_muons(320, 2)
    recipe = make_energy_recipe(
        {"name": "energy-paper", "options": {"cnn": False, "hidden": [16]}},
        {"kind": kind, "levels": [0.15865, 0.5, 0.84135], "scale": "log"},
        epochs=20, batch=32, weigh_high=False, schedule={"start": 1e-3, "peak": 1e-2, "final": 1e-4},
    )  # fmt: skip
    done = train_energy(recipe, train, validation, tmp_path, threads=1)
    best = min(done.metrics, key=lambda line: line["val_loss"])
    assert best["val_coverage"] == pytest.approx(0.6827, abs=0.08)
    assert best["val_resolution"] < 0.45


def test_copies_differ_by_their_seeds(
    halves: tuple[CalorimeterEvents, CalorimeterEvents], tmp_path: Path
) -> None:
    recipe = make_energy_recipe(epochs=1).model_copy(update={"copies": 2})
    first, second = train_energy_copies(recipe, *halves, tmp_path, threads=1)
    assert not same_weights(first.network.state_dict(), second.network.state_dict())
    assert first.output == second.output
    assert {path.name for path in tmp_path.iterdir()} == {"0", "1"}
    single = recipe.model_copy(update={"copies": 1})
    alone = train_energy_copies(single, *halves, tmp_path / "alone", threads=1)
    assert same_weights(alone[0].network.state_dict(), first.network.state_dict())


def test_batches_follow_from_seed_and_epoch(halves: tuple[CalorimeterEvents, CalorimeterEvents]) -> None:
    features = np.zeros((4, 96, 2), np.float32)

    def epoch(number: int, first: int = 0) -> list[bytes]:
        batches = EnergyBatches(halves[0], features, 10, seed=3, epoch=number, first=first)
        return [batch.coordinates.numpy().tobytes() for batch in batches]

    assert epoch(0) == epoch(0)
    assert epoch(0)[6:] == epoch(0, first=6)
    assert epoch(0) != epoch(1)
    assert len(epoch(0)) == 9
    plain = list(EnergyBatches(halves[0], features[:1], 10))
    assert sum(len(batch.truth_gev) for batch in plain) == 96
    with pytest.raises(ValueError, match="features of 96 muons"):
        EnergyBatches(halves[0], features[:, :5], 10)


def test_a_batch_holds_the_muons_that_were_chosen(
    halves: tuple[CalorimeterEvents, CalorimeterEvents],
) -> None:
    events = halves[0]
    chosen = np.array([5, 90, 0, 5])
    features = np.arange(8, dtype=np.float32).reshape(4, 2)
    batch = make_batch(events, chosen, features, np.array([0, 1, 2, 3]))
    grids = np.zeros((4, *GRID.shape), np.float32)
    grids[tuple(batch.coordinates.numpy().T)] = batch.energy_gev.numpy()
    dense = events.dense()
    for row, (muon, axes) in enumerate(zip(chosen, [(), (2,), (1,), (1, 2)], strict=True)):
        np.testing.assert_array_equal(grids[row], np.flip(dense[muon], axes))
    assert events.muons is not None
    np.testing.assert_array_equal(batch.truth_gev.numpy(), events.muons["energy_gev"][chosen])
    bare = CalorimeterEvents(events.grid, events.cell_offsets, events.position, events.energy_gev)
    assert bool(make_batch(bare, chosen, features).truth_gev.isnan().all())


def test_reflected_muons_come_with_their_own_features(
    halves: tuple[CalorimeterEvents, CalorimeterEvents],
) -> None:
    """The features tell the reflection here; cells must agree with them."""
    events = halves[0]
    features = np.tile(np.arange(4, dtype=np.float32)[:, None, None], (1, 96, 1))
    dense, seen = events.dense(), set[int]()
    assert events.muons is not None
    for batch in EnergyBatches(events, features, 32, seed=1, epoch=0):
        grids = np.zeros((32, *GRID.shape), np.float32)
        grids[tuple(batch.coordinates.numpy().T)] = batch.energy_gev.numpy()
        for grid, told, truth in zip(
            grids, batch.features[:, 0].tolist(), batch.truth_gev.tolist(), strict=True
        ):
            muon = int(np.flatnonzero(events.muons["energy_gev"] == np.float32(truth))[0])
            axes = tuple(axis for axis, bit in ((1, 2), (2, 1)) if int(told) & bit)
            np.testing.assert_array_equal(grid, np.flip(dense[muon], axes))
            seen.add(int(told))
    assert seen == {0, 1, 2, 3}


def test_resolution_by_hand() -> None:
    true = np.repeat([100.0, 1000.0], 1001)
    predicted = true * np.concatenate([np.linspace(0.5, 1.5, 1001), np.linspace(0.9, 1.1, 1001)])
    assert mean_resolution(predicted, true, 2) == pytest.approx(0.6827 / 2 * (1 + 0.2) / 2, rel=1e-3)


def test_energies_must_be_known(halves: tuple[CalorimeterEvents, CalorimeterEvents], tmp_path: Path) -> None:
    train = halves[0]
    bare = CalorimeterEvents(train.grid, train.cell_offsets, train.position, train.energy_gev)
    with pytest.raises(ValueError, match="whose energies are known"):
        train_energy(make_energy_recipe(), bare, halves[1], tmp_path, threads=1)


@pytest.mark.parametrize("name", list_recipes("energy"))
def test_recipes_are_valid(name: str) -> None:
    recipe = load_energy_recipe(name)
    assert recipe.name == name
    assert recipe.data.train.seed != recipe.data.validation.seed
    build_network(recipe.model.name, {**recipe.model.options, "outputs": recipe.output.outputs})
    assert set(recipe.budgets) == {"two-cores", "quick"}
    for budget, less in recipe.budgets.items():
        cut = load_energy_recipe(name, budget)
        assert (cut.data.train.n, cut.training.epochs) == (less.train, less.epochs)
    with pytest.raises(InputError, match="budget"):
        load_energy_recipe(name, "none such")


def test_every_line_of_the_published_table_has_a_recipe() -> None:
    published = [load_energy_recipe(name).published for name in list_recipes("energy")]
    assert sorted(filter(None, published)) == sorted(row.key for row in ABLATIONS)


def test_steps_need_a_best_epoch_to_go_back_to() -> None:
    with pytest.raises(ValidationError, match="patience"):
        make_energy_recipe(patience=None, steps=STEPS)
    with pytest.raises(ValidationError, match="rising"):
        make_energy_recipe(bins_gev=(3.0, 2.0))
