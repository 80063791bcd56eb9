"""A plane in parts that fit in memory and overlap by what a pixel is reached from; numpy alone."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from cloudchamber.infer.hits_engines.places import Places

LEAST_CORE = 32  # pixels a side of what a part gives, at least
Part = tuple[slice, slice]


class Reach(NamedTuple):
    """How far a pixel of a network for planes is reached from, its grid, and what a pixel takes in bytes."""

    pixels: int
    fold: int
    pixel_bytes: float

    @property
    def halo(self) -> int:
        """The reach as a multiple of the grid."""
        return -(-self.pixels // self.fold) * self.fold


def core_side(reach: Reach, memory_mib: float) -> int:
    """Return the pixels a side of what a square part gives, so that it fits in memory with its halo."""
    side = int((memory_mib * 2**20 / reach.pixel_bytes) ** 0.5) - 2 * reach.halo
    return max(side // reach.fold, -(-LEAST_CORE // reach.fold)) * reach.fold


def parts_of(
    shape: tuple[int, int], places: Places, reach: Reach, memory_mib: float
) -> Iterator[tuple[Part, np.ndarray]]:
    """Yield parts of a plane with their halo, and the pixels that each is asked for.

    A plane that fits is one part, cut down to its hits and their halo; parts without hits are left out.
    """
    low = [int(each.min()) // reach.fold * reach.fold for each in (places.wire, places.drift)]
    high = [int(each.max()) + 1 for each in (places.wire, places.drift)]
    spans = [
        min(limit, b + reach.halo) - max(0, a - reach.halo)
        for a, b, limit in zip(low, high, shape, strict=True)
    ]
    if spans[0] * spans[1] * reach.pixel_bytes <= memory_mib * 2**20:
        steps = [b - a for a, b in zip(low, high, strict=True)]
    else:
        steps = [core_side(reach, memory_mib)] * 2
    number = [
        (each - a) // step for each, a, step in zip((places.wire, places.drift), low, steps, strict=True)
    ]
    across = int(number[1].max()) + 1
    key = number[0] * across + number[1]
    order = np.argsort(key, kind="stable")
    found, starts = np.unique(key[order], return_index=True)
    for cell, pixels in zip(found.tolist(), np.split(order, starts[1:]), strict=True):
        slices = []
        for place, a, step, limit in zip(divmod(cell, across), low, steps, shape, strict=True):
            start = a + place * step
            slices.append(slice(max(0, start - reach.halo), min(limit, start + step + reach.halo)))
        yield (slices[0], slices[1]), pixels


Run = Callable[[Float32[np.ndarray, "1 1 wire drift"]], Float32[np.ndarray, "4 wire drift"]]


def run_parts(
    run: Run, plane: Float32[np.ndarray, "wire drift"], places: Places, reach: Reach, memory_mib: float
) -> Float32[np.ndarray, "pixel 4"]:
    """Return the scores of pixels from a network for planes, whatever computes it."""
    out = np.empty((len(places), 4), np.float32)
    for (wires, drifts), pixels in parts_of((plane.shape[0], plane.shape[1]), places, reach, memory_mib):
        made = run(np.ascontiguousarray(plane[wires, drifts])[None, None])
        out[pixels] = made[:, places.wire[pixels] - wires.start, places.drift[pixels] - drifts.start].T
    return out
