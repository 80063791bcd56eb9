"""An open larcv2 file: which trees to read, and the grid of its images."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64

from cloudchamber.errors import InputError
from cloudchamber.source.larcv_particles import EnergyUnit
from cloudchamber.source.larcv_tree import choose, open_root, open_tree, read_flat, root_damage
from cloudchamber.source.voxel_sums import LARGEST_IMAGE, LARGEST_SIDE

WIRE_TIME = 2  # larcv::DistanceUnit_t: 0 unknown, 1 cm, 2 wires and ticks
CUBIC = 0.01


@dataclass(frozen=True)
class LarcvChoice:
    """Which producers' trees to read; ``"auto"`` takes the usual ones where they are, None none.

    Parameters
    ----------
    energies : of sparse3d, usually ``data``; without it the energies are those of the clusters.
    labels : of sparse3d with 0 HIP, 1 MIP, 2 shower, 3 delta, 4 Michel; usually ``fivetypes``. Without it a
        voxel's label follows from the particle that left most in it, and is shower if it is of none.
    clusters : of cluster3d, usually ``mcst``: set i is of particle i, further sets are of none.
    rows : of sparse3d whose values are rows of particles, as ``write_larcv`` leaves them, usually
        ``particle``; read where there are no clusters.
    particles : of particle, usually ``mcst``.
    unit : of the energies and momenta of particles, and of the energies of voxels.
    voxel_mm : the size of a voxel where the file's own (in cm) is to be overruled.
    """

    energies: str | None = "auto"
    labels: str | None = "auto"
    clusters: str | None = "auto"
    rows: str | None = "auto"
    particles: str | None = "auto"
    unit: EnergyUnit = "MeV"
    voxel_mm: float | None = None


class Grid(NamedTuple):
    """The grid of a file's images, and where each entry's image lies."""

    shape: tuple[int, int, int]
    voxel_mm: float
    corner: Float64[np.ndarray, "entry 3"]  # in the file's unit of length
    mm: Float64[np.ndarray, "3"]  # in one of these, along each axis

    @property
    def cells(self) -> int:
        """Return the number of voxels of an image."""
        return self.shape[0] * self.shape[1] * self.shape[2]


class OpenLarcv(NamedTuple):
    """An open file: its trees by what is read from them, its grid, the number of its entries."""

    path: Path
    trees: dict[str, Any]
    grid: Grid
    choice: LarcvChoice
    entries: int


def read_grid(tree: Any, path: Path, entries: int, voxel_mm: float | None) -> Grid:
    """Read the image of every entry and check that all have one grid; those without are passed over.

    Parameters
    ----------
    voxel_mm : the size of a voxel, None for the file's own.

    Raises
    ------
    InputError
        if no entry has an image, or they are too large, not cubic within 1%, not in cm, or differ.
    """

    def columns(*leaves: str) -> Float64[np.ndarray, "entry axis"]:
        read = [read_flat(tree, path, f"_meta.{leaf}", 0, entries) for leaf in leaves]
        return np.stack(read, axis=1).astype(np.float64)

    name = f"{tree.name}, _meta"
    sides, lengths = columns("_xnum", "_ynum", "_znum"), columns("_xlen", "_ylen", "_zlen")
    corner = columns("_p1.x", "_p1.y", "_p1.z")
    unit = read_flat(tree, path, "_meta._unit", 0, entries)
    given = np.flatnonzero((sides > 0).all(axis=1))
    if len(given) == 0:
        raise InputError(path, name, "an image of at least one entry", "none")
    first = int(given[0])
    side, length = sides[first], lengths[first]
    if (side > LARGEST_SIDE).any() or np.prod(side) > LARGEST_IMAGE:
        wanted = f"at most {LARGEST_SIDE} voxels along an axis and {LARGEST_IMAGE} in all"
        raise InputError(path, f"{name}, entry {first}", wanted, " x ".join(f"{n:.0f}" for n in side))
    if not (np.isfinite(length).all() and (length > 0).all() and np.ptp(length) <= CUBIC * length.max()):
        raise InputError(
            path, f"{name}, entry {first}", "cubic voxels, within 1%", f"sides of {length.tolist()}"
        )
    if (unit[given] == WIRE_TIME).any():
        raise InputError(path, f"{name}._unit", "lengths in cm", "wires and ticks")
    other = (sides[given] != side).any(axis=1) | (np.abs(lengths[given] / length - 1) > 1e-3).any(axis=1)
    if other.any():
        entry = int(given[np.argmax(other)])
        wanted = (
            f"the grid of entry {first}, {side.astype(int).tolist()} voxels of {length.round(4).tolist()}"
        )
        found = f"{sides[entry].astype(int).tolist()} of {lengths[entry].round(4).tolist()}"
        raise InputError(path, f"{name}, entry {entry}", wanted, found)
    size = float(10 * length.mean()) if voxel_mm is None else voxel_mm
    nx, ny, nz = (int(n) for n in side)
    return Grid(
        (nx, ny, nz), size, np.where((sides > 0).all(axis=1, keepdims=True), corner, np.nan), size / length
    )


@contextmanager
def open_larcv(path: Path, choice: LarcvChoice) -> Iterator[OpenLarcv]:
    """Open a larcv2 file and find the trees of a choice.

    Raises
    ------
    InputError
        if it is not a whole ROOT file, a chosen tree or any with energies is missing, trees differ in their
        number of entries, or there is no one grid.
    """
    with open_root(path) as file:
        wanted = {
            "energies": ("sparse3d", choice.energies, "data"),
            "labels": ("sparse3d", choice.labels, "fivetypes"),
            "clusters": ("cluster3d", choice.clusters, "mcst"),
            "rows": ("sparse3d", choice.rows, "particle"),
            "particles": ("particle", choice.particles, "mcst"),
        }
        trees = {}
        for role, (kind, name, usual) in wanted.items():
            producer = choose(file, path, kind, name, usual, only=kind != "sparse3d")
            if producer is not None:
                trees[role] = open_tree(file, path, kind, producer)
        main = trees.get("energies", trees.get("clusters"))
        if main is None:
            with root_damage(path, "", "a list of trees"):
                there = ", ".join(sorted({key.split(";")[0] for key in file})) or "nothing"
            raise InputError(path, "", "a tree sparse3d_data_tree or cluster3d_*_tree", f"{there[:200]}")
        entries = int(main.num_entries)
        for tree in trees.values():
            if int(tree.num_entries) != entries:
                raise InputError(
                    path, str(tree.name), f"{entries} entries, as {main.name}", f"{tree.num_entries}"
                )
        if entries == 0:
            raise InputError(path, str(main.name), "entries", "none")
        yield OpenLarcv(path, trees, read_grid(main, path, entries, choice.voxel_mm), choice, entries)
