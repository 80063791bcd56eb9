"""Predicted scores of hits: probabilities of each hit of each event, in the order of the events' hits."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64

from cloudchamber.errors import InputError
from cloudchamber.source.hdf5 import holds, open_hdf5, read_attributes
from cloudchamber.source.ragged import FileAttributes, find_column, read_counts, read_whole
from cloudchamber.source.writer import Attributes, write_store
from cloudchamber.wire_events import WireEvents

COUNT, SCORES = "hit_count", "hit_scores"
OUTPUTS = ("track", "em", "none", "michel")
HIT_PREDICTION_UNITS = {
    COUNT: "hits of each event",
    SCORES: f"probability of {', '.join(OUTPUTS[:3])}, which sum to 1, and of a Michel electron",
}
HIT_PREDICTION_TABLES = {SCORES: "hits"}


class HitPredictions(NamedTuple):
    """Probabilities of track, em, none and Michel electron of each hit, event after event."""

    hit_offsets: Int64[np.ndarray, "event+1"]
    scores: Float[np.ndarray, "hit 4"]

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.hit_offsets) - 1


def write_hit_predictions(
    path: Path, n: int, blocks: Iterable[HitPredictions], attributes: Attributes
) -> None:
    """Write scores of the hits of ``n`` events, which come block by block, in half precision.

    Raises
    ------
    InputError
        if there are no events, the path cannot be written or the disk is full.
    ValueError
        if the blocks do not fit ``n``.
    """
    if n < 1:
        raise InputError(path, "", "predictions to write", "none")
    about = {"task": "hits", **attributes}
    with write_store(
        path, n, about, HIT_PREDICTION_UNITS, axes="hits event by event", tables=HIT_PREDICTION_TABLES
    ) as add:
        for block in blocks:
            add({COUNT: np.diff(block.hit_offsets), SCORES: block.scores.astype(np.float16)})


def holds_hit_predictions(path: Path) -> bool:
    """Say whether a file has scores of hits.

    Raises
    ------
    InputError
        if it is not HDF5, cut off or damaged.
    """
    with open_hdf5(path) as file:
        return holds(file, path, SCORES)


def read_hit_predictions(path: Path) -> tuple[HitPredictions, FileAttributes]:
    """Read scores of hits, and the file's attributes.

    Raises
    ------
    InputError
        if the file is not HDF5, cut off or damaged; is for another task; lacks a table, or types or lengths
        do not fit; or a score lies outside [0, 1].
    """
    with open_hdf5(path) as file:
        attributes = read_attributes(file, path)
        if attributes.get("task") != "hits":
            raise InputError(path, "attribute task", "'hits'", repr(attributes.get("task")))
        offsets = read_counts(file, path, COUNT)
        axes = f"(hit, {len(OUTPUTS)})"
        scores = read_whole(find_column(file, path, SCORES, "f", axes, int(offsets[-1])), path, SCORES)
    outside = ~((scores >= 0) & (scores <= 1)).all(axis=1)
    if outside.any():
        row = int(np.argmax(outside))
        raise InputError(path, f"{SCORES}, hit {row}", "scores between 0 and 1", str(scores[row]))
    return HitPredictions(offsets, scores.astype(np.float32)), attributes


def check_same_hits(predicted: HitPredictions, events: WireEvents, path: Path, truth: Path) -> None:
    """Check that there is a score for each hit of the events.

    Raises
    ------
    InputError
        if the number of events, or of hits of one, differs, or the events have no hits.
    """
    if events.hit_offsets is None:
        raise InputError(truth, COUNT, "hits", "none")
    if len(predicted) != len(events):
        raise InputError(path, COUNT, f"the {len(events)} events of {truth}", str(len(predicted)))
    differs = np.flatnonzero(np.diff(predicted.hit_offsets) != np.diff(events.hit_offsets))
    if len(differs):
        event = int(differs[0])
        wanted = f"the {int(np.diff(events.hit_offsets)[event])} hits of that event in {truth}"
        raise InputError(path, f"{COUNT}, event {event}", wanted, str(np.diff(predicted.hit_offsets)[event]))
