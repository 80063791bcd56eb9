"""Whether predicted probabilities mean what they say."""

import numpy as np
from jaxtyping import Bool, Float

from cloudchamber.errors import InputError
from cloudchamber.score.bootstrap import Frozen
from cloudchamber.score.inputs import same_shape

_BLOCK = 2000  # volumes looked at together


class CalibrationBin(Frozen):
    """Voxels with a predicted probability in one bin, and how many of them are wall.

    The error is binomial, sqrt(f (1 - f) / n) with f = (k + 1) / (n + 2), so that it is not zero where all or
    none are wall.
    """

    low: float
    high: float
    n: int
    mean_probability: float
    wall_fraction: float
    error: float


def calibrate(
    probability: Float[np.ndarray, "sample z x y"], walls: Bool[np.ndarray, "sample z x y"], bins: int = 10
) -> tuple[CalibrationBin, ...]:
    """Compare predicted probabilities with the fraction of wall, in bins of equal width that hold voxels.

    Raises
    ------
    InputError
        if the shapes differ or a probability is not within 0..1.
    """
    same_shape(probability.shape, walls.shape, "probability")
    n, hits, total = np.zeros(bins, np.int64), np.zeros(bins, np.int64), np.zeros(bins)
    for start in range(0, len(walls), _BLOCK):
        p = np.asarray(probability[start : start + _BLOCK], dtype=np.float64).ravel()
        if not ((p >= 0) & (p <= 1)).all():
            raise InputError("score", "probability", "numbers within 0..1", f"{p.min()} to {p.max()}")
        index = np.minimum((p * bins).astype(np.int64), bins - 1)
        n += np.bincount(index, minlength=bins)
        hits += np.bincount(index[walls[start : start + _BLOCK].ravel()], minlength=bins)
        total += np.bincount(index, weights=p, minlength=bins)
    smoothed = (hits + 1) / (n + 2)
    error = np.sqrt(smoothed * (1 - smoothed) / np.maximum(n, 1))
    return tuple(
        CalibrationBin(
            low=k / bins,
            high=(k + 1) / bins,
            n=int(n[k]),
            mean_probability=float(total[k] / n[k]),
            wall_fraction=float(hits[k] / n[k]),
            error=float(error[k]),
        )
        for k in range(bins)
        if n[k]
    )
