"""Constant and cyclic learning rates, early stopping, weights of volumes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import CyclicLR

from cloudchamber.prepare.normalise import Inputs, Standardise
from cloudchamber.train.batches import WallBatches
from cloudchamber.train.epochs import make_optimiser, make_schedule
from cloudchamber.train.recipe import Training
from cloudchamber.train.run import train

from .volumes import make_recipe, make_volumes


def _rates(training: Training, steps_per_epoch: int, steps: int) -> list[float]:
    optimiser = make_optimiser(nn.Linear(2, 2), training)
    schedule = make_schedule(optimiser, training, steps_per_epoch)
    rates = []
    for _ in range(steps):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    return rates


def test_triangular2_is_torchs() -> None:
    cycle = {"kind": "triangular2", "low": 1e-4, "high": 1e-2, "half_period": 2}
    training = Training.model_validate({"epochs": 12, "schedule": cycle})
    ours = _rates(training, 5, 55)
    optimiser = torch.optim.Adam(nn.Linear(2, 2).parameters())
    theirs = CyclicLR(optimiser, 1e-4, 1e-2, 10, mode="triangular2", cycle_momentum=False)
    expected = []
    for _ in range(55):
        expected.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        theirs.step()
    # The height over the low rate is halved in torch, the height over 0 here: alike but for low's share.
    np.testing.assert_allclose(ours, expected, atol=1e-4)
    assert max(ours[:20]) == pytest.approx(1e-2)


def test_constant() -> None:
    training = Training.model_validate({"epochs": 2, "schedule": {"kind": "constant", "rate": 3e-4}})
    assert set(_rates(training, 5, 10)) == {3e-4}


def test_patience_stops_and_keeps_the_best(tmp_path: Path) -> None:
    schedule = {"kind": "constant", "rate": 0.3}  # far too much: it soon gets worse
    recipe = make_recipe(40, patience=2, schedule=schedule)
    trained = train(recipe, make_volumes(32, 1), make_volumes(32, 2), tmp_path, threads=1)
    losses = [line["val_loss"] for line in trained.metrics]
    best = int(np.argmin(losses))
    assert len(losses) == min(40, best + 3) < 40
    again = train(recipe, make_volumes(32, 1), make_volumes(32, 2), tmp_path, threads=1)
    assert len(again.metrics) == len(losses)
    maps = again.inputs(torch.from_numpy(make_volumes(32, 2).maps["x0"])[:, None])
    target = torch.from_numpy(make_volumes(32, 2).walls[:, None]).float()
    from cloudchamber.train.losses import LOSSES

    with torch.no_grad():
        assert float(LOSSES["soft-iou"](again.network(maps), target)) == pytest.approx(losses[best], abs=1e-5)


def test_heavy_volumes_come_more_often() -> None:
    maps = np.arange(1000, dtype=np.float32).reshape(-1, 1, 1, 1, 1) * np.ones((1, 1, 1, 2, 2), np.float32)
    inputs = Inputs(maps={"x0": Standardise(scale="linear")})
    weights = np.where(np.arange(1000) < 100, 9.0, 1.0)
    batches = WallBatches(maps, maps[:, 0] > 0, inputs, 100, seed=1, epoch=0, weights=weights)
    drawn = torch.cat([x[:, 0, 0, 0, 0] for x, _ in batches])
    share = float((drawn < 100).float().mean())
    assert share == pytest.approx(0.5, abs=4 * 0.5 / 1000**0.5)


def test_muon_trains_and_resumes(tmp_path: Path) -> None:
    recipe = make_recipe(4, optimiser="muon", structure=0.1)
    options = {"layers": 6, "features": 16, "blocks": 2, "structure": True}
    model = recipe.model.model_copy(update={"name": "walls-resnet", "options": options})
    recipe = recipe.model_copy(update={"model": model})
    trained = train(recipe, make_volumes(96, 1), make_volumes(32, 2), tmp_path / "a", threads=1)
    assert trained.metrics[-1]["val_iou"] > 2 * trained.metrics[0]["val_iou"]
    assert trained.seconds > 0
    record = json.loads((tmp_path / "a" / "recipe.json").read_text())
    assert record["training"]["structure"] == 0.1
