"""Our data sets of sparse events: flat tables of voxels and particles, with their numbers per event."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from jaxtyping import Int64

from cloudchamber.errors import InputError
from cloudchamber.labels import VoxelLabel
from cloudchamber.source.hdf5 import block_starts, holds, open_hdf5, read_attributes
from cloudchamber.source.ragged import (
    FileAttributes,
    Place,
    check_header,
    check_number,
    find_column,
    not_rising,
    read_counts,
    read_sides,
    read_size,
    read_span,
    refuse_row,
)
from cloudchamber.source.writer import Attributes, write_store
from cloudchamber.voxel_events import PARTICLE, VoxelEvents

__all__ = [
    "BLOCK", "VOXELS_AXES", "VOXELS_TABLES", "VOXELS_UNITS", "EventFile", "find_events", "grid_attributes",
    "iterate_events", "read_events", "table_arrays", "write_events",
]  # fmt: skip

BLOCK = 256
VOXEL_COUNT, PARTICLE_COUNT = "voxel_count", "particle_count"
POSITION, ENERGY, LABEL, PARTICLE_ROW, PARTICLES = "position", "energy_mev", "label", "particle", "particles"
VOXELS_UNITS = {
    VOXEL_COUNT: "voxels of each event",
    PARTICLE_COUNT: "particles of each event",
    POSITION: "voxel (x, y, z)",
    ENERGY: "MeV",
    LABEL: ", ".join(f"{label.value} = {label.name}" for label in VoxelLabel),
    PARTICLE_ROW: "row of the event's particles that left most of the energy, -1 = none",
    PARTICLES: "MeV, MeV/c, mm from the corner of the image",
}
VOXELS_TABLES = {**dict.fromkeys((POSITION, ENERGY, LABEL, PARTICLE_ROW), "voxels"), PARTICLES: "particles"}
VOXELS_AXES = "tables: the voxels of an event stand together, events in order, as voxel_count says"
GRID = ("nx", "ny", "nz")
LARGEST = 2**20


class EventFile(NamedTuple):
    """An open file of sparse events: its tables (None where absent), where each event starts, its grid."""

    file: h5py.File
    path: Path
    tables: Mapping[str, h5py.Dataset | None]
    voxel_offsets: Int64[np.ndarray, "event+1"]
    particle_offsets: Int64[np.ndarray, "event+1"] | None
    shape: tuple[int, int, int]
    voxel_mm: float
    attributes: FileAttributes

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.voxel_offsets) - 1


def grid_attributes(shape: tuple[int, int, int], voxel_mm: float) -> dict[str, str | int | float]:
    """Return what a file says of its grid."""
    return {"task": "voxels", **dict(zip(GRID, shape, strict=True)), "voxel_mm": voxel_mm}


def table_arrays(events: VoxelEvents) -> dict[str, np.ndarray]:
    """Return events as the arrays that a file holds under the names of its data sets."""
    arrays = {
        VOXEL_COUNT: np.diff(events.voxel_offsets),
        POSITION: events.position,
        ENERGY: events.energy_mev,
    }
    for name, values in ((LABEL, events.label), (PARTICLE_ROW, events.particle)):
        if values is not None:
            arrays[name] = values
    if events.particle_offsets is not None and events.particles is not None:
        arrays |= {PARTICLE_COUNT: np.diff(events.particle_offsets), PARTICLES: events.particles}
    return arrays


def write_events(path: Path, n: int, blocks: Iterator[VoxelEvents], attributes: Attributes) -> None:
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
    about = {**grid_attributes(first.shape, first.voxel_mm), **attributes}
    with write_store(path, n, about, VOXELS_UNITS, axes=VOXELS_AXES, tables=VOXELS_TABLES) as add:
        add(table_arrays(first))
        for block in blocks:
            if (block.shape, block.voxel_mm) != (first.shape, first.voxel_mm):
                raise ValueError("all events of a file must have one grid")
            add(table_arrays(block))


def read_grid(attributes: FileAttributes, path: Path) -> tuple[tuple[int, int, int], float]:
    """Return voxels along x, y, z and their size from a file's attributes.

    Raises
    ------
    InputError
        if one is missing or makes no sense.
    """
    sides = read_sides(attributes, path, GRID, "voxels", LARGEST)
    return sides, read_size(attributes, path, "voxel_mm", "voxel")


def find_events(file: h5py.File, path: Path, truth: bool | None = None) -> EventFile:
    """Find the tables of an open file and check their types, lengths and the attributes.

    Parameters
    ----------
    truth : True: labels must be there; False: no truth is read; None: it is read where it is.

    Raises
    ------
    InputError
        if something is missing or does not fit.
    """
    attributes = read_attributes(file, path)
    check_header(attributes, path, "voxels")
    voxel_offsets = read_counts(file, path, VOXEL_COUNT)
    check_number(attributes, path, VOXEL_COUNT, len(voxel_offsets) - 1)
    shape, voxel_mm = read_grid(attributes, path)
    kinds = {POSITION: "iub", ENERGY: "f", LABEL: "iub", PARTICLE_ROW: "iub", PARTICLES: "V"}
    found: dict[str, h5py.Dataset | None] = {}
    particle_offsets = None
    if truth is not False and holds(file, path, PARTICLE_COUNT):
        particle_offsets = read_counts(file, path, PARTICLE_COUNT)
        if len(particle_offsets) != len(voxel_offsets):
            wanted = f"as many events as {VOXEL_COUNT}, {len(voxel_offsets) - 1}"
            raise InputError(path, PARTICLE_COUNT, wanted, str(len(particle_offsets) - 1))
    for name, kind in kinds.items():
        is_truth = name not in (POSITION, ENERGY)
        optional = (
            is_truth
            and not (truth and name == LABEL)
            and not (name == PARTICLES and particle_offsets is not None)
        )
        found[name] = None
        if is_truth and (truth is False or (optional and not holds(file, path, name))):
            continue
        if name in (PARTICLE_ROW, PARTICLES) and particle_offsets is None:
            continue
        axes = "(voxel, 3)" if name == POSITION else f"({VOXELS_TABLES[name].rstrip('s')})"
        offsets = voxel_offsets
        if name == PARTICLES and particle_offsets is not None:
            offsets = particle_offsets
        dataset = find_column(file, path, name, kind, axes, int(offsets[-1]))
        if name == PARTICLES and dataset.dtype != PARTICLE:
            raise InputError(path, name, f"records of {', '.join(PARTICLE.names or ())}", f"{dataset.dtype}")
        found[name] = dataset
    return EventFile(file, path, found, voxel_offsets, particle_offsets, shape, voxel_mm, attributes)


def _rows(opened: EventFile, name: str, rows: slice) -> np.ndarray | None:
    dataset = opened.tables[name]
    return None if dataset is None else read_span(dataset, opened.path, name, rows)


def check_positions(events: VoxelEvents, path: Path, start: int = 0) -> None:
    """Check that voxels lie in the image, each once, in larcv's order.

    Raises
    ------
    InputError
        that names the event (counted from ``start``) and the voxel.
    """
    where, position = Place(path, POSITION, start, "voxel"), events.position
    outside = ((position < 0) | (position >= np.array(events.shape))).any(axis=1)
    shape = " x ".join(map(str, events.shape))
    refuse_row(outside, events.voxel_offsets, where, f"voxels within the image of {shape}", position)
    x, y, z = position.astype(np.int64).T
    number = (z * events.shape[1] + y) * events.shape[0] + x
    wrong = not_rising(number, events.voxel_offsets)
    refuse_row(wrong, events.voxel_offsets, where, "voxels in rising order of (z, y, x), each once", position)


_A_LABEL = f"a label from 0 to {len(VoxelLabel) - 1}"


def _checked(events: VoxelEvents, path: Path, start: int) -> VoxelEvents:
    check_positions(events, path, start)
    energy, offsets = events.energy_mev, events.voxel_offsets
    where = Place(path, ENERGY, start, "voxel")
    refuse_row(~np.isfinite(energy), offsets, where, "finite energies", energy)
    refuse_row(energy < 0, offsets, where, "energies from 0 MeV up", energy)
    if events.label is not None:
        bad = events.label >= len(VoxelLabel)
        refuse_row(bad, offsets, where._replace(name=LABEL), _A_LABEL, events.label)
    if events.particle is not None and events.particle_offsets is not None:
        count = np.repeat(np.diff(events.particle_offsets), np.diff(offsets))
        bad = (events.particle < -1) | (events.particle >= count)
        expected = "a row of the event's particles, or -1"
        refuse_row(bad, offsets, where._replace(name=PARTICLE_ROW), expected, events.particle)
    return events


def load_events(opened: EventFile, start: int, stop: int) -> VoxelEvents:
    """Read events ``start`` to ``stop`` of an open file and check them.

    Raises
    ------
    InputError
        that names file, table, event and voxel of the first fault.
    """
    voxels = slice(int(opened.voxel_offsets[start]), int(opened.voxel_offsets[stop]))
    position, energy = _rows(opened, POSITION, voxels), _rows(opened, ENERGY, voxels)
    if position is None or energy is None:
        raise ValueError("find_events gives a file with positions and energies")
    label, row = _rows(opened, LABEL, voxels), _rows(opened, PARTICLE_ROW, voxels)
    particle_offsets = particles = None
    if opened.particle_offsets is not None:
        rows = slice(int(opened.particle_offsets[start]), int(opened.particle_offsets[stop]))
        particles = _rows(opened, PARTICLES, rows)
        particle_offsets = opened.particle_offsets[start : stop + 1] - rows.start
    offsets = opened.voxel_offsets[start : stop + 1] - voxels.start
    where = Place(opened.path, POSITION, start, "voxel")
    largest = np.iinfo(np.int32).max
    outside = (np.abs(position.astype(np.float64)) > largest).any(axis=1)
    refuse_row(outside, offsets, where, "voxels within the image", position)
    if label is not None:
        bad = (label < 0) | (label > 255)
        refuse_row(bad, offsets, where._replace(name=LABEL), _A_LABEL, label)
    with np.errstate(all="ignore"):
        events = VoxelEvents(
            opened.shape, opened.voxel_mm, offsets, position.astype(np.int32), energy.astype(np.float32),
            None if label is None else label.astype(np.uint8), None if row is None else row.astype(np.int32),
            particle_offsets, particles,
        )  # fmt: skip
    return _checked(events, opened.path, start)


def iterate_events(path: Path, block: int = BLOCK, *, truth: bool | None = None) -> Iterator[VoxelEvents]:
    """Read a data set in blocks of ``block`` events, each checked as in ``read_events``.

    Raises
    ------
    InputError
        as ``read_events`` does, when the faulty block is reached.
    """
    with open_hdf5(path) as file:
        opened = find_events(file, path, truth)
        for start, stop in block_starts(len(opened), block):
            yield load_events(opened, start, stop)


def read_events(
    path: Path, *, truth: bool | None = None, start: int = 0, stop: int | None = None
) -> tuple[VoxelEvents, FileAttributes]:
    """Read a data set of sparse events, or events ``start`` to ``stop`` of it, and its attributes.

    Parameters
    ----------
    truth : True: labels must be there; False: no truth is read; None: it is read where it is.

    Raises
    ------
    InputError
        if the file is not HDF5, cut off or damaged; a table is missing, or its type or length does not fit;
        a voxel lies outside the image, comes twice or out of order; an energy is negative or not finite; a
        label or a row of a particle does not exist; or there are no events of these numbers.
    """
    with open_hdf5(path) as file:
        opened = find_events(file, path, truth)
        end = len(opened) if stop is None else stop
        if not 0 <= start < end <= len(opened):
            raise InputError(path, "", f"events {start} to {end - 1}", f"{len(opened)} events")
        return load_events(opened, start, end), opened.attributes
