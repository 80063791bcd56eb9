"""Checks of what is to be scored."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloudchamber.errors import InputError


def same_shape(found: tuple[int, ...], wanted: tuple[int, ...], entry: str) -> None:
    """Raise InputError unless two shapes are the same."""
    if found != wanted:
        raise InputError("score", entry, f"the shape of the walls, {wanted}", str(found))


def booleans(values: ArrayLike, entry: str) -> NDArray[np.bool_]:
    """Return zeros and ones as booleans.

    Raises
    ------
    InputError
        if any value is neither.
    """
    given = np.asarray(values)
    if given.dtype != np.bool_:
        wrong = (given != 0) & (given != 1)
        if wrong.any():
            raise InputError("score", entry, "0 or 1 in every voxel", str(given[wrong].flat[0]))
    return given.astype(np.bool_, copy=False)
