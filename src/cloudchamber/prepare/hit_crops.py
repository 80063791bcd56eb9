"""Crops of planes: where there is activity, how they are cut, varied and flipped."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64, UInt8
from numpy.random import Generator

from cloudchamber.prepare.hit_augment import HitAugment, draw_flips, vary_signal
from cloudchamber.prepare.hit_images import HitImages, HitScale, scale_codes, unpack_targets


@dataclass(frozen=True)
class CropIndex:
    """Squares of planes, by their first wire and drift bin, and what they hold."""

    event: Int32[np.ndarray, "crop"]
    wire: Int32[np.ndarray, "crop"]
    drift: Int32[np.ndarray, "crop"]
    michel: Bool[np.ndarray, "crop"]  # whether a Michel electron is in it

    def __len__(self) -> int:
        """Return the number of crops."""
        return len(self.event)


def _starts(size: int, side: int) -> Int64[np.ndarray, "n"]:
    """Return where squares begin that cover an axis with the least overlap."""
    number = -(-size // side)
    return np.round(np.linspace(0, max(0, size - side), number)).astype(np.int64)


def find_crops(images: HitImages, side: int, scale: HitScale, *, least_lit: int = 20) -> CropIndex:
    """Return the squares of a grid over every plane that hold so many lit pixels at least."""
    rows = []
    for event in range(len(images)):
        lit, michel = images.lit(event, scale), unpack_targets(images.target[event]).michel > 0
        for wire in _starts(lit.shape[0], side):
            for drift in _starts(lit.shape[1], side):
                here = (slice(wire, wire + side), slice(drift, drift + side))
                if np.count_nonzero(lit[here]) >= least_lit:
                    rows.append((event, wire, drift, bool(michel[here].any())))
    table = np.array(rows, np.int64).reshape(-1, 4)
    places = table[:, :3].astype(np.int32)
    return CropIndex(places[:, 0], places[:, 1], places[:, 2], table[:, 3].astype(bool))


@dataclass(frozen=True)
class Crops:
    """Crops as a network reads them, and their truth, packed as in ``prepare.hit_images``.

    ``start`` and ``flip`` say where in the plane they come from: pixel (i, j) of a crop that is not flipped
    is wire start[0] + i, drift start[1] + j; a flip along an axis reverses it.
    """

    x: Float32[np.ndarray, "crop 1 wire drift"]
    target: UInt8[np.ndarray, "crop wire drift"]
    bright: Bool[np.ndarray, "crop wire drift"]  # above the threshold of lit pixels
    start: Int64[np.ndarray, "crop 2"]
    flip: Bool[np.ndarray, "crop 2"]


def cut_crops(
    images: HitImages,
    event: Int32[np.ndarray, "crop"],
    start: Int64[np.ndarray, "crop 2"],
    side: int,
    scale: HitScale,
    *,
    augment: HitAugment,
    rng: Generator,
) -> Crops:
    """Return crops of ``side`` pixels (fewer where a plane is smaller), each moved by up to half its side.

    Raises
    ------
    ValueError
        if it is not known in what unit the signal is.
    """
    size = np.array(images.code.shape[1:])
    height, width = np.minimum(size, side)
    moved = start + rng.integers(-(side // 2), side // 2 + 1, (len(event), 2))
    moved = moved.clip(0, size - (height, width))
    flip = draw_flips(augment, len(event), rng)
    codes = np.empty((len(event), height, width), images.code.dtype)
    target = np.empty(codes.shape, np.uint8)
    for k, (which, (wire, drift), (over_wire, over_drift)) in enumerate(zip(event, moved, flip, strict=True)):
        here = (which, slice(wire, wire + height), slice(drift, drift + width))
        turned = (slice(None, None, -1 if over_wire else 1), slice(None, None, -1 if over_drift else 1))
        codes[k], target[k] = images.code[here][turned], images.target[here][turned]
    x = vary_signal(scale_codes(codes, images.readout, scale), augment, rng)
    return Crops(scale.clip(x)[:, None], target, x > scale.active, moved, flip)
