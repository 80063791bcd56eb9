"""Our data sets of muons in a calorimeter: flat tables of cells, with their number and the truth per muon."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from jaxtyping import Int64

from cloudchamber.calorimeter_events import MUON, CalorimeterEvents, CalorimeterGrid
from cloudchamber.errors import InputError
from cloudchamber.source.hdf5 import block_starts, find_dataset, holds, open_hdf5, read_attributes
from cloudchamber.source.muon_checks import check_cells, check_muons
from cloudchamber.source.ragged import (
    FileAttributes,
    check_header,
    check_number,
    find_column,
    read_counts,
    read_sides,
    read_size,
    read_span,
)
from cloudchamber.source.writer import Attributes, write_store

__all__ = [
    "ENERGY_AXES", "ENERGY_TABLES", "ENERGY_UNITS", "MUON_BLOCK", "MuonFile", "calorimeter_attributes",
    "find_muons", "iterate_muons", "muon_arrays", "read_muons", "write_muons",
]  # fmt: skip

MUON_BLOCK = 256
CELL_COUNT, CELL_POSITION, CELL_ENERGY, MUONS = "cell_count", "position", "energy_gev", "muons"
ENERGY_UNITS = {
    CELL_COUNT: "cells of each muon",
    CELL_POSITION: "cell (z, x, y)",
    CELL_ENERGY: "GeV",
    MUONS: "GeV, mm from the axis, NaN = not known",
}
ENERGY_TABLES = dict.fromkeys((CELL_POSITION, CELL_ENERGY), "cells")
ENERGY_AXES = "tables: the cells of a muon stand together, muons in order, as cell_count says"
GRID = ("nz", "nx", "ny")
LARGEST = 2**15  # positions are int16


class MuonFile(NamedTuple):
    """An open file of muons: its tables (truth None if absent), where each muon's cells start, its grid."""

    file: h5py.File
    path: Path
    position: h5py.Dataset
    energy_gev: h5py.Dataset
    muons: h5py.Dataset | None
    cell_offsets: Int64[np.ndarray, "event+1"]
    grid: CalorimeterGrid
    attributes: FileAttributes

    def __len__(self) -> int:
        """Return the number of muons."""
        return len(self.cell_offsets) - 1


def calorimeter_attributes(grid: CalorimeterGrid) -> dict[str, str | int | float]:
    """Return what a file says of its grid."""
    sides = dict(zip(GRID, grid.shape, strict=True))
    return {"task": "energy", **sides, "layer_mm": float(grid.layer_mm), "cell_mm": float(grid.cell_mm)}


def muon_arrays(events: CalorimeterEvents) -> dict[str, np.ndarray]:
    """Return muons as the arrays that a file holds under the names of its data sets."""
    arrays = {
        CELL_COUNT: np.diff(events.cell_offsets),
        CELL_POSITION: events.position,
        CELL_ENERGY: events.energy_gev,
    }
    return arrays if events.muons is None else arrays | {MUONS: events.muons}


def write_muons(path: Path, n: int, blocks: Iterator[CalorimeterEvents], attributes: Attributes) -> None:
    """Write a data set of ``n`` muons from blocks of them; if the first block lacks truth, the file does.

    Raises
    ------
    InputError
        if there are no muons, the path cannot be written or the disk is full.
    ValueError
        if the blocks do not fit each other or ``n``.
    """
    first = next(blocks, None)
    if first is None or n < 1:
        raise InputError(path, "", "muons to write", "none")
    about = {**calorimeter_attributes(first.grid), **attributes}
    with write_store(path, n, about, ENERGY_UNITS, axes=ENERGY_AXES, tables=ENERGY_TABLES) as add:
        add(muon_arrays(first))
        for block in blocks:
            if block.grid != first.grid:
                raise ValueError("all muons of a file must have one grid")
            add(muon_arrays(block))


def read_calorimeter(attributes: FileAttributes, path: Path) -> CalorimeterGrid:
    """Return the grid that a file's attributes describe.

    Raises
    ------
    InputError
        if one is missing or makes no sense.
    """
    shape = read_sides(attributes, path, GRID, "cells", LARGEST)
    layer_mm = read_size(attributes, path, "layer_mm", "layer")
    return CalorimeterGrid(shape, layer_mm, read_size(attributes, path, "cell_mm", "cell"))


