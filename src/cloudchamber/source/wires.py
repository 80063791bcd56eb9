"""Our data sets of wire readouts: dense images event by event, flat tables of particles and hits."""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import NamedTuple, get_args

import h5py
import numpy as np
from jaxtyping import Int64

from cloudchamber.errors import InputError
from cloudchamber.labels import Activity, BeamLabel
from cloudchamber.source.hdf5 import (
    block_starts,
    damage_is_an_input_error,
    find_dataset,
    holds,
    open_hdf5,
    read_attributes,
)
from cloudchamber.source.ragged import (
    FileAttributes,
    check_header,
    check_number,
    find_column,
    read_counts,
    read_span,
)
from cloudchamber.source.wire_checks import check_hits, check_particles, check_planes
from cloudchamber.source.writer import Attributes, write_store
from cloudchamber.wire_events import HIT, WIRE_PARTICLE, Unit, WireEvents, WireReadout

__all__ = [
    "WIRES_AXES", "WIRES_TABLES", "WIRES_UNITS", "WIRE_BLOCK", "WireFile", "find_wire_events",
    "iterate_wire_events", "load_wire_events", "read_wire_events", "readout_attributes", "wire_arrays",
    "write_wire_events",
]  # fmt: skip

WIRE_BLOCK = 4
CODE, BEAM, ACTIVITY, MICHEL, VERTEX, PARTICLE = "code", "beam", "activity", "michel", "vertex", "particle"
TRUTH = (BEAM, ACTIVITY, MICHEL, VERTEX, PARTICLE)
PARTICLES, HITS = "particles", "hits"
COUNTS = {PARTICLES: "particle_count", HITS: "hit_count"}
RECORDS = {PARTICLES: WIRE_PARTICLE, HITS: HIT}


def _values(labels: type[BeamLabel] | type[Activity]) -> str:
    return ", ".join(f"{label.value} = {label.name}" for label in labels)


WIRES_UNITS = {
    CODE: "the signal is (code - zero) * step, in unit per tick",
    BEAM: _values(BeamLabel),
    ACTIVITY: _values(Activity),
    MICHEL: "1 = a Michel electron left most",
    VERTEX: "sum of VertexFlag",
    PARTICLE: "row of the event's particles that left most charge, -1 = none",
    COUNTS[PARTICLES]: "particles of each event",
    COUNTS[HITS]: "hits of each event",
    PARTICLES: "MeV, MeV/c, mm",
    HITS: "ticks; the unit of the signal, per tick and summed",
}
WIRES_TABLES = {PARTICLES: PARTICLES, HITS: HITS}
WIRES_AXES = "(event, wire, drift), drift 0 = first tick; tables: the rows of an event stand together"
NUMBERS = ("pitch_mm", "tick_us", "drift_mm_us", "zero", "step")  # of the readout, NaN = not known


class WireFile(NamedTuple):
    """An open file of wire readouts: its images and tables (None where absent or not asked for)."""

    file: h5py.File
    path: Path
    planes: Mapping[str, h5py.Dataset | None]
    tables: Mapping[str, h5py.Dataset | None]
    offsets: Mapping[str, Int64[np.ndarray, "event+1"]]
    readout: WireReadout
    attributes: FileAttributes

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.code)

    @property
    def code(self) -> h5py.Dataset:
        """Return the images of the signal."""
        return self.planes[CODE]


def readout_attributes(readout: WireReadout) -> dict[str, str | int | float]:
    """Return what a file says of its readout."""
    numbers = {name: float(getattr(readout, name)) for name in NUMBERS}
    return {"task": "wires", "rebin": readout.rebin, "unit": readout.unit, **numbers}


def wire_arrays(events: WireEvents) -> dict[str, np.ndarray]:
    """Return events as the arrays that a file holds under the names of its data sets."""
    arrays = {CODE: events.code}
    arrays |= {name: values for name in TRUTH if (values := getattr(events, name)) is not None}
    for name, offsets in ((PARTICLES, events.particle_offsets), (HITS, events.hit_offsets)):
        rows = getattr(events, name)
        if rows is not None and offsets is not None:
            arrays |= {COUNTS[name]: np.diff(offsets), name: rows}
    return arrays


