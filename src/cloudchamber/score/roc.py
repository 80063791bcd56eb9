"""ROC curves, the area under them, and errors from a bootstrap over events."""

import numpy as np
from jaxtyping import Bool, Float, Int64, Shaped

from cloudchamber.errors import InputError
from cloudchamber.score.bootstrap import Estimate, Frozen

RESAMPLES = 200
POINTS = 101  # of a curve, kept for plots
_BINS = 4096  # of equal numbers of examples, for the bootstrap

Scores = Float[np.ndarray, "example"]
Flags = Bool[np.ndarray, "example"]


class RocCurve(Frozen):
    """How well a score selects ``n_positive`` examples among ``n_negative`` others.

    ``efficiency`` is the share of the former above a cut, ``mistag`` that of the latter, for falling cuts.
    The area is the chance that one of the former scores more than one of the latter, ties counted half.
    """

    n_positive: int
    n_negative: int
    area: Estimate
    mistag: tuple[float, ...] = ()
    efficiency: tuple[float, ...] = ()


def roc_area(score: Scores, positive: Flags) -> float:
    """Return the area under the ROC curve; NaN where there are no positives or no negatives.

    The Mann-Whitney statistic with ties counted half (Hanley and McNeil, Radiology 143 (1982) 29).
    """
    n = int(np.count_nonzero(positive))
    m = len(positive) - n
    if not n or not m:
        return float("nan")
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return float((ranks[place][positive].sum() - n * (n + 1) / 2) / (n * m))


def _areas(
    above: Float[np.ndarray, "draw bin"], below: Float[np.ndarray, "draw bin"]
) -> Float[np.ndarray, "draw"]:
    """Return the area of binned scores, bins in rising order; NaN where one kind is missing."""
    lower = np.cumsum(below, axis=1) - below / 2
    pairs = above.sum(axis=1) * below.sum(axis=1)
    area = np.full(len(above), np.nan)
    np.divide((above * lower).sum(axis=1), pairs, out=area, where=pairs > 0)
    return area


def _counts(
    event: Int64[np.ndarray, "example"], place: Int64[np.ndarray, "example"], n: int, bins: int
) -> Float[np.ndarray, "event bin"]:
    return np.bincount(event * bins + place, minlength=n * bins).reshape(n, bins).astype(np.float64)


def area_error(
    score: Scores,
    positive: Flags,
    event: Int64[np.ndarray, "example"],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> float | None:
    """Return the bootstrap error of the area over events; none with fewer than two events.

    Scores are put into bins of equal numbers of examples, which changes the area by less than 1/4096.
    """
    _, number = np.unique(event, return_inverse=True)
    n = int(number.max()) + 1 if len(number) else 0
    if n < 2:
        return None
    edges = np.unique(np.quantile(score, np.linspace(0, 1, min(_BINS, len(score)) + 1)[1:-1]))
    place = np.searchsorted(edges, score, side="right")
    bins = len(edges) + 1
    above = _counts(number[positive], place[positive], n, bins)
    below = _counts(number[~positive], place[~positive], n, bins)
    times = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64)
    areas = _areas(times @ above, times @ below)
    finite = areas[np.isfinite(areas)]
    return float(np.std(finite, ddof=1)) if len(finite) > 1 else None


def _curve(score: Scores, positive: Flags) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mistag and efficiency at cuts that stand evenly along the curve."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)  # one point for examples of one score
    hit = np.cumsum(positive[order])[last] / max(1, np.count_nonzero(positive))
    miss = np.cumsum(~positive[order])[last] / max(1, np.count_nonzero(~positive))
    hit, miss = np.insert(hit, 0, 0.0), np.insert(miss, 0, 0.0)
    length = hit + miss
    chosen = np.unique(np.searchsorted(length, np.linspace(0, 2, POINTS)).clip(max=len(length) - 1))
    return tuple(miss[chosen].tolist()), tuple(hit[chosen].tolist())


def score_roc(
    score: Scores,
    positive: Flags,
    event: Shaped[np.ndarray, "example"],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> RocCurve:
    """Return the ROC curve of a score that is to be high for positives, with its area and error.

    Parameters
    ----------
    score : (example,) finite.
    positive : (example,) the truth.
    event : (example,) the event each is of; the bootstrap draws events.

    Raises
    ------
    InputError
        if the lengths differ or scores are not finite.
    """
    if not len(score) == len(positive) == len(event):
        found = f"{len(score)}, {len(positive)} and {len(event)}"
        raise InputError("score", "", "scores, truth and events of one length", found)
    if not np.all(np.isfinite(score)):
        raise InputError("score", "", "finite scores", "NaN or infinity")
    n = int(np.count_nonzero(positive))
    area = roc_area(score, positive)
    if not np.isfinite(area):
        return RocCurve(n_positive=n, n_negative=len(positive) - n, area=Estimate(value=None, error=None))
    error = area_error(score, positive, event.astype(np.int64), resamples=resamples, seed=seed)
    mistag, efficiency = _curve(score, positive)
    return RocCurve(
        n_positive=n, n_negative=len(positive) - n, area=Estimate(value=area, error=error), mistag=mistag,
        efficiency=efficiency,
    )  # fmt: skip
