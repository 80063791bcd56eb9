"""Predictions for wire readouts: the class of every pixel, in the order of the events."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from cloudchamber.errors import InputError
from cloudchamber.labels import Activity, BeamLabel
from cloudchamber.source.hdf5 import damage_is_an_input_error, find_dataset, holds, open_hdf5, read_attributes
from cloudchamber.source.ragged import FileAttributes, check_number
from cloudchamber.source.wire_choice import check_span
from cloudchamber.source.writer import Attributes, write_store
from cloudchamber.wire_events import WireEvents

WIRE_LABELS = {"beam": BeamLabel, "hits": Activity}
NOT_PREDICTED = 255
LABEL, PROBABILITY, MICHEL = "label", "probability", "michel"
WIRE_PREDICTION_UNITS = {
    LABEL: f"a value of classes, {NOT_PREDICTED} = not predicted",
    PROBABILITY: "1 / 255, of the predicted class",
    MICHEL: "1 / 255, probability of a Michel electron",
}


class WirePredictions(NamedTuple):
    """Predicted classes of pixels of some events; what there is not is None.

    ``label`` is a value of BeamLabel (task beam) or Activity (task hits), or NOT_PREDICTED; ``probability``
    that of this class and ``michel`` that of a Michel electron, in units of 1/255.
    """

    task: str
    label: UInt8[np.ndarray, "event wire drift"]
    probability: UInt8[np.ndarray, "event wire drift"] | None = None
    michel: UInt8[np.ndarray, "event wire drift"] | None = None


def probability_codes(probability: Float[np.ndarray, "..."]) -> UInt8[np.ndarray, "..."]:
    """Return probabilities in units of 1/255, rounded."""
    return np.asarray(np.rint(np.clip(probability, 0, 1) * 255), np.uint8)


def write_wire_predictions(
    path: Path, n: int, blocks: Iterable[WirePredictions], attributes: Attributes
) -> None:
    """Write predictions for ``n`` events from blocks of them; what the first block lacks, the file lacks.

    Parameters
    ----------
    attributes : such as ``model``; ``task`` and ``classes`` are added.

    Raises
    ------
    InputError
        if there are no events, the path cannot be written or the disk is full.
    ValueError
        if the task is unknown, or blocks do not fit each other or ``n``.
    """
    parts = iter(blocks)
    first = next(parts, None)
    if first is None or n < 1:
        raise InputError(path, "", "predictions to write", "none")
    if first.task not in WIRE_LABELS:
        raise ValueError(f"predictions are of the task {' or '.join(WIRE_LABELS)}, not {first.task}")
    classes = ", ".join(label.name for label in WIRE_LABELS[first.task])
    about = {"task": first.task, "classes": classes, **attributes}

    def arrays(block: WirePredictions) -> dict[str, np.ndarray]:
        if block.task != first.task:
            raise ValueError("all predictions of a file must be of one task")
        named = {LABEL: block.label, PROBABILITY: block.probability, MICHEL: block.michel}
        return {name: values for name, values in named.items() if values is not None}

    with write_store(path, n, about, WIRE_PREDICTION_UNITS, axes="(event, wire, drift)") as add:
        add(arrays(first))
        for block in parts:
            add(arrays(block))


def is_wire_predictions(path: Path) -> bool:
    """Say whether an HDF5 file holds predictions for wire readouts.

    Raises
    ------
    InputError
        if it is not HDF5, cut off or damaged.
    """
    with open_hdf5(path) as file:
        return read_attributes(file, path).get("task") in WIRE_LABELS


def read_wire_predictions(
    path: Path, *, start: int = 0, stop: int | None = None
) -> tuple[WirePredictions, FileAttributes]:
    """Read predictions for events ``start`` to ``stop``, and the file's attributes.

    Raises
    ------
    InputError
        if the file is not HDF5, cut off or damaged; names another task; images are missing or their types or
        shapes do not fit; a class does not exist; or there are no events of these numbers.
    """
    with open_hdf5(path) as file:
        attributes = read_attributes(file, path)
        task = str(attributes.get("task"))
        if task not in WIRE_LABELS:
            raise InputError(path, "attribute task", f"one of {', '.join(WIRE_LABELS)}", repr(task))
        images: dict[str, np.ndarray | None] = {}
        shape: tuple[int, ...] = ()
        for name in (LABEL, PROBABILITY, MICHEL):
            images[name] = None
            if name != LABEL and not holds(file, path, name):
                continue
            axes = f"({', '.join(map(str, shape))})" if shape else "(event, wire, drift)"
            dataset = find_dataset(file, path, name, "iub", axes=axes)
            if dataset.dtype != np.uint8:
                raise InputError(path, name, "uint8", str(dataset.dtype))
            shape = dataset.shape
            check_number(attributes, path, name, shape[0])
            first, end = check_span(path, shape[0], start, stop)
            with damage_is_an_input_error(path, name, "images that can be read"):
                images[name] = np.asarray(dataset[first:end])
    label, classes = images[LABEL], WIRE_LABELS[task]
    if label is None:
        raise ValueError("find_dataset gives a label")
    bad = (label >= len(classes)) & (label != NOT_PREDICTED)
    if bad.any():
        event, wire, drift = (int(k) for k in np.argwhere(bad)[0])
        entry = f"{LABEL}, event {start + event}, wire {wire}, drift {drift}"
        wanted = f"a class from 0 to {len(classes) - 1}, or {NOT_PREDICTED}"
        raise InputError(path, entry, wanted, str(label[event, wire, drift]))
    return WirePredictions(task, label, images[PROBABILITY], images[MICHEL]), attributes


def check_same_wires(predicted: WirePredictions, events: WireEvents, path: Path, truth: Path) -> None:
    """Check that predictions are of images of this size.

    Raises
    ------
    InputError
        if number or size of the images differ.
    """
    if predicted.label.shape != events.code.shape:
        wanted = f"the images of {truth}, (event, wire, drift) = {events.code.shape}"
        raise InputError(path, LABEL, wanted, str(predicted.label.shape))
