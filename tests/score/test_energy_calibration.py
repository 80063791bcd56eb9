"""Curves of predictions against true energy: what they are, that they are undone, what they cannot be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from cloudchamber.errors import InputError
from cloudchamber.score.energy_calibration import (
    DeckCalibration,
    EnergyCalibration,
    MedianCalibration,
    fit_deck_calibration,
    fit_median_calibration,
)
from cloudchamber.score.energy_ensemble import average_models, loss_weights

DECK = DeckCalibration(slope=0.8, offset=150.0, scale=20.0, exponent=0.6, shift=3350 - 20.0 * 4000**0.6)


def flat(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(50, 8000, n)


def test_the_deck_curve_has_three_pieces_that_meet() -> None:
    energy = np.array([0.0, 1000.0, 4000.0, 4000.001, 8000.0, 8000.001, 9000.0])
    found = DECK.predicted(energy)
    top = 3350 + 20 * (8000**0.6 - 4000**0.6)
    slope = 20 * 0.6 * 8000**-0.4
    expected = [
        150,
        950,
        3350,
        3350 + 0.001 * 20 * 0.6 * 4000**-0.4,
        top,
        top + 0.001 * slope,
        top + 1000 * slope,
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@given(
    slope=st.floats(0.1, 3),
    offset=st.floats(-500, 2000),
    scale=st.floats(0.1, 50),
    exponent=st.floats(0.1, 1.5),
    energy=st.floats(-500, 20_000),
)
def test_the_deck_curve_is_undone(
    slope: float, offset: float, scale: float, exponent: float, energy: float
) -> None:
    shift = slope * 4000 + offset - scale * 4000**exponent
    curve = DeckCalibration(slope=slope, offset=offset, scale=scale, exponent=exponent, shift=shift)
    energies = np.array([energy, energy + 10.0])
    low, high = curve.predicted(energies)
    assert low < high
    np.testing.assert_allclose(curve.corrected(np.array([low, high])), energies, rtol=1e-6, atol=1e-5)


def test_the_fit_finds_the_deck_curve() -> None:
    energy = flat(40_000)
    noise = np.random.default_rng(1).normal(1, 0.25, len(energy))
    found = fit_deck_calibration(energy, DECK.predicted(energy) * noise, power=True)
    at = np.linspace(100, 8000, 50)
    np.testing.assert_allclose(found.predicted(at), DECK.predicted(at), rtol=0.01)
    assert found.slope == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("power", [False, True])
def test_without_muons_above_4_tev_the_line_goes_on(power: bool) -> None:
    energy = np.linspace(100, 4000, 2000)
    found = fit_deck_calibration(energy, 0.5 * energy + 20, power=power)
    np.testing.assert_allclose(found.corrected(np.array([520.0, 3020.0, 6020.0])), [1000, 6000, 12_000])


def test_without_the_power_predictions_may_bend() -> None:
    energy = flat(20_000)
    found = fit_deck_calibration(energy, np.minimum(0.5 * energy + 20, 1920))
    assert (found.slope, found.exponent) == (found.scale, 1.0)
    np.testing.assert_allclose(found.corrected(np.array([1020.0, 5020.0])), [2000, 10_000], rtol=0.03)


def test_predictions_that_do_not_rise_cannot_be_undone() -> None:
    energy = flat(3000)
    for fit in (fit_deck_calibration, fit_median_calibration):
        with pytest.raises(InputError, match="rise"):
            fit(energy, 3000 + 0.0 * energy)
    with pytest.raises(InputError, match="beyond 4 TeV"):
        fit_deck_calibration(energy, np.where(energy < 4000, energy, 8000 - energy), power=True)
    with pytest.raises(InputError, match="3 bins"):
        fit_deck_calibration(np.full(9, 1000.0), np.full(9, 1000.0))
    with pytest.raises(InputError, match="6 bins"):
        fit_median_calibration(np.full(9, 1000.0), np.full(9, 1000.0))


def test_medians_are_right_after_correction_where_the_curve_bends() -> None:
    def bent(energy: np.ndarray, seed: int) -> np.ndarray:
        noise = np.random.default_rng(seed).normal(0, 0.2, len(energy))
        return np.asarray(np.sqrt(400.0**2 + energy**2) / (1 + energy / 20_000) * np.exp(noise))

    energy, others = flat(60_000), flat(100_000, 2)
    corrected = fit_median_calibration(energy, bent(energy, 3)).corrected(bent(others, 4))
    for low, high in zip(np.arange(500, 7600, 500), np.arange(1000, 8100, 500), strict=True):
        inside = (others >= low) & (others < high)
        assert np.median(corrected[inside]) == pytest.approx(np.median(others[inside]), rel=0.02)


@given(st.lists(st.floats(0.01, 500), min_size=2, max_size=12), st.floats(-100, 30_000))
def test_a_median_curve_is_undone(steps: list[float], energy: float) -> None:
    heights = np.cumsum(steps)
    curve = MedianCalibration(
        true_gev=tuple(50 + 100.0 * k for k in range(len(steps))), predicted_gev=tuple(heights.tolist())
    )
    at = np.array([energy])
    np.testing.assert_allclose(curve.corrected(curve.predicted(at)), at, rtol=1e-6, atol=1e-6)


def test_curves_are_plain_numbers() -> None:
    energy = flat(5000)
    median = fit_median_calibration(energy, energy**0.9)
    for curve in (DECK, median):
        again = TypeAdapter(EnergyCalibration).validate_python(curve.model_dump(mode="json"))
        assert again == curve
        values = [each for value in curve.model_dump().values() for each in np.ravel(value)]
        assert all(isinstance(each, float | str) for each in values)
    with pytest.raises(ValidationError):
        MedianCalibration(true_gev=(1.0, 2.0), predicted_gev=(2.0, 2.0))


def test_energies_are_checked() -> None:
    with pytest.raises(InputError, match="finite"):
        fit_deck_calibration(np.array([1.0, 2.0]), np.array([1.0, np.nan]))
    with pytest.raises(InputError, match="one energy for each muon"):
        fit_median_calibration(np.array([1.0, 2.0]), np.array([1.0]))
    with pytest.raises(InputError, match="above 0"):
        fit_deck_calibration(np.array([1.0, 0.0]), np.array([1.0, 1.0]))


def test_ensembles_weigh_by_inverse_loss() -> None:
    np.testing.assert_allclose(loss_weights([1.0, 2.0, 4.0]), np.array([4, 2, 1]) / 7)
    predictions = np.array([[100.0, 10.0], [700.0, 10.0]])
    np.testing.assert_allclose(average_models(predictions, [1.0, 2.0]), [300.0, 10.0])
    for losses in ([], [1.0, 0.0], [1.0, float("nan")]):
        with pytest.raises(InputError):
            loss_weights(losses)
    with pytest.raises(InputError, match="2 losses"):
        average_models(predictions, [1.0])
