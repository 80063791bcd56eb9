"""Losses of energies against values worked out by hand."""

import math

import numpy as np
import pytest
import torch

from cloudchamber.model.energy_output import EnergyOutput
from cloudchamber.train.energy_loss import (
    EnergyLoss,
    FractionalBinnedHuber,
    density_loss,
    high_energy_weights,
    pinball_loss,
)

EDGES = (50.0, 1640.0, 3230.0, 4820.0, 6410.0, 8000.0)


def test_weights_of_high_energies() -> None:
    weights = high_energy_weights(torch.tensor([50.0, 4700.0, 5000.0, 5600.0, 8000.0]))
    wanted = [1.0, 1 / (1 + math.exp(-1)), 0.5, 1 / (1 + math.exp(1)), 1 / (1 + math.exp(5))]
    torch.testing.assert_close(weights, torch.tensor(wanted))


def test_bins_hold_what_lies_beyond_their_ends() -> None:
    loss = FractionalBinnedHuber(EDGES)
    energies = torch.tensor([10.0, 50.0, 1639.9, 1640.0, 6410.0, 8000.0, 9000.0])
    assert loss.bins(energies).tolist() == [0, 0, 0, 1, 4, 4, 4]


def test_huber_by_hand() -> None:
    """Two bins; thresholds are set, so the formula alone is seen."""
    loss = FractionalBinnedHuber((0.0, 2000.0, 4000.0)).eval()
    loss.thresholds[:] = torch.tensor([0.04, 0.25])
    true = torch.tensor([1000.0, 1000.0, 3000.0, 3000.0])
    predicted = torch.tensor([1100.0, 600.0, 3400.0, 2000.0])
    #       d = 0.1       0.4 > 0.2                       0.4           1.0 > 0.5, in TeV
    each = [0.01 / 1, (0.04 + 2 * 0.2 * (0.4 - 0.2)) / 1, 0.16 / 3, (0.25 + 2 * 0.5 * 0.5) / 3]
    assert float(loss(predicted, true)) == pytest.approx(np.mean(each), rel=1e-5)
    weights = torch.tensor([1.0, 2.0, 0.0, 0.5])
    wanted = (each[0] + 2 * each[1] + 0.5 * each[3]) / 4
    assert float(loss(predicted, true, weights)) == pytest.approx(wanted, rel=1e-5)


def test_thresholds_begin_with_the_first_batch_and_follow_slowly() -> None:
    loss = FractionalBinnedHuber((0.0, 2000.0, 4000.0), percentile=0.68, momentum=0.1)
    true = torch.full((101,), 1000.0)
    error = torch.linspace(0, 1000, 101)
    loss(true + error, true)
    assert float(loss.thresholds[0]) == pytest.approx(0.68**2, rel=1e-4)
    assert bool(loss.thresholds[1].isnan())
    loss(true + 2 * error, true)
    assert float(loss.thresholds[0]) == pytest.approx(0.68**2 * (0.9 + 0.1 * 4), rel=1e-4)
    before = loss.thresholds.clone()
    loss.eval()(true, true)
    torch.testing.assert_close(loss.thresholds, before, equal_nan=True)


def test_value_and_slope_are_continuous_at_the_threshold() -> None:
    loss = FractionalBinnedHuber((0.0, 2000.0)).eval()
    loss.thresholds[:] = 0.09
    true = torch.full((2,), 1000.0, dtype=torch.float64)
    predicted = (true + torch.tensor([299.999, 300.001], dtype=torch.float64)).requires_grad_()
    each = [loss(predicted[k : k + 1], true[k : k + 1]) for k in range(2)]
    torch.testing.assert_close(each[0], each[1], rtol=1e-4, atol=0)
    slopes = torch.autograd.grad(each[0] + each[1], predicted)[0]
    torch.testing.assert_close(slopes[0], slopes[1], rtol=1e-4, atol=0)


def test_gradients_are_finite_where_a_bin_was_never_seen() -> None:
    loss = FractionalBinnedHuber(EDGES).eval()
    predicted = torch.tensor([1000.0, 7000.0], requires_grad=True)
    loss(predicted, torch.tensor([2000.0, 5000.0])).backward()
    assert predicted.grad is not None
    assert torch.isfinite(predicted.grad).all()


def test_pinball_by_hand_and_its_least_value() -> None:
    predicted, true = torch.tensor([[1.0, 2.0]]), torch.tensor([1.5])
    # 0.2 * 0.5 from the first level, (0.6 - 1) * -0.5 from the second
    assert float(pinball_loss(predicted, true, (0.2, 0.6))) == pytest.approx((0.1 + 0.2) / 2)
    assert float(pinball_loss(predicted, true, (0.2, 0.6), torch.tensor([3.0]))) == pytest.approx(0.45)
    sample = torch.linspace(0, 1, 1001)
    guesses = torch.linspace(0, 1, 101)
    losses = [float(pinball_loss(guess.expand(1001, 1), sample, (0.84,))) for guess in guesses]
    assert float(guesses[int(np.argmin(losses))]) == pytest.approx(0.84, abs=0.011)


def test_density_by_hand_and_its_least_value() -> None:
    out = torch.tensor([[1.0, math.log(2.0)]])
    assert float(density_loss(out, torch.tensor([4.0]))) == pytest.approx(1.5**2 / 2 + math.log(2))
    normal = torch.distributions.Normal(1.0, 2.0)
    wanted = -normal.log_prob(torch.tensor(4.0)) - math.log(2 * math.pi) / 2
    assert float(density_loss(out, torch.tensor([4.0]))) == pytest.approx(float(wanted))
    sample = 3 + 0.5 * torch.randn(4000, generator=torch.Generator().manual_seed(1))
    grid = torch.linspace(-1.5, 0, 31)
    losses = [float(density_loss(torch.tensor([[3.0, s]]).expand(4000, 2), sample)) for s in grid.tolist()]
    assert float(grid[int(np.argmin(losses))]) == pytest.approx(math.log(0.5), abs=0.06)


def test_losses_belong_to_outputs() -> None:
    true = torch.tensor([500.0, 2000.0, 7000.0])
    weights = high_energy_weights(true)
    levels = (0.2, 0.5, 0.8)
    kinds = {
        "energy": EnergyOutput(centre=1000.0, width=500.0),
        "both": EnergyOutput(levels=(0.2, 0.8), centre=1000.0, width=500.0),
        "quantiles": EnergyOutput(kind="quantiles", levels=levels, scale="log", centre=7.0, width=1.0),
        "density": EnergyOutput(kind="density", levels=levels, scale="log", centre=7.0, width=1.0),
    }
    out = torch.randn(3, 3, generator=torch.Generator().manual_seed(2))
    found = {
        name: float(EnergyLoss(output, EDGES)(out[:, : output.outputs], true))
        for name, output in kinds.items()
    }
    huber = float(FractionalBinnedHuber(EDGES)(1000 + 500 * out[:, 0], true, weights))
    linear, log = (true - 1000) / 500, true.log() - 7
    assert found["energy"] == pytest.approx(huber, rel=1e-5)
    assert found["both"] == pytest.approx(
        huber + float(pinball_loss(out[:, 1:], linear, (0.2, 0.8))), rel=1e-5
    )
    assert found["quantiles"] == pytest.approx(float(pinball_loss(out, log, levels, weights)), rel=1e-5)
    assert found["density"] == pytest.approx(float(density_loss(out[:, :2], log, weights)), rel=1e-5)
    plain = float(EnergyLoss(kinds["quantiles"], EDGES, weigh=False)(out, true))
    assert plain == pytest.approx(float(pinball_loss(out, log, levels)), rel=1e-5)