def write_wire_events(path: Path, n: int, blocks: Iterator[WireEvents], attributes: Attributes) -> None:
    """Write a data set of ``n`` events from blocks of them; what the first block lacks, the file lacks.

    Raises
    ------
    InputError
        if there are no events, the path cannot be written or the disk is full.
    ValueError
        if the blocks do not fit each other or ``n``.
    """
    first = next(blocks, None)
    if first is None or n < 1:
        raise InputError(path, "", "events to write", "none")
    about = {**readout_attributes(first.readout), **attributes}
    with write_store(path, n, about, WIRES_UNITS, axes=WIRES_AXES, tables=WIRES_TABLES) as add:
        for block in chain([first], blocks):
            if block.readout != first.readout and repr(block.readout) != repr(first.readout):  # NaN
                raise ValueError("all events of a file must have one readout")
            for event in block:  # one by one, so that the blocks leave no trace in the file
                add(wire_arrays(event))


def read_readout(attributes: FileAttributes, path: Path) -> WireReadout:
    """Return the readout that a file's attributes describe.

    Raises
    ------
    InputError
        if one is missing or makes no sense.
    """
    found: dict[str, float] = {}
    for name in NUMBERS:
        value = attributes.get(name)
        positive = name != "zero"
        if not isinstance(value, (int, float)) or (positive and value <= 0) or np.isinf(value):
            raise InputError(
                path, f"attribute {name}", f"a number{' above 0' if positive else ''}", repr(value)
            )
        found[name] = float(value)
    rebin, unit = attributes.get("rebin"), attributes.get("unit")
    if not isinstance(rebin, int) or not 1 <= rebin <= 2**16:
        raise InputError(path, "attribute rebin", "the ticks of a pixel, from 1 up", repr(rebin))
    units: dict[object, Unit] = {each: each for each in get_args(Unit)}
    if unit not in units:
        raise InputError(path, "attribute unit", f"one of {', '.join(get_args(Unit))}", repr(unit))
    return WireReadout(rebin=rebin, unit=units[unit], **found)


def find_wire_events(file: h5py.File, path: Path, truth: bool | None = None) -> WireFile:
    """Find the images and tables of an open file and check their types, shapes and the attributes.

    Parameters
    ----------
    truth : True: beam or activity must be there; False: no truth is read; None: it is read where it is.

    Raises
    ------
    InputError
        if something is missing or does not fit.
    """
    attributes = read_attributes(file, path)
    check_header(attributes, path, "wires")
    code = find_dataset(file, path, CODE, "iubf", axes="(event, wire, drift)")
    n, wires, drifts = code.shape
    check_number(attributes, path, CODE, n)
    readout = read_readout(attributes, path)
    axes = f"({n}, {wires}, {drifts})"
    planes: dict[str, h5py.Dataset | None] = {CODE: code}
    for name in TRUTH:
        wanted = truth is not False and holds(file, path, name)
        planes[name] = find_dataset(file, path, name, "iub", axes=axes) if wanted else None
    if truth and planes[BEAM] is None and planes[ACTIVITY] is None:
        raise InputError(path, f"{BEAM}, {ACTIVITY}", "one of them, the truth per pixel", "neither")
    tables: dict[str, h5py.Dataset | None] = {}
    offsets: dict[str, np.ndarray] = {}
    for name, count in COUNTS.items():
        tables[name] = None
        if (name == PARTICLES and truth is False) or not holds(file, path, count):
            continue
        offsets[name] = read_counts(file, path, count)
        if len(offsets[name]) != n + 1:
            raise InputError(path, count, f"as many events as {CODE}, {n}", str(len(offsets[name]) - 1))
        tables[name] = _find_table(file, path, name, int(offsets[name][-1]))
    if tables[PARTICLES] is None:
        planes[PARTICLE] = None
    return WireFile(file, path, planes, tables, offsets, readout, attributes)


