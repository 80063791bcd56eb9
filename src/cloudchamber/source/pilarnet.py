"""Reading PILArNet-M's HDF5 files (any revision) to our sparse events."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from jaxtyping import Float64, Shaped

from cloudchamber.errors import InputError
from cloudchamber.source.hdf5 import block_starts, damage_is_an_input_error, holds, open_hdf5
from cloudchamber.source.hdf5_heaps import check_heaps
from cloudchamber.source.pilarnet_tables import (
    CLUSTER,
    CLUSTER_COLUMNS,
    EXTRA,
    EXTRA_COLUMNS,
    LOW_ENERGY,
    POINT,
    POINT_COLUMNS,
    Event,
    LowEnergy,
    labels_of,
    particle_rows,
)
from cloudchamber.source.voxel_sums import LARGEST_BLOCK, count_rows, place_voxels, sum_deposits
from cloudchamber.voxel_events import PARTICLE, VoxelEvents, join_events, offsets_of

__all__ = ["count_pilarnet", "iterate_pilarnet", "read_pilarnet"]

BLOCK = 256
SIDE, VOXEL_MM = 768, 3.0
LARGEST_ENERGY = 1e9


class _Open(NamedTuple):
    path: Path
    tables: dict[str, h5py.Dataset]
    shape: tuple[int, int, int]
    voxel_mm: float
    low_energy: LowEnergy

    def __len__(self) -> int:
        return len(self.tables[POINT])


def _find(file: h5py.File, path: Path, name: str) -> h5py.Dataset:
    """Return a data set of variable-length rows of numbers, one per event."""
    expected = "a data set of variable-length rows of numbers, one per event"
    with damage_is_an_input_error(path, name, expected):
        if name not in file:
            found = f"none of that name (the file has {', '.join(list(file)[:8]) or 'nothing'})"
            raise InputError(path, name, expected, found)
        if isinstance(file.get(name, getlink=True), h5py.ExternalLink):
            raise InputError(path, name, expected, "a link to another file")
        dataset = file[name]
        if not isinstance(dataset, h5py.Dataset):
            raise InputError(path, name, expected, f"a {type(dataset).__name__.lower()}")
        inner = h5py.check_vlen_dtype(dataset.dtype)
        if not isinstance(inner, np.dtype) or inner.kind not in "iuf":
            raise InputError(path, name, expected, f"the type {dataset.dtype if inner is None else inner}")
        if dataset.shape is None or len(dataset.shape) != 1 or dataset.is_virtual or dataset.external:
            raise InputError(path, name, expected, f"the shape {dataset.shape}")
        if 16 * len(dataset) > max(2**26, 1100 * path.stat().st_size):
            raise InputError(path, name, expected, f"{len(dataset)} events in {path.stat().st_size} bytes")
    return dataset


@contextmanager
def _open(path: Path, side: int, voxel_mm: float, low_energy: LowEnergy) -> Iterator[_Open]:
    with open_hdf5(path) as file:
        names = [POINT, CLUSTER] + ([EXTRA] if holds(file, path, EXTRA) else [])
        tables = {name: _find(file, path, name) for name in names}
        for name, table in tables.items():
            if len(table) != len(tables[POINT]):
                raise InputError(path, name, f"{len(tables[POINT])} events, as {POINT}", str(len(table)))
        if len(tables[POINT]) == 0:
            raise InputError(path, POINT, "events", "none")
        yield _Open(path, tables, (side, side, side), voxel_mm, low_energy)


def _rows(
    table: h5py.Dataset, path: Path, name: str, start: int, stop: int
) -> list[Shaped[np.ndarray, "number"]]:
    check_heaps(table, path, name, start, stop)
    with damage_is_an_input_error(path, f"{name}, events {start} to {stop - 1}", "rows that can be read"):
        read = [np.asarray(row).ravel() for row in table[start:stop]]
        if len(read) != stop - start or any(row.dtype.kind not in "iuf" for row in read):
            raise InputError(path, f"{name}, events {start} to {stop - 1}", "rows of numbers", "others")
    return read


def _reshaped(
    row: Shaped[np.ndarray, "number"], columns: int, path: Path, entry: str
) -> Float64[np.ndarray, "row column"]:
    if len(row) % columns:
        raise InputError(path, entry, f"rows of {columns} numbers", f"{len(row)} numbers")
    return row.reshape(-1, columns).astype(np.float64)


def _fits(row: Shaped[np.ndarray, "number"], columns: int, points: int) -> bool:
    return len(row) % columns == 0 and float(row[::columns].astype(np.float64).sum()) == points


def _refuse(bad: Any, path: Path, entry: str, expected: str, values: np.ndarray) -> None:
    if np.any(bad):
        at = int(np.argmax(bad))
        raise InputError(path, f"{entry}, row {at}", expected, str(values[at]))


def _decode(opened: _Open, event: int, rows: dict[str, Shaped[np.ndarray, "number"]], columns: int) -> Event:
    """Check the rows of one event."""
    path, entry = opened.path, {name: f"{name}, event {event}" for name in rows}
    point = _reshaped(rows[POINT], len(POINT_COLUMNS), path, entry[POINT])
    raw = _reshaped(rows[CLUSTER], columns, path, entry[CLUSTER])
    _refuse(
        np.any(~(np.abs(raw) < 2**31) | (raw != np.floor(raw)), axis=1),
        path,
        entry[CLUSTER],
        "whole numbers",
        raw,
    )
    cluster = np.full((len(raw), len(CLUSTER_COLUMNS)), -1, np.int64)
    cluster[:, :columns] = raw
    size, semantic = cluster[:, 0], cluster[:, 4]
    _refuse(size < 0, path, f"{entry[CLUSTER]}, size", "a number of points", size)
    if size.sum() != len(point):
        raise InputError(
            path, f"{entry[CLUSTER]}, size", f"the event's {len(point)} points in all", str(size.sum())
        )
    wrong = (semantic < 0) | (semantic > LOW_ENERGY)
    _refuse(wrong, path, f"{entry[CLUSTER]}, semantic", f"a class from 0 to {LOW_ENERGY}", semantic)
    position, energy = point[:, :3], point[:, 3]
    outside = np.any(~((position >= 0) & (position < opened.shape[0])), axis=1)
    _refuse(outside, path, entry[POINT], f"places from 0 to {opened.shape[0]}", position)
    bad = ~((energy >= 0) & (energy <= LARGEST_ENERGY))
    _refuse(bad, path, f"{entry[POINT]}, value", "energies from 0 to 1e9 MeV", energy)
    extra = np.full((len(cluster), len(EXTRA_COLUMNS)), np.nan)
    if EXTRA in rows:
        found = len(rows[EXTRA])
        width = found // max(1, len(cluster))
        if width * len(cluster) != found or (width not in (5, 6) and found > 0):
            wanted = f"5 or 6 numbers for each of {len(cluster)} clusters"
            raise InputError(path, entry[EXTRA], wanted, f"{found} numbers")
        if len(cluster):
            extra[:, :width] = rows[EXTRA].reshape(len(cluster), width)
        extra[~(np.abs(extra) < 1e30)] = np.nan
    return Event(point, cluster, extra)


def _load(opened: _Open, start: int, stop: int) -> VoxelEvents:
    tables = {name: _rows(table, opened.path, name, start, stop) for name, table in opened.tables.items()}
    columns = 6
    if EXTRA not in tables:
        pairs = list(zip(tables[CLUSTER], tables[POINT], strict=True))
        columns = 5 if all(_fits(row, 5, len(points) // 8) for row, points in pairs) else 6
    cells, side = int(np.prod(np.array(opened.shape, np.int64))), opened.shape[0]
    keys, energies, owners = [np.zeros(0, np.int64)], [np.zeros(0)], [np.zeros(0, np.int64)]
    cluster_rows, labels, particles, clusters = [], [np.zeros(0, np.uint8)], [np.zeros(0, PARTICLE)], 0
    for index in range(stop - start):
        event = _decode(opened, start + index, {name: rows[index] for name, rows in tables.items()}, columns)
        row, table = particle_rows(event, opened.voxel_mm)
        x, y, z = np.floor(event.point[:, :3]).astype(np.int64).T
        # Clusters, not particles, own deposits at first, for those of no particle have a class too.
        owner = clusters + np.repeat(np.arange(len(row), dtype=np.int64), event.cluster[:, 0])
        kept = np.ones(len(owner), np.bool_)
        if opened.low_energy == "drop":
            kept = np.repeat(event.cluster[:, 4] != LOW_ENERGY, event.cluster[:, 0])
        keys.append((index * cells + (z * side + y) * side + x)[kept])
        energies.append(event.point[kept, 3])
        owners.append(owner[kept])
        cluster_rows.append(row)
        labels.append(labels_of(event.cluster))
        particles.append(table)
        clusters += len(row)
    sums = sum_deposits(np.concatenate(keys), np.concatenate(energies), np.concatenate(owners))
    offsets, position = place_voxels(sums.key, opened.shape, stop - start)
    particle = np.concatenate([*cluster_rows, np.zeros(0, np.int64)])[sums.row]
    particle_offsets = offsets_of([len(table) for table in particles[1:]])
    table = np.concatenate(particles)
    table["voxels"] = count_rows(particle, sums.key // cells, particle_offsets)
    own = particle >= 0
    at = (particle_offsets[sums.key // cells] + particle)[own]
    table["deposit_mev"] = np.bincount(at, sums.energy_mev[own], minlength=len(table))
    return VoxelEvents(
        opened.shape, opened.voxel_mm, offsets, position, sums.energy_mev.astype(np.float32),
        np.concatenate(labels)[sums.row], particle.astype(np.int32), particle_offsets, table,
    )  # fmt: skip


def count_pilarnet(path: Path) -> int:
    """Return the number of events of a PILArNet-M file.

    Raises
    ------
    InputError
        as ``read_pilarnet`` does, but for what stands in the events.
    """
    with _open(path, SIDE, VOXEL_MM, "shower") as opened:
        return len(opened)


def iterate_pilarnet(
    path: Path,
    *,
    side: int = SIDE,
    voxel_mm: float = VOXEL_MM,
    low_energy: LowEnergy = "shower",
    block: int = BLOCK,
) -> Iterator[VoxelEvents]:
    """Read a PILArNet-M file in blocks of up to ``block`` events; memory stays flat.

    Raises
    ------
    InputError
        as ``read_pilarnet`` does, when the faulty block is reached.
    """
    with _open(path, side, voxel_mm, low_energy) as opened:
        for start, stop in block_starts(len(opened), min(block, LARGEST_BLOCK)):
            yield _load(opened, start, stop)


def read_pilarnet(
    path: Path,
    *,
    side: int = SIDE,
    voxel_mm: float = VOXEL_MM,
    low_energy: LowEnergy = "shower",
    start: int = 0,
    stop: int | None = None,
) -> VoxelEvents:
    """Read events ``start`` to ``stop`` of a PILArNet-M file of any revision.

    A voxel's energy is its ``value``; its label follows from its cluster's class, HIP for tracks of protons
    (from v2 on; v1 does not tell protons, so its tracks are all MIP). Points that share a voxel are added up.

    Parameters
    ----------
    side : voxels along each axis.
    voxel_mm : their size.
    low_energy : what to do with low-energy deposits, a sixth class: call them showers, or leave them out.

    Raises
    ------
    InputError
        that names data set, event and row: the file is not HDF5, cut off or damaged; a data set is missing or
        of another type; the sizes of clusters do not add up to the points; a point lies outside the image; an
        energy is negative or not finite; a class does not exist; or there are no events of these numbers.
    """
    with _open(path, side, voxel_mm, low_energy) as opened:
        end = len(opened) if stop is None else stop
        if not 0 <= start < end <= len(opened):
            raise InputError(path, "", f"events {start} to {end - 1}", f"{len(opened)} events")
        spans = block_starts(end - start, LARGEST_BLOCK)
        return join_events([_load(opened, start + low, start + high) for low, high in spans])
