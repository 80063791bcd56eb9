"""The mean improvement and its parts against closed forms, a slow implementation, and the deck's figures."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from cloudchamber.errors import InputError
from cloudchamber.score.energy import (
    EDGES_GEV,
    combined_resolution,
    mean_improvement,
    rank_gain,
    score_energy,
    tracker_resolution,
)
from cloudchamber.score.energy_calibration import DeckCalibration, fit_median_calibration

CENTRES = (np.array(EDGES_GEV[:-1]) + np.array(EDGES_GEV[1:])) / 2


@pytest.mark.parametrize(("calorimeter", "mi"), [(0.30, 19.7), (0.35, 17.5)])
def test_flat_calorimeters_have_the_published_improvement(calorimeter: float, mi: float) -> None:
    tracker = tracker_resolution(CENTRES)
    assert float(mean_improvement(np.full(20, calorimeter), tracker)) == pytest.approx(mi, abs=0.05)
    normal = np.array([NormalDist().inv_cdf((k + 0.5) / 2001) for k in range(2001)])
    truth = np.repeat(CENTRES, len(normal))
    score = score_energy(truth, truth * (1 + calorimeter * np.tile(normal, 20)), resamples=40)
    assert score.mi.value == pytest.approx(mi, abs=0.06)
    for each in score.bins:
        assert each.resolution.value == pytest.approx(calorimeter, rel=0.005)
        assert each.c68.value == pytest.approx(calorimeter, rel=0.005)
        assert each.bias.value == pytest.approx(0, abs=1e-9)


def test_no_calorimeter_and_a_perfect_one() -> None:
    tracker = tracker_resolution(CENTRES)
    assert float(mean_improvement(np.full(20, np.inf), tracker)) == pytest.approx(0, abs=1e-12)
    assert float(mean_improvement(np.zeros(20), tracker)) == pytest.approx(100 * tracker.mean())
    truth = np.repeat(CENTRES, 30)
    perfect = score_energy(truth, truth, resamples=5)
    assert perfect.mi.value == pytest.approx(41.0)
    assert perfect.mi.error == pytest.approx(0)
    noise = truth * (1 + 1e4 * np.random.default_rng(1).normal(size=len(truth)))
    nothing = score_energy(truth, noise, resamples=5).mi.value
    assert nothing == pytest.approx(0, abs=1e-3)


def test_the_rank_correlation_is_scipys_and_sees_no_bend() -> None:
    rng = np.random.default_rng(5)
    truth = rng.uniform(50, 8000, 3000)
    predicted = truth * rng.lognormal(0, 0.5, len(truth))
    rank = score_energy(truth, predicted, resamples=100).rank
    assert rank.value == pytest.approx(spearmanr(truth, predicted).statistic)
    others = [spearmanr(*(rng.uniform(50, 8000, 300) for _ in "ab")).statistic for _ in range(200)]
    independent = score_energy(truth[:300], rng.permutation(truth)[:300], resamples=200).rank
    assert independent.error == pytest.approx(np.std(others), rel=0.2)  # 300^-1/2 without correlation
    bent = score_energy(truth, -1000 * np.expm1(-predicted / 1000), resamples=100)
    assert bent.rank == rank
    assert bent.mi.value != pytest.approx(score_energy(truth, predicted, resamples=5).mi.value, rel=0.05)
    assert score_energy(truth, np.full(len(truth), 7.0), resamples=5).rank.value is None


def test_the_gain_of_one_over_another_is_paired() -> None:
    rng = np.random.default_rng(6)
    truth = rng.uniform(50, 8000, 4000)
    shared, own = rng.normal(0, 0.5, len(truth)), rng.normal(0, 0.1, len(truth))
    good, bad = truth * np.exp(shared), truth * np.exp(shared + own)
    gain = rank_gain(truth, good, bad)
    expected = spearmanr(truth, good).statistic - spearmanr(truth, bad).statistic
    assert gain.value == pytest.approx(expected)
    single = score_energy(truth, good).rank.error
    assert gain.error is not None
    assert single is not None
    assert 0 < gain.error < single / 2  # what both got wrong alike does not count
    assert rank_gain(truth, good, np.full(len(truth), 7.0)).value is None
    assert rank_gain(truth, good, -np.exp(-good / 1000)).value == pytest.approx(0)
    again = [
        rank_gain(*(each[part] for each in (truth, good, bad))).value
        for part in np.split(np.arange(4000), 20)
    ]
    assert gain.error == pytest.approx(np.std(np.array(again, float)) / np.sqrt(20), rel=0.5)


@given(st.floats(1e-3, 10), st.floats(1e-3, 10))
def test_two_measurements_are_better_than_either(first: float, second: float) -> None:
    both = float(combined_resolution(np.array(first), np.array(second)))
    assert both <= min(first, second)
    assert both == pytest.approx(first * second / np.hypot(first, second))


def literal_mi(truth: np.ndarray, corrected: np.ndarray) -> float:
    """Return MI as the fact sheet puts it, bin by bin."""
    improvements = []
    for k in range(20):
        low, high = 100 + 195 * k, 100 + 195 * (k + 1)
        rows = [(t, c) for t, c in zip(truth, corrected, strict=True) if low <= t < high]
        t, c = np.array(rows).T
        c68 = (np.percentile(c, 84.135) - np.percentile(c, 15.865)) / 2
        f = np.sqrt(c68**2 + (np.median(c) - np.median(t)) ** 2) / np.median(t)
        tracker = 2e-4 * (low + high) / 2
        improvements.append(tracker - (f**-2 + tracker**-2) ** -0.5)
    return float(100 * np.mean(improvements))


def sample(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.uniform(50, 8000, n)
    return truth, truth * rng.normal(1.03, 0.3, n)


def test_the_score_agrees_with_a_literal_implementation() -> None:
    truth, corrected = sample(5000)
    score = score_energy(truth, corrected, resamples=5)
    assert score.mi.value == pytest.approx(literal_mi(truth, corrected), rel=1e-9)
    assert sum(each.n_muons for each in score.bins) == np.count_nonzero((truth >= 100) & (truth <= 4000))
    assert sum(each.n_muons for each in score.beyond) == np.count_nonzero(truth >= 4000)


def test_the_error_is_the_spread_of_many_samples() -> None:
    values = [score_energy(*sample(3000, seed), resamples=2).mi.value or 0.0 for seed in range(60)]
    error = score_energy(*sample(3000, 99)).mi.error
    assert error == pytest.approx(np.std(values), rel=0.3)


@settings(max_examples=20)
@given(slope=st.floats(0.3, 2), offset=st.floats(-100, 500), exponent=st.floats(0.4, 1.2))
def test_a_distortion_that_the_calibration_undoes_changes_nothing(
    slope: float, offset: float, exponent: float
) -> None:
    truth, corrected = sample(800, 3)
    shift = slope * 4000 + offset - 9.0 * 4000**exponent
    curve = DeckCalibration(slope=slope, offset=offset, scale=9.0, exponent=exponent, shift=shift)
    before = score_energy(truth, corrected, resamples=3)
    after = score_energy(truth, curve.predicted(corrected), resamples=3, calibration=curve)
    assert after.mi.value == pytest.approx(before.mi.value, rel=1e-6)
    assert after.mi.error == pytest.approx(before.mi.error, rel=1e-4)


def test_bias_is_within_2_percent_after_calibration_on_other_muons() -> None:
    def distorted(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        truth, predicted = sample(n, seed)
        return truth, 0.7 * np.abs(predicted) ** 0.98 + 120

    score = score_energy(
        *distorted(1, 80_000), calibration=fit_median_calibration(*distorted(2, 80_000)), resamples=20
    )
    for each in (*score.bins[1:], *score.beyond):
        assert each.bias.value is not None
        assert abs(each.bias.value) < 0.02 + 2 * (each.bias.error or 0.0)


def test_intervals_are_scored_by_truth_and_by_prediction() -> None:
    truth, predicted = sample(2000)
    score = score_energy(truth, predicted, predicted - 300, predicted + 300, resamples=5)
    assert score.coverage[0].coverage == score.coverage_by_prediction[0].coverage
    assert score.coverage[0].coverage.value == pytest.approx(np.mean(np.abs(predicted - truth) <= 300))
    assert len(score.coverage) == len(score.coverage_by_prediction) == 6
    assert score.coverage_by_prediction[1].low_gev == pytest.approx(predicted.min())


def test_few_muons_leave_bins_out() -> None:
    score = score_energy(np.array([100.0, 100.0, 500.0, 4100.0]), np.array([110.0, 90.0, 500.0, 4100.0]))
    assert [each.n_muons for each in score.bins] == [2]
    assert score.beyond == ()
    assert score_energy(np.array([9000.0]), np.array([9000.0])).mi.value is None
    assert score_energy(np.array([4000.0, 4000.0]), np.array([1.0, 2.0])).bins[0].high_gev == 4000


def test_mistakes_are_told() -> None:
    one = np.ones(3)
    with pytest.raises(InputError, match="both ends"):
        score_energy(one, one, one)
    with pytest.raises(InputError, match="one energy for each muon"):
        score_energy(one, one[:2])
    with pytest.raises(InputError, match="two or more"):
        score_energy(one, one, resamples=1)
