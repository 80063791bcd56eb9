"""The score of predicted muon energies: how much a calorimeter improves on a tracker, with errors.

Definitions of Strong, Dorigo and Layer (2021) and Kieseler et al. (EPJC 82, 79, 2022). Errors are bootstrap
errors over muons, drawn anew within each bin of true energy; they do not hold that of the calibration, which
other muons fix.
"""

from itertools import pairwise

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

from cloudchamber.errors import InputError
from cloudchamber.score.bootstrap import Estimate, Frozen
from cloudchamber.score.energy_calibration import (
    DeckCalibration,
    Energies,
    MedianCalibration,
    check_energies,
)
from cloudchamber.score.energy_intervals import CoverageBin, score_coverage

RESAMPLES = 200
TRACKER_PER_GEV = 2e-4  # 20% at 1 TeV
EDGES_GEV = tuple(np.linspace(100.0, 4000.0, 21).tolist())
BEYOND_GEV = tuple(np.linspace(4000.0, 8000.0, 11).tolist())
_LEAST_MUONS = 2
_BLOCK = 2_000_000  # energies held at once: 16 MB

Values = Float[np.ndarray, "*bin"]


class EnergyBin(Frozen):
    """Muons between two true energies. Shares are of the median true energy.

    ``bias`` is (median corrected - median true), ``c68`` half the distance of the percentiles 15.865 and
    84.135 of the corrected predictions, ``resolution`` the fractional RMSE: the root of the sum of their
    squares. ``tracker`` is the tracker's resolution at the middle of the bin, ``combined`` that of both.
    """

    low_gev: float
    high_gev: float
    n_muons: int
    true_gev: float  # the median
    bias: Estimate
    c68: Estimate
    resolution: Estimate
    tracker: float
    combined: Estimate


class EnergyScore(Frozen):
    """The score of ``n_muons`` muons.

    ``mi`` is the mean improvement over the tracker in per cent, over the bins of ``bins`` with two muons or
    more; ``beyond`` goes on from 4 to 8 TeV. ``rank`` is Spearman's rank correlation of truth and prediction,
    which no correction that rises changes: networks of any loss can be compared by it. ``coverage`` has the
    intervals of all muons first, then of each fifth by true energy; ``coverage_by_prediction`` the same by
    predicted energy.
    """

    n_muons: int
    mi: Estimate
    rank: Estimate
    bins: tuple[EnergyBin, ...]
    beyond: tuple[EnergyBin, ...] = ()
    coverage: tuple[CoverageBin, ...] = ()
    coverage_by_prediction: tuple[CoverageBin, ...] = ()


def tracker_resolution(energy_gev: Values) -> Values:
    """Return the fractional resolution of the tracker: 2e-4 / GeV, 20% at 1 TeV."""
    return np.asarray(TRACKER_PER_GEV * energy_gev)


def combined_resolution(resolution: Values, tracker: Values) -> Values:
    """Return (f^-2 + t^-2)^-1/2, the resolution of the weighted mean of two measurements."""
    with np.errstate(divide="ignore"):
        return np.asarray((np.asarray(resolution) ** -2.0 + np.asarray(tracker) ** -2.0) ** -0.5)


def mean_improvement(resolution: Values, tracker: Values) -> Float[np.ndarray, "*rest"]:
    """Return MI: 100 times the mean over bins (the last axis) of tracker less combined resolution.

    0 for an infinite calorimeter resolution, 100 times the mean tracker resolution for a perfect one.
    """
    return np.asarray(100 * np.mean(tracker - combined_resolution(resolution, tracker), axis=-1))


def _numbers(true_gev: Energies, corrected_gev: Energies) -> Float[np.ndarray, "*draw 3"]:
    """Return bias, c68 and fractional RMSE of muons, which are the last axis."""
    truth = np.median(true_gev, axis=-1)
    low, middle, high = np.percentile(corrected_gev, [15.865, 50, 84.135], axis=-1)
    bias, c68 = (middle - truth) / truth, (high - low) / 2 / truth
    return np.stack([bias, c68, np.hypot(bias, c68)], axis=-1)


