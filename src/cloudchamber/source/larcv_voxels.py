"""Voxels of larcv's sparse3d and cluster3d trees: keys, energies, labels, rows of particles."""

from pathlib import Path

import numpy as np
from jaxtyping import Int64, Shaped, UInt8

from cloudchamber.errors import InputError
from cloudchamber.labels import VoxelLabel
from cloudchamber.source.larcv_clusters import VOXELS, read_sets
from cloudchamber.source.larcv_open import OpenLarcv
from cloudchamber.source.larcv_tree import read_jagged
from cloudchamber.source.voxel_sums import Sums, sum_deposits

SPARSE_ID, SPARSE_VALUE = "_voxel_v._id", "_voxel_v._value"
LARGEST_ENERGY = 1e9


def voxel_keys(
    number: Shaped[np.ndarray, "voxel"],
    entry: Int64[np.ndarray, "voxel"],
    opened: OpenLarcv,
    where: tuple[str, int],
) -> Int64[np.ndarray, "voxel"]:
    """Return event * voxels of the image + larcv's number of the voxel.

    Parameters
    ----------
    entry : of each voxel, counted from the first of the block.
    where : the branch, and the number of the block's first entry.

    Raises
    ------
    InputError
        if a number is not below the number of voxels of the image.
    """
    cells = opened.grid.cells
    outside = number >= cells
    if outside.any():
        at = int(np.argmax(outside))
        name, start = where
        wanted = f"the numbers of voxels below {cells}"
        raise InputError(opened.path, f"{name}, entry {start + entry[at]}", wanted, str(number[at]))
    return entry * cells + number.astype(np.int64)


def check_energies(
    value: Shaped[np.ndarray, "voxel"], entry: Int64[np.ndarray, "voxel"], path: Path, where: tuple[str, int]
) -> None:
    """Check that energies are finite, from 0 to 10^9 of the file's unit.

    Raises
    ------
    InputError
        that names the branch and the entry of the first that is not.
    """
    bad = ~((value >= 0) & (value <= LARGEST_ENERGY))
    if bad.any():
        at = int(np.argmax(bad))
        name, start = where
        raise InputError(path, f"{name}, entry {start + entry[at]}", "energies from 0 to 1e9", str(value[at]))


def read_sparse(
    opened: OpenLarcv, role: str, start: int, stop: int
) -> tuple[Int64[np.ndarray, "voxel"], Shaped[np.ndarray, "voxel"], tuple[str, int]]:
    """Read a sparse3d tree: keys and values of voxels, and what to call the branch of the values.

    Raises
    ------
    InputError
        if a branch is missing or damaged, they do not fit each other, or a voxel lies outside the image.
    """
    tree, path = opened.trees[role], opened.path
    offsets, number = read_jagged(tree, path, SPARSE_ID, start, stop)
    places, value = read_jagged(tree, path, SPARSE_VALUE, start, stop)
    if not np.array_equal(offsets, places):
        raise InputError(
            path, f"{tree.name}, branch {SPARSE_VALUE}", f"as many per entry as {SPARSE_ID}", "others"
        )
    entry = np.repeat(np.arange(stop - start, dtype=np.int64), np.diff(offsets))
    if number.dtype.kind not in "iu" or (number.dtype.kind == "i" and (number < 0).any()):
        raise InputError(path, f"{tree.name}, branch {SPARSE_ID}", "numbers of voxels", f"{number.dtype}")
    return voxel_keys(number, entry, opened, (f"{tree.name}, branch {SPARSE_ID}", start)), value, (
        f"{tree.name}, branch {SPARSE_VALUE}", start,
    )  # fmt: skip


