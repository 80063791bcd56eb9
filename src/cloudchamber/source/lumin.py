"""Reading LUMIN's fold files, as the public data of arXiv:2107.02119 come (doi:10.5281/zenodo.5163817).

A file has groups ``fold_0``, ``fold_1``, ... each with ``inputs`` (muon, 28), the standardised features;
``targets`` (muon), the energies; ``matrix_inputs`` (6, cell), the lit cells of all muons of the fold: energy,
muon, channel (0), z, x, y. All are float32.

The format leaves open, and this module takes it so:

- energies of cells and muons are in GeV;
- a target of -1 is one that was not given: NaN here;
- charge and entry point are not in the file (0 and NaN here), nor are the means and standard deviations of
  the features, which therefore stay standardised;
- the number of muons is that of the targets: muons without cells, at the end too, are muons.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from jaxtyping import Float32

from cloudchamber.calorimeter_events import MUON, CalorimeterEvents, CalorimeterGrid, join_muons
from cloudchamber.errors import InputError
from cloudchamber.source.hdf5 import block_starts, damage_is_an_input_error, find_dataset, open_hdf5
from cloudchamber.source.lumin_cells import CellRows, read_cells
from cloudchamber.source.ragged import read_span, read_whole

__all__ = ["LuminMuons", "count_lumin", "iterate_lumin", "join_lumin", "read_lumin"]

BLOCK = 256
FEATURE_COUNT = 28
INPUTS, TARGETS, CELLS = "inputs", "targets", "matrix_inputs"
NOT_GIVEN = -1.0
LARGEST_GEV = 1e9
PUBLIC_GRID = CalorimeterGrid()


@dataclass(frozen=True)
class LuminMuons:
    """Muons of a fold file: their cells, their standardised features, their energies (NaN: not given)."""

    events: CalorimeterEvents
    features: Float32[np.ndarray, "event 28"]
    target_gev: Float32[np.ndarray, "event"]

    def __len__(self) -> int:
        """Return the number of muons."""
        return len(self.target_gev)


class _Fold(NamedTuple):
    file: h5py.File
    path: Path
    name: str
    inputs: h5py.Dataset
    target_gev: Float32[np.ndarray, "event"]

    def entry(self, name: str) -> str:
        return f"{self.name}/{name}"


def _fold_numbers(file: h5py.File, path: Path) -> list[int]:
    with damage_is_an_input_error(path, "", "groups that can be listed"):
        found = [re.fullmatch(r"fold_(0|[1-9]\d{0,8})", str(name)) for name in file]
    numbers = sorted(int(match[1]) for match in found if match)
    if not numbers:
        with damage_is_an_input_error(path, "", "groups that can be listed"):
            names = ", ".join(list(file)[:8]) or "nothing"
        raise InputError(path, "", "groups fold_0, fold_1, ...", names)
    return numbers


def _read_targets(file: h5py.File, path: Path, name: str) -> Float32[np.ndarray, "event"]:
    with damage_is_an_input_error(path, name, "targets"):
        columns = len(file[name].shape or ()) if isinstance(file.get(name), h5py.Dataset) else 1
    axes = "(muon, 1)" if columns == 2 else "(muon)"
    target = read_whole(find_dataset(file, path, name, "f", axes=axes), path, name).ravel()
    bad = ~((target > 0) & (target <= LARGEST_GEV)) & (target != NOT_GIVEN)
    if bad.any():
        muon = int(np.argmax(bad))
        wanted = f"an energy above 0 and up to {LARGEST_GEV:.0e} GeV, or -1"
        raise InputError(path, f"{name}, muon {muon}", wanted, str(target[muon]))
    target = target.astype(np.float32)
    target[target == NOT_GIVEN] = np.nan
    return target


def _find_fold(file: h5py.File, path: Path, number: int) -> _Fold:
    name = f"fold_{number}"
    with damage_is_an_input_error(path, name, "a group"):
        if isinstance(file.get(name, getlink=True), h5py.ExternalLink):
            raise InputError(path, name, "a group", "a link to another file")
    target = _read_targets(file, path, f"{name}/{TARGETS}")
    axes = f"(muon, {FEATURE_COUNT})"
    inputs = find_dataset(file, path, f"{name}/{INPUTS}", "f", axes=axes)
    if len(inputs) != len(target):
        wanted = f"as many muons as {TARGETS}, {len(target)}"
        raise InputError(path, f"{name}/{INPUTS}", wanted, str(len(inputs)))
    return _Fold(file, path, name, inputs, target)


@contextmanager
def _open(path: Path, folds: Sequence[int] | None) -> Iterator[tuple[h5py.File, list[int]]]:
    with open_hdf5(path) as file:
        there = _fold_numbers(file, path)
        for number in folds or ():
            if number not in there:
                raise InputError(
                    path, f"fold_{number}", f"one of the {len(there)} folds", "none of that name"
                )
        yield file, there if folds is None else list(folds)


def _load(fold: _Fold, cells: CellRows, grid: CalorimeterGrid, start: int, stop: int) -> LuminMuons:
    offsets, position, energy = cells.events(grid, start, stop)
    name = fold.entry(INPUTS)
    features = read_span(fold.inputs, fold.path, name, slice(start, stop))
    bad = ~(np.abs(features) <= np.finfo(np.float32).max)
    if bad.any():
        muon, feature = np.unravel_index(int(np.argmax(bad)), bad.shape)
        entry = f"{name}, muon {start + int(muon)}, feature {int(feature)}"
        raise InputError(fold.path, entry, "finite numbers", str(features[muon, feature]))
    target = fold.target_gev[start:stop]
    muons = np.zeros(stop - start, MUON)
    for field in MUON.names or ():
        muons[field] = 0 if field == "charge" else np.nan
    muons["energy_gev"] = target
    owner = np.repeat(np.arange(stop - start), np.diff(offsets))
    muons["deposit_gev"] = np.bincount(owner, energy, minlength=stop - start)
    events = CalorimeterEvents(grid, offsets, position, energy, muons)
    return LuminMuons(events, features.astype(np.float32), target)


def count_lumin(path: Path) -> dict[int, int]:
    """Return the number of muons in each fold of a file.

    Raises
    ------
    InputError
        if the file is not HDF5, cut off or damaged, has no folds, or one lacks targets or features.
    """
    with _open(path, None) as (file, folds):
        return {number: len(_find_fold(file, path, number).target_gev) for number in folds}


def iterate_lumin(
    path: Path,
    folds: Sequence[int] | None = None,
    *,
    grid: CalorimeterGrid = PUBLIC_GRID,
    block: int = BLOCK,
) -> Iterator[LuminMuons]:
    """Read folds (all unless said otherwise) in blocks of up to ``block`` muons, none across two folds.

    Where the cells of a fold stand in the order of its muons, as LUMIN writes them, memory holds one number
    per cell of it; else all of the fold's cells.

    Raises
    ------
    InputError
        as ``read_lumin`` does, when the faulty block is reached.
    """
    with _open(path, folds) as (file, numbers):
        for number in numbers:
            fold = _find_fold(file, path, number)
            cells = read_cells(file, path, fold.entry(CELLS), len(fold.target_gev))
            for start, stop in block_starts(len(fold.target_gev), block):
                yield _load(fold, cells, grid, start, stop)


def read_lumin(
    path: Path, folds: Sequence[int] | None = None, *, grid: CalorimeterGrid = PUBLIC_GRID
) -> LuminMuons:
    """Read folds of a LUMIN fold file, all unless said otherwise, to our muons.

    Raises
    ------
    InputError
        that names fold, table and muon or column: the file is not HDF5, cut off or damaged; there are no
        folds, or not those asked for; a table is missing or of another type or shape; a number is not finite;
        a target is not an energy; an index is not a whole number or lies outside of the muons or the grid; a
        channel is not 0; an energy is negative; a cell comes twice.
    """
    return join_lumin(list(iterate_lumin(path, folds, grid=grid)))


def join_lumin(parts: Sequence[LuminMuons]) -> LuminMuons:
    """Return several sets of muons as one.

    Raises
    ------
    ValueError
        if there are none, or their grids differ.
    """
    return LuminMuons(
        join_muons([part.events for part in parts]),
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.target_gev for part in parts]),
    )