def _drawn(
    true_gev: Energies, corrected_gev: Energies, resamples: int, rng: np.random.Generator
) -> Float[np.ndarray, "draw 3"]:
    """Return :func:`_numbers` of as many bootstrap samples of the muons."""
    n, parts = len(true_gev), []
    block = max(1, _BLOCK // n)
    for start in range(0, resamples, block):
        drawn = rng.integers(0, n, size=(min(block, resamples - start), n))
        parts.append(_numbers(true_gev[drawn], corrected_gev[drawn]))
    return np.concatenate(parts)


def _estimate(value: float, drawn: Float[np.ndarray, "draw"]) -> Estimate:
    return Estimate(value=float(value), error=float(np.std(drawn, ddof=1)))


def _rank_correlation(
    true_gev: Energies, predicted_gev: Energies, resamples: int, rng: np.random.Generator
) -> Estimate:
    """Return Spearman's correlation; the error is that of the correlation of the ranks found once."""
    if not (np.ptp(true_gev) and np.ptp(predicted_gev)):
        return Estimate(value=None, error=None)
    value, drawn = _correlations(rankdata(true_gev), rankdata(predicted_gev), resamples, rng)
    return _estimate(value, drawn[np.isfinite(drawn)])


def rank_gain(
    true_gev: Energies,
    predicted_gev: Energies,
    other_gev: Energies,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Return how much more the first predictions than the others correlate in rank with the same truth.

    Both see the same muons in every draw of the bootstrap, so the error is much less than that of either.
    Nothing is returned where all energies of a kind are alike.
    """
    check_energies("score", true_gev=true_gev, predicted_gev=predicted_gev, other_gev=other_gev)
    if not all(np.ptp(energies) for energies in (true_gev, predicted_gev, other_gev)):
        return Estimate(value=None, error=None)
    truth, found = rankdata(true_gev), []
    for energies in (predicted_gev, other_gev):
        rng = np.random.default_rng(seed)
        found.append(_correlations(truth, rankdata(energies), resamples, rng))
    (ours, drawn), (theirs, other) = found
    return _estimate(ours - theirs, drawn - other)


def _correlations(
    first: Energies, second: Energies, resamples: int, rng: np.random.Generator
) -> tuple[float, Float[np.ndarray, "draw"]]:
    """Return the correlation of two columns, and that of as many bootstrap samples of their rows."""
    both, n = np.stack([first, second]), len(first)
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = [np.corrcoef(both[:, rng.integers(0, n, n)])[0, 1] for _ in range(resamples)]
        return float(np.corrcoef(both)[0, 1]), np.array(drawn)


def _score_bins(
    true_gev: Energies,
    corrected_gev: Energies,
    edges_gev: tuple[float, ...],
    resamples: int,
    rng: np.random.Generator,
) -> tuple[tuple[EnergyBin, ...], Estimate]:
    """Return the bins with two muons or more, and MI over them."""
    bins, values, draws = [], [], []
    place = np.searchsorted(edges_gev, true_gev, side="right") - 1
    place[true_gev == edges_gev[-1]] = len(edges_gev) - 2
    for k, (low, high) in enumerate(pairwise(edges_gev)):
        inside = place == k
        if np.count_nonzero(inside) < _LEAST_MUONS:
            continue
        own = _numbers(true_gev[inside], corrected_gev[inside])
        drawn = _drawn(true_gev[inside], corrected_gev[inside], resamples, rng)
        tracker = TRACKER_PER_GEV * (low + high) / 2
        bins.append(
            EnergyBin(
                low_gev=low,
                high_gev=high,
                n_muons=int(np.count_nonzero(inside)),
                true_gev=float(np.median(true_gev[inside])),
                bias=_estimate(own[0], drawn[:, 0]),
                c68=_estimate(own[1], drawn[:, 1]),
                resolution=_estimate(own[2], drawn[:, 2]),
                tracker=tracker,
                combined=_estimate(
                    float(combined_resolution(own[2], np.array(tracker))),
                    combined_resolution(drawn[:, 2], np.array(tracker)),
                ),
            )
        )
        values.append(own[2])
        draws.append(drawn[:, 2])
    if not bins:
        return (), Estimate(value=None, error=None)
    tracker_of_bins = np.array([each.tracker for each in bins])
    mi = float(mean_improvement(np.array(values), tracker_of_bins))
    return tuple(bins), _estimate(mi, mean_improvement(np.stack(draws, axis=-1), tracker_of_bins))


def score_energy(
    true_gev: Energies,
    predicted_gev: Energies,
    low_gev: Energies | None = None,
    high_gev: Energies | None = None,
    *,
    calibration: DeckCalibration | MedianCalibration | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> EnergyScore:
    """Score the predicted energy of every muon, and its interval where there is one; all in GeV.

    Parameters
    ----------
    true_gev, predicted_gev : truth and prediction.
    low_gev, high_gev : ends of the intervals.
    calibration : fitted to other muons, it corrects the predictions (not the intervals); without one they are
        taken as corrected already.
    resamples, seed : of the bootstrap over muons.

    Raises
    ------
    InputError
        if there are no muons, energies are not finite or differ in length, one end of the intervals is
        missing, or fewer than two resamples are asked for.
    """
    check_energies(
        "score", true_gev=true_gev, predicted_gev=predicted_gev, low_gev=low_gev, high_gev=high_gev
    )
    if resamples < 2:
        raise InputError("score", "resamples", "two or more", str(resamples))
    true_gev = true_gev.astype(np.float64)
    corrected_gev = predicted_gev.astype(np.float64)
    if calibration is not None:
        corrected_gev = calibration.corrected(corrected_gev)
    rng = np.random.default_rng(seed)
    bins, mi = _score_bins(true_gev, corrected_gev, EDGES_GEV, resamples, rng)
    beyond, _ = _score_bins(true_gev, corrected_gev, BEYOND_GEV, resamples, rng)
    coverage: tuple[tuple[CoverageBin, ...], ...] = ((), ())
    if low_gev is not None and high_gev is not None:
        coverage = tuple(
            score_coverage(true_gev, low_gev, high_gev, by_gev=by, resamples=resamples, seed=seed)
            for by in (true_gev, corrected_gev)
        )
    elif low_gev is not None or high_gev is not None:
        raise InputError("score", "intervals", "both ends of the intervals, or neither", "one")
    return EnergyScore(
        n_muons=len(true_gev),
        mi=mi,
        rank=_rank_correlation(true_gev, corrected_gev, resamples, np.random.default_rng(seed)),
        bins=bins,
        beyond=beyond,
        coverage=coverage[0],
        coverage_by_prediction=coverage[1],
    )
