"""What a LUMIN fold file says of itself: the grid that its cells are of."""

import json
from dataclasses import replace
from pathlib import Path

import h5py

from cloudchamber.calorimeter_events import CalorimeterGrid
from cloudchamber.errors import InputError
from cloudchamber.source.energy import LARGEST
from cloudchamber.source.hdf5 import damage_is_an_input_error, holds, open_hdf5
from cloudchamber.source.lumin import PUBLIC_GRID

__all__ = ["read_lumin_grid"]

META, MATRIX = "meta_data", "matrix_feats"


def read_lumin_grid(path: Path, otherwise: CalorimeterGrid = PUBLIC_GRID) -> CalorimeterGrid:
    """Return the grid of a fold file: cells along the axes as it says, if it does; all else as ``otherwise``.

    The sizes of cells have no place in such a file.

    Raises
    ------
    InputError
        if the file is not HDF5, cut off or damaged, or what it says of its grid makes no sense.
    """
    entry = f"{META}/{MATRIX}"
    with open_hdf5(path) as file:
        if not holds(file, path, META) or not holds(file, path, entry):
            return otherwise
        with damage_is_an_input_error(path, entry, "text that can be read"):
            dataset = file[entry]
            text = dataset[()] if isinstance(dataset, h5py.Dataset) and dataset.shape == () else None
    try:
        about = json.loads(text) if isinstance(text, (bytes, str)) else None
    except ValueError as error:
        raise InputError(path, entry, "JSON", str(error)) from error
    shape = about.get("shape") if isinstance(about, dict) else None
    if shape is None:
        return otherwise
    wanted = f"one channel and three numbers of cells, 1 to {LARGEST}, as [1, 50, 32, 32]"
    if not isinstance(shape, list) or len(shape) != 4 or shape[0] != 1:
        raise InputError(path, f"{entry}, shape", wanted, str(shape))
    if not all(type(side) is int and 1 <= side <= LARGEST for side in shape):
        raise InputError(path, f"{entry}, shape", wanted, str(shape))
    return replace(otherwise, shape=(shape[1], shape[2], shape[3]))
