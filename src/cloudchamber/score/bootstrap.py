"""Means and ratios over samples with their bootstrap errors.

The nonparametric bootstrap (Efron, Ann. Statist. 7 (1979) 1): draw n samples from the n at hand with
replacement, form the mean again, and take the spread of many such means as its standard error. All columns
share the same draws, so a score with eighty numbers costs one pass.
"""

import numpy as np
from jaxtyping import Float, Shaped
from pydantic import BaseModel, ConfigDict

from cloudchamber.errors import InputError

RESAMPLES = 1000
_BLOCK = 2_000_000  # sample counts held at once: 16 MB


class Frozen(BaseModel):
    """A result: immutable, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Estimate(Frozen):
    """A number and its standard error.

    The value is none where there was nothing to average, the error where it cannot be known (one sample).
    """

    value: float | None
    error: float | None

    def text(self, digits: int = 3) -> str:
        """Return ``0.612 ± 0.004``, without what is not known."""
        if self.value is None:
            return "–"
        value = f"{self.value:.{digits}f}"
        return value if self.error is None else f"{value} ± {self.error:.{digits}f}"


def _estimate(value: float, error: float, n: int) -> Estimate:
    known = bool(np.isfinite(value))
    return Estimate(
        value=float(value) if known else None,
        error=float(error) if known and n > 1 and np.isfinite(error) else None,
    )


def bootstrap_ratios(
    numerator: Shaped[np.ndarray, "sample column"],
    denominator: Shaped[np.ndarray, "sample column"],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[Estimate, ...]:
    """Return sum(numerator) / sum(denominator) of every column with its bootstrap error.

    A mean is the ratio with a denominator of ones; a mean over some samples has zeros for the others. The
    samples are drawn, never the voxels in them: voxels of one volume are not independent.

    Parameters
    ----------
    numerator, denominator : (sample, column), any unit, finite.
    resamples : how many times the samples are drawn anew.
    seed : the same seed gives the same errors.

    Returns
    -------
    One estimate per column. Its error is the standard deviation over the resamples (Efron 1979, eq. 2.3 with
    the ``resamples - 1`` of Efron and Tibshirani 1993, eq. 6.6), in which resamples with an empty denominator
    do not count.

    Raises
    ------
    InputError
        if there are no samples, the shapes differ or fewer than two resamples are asked for.
    """
    if numerator.ndim != 2 or numerator.shape != denominator.shape or len(numerator) < 1:
        found = f"{numerator.shape} and {denominator.shape}"
        raise InputError("bootstrap", "", "two arrays (sample, column) of one shape, not empty", found)
    if resamples < 2:
        raise InputError("bootstrap", "resamples", "two or more", str(resamples))
    n, columns = numerator.shape
    both = np.concatenate([numerator, denominator], axis=1).astype(np.float64)
    rng = np.random.default_rng(seed)
    sums = np.empty((resamples, 2 * columns))
    block = max(1, _BLOCK // n)
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = rng.integers(0, n, size=(rows, n), dtype=np.int32)
        drawn += (np.arange(rows, dtype=np.int32) * n)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
        sums[start : start + rows] = times.astype(np.float64) @ both
    total = both.sum(axis=0)
    values, drawn_values = _ratio(total[None], columns)[0], _ratio(sums, columns)
    return tuple(
        _estimate(values[k], _spread(drawn_values[:, k]), int(np.count_nonzero(denominator[:, k])))
        for k in range(columns)
    )


def _ratio(sums: Float[np.ndarray, "row column"], columns: int) -> Float[np.ndarray, "row ratio"]:
    above, below = sums[:, :columns], sums[:, columns:]
    ratio = np.full_like(above, np.nan)
    np.divide(above, below, out=ratio, where=below != 0)
    return ratio


def _spread(values: Float[np.ndarray, "row"]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.std(finite, ddof=1)) if len(finite) > 1 else float("nan")


def bootstrap_mean(
    values: Shaped[np.ndarray, "sample"], *, resamples: int = RESAMPLES, seed: int = 0
) -> Estimate:
    """Return the mean of ``values`` (sample,) with its bootstrap error; see :func:`bootstrap_ratios`."""
    column = np.asarray(values)[:, None]
    return bootstrap_ratios(column, np.ones_like(column), resamples=resamples, seed=seed)[0]
