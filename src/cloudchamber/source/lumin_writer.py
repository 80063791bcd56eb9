"""Writing LUMIN's fold files."""

import json
from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Float32

from cloudchamber.calorimeter_events import CalorimeterEvents
from cloudchamber.errors import InputError
from cloudchamber.files import whole
from cloudchamber.source.lumin import CELLS, FEATURE_COUNT, INPUTS, NOT_GIVEN, TARGETS, LuminMuons
from cloudchamber.source.lumin_cells import ROWS
from cloudchamber.source.sink import create_hdf5
from cloudchamber.source.writer import check_target

__all__ = ["write_lumin"]

CHUNK = 2**16
LARGEST_FOLD = 2**24  # whole numbers that float32 tells apart
# The names of the features in the public data. Its 22nd and 23rd are the moments along x and y all the same.
LUMIN_FEATURES = (
    "eabove", "rmom", "rmom1", "r2m", "r2m1", "r2m2", "r2m3", "r2m4", "r2m5", "nclu", "ncellmax", "eclumax",
    "maxdepthx", "maxdepthy", "maxdepthz", "epercell", "avgcells", "nclu1", "ncellmax1", "eclumax1",
    "epercell1", "avgcells_off_trk", "ymom", "xmom", "emeas", "maxsum", "eb1", "ea1",
)  # fmt: skip
TARGET_NAME, TENSOR_NAME = "true_energy", "rechit_energy"


def _rows(events: CalorimeterEvents) -> Float32[np.ndarray, "6 cell"]:
    rows = np.zeros((len(ROWS), len(events.energy_gev)), np.float32)
    rows[0], rows[1], rows[3:] = events.energy_gev, events.event_of_cell(), events.position.T
    return rows


def _check(fold: LuminMuons, path: Path, number: int) -> None:
    n, name = len(fold.events), f"fold_{number}"
    if fold.features.shape != (n, FEATURE_COUNT) or fold.target_gev.shape != (n,):
        wanted = f"{FEATURE_COUNT} features and a target for each of {n} muons"
        raise ValueError(f"{name}: {wanted}, not {fold.features.shape} and {fold.target_gev.shape}")
    if not 1 <= n <= LARGEST_FOLD:
        raise InputError(path, name, f"1 to {LARGEST_FOLD} muons in a fold", str(n))
    if len(fold.events.energy_gev) == 0:
        raise InputError(path, name, "muons with cells", f"{n} muons without any")


def _add_about(file: h5py.File, shape: tuple[int, int, int]) -> None:
    """Add what LUMIN wants to know: names of features and target, and how to make grids of the cells."""
    matrix = {
        "present_feats": [TENSOR_NAME],
        "vecs": [TENSOR_NAME],
        "missing": [],
        "feats_per_vec": [""],
        "row_wise": None,
        "shape": [1, *shape],
        "is_sparse": True,
    }
    about = {
        "cont_feats": list(LUMIN_FEATURES),
        "cat_feats": [],
        "targ_feats": TARGET_NAME,
        "matrix_feats": matrix,
    }
    group = file.create_group("meta_data")
    for name, value in about.items():
        group.create_dataset(name, data=json.dumps(value), track_times=False)


def write_lumin(path: Path, folds: Iterable[LuminMuons], *, overwrite: bool = False) -> int:
    """Write muons as LUMIN's fold files are, one fold after the other, with the names that LUMIN asks for.

    Charge, entry point and losses by process have no place there; a target that is not known becomes -1.
    Features should be standardised; all targets are energies in GeV, as in :mod:`cloudchamber.source.lumin`.

    Returns
    -------
    The number of muons.

    Raises
    ------
    InputError
        if there are no folds, one has no muons, no cells or more muons than float32 can count, or the path
        cannot be written.
    ValueError
        if features or targets are of another number, or the folds have several grids.
    """
    check_target(path, overwrite)
    muons, shape = 0, None
    with whole(path) as temporary, create_hdf5(temporary) as (file, raise_failed):
        for number, fold in enumerate(folds):
            _check(fold, path, number)
            if shape not in (None, fold.events.grid.shape):
                raise ValueError("all folds of a file must have one grid")
            shape = fold.events.grid.shape
            group = file.create_group(f"fold_{number}")
            rows = _rows(fold.events)
            target = np.where(np.isnan(fold.target_gev), NOT_GIVEN, fold.target_gev)
            arrays = {INPUTS: fold.features, TARGETS: target, CELLS: rows}
            for name, array in arrays.items():
                chunks = (1, min(rows.shape[1], CHUNK)) if name == CELLS else True
                group.create_dataset(
                    name, data=array.astype("<f4"), chunks=chunks, compression="lzf", track_times=False
                )
            raise_failed()
            muons += len(fold)
        if shape is None:
            raise InputError(path, "", "folds to write", "none")
        _add_about(file, shape)
    return muons