def read_clusters(
    opened: OpenLarcv, start: int, stop: int, particles: Int64[np.ndarray, "entry"] | None
) -> Sums:
    """Read a cluster3d tree: voxels, their energy in the file's unit, and the particle that left most.

    Parameters
    ----------
    particles : the number of particles of each entry, None for none; sets beyond are of no particle.

    Raises
    ------
    InputError
        if a branch is missing or damaged, a voxel lies outside the image or an energy makes no sense.
    """
    tree, where = opened.trees["clusters"], (f"{opened.trees['clusters'].name}, branch {VOXELS}", start)
    keys, values, rows = [np.zeros(0, np.int64)], [np.zeros(0)], [np.zeros(0, np.int64)]
    for index, sets in enumerate(read_sets(tree, opened.path, start, stop)):
        entry = np.full(len(sets.number), index, np.int64)
        check_energies(sets.value, entry, opened.path, where)
        keys.append(voxel_keys(sets.number, entry, opened, where))
        values.append(sets.value.astype(np.float64))
        row = np.arange(len(sets.size), dtype=np.int64)
        row[row >= (0 if particles is None else particles[index])] = -1
        rows.append(np.repeat(row, sets.size))
    return sum_deposits(np.concatenate(keys), np.concatenate(values), np.concatenate(rows))


def look_up(
    key: Int64[np.ndarray, "voxel"], among: Int64[np.ndarray, "other"]
) -> tuple[Int64[np.ndarray, "voxel"], Shaped[np.ndarray, "voxel"]]:
    """Return where keys stand among sorted others, and whether they do."""
    if len(among) == 0:
        return np.zeros(len(key), np.int64), np.zeros(len(key), np.bool_)
    place = np.minimum(np.searchsorted(among, key), len(among) - 1)
    return place, among[place] == key


def read_labels(
    opened: OpenLarcv, key: Int64[np.ndarray, "voxel"], start: int, stop: int
) -> UInt8[np.ndarray, "voxel"]:
    """Read the labels of the voxels ``key`` from a sparse3d tree.

    Raises
    ------
    InputError
        as ``read_sparse``, or if a label does not exist or a voxel has none.
    """
    keys, value, (name, _) = read_sparse(opened, "labels", start, stop)
    wrong = ~((value >= 0) & (value < len(VoxelLabel)) & (value == np.floor(value)))
    cells = opened.grid.cells
    if wrong.any():
        at = int(np.argmax(wrong))
        wanted = f"labels from 0 to {len(VoxelLabel) - 1}"
        raise InputError(opened.path, f"{name}, entry {start + keys[at] // cells}", wanted, str(value[at]))
    keys, first = np.unique(keys, return_index=True)
    place, there = look_up(key, keys)
    if not there.all():
        at = int(np.argmin(there))
        wanted = f"a label of voxel {key[at] % cells}"
        raise InputError(opened.path, f"{name}, entry {start + key[at] // cells}", wanted, "none")
    return np.asarray(value[first][place], np.uint8)


def read_rows(
    opened: OpenLarcv,
    key: Int64[np.ndarray, "voxel"],
    start: int,
    stop: int,
    counts: Int64[np.ndarray, "entry"],
) -> Int64[np.ndarray, "voxel"]:
    """Read the rows of particles of the voxels ``key`` from a sparse3d tree; -1 where it has none.

    Parameters
    ----------
    counts : the number of particles of each entry.

    Raises
    ------
    InputError
        as ``read_sparse``, or if an entry has no such row.
    """
    keys, value, (name, _) = read_sparse(opened, "rows", start, stop)
    cells = opened.grid.cells
    wrong = ~((value >= -1) & (value < counts[keys // cells]) & (value == np.floor(value)))
    if wrong.any():
        at = int(np.argmax(wrong))
        where = f"{name}, entry {start + keys[at] // cells}"
        raise InputError(opened.path, where, "rows of the entry's particles, or -1", str(value[at]))
    keys, first = np.unique(keys, return_index=True)
    if len(keys) == 0:
        return np.full(len(key), -1, np.int64)
    place, there = look_up(key, keys)
    return np.where(there, value[first][place], -1).astype(np.int64)
