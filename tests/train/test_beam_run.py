"""Training on wire images: it learns, and killed anywhere it ends in the same weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

from cloudchamber.errors import InputError
from cloudchamber.labels import BeamLabel
from cloudchamber.model.registry import build_network
from cloudchamber.prepare.beam_images import BeamImages, make_images
from cloudchamber.prepare.beam_input import BeamInput
from cloudchamber.train.beam_batches import BeamBatches, BeamChanges
from cloudchamber.train.beam_module import BeamModule, collapsed_to
from cloudchamber.train.beam_recipe import Plateau, load_beam_recipe
from cloudchamber.train.beam_run import train_beam
from cloudchamber.train.beam_schedule import PlateauSchedule
from cloudchamber.train.checkpoint import same_weights
from cloudchamber.train.recipe import list_recipes
from cloudchamber.wire_events import WireEvents

from .beam import READOUT, make_beam_recipe, toy_images, toy_wire_events


@pytest.fixture(scope="module")
def halves() -> tuple[BeamImages, BeamImages]:
    return toy_images(24), toy_images(8, seed=2)


class KilledError(Exception):
    pass


@pytest.mark.parametrize(
    "training",
    [{}, {"optimiser": "adam", "schedule": {"kind": "plateau", "rate": 1e-2, "patience": 0}, "patience": 5}],
    ids=["one-cycle", "plateau"],
)
def test_a_killed_run_ends_in_the_same_weights(
    halves: tuple[BeamImages, BeamImages],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    training: dict[str, object],
) -> None:
    recipe = make_beam_recipe(**training)
    whole = train_beam(recipe, *halves, tmp_path / "whole", threads=1)
    step = BeamModule.training_step
    for kill_at in (2, 9):

        def killed(self: BeamModule, *args: object, at: int = kill_at) -> torch.Tensor:
            if self.step == at:
                raise KilledError
            return step(self, *args)  # type: ignore[arg-type]

        monkeypatch.setattr(BeamModule, "training_step", killed)
        with pytest.raises(KilledError):
            train_beam(recipe, *halves, tmp_path / "killed", threads=1, checkpoint_seconds=0)
    monkeypatch.setattr(BeamModule, "training_step", step)
    resumed = train_beam(recipe, *halves, tmp_path / "killed", threads=1)
    assert same_weights(whole.network.state_dict(), resumed.network.state_dict())
    assert whole.metrics == resumed.metrics
    assert [line["epoch"] for line in whole.metrics] == [0, 1, 2]
    with pytest.raises(InputError, match="another"):
        train_beam(recipe.model_copy(update={"name": "other"}), *halves, tmp_path / "whole", threads=1)


@pytest.mark.parametrize("optimiser", ["adam", "muon"])
def test_it_learns_to_tell_the_beam(
    halves: tuple[BeamImages, BeamImages], tmp_path: Path, optimiser: str
) -> None:
    recipe = make_beam_recipe(epochs=12, optimiser=optimiser, changes={})
    trained = train_beam(recipe, toy_images(48), halves[1], tmp_path, threads=1)
    last = trained.metrics[-1]
    assert last["val_iou_background"] > 0.97
    assert last["val_iou_beam"] > 0.5  # what calls every lit pixel one class has less than 0.35
    assert last["collapsed"] == 0
    assert trained.options["inputs"] == 3


def test_collapse_is_named(
    halves: tuple[BeamImages, BeamImages],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frozen = make_beam_recipe(epochs=1, schedule={"kind": "constant", "rate": 1e-12}, loss={"kind": "dice"})

    def biased(name: str, options: dict[str, object]) -> torch.nn.Module:
        network = build_network(name, options)
        with torch.no_grad():
            dict(network.named_parameters())["out.bias"][BeamLabel.BACKGROUND] = 30.0
        return network

    monkeypatch.setattr("cloudchamber.train.beam_run.build_network", biased)
    trained = train_beam(frozen, *halves, tmp_path, threads=1)
    assert trained.metrics[0]["collapsed"] == 1
    assert "collapsed to background: it finds nothing else" in " ".join(capsys.readouterr().err.split())
    confusion = torch.tensor([[900, 5, 0], [3, 60, 0], [0, 40, 0]])
    assert collapsed_to(confusion) == "not beam"
    confusion[2, 2] = 10
    assert collapsed_to(confusion) == ""


def test_no_images_or_labels_are_refused(halves: tuple[BeamImages, BeamImages], tmp_path: Path) -> None:
    none = halves[0].taken(np.zeros(24, bool))
    with pytest.raises(InputError, match="beam hits"):
        train_beam(make_beam_recipe(), none, halves[1], tmp_path)
    unknown = make_images(WireEvents(READOUT, toy_wire_events(4).code), halves[0].config)
    with pytest.raises(ValueError, match="labels"):
        BeamBatches(unknown, BeamInput(), 4)


def test_batches_follow_from_seed_and_epoch(halves: tuple[BeamImages, BeamImages]) -> None:
    images, inputs = halves[0], BeamInput().fitted(halves[0])
    changes = BeamChanges(shift=2, gain=0.1, noise=0.5)

    def epoch(number: int, first: int = 0) -> list[bytes]:
        batches = BeamBatches(images, inputs, 5, changes=changes, seed=3, epoch=number, first=first)
        return [batch.read.numpy().tobytes() + batch.label.numpy().tobytes() for batch in batches]

    assert epoch(0) == epoch(0)
    assert epoch(0)[3:] == epoch(0, first=3)
    assert epoch(0) != epoch(1)
    assert len(epoch(0)) == 4
    plain = list(BeamBatches(images, inputs, 5, changes=changes))
    assert sum(len(batch.label) for batch in plain) == 24
    np.testing.assert_array_equal(plain[0].label.numpy(), images.label[:5])  # type: ignore[index]


def test_a_shift_moves_labels_with_the_signal() -> None:
    images = toy_images(6, seed=4)
    assert images.label is not None
    plain = BeamInput(scale="linear", coordinates=False)
    batches = BeamBatches(images, plain, 6, changes=BeamChanges(shift=5), seed=1, epoch=0)
    batch = next(iter(batches))
    lit = batch.label > 0
    assert float(batch.read[:, 0][lit].min()) > 60
    assert float(batch.read[:, 0][~lit].max()) < 30
    signals = {images.signal([k])[0].tobytes() for k in range(6)}
    assert any(each.numpy().tobytes() not in signals for each in batch.read[:, 0])


def test_what_a_network_reads(halves: tuple[BeamImages, BeamImages]) -> None:
    inputs = BeamInput().fitted(halves[0])
    assert inputs.size == pytest.approx(2, abs=0.7)  # noise of 2 per pixel, of which it sees the largest of 4
    read = inputs(halves[0].signal(slice(None)))
    assert read.shape == (24, 3, 32, 32)
    assert float(read[:, 0].mean()) == pytest.approx(0, abs=1e-4)
    assert float(read[:, 0].std()) == pytest.approx(1, abs=1e-3)
    assert (read[0, 1, 0] == -1).all()
    assert (read[0, 2, :, -1] == 1).all()
    part = inputs(halves[0].signal(slice(None)), (0.0, 0.5, -0.5, 0.0))
    assert (float(part[0, 1, -1, 0]), float(part[0, 2, 0, 0])) == (0.5, -0.5)
    assert BeamInput(coordinates=False)(halves[0].signal([0])).shape == (1, 1, 32, 32)


def test_plateau_is_that_of_torch() -> None:
    losses = [5, 4, 4.5, 4.2, 4.1, 4.4, 4.3, 3, 3.5, 3.5, 3.5, 3.5, 3.5, 2]
    ours, theirs = (torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=0.1) for _ in range(2))
    schedule = PlateauSchedule(ours, Plateau(kind="plateau", rate=0.1, factor=0.75, patience=3))
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, factor=0.75, patience=3, threshold=0.0)
    rates = []
    for loss in losses:
        schedule.epoch_over(loss)
        reference.step(loss)
        assert ours.param_groups[0]["lr"] == pytest.approx(theirs.param_groups[0]["lr"])
        rates.append(ours.param_groups[0]["lr"])
    assert len(set(rates)) == 3


@pytest.mark.parametrize("name", list_recipes("beam"))
def test_recipes_are_valid(name: str) -> None:
    recipe = load_beam_recipe(name)
    assert recipe.name == name
    assert set(recipe.budgets) == {"two-cores", "quick"}
    for budget in recipe.budgets:
        assert load_beam_recipe(name, budget).data.train.n == recipe.budgets[budget].train
    with pytest.raises(InputError, match="budget"):
        load_beam_recipe(name, "none such")


def test_the_published_recipe_is_as_published() -> None:
    recipe = load_beam_recipe("beam/paper")
    data, training = recipe.data, recipe.training
    assert data.images.least_beam == 2000
    assert (data.images.wires, data.images.drifts, data.images.label) == (320, 320, "maximum")
    assert (training.epochs, training.batch, training.optimiser) == (390, 2, "adam")
    assert training.schedule == Plateau(kind="plateau", rate=1e-3, factor=0.75, patience=3)
    assert recipe.model.options == {}
    assert data.images.labels is BeamLabel
