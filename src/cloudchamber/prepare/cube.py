"""The symmetries of a cube of voxels: exchanges and flips of its axes, 48 in three dimensions."""

from itertools import permutations

import numpy as np
from jaxtyping import Integer

AXES = tuple(permutations(range(3)))
CUBE_SYMMETRIES = 8 * len(AXES)


def turn_positions(
    position: Integer[np.ndarray, "voxel 3"], side: int, symmetry: int
) -> Integer[np.ndarray, "voxel 3"]:
    """Return positions x, y, z in a cube of ``side`` voxels after one of its 48 symmetries; 0 is none.

    Raises
    ------
    ValueError
        if the symmetry is not one of 0..47.
    """
    if not 0 <= symmetry < CUBE_SYMMETRIES:
        raise ValueError(f"a symmetry is a number from 0 to {CUBE_SYMMETRIES - 1}, got {symmetry}")
    axes, flips = divmod(symmetry, 8)
    turned = position[:, AXES[axes]]
    for axis in range(3):
        if flips >> axis & 1:
            turned[:, axis] = side - 1 - turned[:, axis]
    return turned
