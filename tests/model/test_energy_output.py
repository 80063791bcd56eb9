"""What outputs mean, by hand."""

from statistics import NormalDist

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from cloudchamber.model.energy_output import EnergyOutput

LEVELS = (0.15865, 0.5, 0.84135)


def test_linear_and_logarithmic_energies() -> None:
    energies = np.array([100.0, 400.0, 1600.0], np.float32)
    linear = EnergyOutput().fitted(energies)
    assert (linear.centre, linear.width) == pytest.approx((700.0, 648.074), rel=1e-5)
    log = EnergyOutput(scale="log").fitted(energies)
    assert (log.centre, log.width) == pytest.approx((np.log(400), np.log(4) * np.sqrt(2 / 3)), rel=1e-6)
    bent = EnergyOutput(scale="bent").fitted(energies)
    for output in (linear, log, bent):
        true = torch.from_numpy(energies)
        torch.testing.assert_close(output.energy(output.target(true)[:, None]), true)
    assert torch.isfinite(log.energy(torch.full((1, 1), 1e9))).all()


def test_bent_energies_go_from_a_logarithm_to_a_straight_line() -> None:
    output = EnergyOutput(scale="bent")
    low, high = torch.tensor([-7.0, -8.0]), torch.tensor([20.0, 21.0])
    torch.testing.assert_close(output.in_gev(low), 1000 * low.exp(), rtol=1e-3, atol=0)
    torch.testing.assert_close(output.in_gev(high), 1000 * high)
    assert (output.in_gev(torch.linspace(-15, 40, 200)).diff() > 0).all()


def test_one_energy_for_all_muons_has_a_width() -> None:
    assert EnergyOutput().fitted(np.full(3, 100.0, np.float32)).width == 1.0


def test_quantiles_in_order_and_the_median_as_energy() -> None:
    output = EnergyOutput(kind="quantiles", levels=LEVELS, centre=10.0, width=2.0)
    out = torch.tensor([[1.0, 0.0, 3.0]])
    assert output.outputs == 3
    assert output.energy(out).tolist() == [10.0]
    assert output.quantiles(out).tolist() == [[10.0, 12.0, 16.0]]


def test_an_energy_with_quantiles_beside_it() -> None:
    output = EnergyOutput(levels=(0.2, 0.8), centre=0.0, width=1.0)
    out = torch.tensor([[7.0, 2.0, 9.0]])
    assert output.outputs == 3
    assert output.energy(out).tolist() == [7.0]
    assert output.quantiles(out).tolist() == [[2.0, 9.0]]
    assert EnergyOutput().quantiles(out[:, :1]).shape == (1, 0)


def test_quantiles_of_a_density() -> None:
    output = EnergyOutput(kind="density", levels=LEVELS, scale="log", centre=6.0, width=0.5)
    out = torch.tensor([[0.3, -1.2]])
    normal = NormalDist(6.0 + 0.5 * 0.3, 0.5 * np.exp(-1.2))
    wanted = torch.tensor([[np.exp(normal.inv_cdf(level)) for level in LEVELS]], dtype=torch.float32)
    torch.testing.assert_close(output.quantiles(out), wanted, rtol=1e-4, atol=0)
    torch.testing.assert_close(output.energy(out), torch.tensor([np.exp(6.15)], dtype=torch.float32))


@pytest.mark.parametrize(
    "options",
    [
        {"levels": (0.8, 0.2)}, {"levels": (0.0, 0.5)}, {"kind": "quantiles", "levels": (0.2, 0.8)},
        {"kind": "density"}, {"width": 0.0},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EnergyOutput.model_validate(options)
