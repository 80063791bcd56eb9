"""Predicted walls: class per voxel as a submission to the challenge holds them, probability beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, Integer, Shaped

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
from cloudchamber.source.store import BLOCK, check_binary
from cloudchamber.source.writer import Attributes, write_store

CLASSES, PROBABILITY = "preds", "probability"
UNITS = {CLASSES: "1 = wall, 0 = soil", PROBABILITY: "1"}


class Predictions(NamedTuple):
    """Where wall is predicted, axes (sample, z, x, y); its probability where the file has it; attributes."""

    walls: Bool[np.ndarray, "sample z x y"]
    probability: Float32[np.ndarray, "sample z x y"] | None
    attributes: Mapping[str, str | int | float]


def write_predictions(
    path: Path,
    preds: Integer[np.ndarray, "sample z x y"] | Bool[np.ndarray, "sample z x y"],
    probability: Float[np.ndarray, "sample z x y"] | None,
    attributes: Attributes,
) -> None:
    """Write predictions: ``preds`` (int64, 0 or 1) and ``probability`` (float32, in [0, 1]).

    Raises
    ------
    InputError
        if the path cannot be written, or the arrays are not what a reader would accept.
    """
    _check_shape(preds, path, CLASSES)
    check_binary(preds, 0, path, CLASSES)
    arrays = {CLASSES: preds.astype(np.int64)}
    if probability is not None:
        if probability.shape != preds.shape:
            raise InputError(
                path, PROBABILITY, f"the shape of {CLASSES}, {preds.shape}", str(probability.shape)
            )
        arrays[PROBABILITY] = _check_probability(probability, 0, path)
    with write_store(path, len(preds), {"task": "walls", **attributes}, UNITS) as add:
        for start, stop in block_starts(len(preds), BLOCK):
            add({name: array[start:stop] for name, array in arrays.items()})


def read_predictions(path: Path) -> Predictions:
    """Read predictions: ours, or a submission to the challenge with ``preds`` alone.

    Raises
    ------
    InputError
        if the file is not HDF5, cut off or damaged; lacks ``preds``; if types or shapes do not fit; if
        classes are anything but 0 and 1, or probabilities lie outside [0, 1].
    """
    with open_hdf5(path) as file:
        classes = find_dataset(file, path, CLASSES, "iub")
        walls = np.empty(classes.shape, np.bool_)
        for start, stop in block_starts(len(walls), BLOCK):
            walls[start:stop] = check_binary(read_rows(classes, path, start, stop), start, path, CLASSES)
        probability = None
        if holds(file, path, PROBABILITY):
            values = find_dataset(file, path, PROBABILITY, "f")
            if values.shape != walls.shape:
                raise InputError(path, PROBABILITY, f"the shape {walls.shape}", str(values.shape))
            probability = np.empty(walls.shape, np.float32)
            for start, stop in block_starts(len(walls), BLOCK):
                probability[start:stop] = _check_probability(
                    read_rows(values, path, start, stop), start, path
                )
        return Predictions(walls, probability, read_attributes(file, path))


def _check_shape(preds: Shaped[np.ndarray, "..."], path: Path, name: str) -> None:
    if preds.ndim != 4 or 0 in preds.shape:
        raise InputError(path, name, "the axes (sample, z, x, y)", f"the shape {preds.shape}")


def _check_probability(
    values: Float[np.ndarray, "sample z x y"], start: int, path: Path
) -> Float32[np.ndarray, "sample z x y"]:
    outside = ~((values >= 0) & (values <= 1))
    refuse_first(outside, start, path, PROBABILITY, "a probability between 0 and 1", values)
    return values.astype(np.float32)
