"""Coverage of intervals: closed forms, and a belt that covers where the posterior's quantiles do not."""

from math import erf, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cloudchamber.errors import InputError
from cloudchamber.score.energy_intervals import IntervalCalibration, fit_intervals, score_coverage


@pytest.mark.parametrize("sigmas", [0.5, 1.0, 2.0])
def test_coverage_of_gaussian_intervals_is_the_error_function(sigmas: float) -> None:
    rng = np.random.default_rng(1)
    truth = rng.uniform(50, 8000, 40_000)
    found = truth + 100 * rng.normal(size=len(truth))
    bins = score_coverage(truth, found - 100 * sigmas, found + 100 * sigmas, resamples=50)
    assert [each.n_muons for each in bins] == [40_000] + [8000] * 5
    for each in bins:
        value, error = each.coverage.value, each.coverage.error
        assert value is not None
        assert error is not None
        assert error == pytest.approx(sqrt(value * (1 - value) / each.n_muons), rel=0.4)
        assert value == pytest.approx(erf(sigmas / sqrt(2)), abs=4 * error)
        assert each.half_width.value is not None
    assert [b.high_gev for b in bins[1:-1]] == [b.low_gev for b in bins[2:]]
    inside = (truth >= bins[3].low_gev) & (truth < bins[3].high_gev)
    assert bins[3].half_width.value == pytest.approx(np.mean(100 * sigmas / truth[inside]))


def posterior(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return true energies, flat over 50..8000 GeV, and the quantiles of the exact posterior of each.

    What is seen is the energy times a lognormal factor whose width differs from muon to muon.
    """
    rng = np.random.default_rng(seed)
    truth, width = rng.uniform(50, 8000, n), rng.choice([0.15, 0.3, 0.5], n)
    seen = np.log(truth) + width * rng.normal(size=n)
    grid = np.geomspace(50, 8000, 300)
    density = grid * np.exp(-0.5 * ((seen[:, None] - np.log(grid)) / width[:, None]) ** 2)
    share = np.cumsum(density, axis=1)
    share /= share[:, -1:]
    return truth, np.array([np.interp([0.15865, 0.5, 0.84135], row, grid) for row in share])


def test_the_belt_covers_in_every_fifth_where_the_posterior_does_not() -> None:
    (truth, quantiles), (others, of_others) = posterior(8000, 1), posterior(8000, 2)
    low, middle, high = of_others.T
    raw = [each.coverage.value or 0.0 for each in score_coverage(others, low, high, resamples=2)]
    assert raw[0] == pytest.approx(0.683, abs=0.02)
    assert min(raw) < 0.62
    assert max(raw) > 0.75
    belt = fit_intervals(truth, quantiles[:, 1], quantiles[:, 0], quantiles[:, 2], range_gev=(50.0, 8000.0))
    ends = belt.calibrated(middle, low, high)
    for each in score_coverage(others, *ends, resamples=2):
        assert each.coverage.value == pytest.approx(0.68, abs=0.03)
    sharp = high / low < np.quantile(high / low, 0.3)
    assert np.median((ends[1] / ends[0])[sharp]) < 0.8 * np.median((ends[1] / ends[0])[~sharp])
    assert (ends[0] >= 49.999).all()
    assert (ends[1] <= 8000.001).all()


def test_a_fixed_share_of_the_prediction_serves_as_ruler() -> None:
    rng = np.random.default_rng(5)

    def seen(n: int) -> tuple[np.ndarray, np.ndarray]:
        truth = rng.uniform(100, 4000, n)
        return truth, truth * np.exp(rng.normal(0, 0.1 + truth / 20_000, n))

    truth, middle = seen(25_000)
    belt = fit_intervals(truth, middle, 0.7 * middle, 1.3 * middle)
    others, of_others = seen(20_000)
    ends = belt.calibrated(of_others, 0.7 * of_others, 1.3 * of_others)
    for each in score_coverage(others, *ends, resamples=2):
        assert each.coverage.value == pytest.approx(0.68, abs=0.03)


@settings(max_examples=30)
@given(middle=st.floats(60, 7000), down=st.floats(0.001, 0.5), up=st.floats(0.001, 0.5))
def test_limits_of_one_width_give_the_quantiles_back(middle: float, down: float, up: float) -> None:
    belt = IntervalCalibration(energy_gev=(1000.0,), lower=(-1.0,), upper=(1.0,), range_gev=(1.0, 1e6))
    given_ends = middle * np.exp(-down), middle * np.exp(up)
    low, high = belt.calibrated(*(np.array([each]) for each in (middle, *given_ends)))
    # straight lines between the points of a grid, at most half a step off where the widths differ
    np.testing.assert_allclose([low[0], high[0]], given_ends, rtol=0.035)
    if down >= 0.1 and up >= 0.1:
        np.testing.assert_allclose([low[0], high[0]], given_ends, rtol=1e-6)


def test_predictions_outside_the_range_get_its_end() -> None:
    belt = IntervalCalibration(energy_gev=(1000.0,), lower=(-1.0,), upper=(1.0,), range_gev=(50.0, 8000.0))
    middle = np.array([1.0, 1e6])
    low, high = belt.calibrated(middle, 0.9 * middle, 1.1 * middle)
    np.testing.assert_allclose(low, [50, 8000], rtol=1e-9)
    np.testing.assert_allclose(high, [50, 8000], rtol=1e-9)


def test_belts_are_plain_numbers_and_checked() -> None:
    truth = np.repeat([100.0, 1000.0, 4000.0], 200)
    middle = truth * np.exp(np.random.default_rng(0).normal(0, 0.2, len(truth)))
    belt = fit_intervals(truth, middle, 0.8 * middle, 1.2 * middle)
    assert IntervalCalibration.model_validate(belt.model_dump(mode="json")) == belt
    assert belt.range_gev == (100.0, 4000.0)
    with pytest.raises(InputError, match="100 muons or more"):
        fit_intervals(truth[:50], middle[:50], middle[:50], middle[:50])
    with pytest.raises(InputError, match="finite"):
        belt.calibrated(np.array([np.nan]), np.array([1.0]), np.array([2.0]))
    for wrong in ({"lower": (0.0,)}, {"range_gev": (2.0, 1.0)}):
        with pytest.raises(ValidationError):
            IntervalCalibration.model_validate(belt.model_dump() | wrong)
