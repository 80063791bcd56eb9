"""The lit cells of a LUMIN fold: six rows of numbers, whose columns are cells of any muon."""

from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from jaxtyping import Bool, Float, Float32, Int16, Int64

from cloudchamber.calorimeter_events import CalorimeterGrid
from cloudchamber.errors import InputError
from cloudchamber.source.hdf5 import damage_is_an_input_error, find_dataset
from cloudchamber.source.muon_checks import LARGEST_GEV, cell_numbers

ROWS = ("energy", "muon", "channel", "z", "x", "y")


class CellRows(NamedTuple):
    """The cells of a fold: where those of each muon stand, and in which columns if they are not in order."""

    dataset: h5py.Dataset
    path: Path
    name: str
    offsets: Int64[np.ndarray, "event+1"]
    order: Int64[np.ndarray, "cell"] | None
    rows: Float[np.ndarray, "6 cell"] | None  # all of them, where there is an order

    def events(
        self, grid: CalorimeterGrid, start: int, stop: int
    ) -> tuple[Int64[np.ndarray, "event+1"], Int16[np.ndarray, "cell 3"], Float32[np.ndarray, "cell"]]:
        """Return offsets, positions and energies (GeV) of the cells of muons ``start`` to ``stop``.

        Cells of no energy are left out, the others come in the order of their numbers.

        Raises
        ------
        InputError
            that names the column (of the table) of the first fault.
        """
        first, last = int(self.offsets[start]), int(self.offsets[stop])
        if self.order is None or self.rows is None:
            column = np.arange(first, last)
            with damage_is_an_input_error(self.path, self.name, "columns that can be read"):
                rows = np.asarray(self.dataset[:, first:last])
        else:
            column = self.order[first:last]
            rows = self.rows[:, column]
        position = self._positions(rows, column, grid)
        energy = rows[0]
        wanted = f"energies from 0 to {LARGEST_GEV:.0e} GeV"
        self._refuse(~((energy >= 0) & (energy <= LARGEST_GEV)), 0, rows, column, wanted)
        owner = np.repeat(np.arange(stop - start), np.diff(self.offsets[start : stop + 1]))
        number = owner * int(np.prod(grid.shape)) + cell_numbers(position, grid)
        sorting = np.argsort(number, kind="stable")
        twice = np.diff(number[sorting]) == 0
        if twice.any():
            at = int(sorting[1:][np.argmax(twice)])
            cell = tuple(position[at].tolist())
            entry = f"{self.name}, column {column[at]}"
            raise InputError(self.path, entry, "each cell of a muon once", f"cell (z, x, y) = {cell} again")
        kept = sorting[energy[sorting] > 0]
        counts = np.bincount(owner[kept], minlength=stop - start)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return offsets, position[kept].astype(np.int16), energy[kept].astype(np.float32)

    def _positions(
        self, rows: Float[np.ndarray, "6 cell"], column: Int64[np.ndarray, "cell"], grid: CalorimeterGrid
    ) -> Int64[np.ndarray, "cell 3"]:
        for row, most in zip(range(2, 6), (1, *grid.shape), strict=True):
            bad = ~((rows[row] >= 0) & (rows[row] < most) & (rows[row] == np.floor(rows[row])))
            self._refuse(bad, row, rows, column, f"whole numbers from 0 to {most - 1}")
        return np.asarray(rows[3:].T.astype(np.int64))

    def _refuse(
        self,
        bad: Bool[np.ndarray, "cell"],
        row: int,
        rows: Float[np.ndarray, "6 cell"],
        column: Int64[np.ndarray, "cell"],
        expected: str,
    ) -> None:
        if bad.any():
            at = int(np.argmax(bad))
            entry = f"{self.name}, row {row} ({ROWS[row]}), column {column[at]}"
            raise InputError(self.path, entry, expected, str(rows[row, at]))


def read_cells(file: h5py.File, path: Path, name: str, muons: int) -> CellRows:
    """Find the cells of a fold and whose they are.

    Raises
    ------
    InputError
        if the table is missing, empty, of another type or shape, or names muons that are none.
    """
    dataset = find_dataset(file, path, name, "f", axes=f"({len(ROWS)}, cell)")
    with damage_is_an_input_error(path, name, "columns that can be read"):
        owner = np.asarray(dataset[1])
    bad = ~((owner >= 0) & (owner < muons) & (owner == np.floor(owner)))
    if bad.any():
        at = int(np.argmax(bad))
        entry = f"{name}, row 1 ({ROWS[1]}), column {at}"
        raise InputError(path, entry, f"whole numbers from 0 to {muons - 1}", str(owner[at]))
    counts = np.bincount(owner.astype(np.int64), minlength=muons)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    if (np.diff(owner) >= 0).all():
        return CellRows(dataset, path, name, offsets, None, None)
    with damage_is_an_input_error(path, name, "columns that can be read"):
        rows = np.asarray(dataset[:])
    return CellRows(dataset, path, name, offsets, np.argsort(owner, kind="stable"), rows)
