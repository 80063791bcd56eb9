"""Checking that a file is whole and that the numbers in it make sense."""

import hashlib
from pathlib import Path

import h5py
import numpy as np
from pydantic import BaseModel, ConfigDict

from cloudchamber.errors import InputError
from cloudchamber.source.hdf5 import (
    block_starts,
    damage_is_an_input_error,
    holds,
    open_hdf5,
    read_attributes,
    read_rows,
)
from cloudchamber.source.predictions import CLASSES, read_predictions
from cloudchamber.source.store import BLOCK, MAP_UNITS, SCORE, TARGETS, X0, iterate_walls

READ_BYTES = 2**26  # read at a time


class Report(BaseModel):
    """What was checked in a file and found good; whatever is not good raises."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    holds: str
    samples: int
    shape: tuple[int, ...]
    checks: dict[str, str]


def dataset_sha256(dataset: h5py.Dataset, path: Path) -> str:
    """Return the SHA-256 of a data set's numbers, little-endian and in C order, read in blocks."""
    total = hashlib.sha256()
    dtype = dataset.dtype.newbyteorder("<")
    row_bytes = dataset.size * dtype.itemsize // max(1, len(dataset))
    for start, stop in block_starts(len(dataset), max(1, min(BLOCK, READ_BYTES // max(1, row_bytes)))):
        total.update(np.ascontiguousarray(read_rows(dataset, path, start, stop), dtype=dtype).tobytes())
    return total.hexdigest()


def check_sums(path: Path) -> dict[str, str]:
    """Compare the data sets with the SHA-256 that the file records.

    Returns
    -------
    The sum of each data set that has one recorded.

    Raises
    ------
    InputError
        if one differs.
    """
    sums = {}
    with open_hdf5(path) as file:
        with damage_is_an_input_error(path, "", "data sets that can be listed"):
            found = {name: file.get(name) for name in file}
            datasets = {name: item for name, item in found.items() if isinstance(item, h5py.Dataset)}
        for name, dataset in datasets.items():
            recorded = read_attributes(dataset, path, name).get("sha256")
            if recorded is None:
                continue
            sums[name] = dataset_sha256(dataset, path)
            if sums[name] != recorded:
                raise InputError(path, name, f"the recorded SHA-256 {recorded}", sums[name])
    return sums


def check_dataset(path: Path) -> Report:
    """Read the whole of a file of walls (or of predictions) and check everything that can be checked.

    Raises
    ------
    InputError
        that names the first fault found: file, data set, sample.
    """
    with open_hdf5(path) as file:
        predicted = holds(file, path, CLASSES) and not holds(file, path, X0)
    if predicted:
        found = read_predictions(path)
        shape = found.walls.shape
        checks = {CLASSES: "0 and 1 only"}
        if found.probability is not None:
            checks["probability"] = "within [0, 1]"
        kind = "predicted walls"
    else:
        with open_hdf5(path) as file:
            maps = [name for name in MAP_UNITS if holds(file, path, name)]
        samples, voxels, labelled = 0, (0, 0, 0), False
        for part in iterate_walls(path, maps=maps):
            samples, voxels = samples + len(part.x0_m), part.x0_m.shape[1:]
            labelled = part.walls is not None
        shape = (samples, *voxels)
        checks = {
            X0: "finite, positive, plausible in metres",
            TARGETS: "0 and 1 only" if labelled else "absent",
            **{name: "finite" if name == SCORE else "finite, from 0 up" for name in maps},
        }
        kind = "walls"
    sums = check_sums(path)
    checks["SHA-256"] = f"as recorded ({', '.join(sums)})" if sums else "none recorded"
    return Report(path=path, holds=kind, samples=shape[0], shape=shape, checks=checks)