def _find_table(file: h5py.File, path: Path, name: str, rows: int) -> h5py.Dataset | None:
    """Return a table, None for one that is empty in all events and so has no rows to look at."""
    if rows == 0:
        return None
    dataset = find_column(file, path, name, "V", f"({name.rstrip('s')})", rows)
    if dataset.dtype != RECORDS[name]:
        expected = f"records of {', '.join(RECORDS[name].names or ())}"
        raise InputError(path, name, expected, f"{dataset.dtype}")
    return dataset


def load_wire_events(opened: WireFile, start: int, stop: int) -> WireEvents:
    """Read events ``start`` to ``stop`` of an open file and check them.

    Raises
    ------
    InputError
        that names file, data set, event, wire and drift bin of the first fault.
    """
    path = opened.path
    found: dict[str, np.ndarray | None] = {}
    for name, dataset in opened.planes.items():
        found[name] = None
        if dataset is not None:
            place = f"{name}, events {start} to {stop - 1}"
            with damage_is_an_input_error(path, place, "images that can be read"):
                found[name] = np.asarray(dataset[start:stop])
    for name in COUNTS:
        offsets, dataset = opened.offsets.get(name), opened.tables[name]
        key = COUNTS[name].replace("count", "offsets")
        found[name] = found[key] = None
        if offsets is None:
            continue
        found[key] = offsets[start : stop + 1] - offsets[start]
        rows = slice(int(offsets[start]), int(offsets[stop]))
        found[name] = np.zeros(0, RECORDS[name])
        if dataset is not None and rows.stop > rows.start:
            found[name] = read_span(dataset, path, name, rows)
    check_planes(found, path, start)
    code = found.pop(CODE)
    if code is None:
        raise ValueError("find_wire_events gives a file with images")
    types = {**dict.fromkeys(TRUTH, np.uint8), PARTICLE: np.int32}
    for name, dtype in types.items():
        values = found[name]
        found[name] = None if values is None else values.astype(dtype, copy=False)
    if code.dtype == np.bool_ or code.dtype.itemsize > 4:
        code = code.astype(np.float32)
    events = WireEvents(opened.readout, code, **found)
    check_particles(events, path, start)
    check_hits(events, path, start)
    return events


def iterate_wire_events(
    path: Path, block: int = WIRE_BLOCK, *, truth: bool | None = None
) -> Iterator[WireEvents]:
    """Read a data set in blocks of ``block`` events, each checked as in ``read_wire_events``.

    Raises
    ------
    InputError
        as ``read_wire_events`` does, when the faulty block is reached.
    """
    with open_hdf5(path) as file:
        opened = find_wire_events(file, path, truth)
        for start, stop in block_starts(len(opened), block):
            yield load_wire_events(opened, start, stop)


def read_wire_events(
    path: Path, *, truth: bool | None = None, start: int = 0, stop: int | None = None
) -> tuple[WireEvents, FileAttributes]:
    """Read a data set of wire readouts, or events ``start`` to ``stop`` of it, and its attributes.

    Parameters
    ----------
    truth : True: beam or activity must be there; False: no truth is read; None: it is read where it is.

    Raises
    ------
    InputError
        if the file is not HDF5, cut off or damaged; an image or table is missing, or its type or shape does
        not fit; a signal is not finite; a label, a row of a particle or a wire of a hit does not exist; or
        there are no events of these numbers.
    """
    with open_hdf5(path) as file:
        opened = find_wire_events(file, path, truth)
        end = len(opened) if stop is None else stop
        if not 0 <= start < end <= len(opened):
            raise InputError(path, "", f"events {start} to {end - 1}", f"{len(opened)} events")
        return load_wire_events(opened, start, end), opened.attributes