def _find_truth(file: h5py.File, path: Path, n: int) -> h5py.Dataset:
    dataset = find_dataset(file, path, MUONS, "V", axes="(event)")
    if dataset.dtype != MUON:
        raise InputError(path, MUONS, f"records of {', '.join(MUON.names or ())}", f"{dataset.dtype}")
    if len(dataset) != n:
        raise InputError(path, MUONS, f"as many muons as {CELL_COUNT}, {n}", str(len(dataset)))
    return dataset


def find_muons(file: h5py.File, path: Path, truth: bool | None = None) -> MuonFile:
    """Find the tables of an open file and check their types, lengths and the attributes.

    Parameters
    ----------
    truth : True: the truth must be there; False: it is not read; None: it is read where it is.

    Raises
    ------
    InputError
        if something is missing or does not fit.
    """
    attributes = read_attributes(file, path)
    check_header(attributes, path, "energy")
    offsets = read_counts(file, path, CELL_COUNT)
    n, cells = len(offsets) - 1, int(offsets[-1])
    check_number(attributes, path, CELL_COUNT, n)
    grid = read_calorimeter(attributes, path)
    position = find_column(file, path, CELL_POSITION, "iub", "(cell, 3)", cells)
    energy = find_column(file, path, CELL_ENERGY, "f", "(cell)", cells)
    wanted = truth or (truth is None and holds(file, path, MUONS))
    muons = _find_truth(file, path, n) if wanted else None
    return MuonFile(file, path, position, energy, muons, offsets, grid, attributes)


def load_muons(opened: MuonFile, start: int, stop: int) -> CalorimeterEvents:
    """Read muons ``start`` to ``stop`` of an open file and check them.

    Raises
    ------
    InputError
        that names file, table, muon and cell of the first fault.
    """
    path, cells = opened.path, slice(int(opened.cell_offsets[start]), int(opened.cell_offsets[stop]))
    offsets = opened.cell_offsets[start : stop + 1] - cells.start
    position = read_span(opened.position, path, CELL_POSITION, cells)
    energy = read_span(opened.energy_gev, path, CELL_ENERGY, cells)
    check_cells(position, energy, offsets, opened.grid, path, start, (CELL_POSITION, CELL_ENERGY))
    muons = None
    if opened.muons is not None:
        muons = read_span(opened.muons, path, MUONS, slice(start, stop))
        check_muons(muons, path, MUONS, start)
    return CalorimeterEvents(
        opened.grid, offsets, position.astype(np.int16), energy.astype(np.float32), muons
    )


def iterate_muons(
    path: Path, block: int = MUON_BLOCK, *, truth: bool | None = None, stop: int | None = None
) -> Iterator[CalorimeterEvents]:
    """Read a data set, or its first ``stop`` muons, in blocks, each checked as in ``read_muons``.

    Raises
    ------
    InputError
        as ``read_muons`` does, when the faulty block is reached.
    """
    with open_hdf5(path) as file:
        opened = find_muons(file, path, truth)
        end = len(opened) if stop is None else stop
        if not 0 < end <= len(opened):
            raise InputError(path, "", f"{end} muons", f"{len(opened)} muons")
        for first, last in block_starts(end, block):
            yield load_muons(opened, first, last)


def read_muons(
    path: Path, *, truth: bool | None = None, start: int = 0, stop: int | None = None
) -> tuple[CalorimeterEvents, FileAttributes]:
    """Read a data set of muons, or muons ``start`` to ``stop`` of it, and its attributes.

    Parameters
    ----------
    truth : True: the truth must be there; False: it is not read; None: it is read where it is.

    Raises
    ------
    InputError
        if the file is not HDF5, cut off or damaged; a table is missing, or its type or length does not fit; a
        cell lies outside the grid, comes twice or out of order; an energy is negative or not finite; the
        truth of a muon makes no sense; or there are no muons of these numbers.
    """
    with open_hdf5(path) as file:
        opened = find_muons(file, path, truth)
        end = len(opened) if stop is None else stop
        if not 0 <= start < end <= len(opened):
            raise InputError(path, "", f"muons {start} to {end - 1}", f"{len(opened)} muons")
        return load_muons(opened, start, end), opened.attributes
