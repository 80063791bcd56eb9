"""Planes in windows: what a coarser pixel is made of."""

import numpy as np
from jaxtyping import Int64, Shaped


def window_edges(size: int, parts: int) -> Int64[np.ndarray, "part 2"]:
    """Return first and behind the last of the pixels of each window: floor(k n/m) and ceil((k + 1) n/m).

    Where n/m is no whole number, neighbours share a pixel.
    """
    k = np.arange(parts)
    return np.stack([k * size // parts, -(-(k + 1) * size // parts)], axis=1)


def window_of(size: int, parts: int) -> Int64[np.ndarray, "size"]:
    """Return which window each pixel belongs to: that whose middle is nearest, floor((k + 1/2) m/n)."""
    found: np.ndarray = (2 * np.arange(size) + 1) * parts // (2 * size)
    return found


def reduce_windows(
    function: np.ufunc, planes: Shaped[np.ndarray, "n wire drift"], wires: int, drifts: int
) -> Shaped[np.ndarray, "n wire2 drift2"]:
    """Return a function such as ``np.maximum`` or ``np.add`` over each of ``wires`` x ``drifts`` windows."""
    for axis, parts in ((2, drifts), (1, wires)):
        edges = window_edges(planes.shape[axis], parts).ravel()[:-1]
        kept = tuple(slice(None, None, 2) if each == axis else slice(None) for each in range(3))
        planes = function.reduceat(planes, edges, axis=axis)[kept]
    return np.ascontiguousarray(planes)
