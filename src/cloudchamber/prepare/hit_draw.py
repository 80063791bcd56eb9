"""Which examples an epoch is made of: hard ones more often, Michel electrons in a share of their own."""

import numpy as np
from jaxtyping import Bool, Float, Int64
from numpy.random import Generator, Philox
from pydantic import BaseModel, ConfigDict, Field


class HitDraw(BaseModel):
    """How the training set is optimised as the training goes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hardness: float = Field(
        default=0.0, ge=0, description="an example is drawn in proportion to its last loss to this power"
    )
    floor: float = Field(default=0.25, gt=0, description="added to the loss, in units of the mean loss")
    michel_share: float | None = Field(
        default=None, ge=0, le=1, description="of the examples drawn; none: as they come"
    )
    per_epoch: int | None = Field(default=None, ge=1, description="examples in an epoch; none: all")


def draw_weights(loss: Float[np.ndarray, "example"], draw: HitDraw) -> Float[np.ndarray, "example"]:
    """Return the weights examples are drawn with, from their last losses; NaN: not seen, taken as mean."""
    seen = np.isfinite(loss)
    mean = float(loss[seen].mean()) if seen.any() else 1.0
    mean = mean if mean > 0 else 1.0
    filled = np.where(seen, loss, mean).clip(0)
    return np.asarray((filled / mean + draw.floor) ** draw.hardness)


def _take(
    among: Int64[np.ndarray, "m"], weights: Float[np.ndarray, "example"], n: int, rng: Generator
) -> Int64[np.ndarray, "n"]:
    """Return n of some examples, drawn with their weights, by systematic sampling.

    Points at equal distances along the summed weights, from a random start: an example with k times the
    mean weight comes k times, up to one more or less (Madow, Ann. Math. Stat. 20 (1949) 333).
    """
    if not n:
        return among[:0]
    among = rng.permutation(among)  # no order of theirs can go in step with the points
    sums = np.cumsum(weights[among], dtype=np.float64)
    points = (np.arange(n) + rng.random()) * (sums[-1] / n)
    return np.asarray(among[np.searchsorted(sums, points, side="right").clip(max=len(among) - 1)])


def draw_epoch(
    loss: Float[np.ndarray, "example"],
    michel: Bool[np.ndarray, "example"],
    draw: HitDraw,
    *,
    seed: int,
    epoch: int,
) -> Int64[np.ndarray, "drawn"]:
    """Return the examples of an epoch in order; the same losses, seed and epoch give the same.

    Raises
    ------
    ValueError
        if there are no examples.
    """
    if not len(loss):
        raise ValueError("an epoch needs examples")
    rng = Generator(Philox(key=np.array([seed, epoch], np.uint64)))
    n, everything = draw.per_epoch or len(loss), np.arange(len(loss))
    weights = draw_weights(loss, draw)
    if draw.michel_share is None or michel.all() or not michel.any():
        parts = [_take(everything, weights, n, rng)]
    else:
        wanted = round(draw.michel_share * n)
        parts = [
            _take(everything[michel], weights, wanted, rng),
            _take(everything[~michel], weights, n - wanted, rng),
        ]
    return rng.permutation(np.concatenate(parts))
