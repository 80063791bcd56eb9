"""The symmetries of a volume seen from above: flips in x and y and the exchange of x and y."""

from typing import TypeVar

import numpy as np
import torch

Array = TypeVar("Array", np.ndarray, torch.Tensor)

FLIP_X, FLIP_Y, SWAP = 1, 2, 4


def count_symmetries(nx: int, ny: int) -> int:
    """Return how many there are: eight for a square footprint, else the four flips."""
    return 8 if nx == ny else 4


def transform(volume: Array, symmetry: int) -> Array:
    """Apply a symmetry to the last two axes (x, y): exchange them if asked, then flip.

    Raises
    ------
    ValueError
        if the symmetry is not one of 0..7.
    """
    if not 0 <= symmetry < 8:
        raise ValueError(f"a symmetry is a number from 0 to 7, got {symmetry}")
    if symmetry & SWAP:
        volume = volume.swapaxes(-1, -2)
    axes = [axis for axis, bit in ((-2, FLIP_X), (-1, FLIP_Y)) if symmetry & bit]
    if not axes:
        return volume
    return volume.flip(axes) if isinstance(volume, torch.Tensor) else np.flip(volume, tuple(axes))


def inverse(symmetry: int) -> int:
    """Return the symmetry that undoes this one."""
    if symmetry & SWAP and (symmetry & FLIP_X > 0) != (symmetry & FLIP_Y > 0):
        return symmetry ^ FLIP_X ^ FLIP_Y
    return symmetry
