"""Our data sets of buried walls, and the challenge's: X0 maps in, targets beside them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from jaxtyping import Bool, Float, Float32, Shaped

from cloudchamber.errors import InputError
from cloudchamber.source.hdf5 import (
    block_starts,
    find_dataset,
    holds,
    open_hdf5,
    read_attributes,
    read_rows,
    refuse_first,
)
from cloudchamber.source.writer import FORMAT, write_store

__all__ = [
    "BLOCK", "WALLS_UNITS", "WallsBlock", "WallsData", "find_walls", "iterate_walls", "open_hdf5",
    "read_walls", "write_store",
]  # fmt: skip

BLOCK = 2048
X0, TARGETS, SCORE = "x0", "targs", "score"
# Made of the muons' tracks, as cloudchamber.simulate.walls.maps says; a file may hold some of them or none.
MAP_UNITS = {
    "poca_count": "muons",
    "poca_theta2": "rad^2",
    SCORE: "1 (scattering density over that of soil, minus 1)",
    "score_information": "1 (inverse variance of score)",
}
WALLS_UNITS = {X0: "m", TARGETS: "1 = wall, 0 = soil", **MAP_UNITS}
# Radiation lengths of one voxel, and of a typical one (the challenge: median 0.03 m, largest 25 m). The
# second band is as wide as the factor between m and mm or km, so either mistake leaves it.
VOXEL_M = (1e-5, 1e3)
TYPICAL_M = (1e-3, 1.0)


class WallsData(NamedTuple):
    """A whole data set: X0 in metres, axes (sample, z, x, y), z = 0 deepest; walls; the attributes."""

    x0_m: Float32[np.ndarray, "sample z x y"]
    walls: Bool[np.ndarray, "sample z x y"] | None
    attributes: Mapping[str, str | int | float]
    maps: Mapping[str, Float32[np.ndarray, "sample z x y"]] = {}


class WallsBlock(NamedTuple):
    """Some samples of a data set, from sample ``start`` on."""

    start: int
    x0_m: Float32[np.ndarray, "sample z x y"]
    walls: Bool[np.ndarray, "sample z x y"] | None
    maps: Mapping[str, Float32[np.ndarray, "sample z x y"]] = {}


class WallsDatasets(NamedTuple):
    """The data sets of an open file (targets may be absent, maps are those asked for) and its attributes."""

    x0: h5py.Dataset
    targets: h5py.Dataset | None
    attributes: Mapping[str, str | int | float]
    maps: Mapping[str, h5py.Dataset]


def find_walls(file: h5py.File, path: Path, targets: bool | None, maps: Sequence[str] = ()) -> WallsDatasets:
    """Find ``x0``, ``targs`` and maps in an open file and check their shapes, types and the attributes.

    Parameters
    ----------
    targets : True: they must be there; False: they are not read; None: they are read where they are.
    maps : further maps that must be there; ``x0`` among them is passed over.

    Raises
    ------
    InputError
        if something is missing or does not fit.
    """
    attributes = read_attributes(file, path)
    for key, expected in (("task", "walls"), ("format", FORMAT)):
        if attributes.get(key, expected) != expected:
            raise InputError(path, f"attribute {key}", repr(expected), repr(attributes[key]))
    x0 = find_dataset(file, path, X0, "f", unit=WALLS_UNITS[X0])
    labels = None
    if targets or (targets is None and holds(file, path, TARGETS)):
        labels = find_dataset(file, path, TARGETS, "iub")
        if labels.shape != x0.shape:
            raise InputError(path, TARGETS, f"the shape of {X0}, {x0.shape}", str(labels.shape))
    if "task" in attributes and attributes.get("n", len(x0)) != len(x0):
        raise InputError(path, X0, f"{attributes['n']} samples, as the attribute n says", str(len(x0)))
    more = {}
    for name in maps:
        if name != X0:
            more[name] = find_dataset(file, path, name, "f", unit=MAP_UNITS.get(name, ""))
            if more[name].shape != x0.shape:
                raise InputError(path, name, f"the shape of {X0}, {x0.shape}", str(more[name].shape))
    return WallsDatasets(x0, labels, attributes, more)


def check_x0(
    values: Float[np.ndarray, "sample z x y"], start: int, path: Path
) -> Float32[np.ndarray, "sample z x y"]:
    """Return X0 in metres as float32 once it is finite, positive and of a plausible size.

    Raises
    ------
    InputError
        that names the sample; or the unit, where a typical voxel is too large or too small for metres.
    """
    with np.errstate(all="ignore"):
        x0_m = values.astype(np.float32)
    refuse_first(~np.isfinite(x0_m), start, path, X0, "finite numbers", values)
    refuse_first(x0_m <= 0, start, path, X0, "radiation lengths above 0 m", values)
    typical = float(np.median(x0_m))
    if not TYPICAL_M[0] <= typical <= TYPICAL_M[1]:
        samples = f"{X0}, samples {start} to {start + len(x0_m) - 1}"
        wanted = f"radiation lengths in metres (median between {TYPICAL_M[0]:g} and {TYPICAL_M[1]:g} m)"
        raise InputError(path, samples, wanted, f"a median of {typical:.3g}, as in another unit")
    wanted = f"radiation lengths between {VOXEL_M[0]:g} and {VOXEL_M[1]:g} m"
    refuse_first((x0_m < VOXEL_M[0]) | (x0_m > VOXEL_M[1]), start, path, X0, wanted, values)
    return x0_m


def check_binary(
    values: Shaped[np.ndarray, "sample z x y"], start: int, path: Path, name: str
) -> Bool[np.ndarray, "sample z x y"]:
    """Return labels as booleans once they are 0 and 1 only.

    Raises
    ------
    InputError
        that names the sample and the voxel.
    """
    refuse_first((values != 0) & (values != 1), start, path, name, "0 (soil) or 1 (wall)", values)
    return values.astype(np.bool_)


def _read_map(
    dataset: h5py.Dataset, path: Path, name: str, start: int, stop: int
) -> Float32[np.ndarray, "sample z x y"]:
    values = read_rows(dataset, path, start, stop)
    with np.errstate(all="ignore"):
        single = values.astype(np.float32)
    wrong = ~np.isfinite(single)
    if name != SCORE:
        wrong |= single < 0
    refuse_first(wrong, start, path, name, "finite numbers" if name == SCORE else "numbers from 0 up", values)
    return single


def _blocks(found: WallsDatasets, path: Path, block: int) -> Iterator[WallsBlock]:
    for start, stop in block_starts(len(found.x0), block):
        walls = None
        x0_m = check_x0(read_rows(found.x0, path, start, stop), start, path)
        if found.targets is not None:
            walls = check_binary(read_rows(found.targets, path, start, stop), start, path, TARGETS)
        maps = {name: _read_map(each, path, name, start, stop) for name, each in found.maps.items()}
        yield WallsBlock(start, x0_m, walls, maps)


def iterate_walls(
    path: Path, block: int = BLOCK, *, targets: bool | None = None, maps: Sequence[str] = ()
) -> Iterator[WallsBlock]:
    """Read a data set of walls in blocks of ``block`` samples, each checked as in ``read_walls``.

    Raises
    ------
    InputError
        as ``read_walls`` does, when the faulty block is reached.
    """
    with open_hdf5(path) as file:
        yield from _blocks(find_walls(file, path, targets, maps), path, block)


def read_walls(path: Path, *, targets: bool | None = None, maps: Sequence[str] = ()) -> WallsData:
    """Read a whole data set of walls: one of ours, or any HDF5 file with ``x0`` (and ``targs``) in it.

    Parameters
    ----------
    targets : True: ``targs`` must be there; False: they are not read; None: they are read where they are.
    maps : names of further maps to read, see ``MAP_UNITS``.

    Returns
    -------
    X0 in metres (sample, z, x, y), z = 0 the deepest layer, of any shape; walls; attributes; the maps asked
    for.

    Raises
    ------
    InputError
        if the file is not HDF5, cut off or damaged; lacks ``x0``; if types or shapes do not fit; if X0 is not
        finite, not positive or not in metres; if targets are anything but 0 and 1.
    """
    with open_hdf5(path) as file:
        found = find_walls(file, path, targets, maps)
        more = {name: np.empty(found.x0.shape, np.float32) for name in found.maps}
        x0_m = np.empty(found.x0.shape, np.float32)
        walls = None if found.targets is None else np.empty(found.x0.shape, np.bool_)
        for part in _blocks(found, path, BLOCK):
            rows = slice(part.start, part.start + len(part.x0_m))
            x0_m[rows] = part.x0_m
            for name, values in part.maps.items():
                more[name][rows] = values
            if walls is not None and part.walls is not None:
                walls[rows] = part.walls
    return WallsData(x0_m, walls, found.attributes, more)
