"""What must hold for the cells and the truth of muons in a calorimeter, whatever file they come from."""

from pathlib import Path

import numpy as np
from jaxtyping import Int64, Integer, Shaped

from cloudchamber.calorimeter_events import CalorimeterGrid
from cloudchamber.errors import InputError
from cloudchamber.source.ragged import Place, not_rising, refuse_row

LARGEST_GEV = 1e9
LOSSES = ("ionisation_gev", "bremsstrahlung_gev", "pair_gev", "photonuclear_gev", "deposit_gev")


def cell_numbers(position: Integer[np.ndarray, "cell 3"], grid: CalorimeterGrid) -> Int64[np.ndarray, "cell"]:
    """Return the number of every cell, by which they stand in order."""
    _, nx, ny = grid.shape
    iz, ix, iy = position.astype(np.int64).T
    return np.asarray((iz * nx + ix) * ny + iy)


def check_cells(
    position: Integer[np.ndarray, "cell 3"],
    energy: Shaped[np.ndarray, "cell"],
    offsets: Int64[np.ndarray, "event+1"],
    grid: CalorimeterGrid,
    path: Path,
    start: int,
    names: tuple[str, str],
) -> None:
    """Check that cells lie in the grid, each once and in order, and that their energies make sense.

    Parameters
    ----------
    names : of the two tables, for errors.

    Raises
    ------
    InputError
        that names table, event (counted from ``start``) and cell.
    """
    place = Place(path, names[0], start, "cell")
    outside = ((position < 0) | (position >= np.array(grid.shape))).any(axis=1)
    shape = " x ".join(map(str, grid.shape))
    refuse_row(outside, offsets, place, f"cells (z, x, y) within the grid of {shape}", position)
    wrong = not_rising(cell_numbers(position, grid), offsets)
    refuse_row(wrong, offsets, place, "cells in rising order of (z, x, y), each once", position)
    place = place._replace(name=names[1])
    refuse_row(~np.isfinite(energy), offsets, place, "finite energies", energy)
    bad = (energy < 0) | (energy > LARGEST_GEV)
    refuse_row(bad, offsets, place, f"energies from 0 to {LARGEST_GEV:.0e} GeV", energy)


def check_muons(muons: Shaped[np.ndarray, "event"], path: Path, name: str, start: int) -> None:
    """Check that the truth of muons makes sense where it is known (is not NaN).

    Raises
    ------
    InputError
        that names muon (counted from ``start``) and field.
    """

    def refuse(bad: np.ndarray, field: str, expected: str) -> None:
        if bad.any():
            at = int(np.argmax(bad))
            raise InputError(path, f"{name}, event {start + at}, {field}", expected, str(muons[field][at]))

    energy = muons["energy_gev"]
    refuse(
        (energy <= 0) | (energy > LARGEST_GEV),
        "energy_gev",
        f"above 0 and up to {LARGEST_GEV:.0e} GeV, or NaN",
    )
    refuse(np.abs(muons["charge"].astype(int)) > 1, "charge", "-1 or 1, or 0 if it is not known")
    for field in ("x_mm", "y_mm"):
        refuse(np.isinf(muons[field]), field, "a finite place, or NaN")
    for field in LOSSES:
        value = muons[field]
        refuse((value < 0) | np.isinf(value), field, "an energy from 0 GeV up, or NaN")
