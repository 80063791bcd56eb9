"""Where the hits of a plane are: each pixel once, and the window around each; numpy alone."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64, Shaped

from cloudchamber.errors import InputError

CLASSES = ("track", "em", "none", "michel")  # of the scores of a hit, in their order


class Places(NamedTuple):
    """Pixels that hold hits, each once, by wire and then drift; ``of_hit`` is the pixel of each hit."""

    wire: Int64[np.ndarray, "pixel"]
    drift: Int64[np.ndarray, "pixel"]
    of_hit: Int64[np.ndarray, "hit"]

    def __len__(self) -> int:
        """Return the number of pixels."""
        return len(self.wire)


def find_places(
    shape: tuple[int, int], hits_wire: Shaped[np.ndarray, "hit"], hits_drift: Shaped[np.ndarray, "hit"]
) -> Places:
    """Return the pixels that hits are in.

    Raises
    ------
    InputError
        if there are not as many wires as drifts, they are no integers or a hit is outside of the plane.
    """
    wire, drift = np.asarray(hits_wire), np.asarray(hits_drift)
    if wire.ndim != 1 or wire.shape != drift.shape:
        raise InputError("hits", "", "a wire and a drift of each hit", f"{wire.shape} and {drift.shape}")
    for name, values, limit in (("wire", wire, shape[0]), ("drift", drift, shape[1])):
        if values.dtype.kind not in "iu" and values.size:
            raise InputError("hits", name, "whole numbers", str(values.dtype))
        outside = (values < 0) | (values >= limit)
        if outside.any():
            hit = int(np.argmax(outside))
            raise InputError("hits", f"{name}, hit {hit}", f"0 to {limit - 1}", str(values[hit]))
    key = wire.astype(np.int64) * shape[1] + drift.astype(np.int64)
    found, of_hit = np.unique(key, return_inverse=True)
    return Places(found // shape[1], found % shape[1], of_hit.astype(np.int64))


def check_plane(plane: Shaped[np.ndarray, "wire drift"]) -> Float32[np.ndarray, "wire drift"]:
    """Return a plane as contiguous float32.

    Raises
    ------
    InputError
        if it has other than two axes, no pixels or values that are not finite.
    """
    if plane.ndim != 2 or not plane.size:
        raise InputError("plane", "", "an image of wires and drift", f"an array of shape {plane.shape}")
    out = np.ascontiguousarray(plane, dtype=np.float32)
    if not np.isfinite(out).all():
        wire, drift = np.argwhere(~np.isfinite(out))[0]
        raise InputError("plane", f"wire {wire}, drift {drift}", "a finite signal", str(out[wire, drift]))
    return out


def padded(plane: Float32[np.ndarray, "wire drift"], side: int) -> Float32[np.ndarray, "wire_out drift_out"]:
    """Return a plane with zeros around it: the patch of pixel (w, d) begins at (w, d) of the result.

    A patch of pixel (w, d) is [w - side // 2, w - side // 2 + side) on both axes (Sulej et al.).
    """
    before = side // 2
    return np.pad(plane, (before, side - before - 1))


def cut_patches(
    around: Float32[np.ndarray, "wire_out drift_out"],
    wire: Int64[np.ndarray, "pixel"],
    drift: Int64[np.ndarray, "pixel"],
    side: int,
) -> Float32[np.ndarray, "pixel 1 side side"]:
    """Return the patches of pixels from a plane that ``padded`` made."""
    windows = np.lib.stride_tricks.sliding_window_view(around, (side, side))
    return np.asarray(windows[wire, drift][:, None])
