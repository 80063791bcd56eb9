"""Deposits into voxels: sums, the particle that left most, and the flat arrays of ``VoxelEvents``."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int32, Int64

# Events times voxels must stay within 63 bits; blocks of 1024 events of 2^52 voxels do.
LARGEST_IMAGE, LARGEST_SIDE, LARGEST_BLOCK = 2**52, 2**20, 1024


class Sums(NamedTuple):
    """Voxels that hold something, in rising order of their key."""

    key: Int64[np.ndarray, "voxel"]  # event * voxels of the image + larcv's number of the voxel
    energy_mev: Float64[np.ndarray, "voxel"]
    row: Int64[np.ndarray, "voxel"]  # that left most of the energy; the lowest of several, which may be -1


def sum_deposits(
    key: Int64[np.ndarray, "deposit"],
    energy_mev: Float64[np.ndarray, "deposit"],
    row: Int64[np.ndarray, "deposit"],
) -> Sums:
    """Add up deposits that fall into the same voxel of the same event, and find whose they are."""
    if len(key) == 0:
        return Sums(key, energy_mev, row)
    order = np.lexsort((row, key))
    key, row, energy_mev = key[order], row[order], energy_mev[order]
    first = np.flatnonzero(np.concatenate([[True], (np.diff(key) != 0) | (np.diff(row) != 0)]))
    shares, share_key, share_row = np.add.reduceat(energy_mev, first), key[first], row[first]
    order = np.lexsort((share_row, -shares, share_key))
    start = np.flatnonzero(np.concatenate([[True], np.diff(share_key) != 0]))
    return Sums(share_key[start], np.add.reduceat(shares, start), share_row[order][start])


def place_voxels(
    key: Int64[np.ndarray, "voxel"], shape: tuple[int, int, int], events: int
) -> tuple[Int64[np.ndarray, "event+1"], Int32[np.ndarray, "voxel 3"]]:
    """Return where each event starts among sorted keys, and the (x, y, z) of every voxel."""
    nx, ny, nz = shape
    cells = nx * ny * nz
    offsets = np.searchsorted(key, np.arange(events + 1, dtype=np.int64) * cells).astype(np.int64)
    number = key % cells
    position = np.stack([number % nx, number // nx % ny, number // (nx * ny)], axis=1)
    return offsets, position.astype(np.int32)


def count_rows(
    row: Int64[np.ndarray, "voxel"], event: Int64[np.ndarray, "voxel"], offsets: Int64[np.ndarray, "event+1"]
) -> Int32[np.ndarray, "particle"]:
    """Return how many voxels each particle has, from the rows of voxels and where each event's rows start."""
    has = row >= 0
    return np.bincount(offsets[event[has]] + row[has], minlength=int(offsets[-1])).astype(np.int32)
