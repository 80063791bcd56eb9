"""Predicted labels of sparse events: class and probabilities of each voxel, in the events' order."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt8

from cloudchamber.errors import InputError
from cloudchamber.labels import VoxelLabel
from cloudchamber.source.hdf5 import holds, open_hdf5, read_attributes
from cloudchamber.source.predictions import CLASSES, PROBABILITY
from cloudchamber.source.ragged import find_column, read_counts, read_whole
from cloudchamber.source.voxels import POSITION, VOXEL_COUNT, VOXELS_UNITS
from cloudchamber.voxel_events import VoxelEvents

VOXEL_PREDICTION_UNITS = {
    **{name: VOXELS_UNITS[name] for name in (VOXEL_COUNT, POSITION)},
    CLASSES: VOXELS_UNITS["label"],
    PROBABILITY: f"1, of {', '.join(label.name for label in VoxelLabel)}",
}
VOXEL_PREDICTION_TABLES = dict.fromkeys((POSITION, CLASSES, PROBABILITY), "voxels")


class VoxelPredictions(NamedTuple):
    """Predicted class of each voxel, the probability of each class where the file has it; attributes."""

    voxel_offsets: Int64[np.ndarray, "event+1"]
    position: Int32[np.ndarray, "voxel 3"]
    label: UInt8[np.ndarray, "voxel"]
    probability: Float32[np.ndarray, "voxel class"] | None
    attributes: Mapping[str, str | int | float]


def read_voxel_predictions(path: Path) -> VoxelPredictions:
    """Read predicted labels.

    Raises
    ------
    InputError
        if the file is not HDF5, cut off or damaged; lacks a table, or types or lengths do not fit; if a class
        does not exist, or a probability lies outside [0, 1].
    """
    with open_hdf5(path) as file:
        attributes = read_attributes(file, path)
        if attributes.get("task") != "voxels":
            raise InputError(path, "attribute task", "'voxels'", repr(attributes.get("task")))
        offsets = read_counts(file, path, VOXEL_COUNT)
        kinds = {POSITION: ("iub", "(voxel, 3)"), CLASSES: ("iub", "(voxel)")}
        if holds(file, path, PROBABILITY):
            kinds[PROBABILITY] = ("f", f"(voxel, {len(VoxelLabel)})")
        found: dict[str, np.ndarray] = {}
        for name, (kind, axes) in kinds.items():
            dataset = find_column(file, path, name, kind, axes, int(offsets[-1]))
            found[name] = read_whole(dataset, path, name)
    label, probability = found[CLASSES], found.get(PROBABILITY)
    bad = (label < 0) | (label >= len(VoxelLabel))
    if bad.any():
        row = int(np.argmax(bad))
        wanted = f"a class from 0 to {len(VoxelLabel) - 1}"
        raise InputError(path, f"{CLASSES}, voxel {row}", wanted, str(label[row]))
    if probability is not None:
        outside = ~((probability >= 0) & (probability <= 1)).all(axis=1)
        if outside.any():
            row = int(np.argmax(outside))
            wanted = "probabilities between 0 and 1"
            raise InputError(path, f"{PROBABILITY}, voxel {row}", wanted, str(probability[row]))
        probability = probability.astype(np.float32)
    position = found[POSITION].astype(np.int32)
    return VoxelPredictions(offsets, position, label.astype(np.uint8), probability, attributes)


def check_same_voxels(predicted: VoxelPredictions, events: VoxelEvents, path: Path, truth: Path) -> None:
    """Check that predictions are of just these events.

    Raises
    ------
    InputError
        if the number of events, or the voxels of one, differ.
    """
    if len(predicted.voxel_offsets) != len(events.voxel_offsets):
        wanted = f"the {len(events)} events of {truth}"
        raise InputError(path, VOXEL_COUNT, wanted, str(len(predicted.voxel_offsets) - 1))
    differs = np.diff(predicted.voxel_offsets) != np.diff(events.voxel_offsets)
    if not differs.any():
        other = (predicted.position != events.position).any(axis=1)
        if not other.any():
            return
        event = int(events.event_of_voxel()[np.argmax(other)])
    else:
        event = int(np.argmax(differs))
    raise InputError(path, f"{POSITION}, event {event}", f"the voxels of that event in {truth}", "others")
