"""Tables with any number of rows per event: those of an event together, events in order, counts beside."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from jaxtyping import Bool, Int64

from cloudchamber.errors import InputError
from cloudchamber.source.hdf5 import damage_is_an_input_error, find_dataset
from cloudchamber.source.writer import FORMAT
from cloudchamber.voxel_events import offsets_of

FileAttributes = Mapping[str, str | int | float]


class Place(NamedTuple):
    """Where rows come from: file, table, the number of their first event, and what a row is."""

    path: Path
    name: str
    start: int
    row: str


def read_whole(dataset: h5py.Dataset, path: Path, name: str) -> np.ndarray:
    """Read all of a table.

    Raises
    ------
    InputError
        if it is damaged.
    """
    with damage_is_an_input_error(path, name, "numbers that can be read"):
        return np.asarray(dataset[:])


def read_span(dataset: h5py.Dataset, path: Path, name: str, rows: slice) -> np.ndarray:
    """Read some rows of a table.

    Raises
    ------
    InputError
        if they are damaged.
    """
    with damage_is_an_input_error(path, f"{name}, rows {rows.start} to {rows.stop}", "rows to read"):
        return np.asarray(dataset[rows])


def read_counts(file: h5py.File, path: Path, name: str) -> Int64[np.ndarray, "event+1"]:
    """Return where each event starts in a table, from the numbers of rows per event.

    Raises
    ------
    InputError
        if they are missing or not counts.
    """
    counts = read_whole(find_dataset(file, path, name, "iub", axes="(event)"), path, name)
    bad = (counts < 0) | (counts > 2**40)
    if bad.any():
        event = int(np.argmax(bad))
        raise InputError(path, f"{name}, event {event}", "a number of rows", str(counts[event]))
    return offsets_of(counts.astype(np.int64))


def check_header(attributes: FileAttributes, path: Path, task: str) -> None:
    """Check task and format where a file's attributes name them.

    Raises
    ------
    InputError
        if one is another.
    """
    for key, expected in (("task", task), ("format", FORMAT)):
        if attributes.get(key, expected) != expected:
            raise InputError(path, f"attribute {key}", repr(expected), repr(attributes[key]))


def check_number(attributes: FileAttributes, path: Path, name: str, events: int) -> None:
    """Check the number of events, found in a table, where a file's attributes name it.

    Raises
    ------
    InputError
        if it is another.
    """
    if attributes.get("n", events) != events:
        wanted = f"{attributes['n']} events, as the attribute n says"
        raise InputError(path, name, wanted, str(events))


def read_sides(
    attributes: FileAttributes, path: Path, names: Sequence[str], rows: str, largest: int
) -> tuple[int, int, int]:
    """Return how many rows (voxels, cells) three attributes say that there are along the axes.

    Raises
    ------
    InputError
        if one is missing or not within 1 to ``largest``.
    """
    sides = []
    for key in names:
        value = attributes.get(key)
        if not isinstance(value, int) or not 1 <= value <= largest:
            raise InputError(path, f"attribute {key}", f"{rows} along an axis, 1 to {largest}", repr(value))
        sides.append(value)
    return sides[0], sides[1], sides[2]


def read_size(attributes: FileAttributes, path: Path, name: str, row: str) -> float:
    """Return the size in mm that an attribute gives.

    Raises
    ------
    InputError
        if it is missing or makes no sense.
    """
    size = attributes.get(name)
    if not isinstance(size, (int, float)) or not 1e-3 <= size <= 1e4:
        raise InputError(path, f"attribute {name}", f"the size of a {row} in mm", repr(size))
    return float(size)


def find_column(file: h5py.File, path: Path, name: str, kinds: str, axes: str, rows: int) -> h5py.Dataset:
    """Find a table of a known number of rows.

    Raises
    ------
    InputError
        if it is missing, of another type, with other axes or of another length.
    """
    dataset = find_dataset(file, path, name, kinds, axes=axes)
    if len(dataset) != rows:
        raise InputError(path, name, f"{rows} rows, the sum of the counts", str(len(dataset)))
    return dataset


def refuse_row(
    bad: Any, offsets: Int64[np.ndarray, "event+1"], place: Place, expected: str, values: np.ndarray
) -> None:
    """Raise an ``InputError`` that names the event and, within it, the first bad row, if there is one."""
    if bad.any():
        row = int(np.argmax(bad))
        event = int(np.searchsorted(offsets, row, side="right")) - 1
        entry = f"{place.name}, event {place.start + event}, {place.row} {row - int(offsets[event])}"
        raise InputError(place.path, entry, expected, str(values[row]))


def not_rising(
    number: Int64[np.ndarray, "row"], offsets: Int64[np.ndarray, "event+1"]
) -> Bool[np.ndarray, "row"]:
    """Return which rows have a number no larger than that of the row before, in the same event."""
    wrong = np.zeros(len(number), np.bool_)
    wrong[1:] = np.diff(number) <= 0
    wrong[offsets[:-1][np.diff(offsets) > 0]] = False
    return wrong
