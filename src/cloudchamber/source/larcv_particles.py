"""larcv's particles to ours."""

from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64, Int64, Shaped

from cloudchamber.errors import InputError
from cloudchamber.source.larcv_names import label_of, mass_mev, process_of
from cloudchamber.source.larcv_tree import find_branch, read_jagged, read_names
from cloudchamber.voxel_events import PARTICLE

EnergyUnit = Literal["MeV", "GeV"]
PART = "_part_v."
UNSET = 1e30  # larcv's mark for a number that was not set is the largest double


def _parents(track: Int64[np.ndarray, "row"], parent: Int64[np.ndarray, "row"]) -> Int64[np.ndarray, "row"]:
    """Return the rows of the parents within an event; -1 for those of none, and for one's own parents."""
    order = np.argsort(track, kind="stable")
    if len(order) == 0:
        return np.zeros(0, np.int64)
    place = np.minimum(np.searchsorted(track[order], parent), len(order) - 1)
    return np.where((track[order][place] == parent) & (parent != track), order[place], -1)


def _check_unit(
    total_mev: Float64[np.ndarray, "row"], mass: Float64[np.ndarray, "row"], path: Path, name: str, unit: str
) -> None:
    heavy = (mass > 100.0) & (total_mev > 0.0)
    if heavy.any() and (total_mev[heavy] < 0.5 * mass[heavy]).all():
        worst = int(np.flatnonzero(heavy)[0])
        found = f"{total_mev[worst]:g} MeV (energy unit {unit}) for a mass of {mass[worst]:g} MeV"
        raise InputError(path, f"{name}, branch {PART}_energy_init", "total energies above the mass", found)


def read_particles(
    tree: Any,
    path: Path,
    start: int,
    stop: int,
    to_mm: tuple[Float64[np.ndarray, "entry 3"], Float64[np.ndarray, "3"]],
    unit: EnergyUnit = "MeV",
) -> tuple[Int64[np.ndarray, "entry+1"], Shaped[np.ndarray, "row"]]:
    """Read entries ``start`` to ``stop`` of a particle tree.

    Parameters
    ----------
    to_mm : the corner of each entry's image in the file's unit of length, and the mm in one of these along
        each axis.
    unit : of energies and momenta in the file. Total energies become kinetic ones by the mass of the Particle
        Data Group, or where there is none by the momentum; one that is not set, or below the mass, NaN.

    Returns
    -------
    Where each entry starts, and the rows, of dtype PARTICLE; ``voxels`` is 0, to be filled in by the caller.

    Raises
    ------
    InputError
        if a branch is missing or damaged, does not fit the others, or energies are in another unit.
    """
    scale, name = {"MeV": 1.0, "GeV": 1000.0}[unit], str(tree.name)
    offsets, pdg = read_jagged(tree, path, f"{PART}_pdg", start, stop)

    def column(leaf: str, needed: bool = True) -> Shaped[np.ndarray, "row"]:
        if not needed and find_branch(tree, path, PART + leaf, needed=False) is None:
            return np.full(len(pdg), np.nan)
        rows, values = read_jagged(tree, path, PART + leaf, start, stop)
        if not np.array_equal(rows, offsets):
            wanted = f"as many values per entry as {PART}_pdg"
            raise InputError(path, f"{name}, branch {PART}{leaf}", wanted, "others")
        return values

    processes = read_names(tree, path, f"{PART}_process", start, stop)
    for entry, names in enumerate(processes):
        if len(names) != offsets[entry + 1] - offsets[entry]:
            wanted = f"{offsets[entry + 1] - offsets[entry]} names"
            raise InputError(
                path, f"{name}, branch {PART}_process, entry {start + entry}", wanted, f"{len(names)}"
            )
    table = np.zeros(len(pdg), PARTICLE)
    table["pdg"] = pdg
    track = column("_trackid").astype(np.uint32)
    table["track_id"] = track.view(np.int32)
    parent, parent_pdg = column("_parent_trackid").astype(np.uint32), column("_parent_pdg", False)
    for first, last in pairwise(offsets):
        rows = slice(int(first), int(last))
        table["parent"][rows] = _parents(track[rows].astype(np.int64), parent[rows].astype(np.int64))
    above = np.nan_to_num(parent_pdg).astype(np.int64)
    flat = [each for names in processes for each in names]
    table["process"] = [process_of(each, int(pdg)) for each, pdg in zip(flat, above, strict=True)]
    pairs = zip(table["pdg"].tolist(), table["process"].tolist(), strict=True)
    table["label"] = [label_of(pdg, process) for pdg, process in pairs]

    momentum = np.stack([column(f"_p{axis}") for axis in "xyz"], axis=1).astype(np.float64)
    momentum = _known(momentum) * scale
    total = _known(column("_energy_init").astype(np.float64)) * scale
    mass = np.array([mass_mev(each) for each in table["pdg"].tolist()], np.float64)
    _check_unit(total, mass, path, name, unit)
    own = np.sqrt(np.maximum(total**2 - (momentum**2).sum(axis=1), 0.0))
    mass = np.where(np.isnan(mass), own, mass)
    known = (total > 0.0) & (total > mass * (1 - 1e-6))
    table["kinetic_mev"] = np.where(known, np.maximum(total - mass, 0.0), np.nan)
    table["momentum_mev"] = momentum
    table["deposit_mev"] = _known(column("_energy_deposit", False).astype(np.float64)) * scale
    corner = np.repeat(to_mm[0], np.diff(offsets), axis=0)
    for ours, theirs in (("start_mm", "_first_step"), ("end_mm", "_last_step")):
        place = np.stack([column(f"{theirs}._{axis}", False) for axis in "xyz"], axis=1)
        table[ours] = (_known(place.astype(np.float64)) - corner) * to_mm[1]
    return offsets, table


def _known(values: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, "..."]:
    """Return values with NaN for those that larcv has not set."""
    return np.where(np.abs(values) < UNSET, values, np.nan)
