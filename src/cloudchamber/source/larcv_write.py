"""Writing trees with larcv2's names and branches, as far as that goes without larcv's classes."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot
from jaxtyping import Int64, Shaped

from cloudchamber.errors import InputError
from cloudchamber.files import whole
from cloudchamber.labels import Process, VoxelLabel
from cloudchamber.source.larcv_names import mass_mev, process_name
from cloudchamber.source.writer import check_target
from cloudchamber.voxel_events import VoxelEvents

UNSET = np.finfo(np.float64).max
CM = 1  # larcv::DistanceUnit_t
# larcv::ShapeType_t: 0 shower, 1 track, 2 Michel, 3 delta.
SHAPES = {
    VoxelLabel.HIP: 1, VoxelLabel.MIP: 1, VoxelLabel.SHOWER: 0, VoxelLabel.DELTA: 3, VoxelLabel.MICHEL: 2,
}  # fmt: skip
Record = dict[str, Shaped[np.ndarray, "row"]]
Columns = dict[str, Any]


def _lists(counts: Int64[np.ndarray, "event"], record: Record) -> Any:
    return ak.unflatten(ak.zip(record), counts)


def _base(first: int, n: int) -> Columns:
    numbers = np.arange(first, first + n, dtype=np.uint64)
    zeros = np.zeros(n, np.uint64)
    return {"_run": zeros, "_subrun": zeros, "_event": numbers}


def _meta(events: VoxelEvents) -> Columns:
    n, cm = len(events), events.voxel_mm / 10
    columns: Columns = {"_meta._valid": np.ones(n, np.bool_)}
    columns["_meta._num_element"] = np.full(n, np.prod(np.array(events.shape, np.uint64)), np.uint64)
    for axis, side in zip("xyz", events.shape, strict=True):
        columns[f"_meta._p1.{axis}"] = np.zeros(n)
        columns[f"_meta._p2.{axis}"] = np.full(n, side * cm)
        columns[f"_meta._{axis}len"] = np.full(n, cm)
        columns[f"_meta._{axis}num"] = np.full(n, side, np.uint64)
    columns["_meta._unit"] = np.full(n, CM, np.int32)
    return columns


def _sparse(events: VoxelEvents, values: Shaped[np.ndarray, "voxel"], first: int) -> Columns:
    nx, ny, _ = events.shape
    x, y, z = events.position.astype(np.uint64).T
    record = {"_id": (z * np.uint64(ny) + y) * np.uint64(nx) + x, "_value": values.astype(np.float32)}
    counts = np.diff(events.voxel_offsets)
    return {**_base(first, len(events)), "_voxel_v": _lists(counts, record), **_meta(events)}


def _set(values: Shaped[np.ndarray, "row"]) -> Shaped[np.ndarray, "row"]:
    return np.where(np.isfinite(values), values.astype(np.float64), UNSET)


def _particles(events: VoxelEvents, path: Path, first: int) -> Columns:
    if events.particle_offsets is None or events.particles is None:
        raise ValueError("these events come without particles")
    rows, offsets = events.particles, events.particle_offsets
    counts = np.diff(offsets)
    pdg, track = rows["pdg"], rows["track_id"]
    event = np.repeat(np.arange(len(events)), counts)
    pairs = np.unique(np.stack([event, track.astype(np.int64)], axis=1), axis=0)
    if len(pairs) != len(rows):
        taken = np.bincount(pairs[:, 0], minlength=len(events))
        at = int(np.argmax(taken != counts))
        found = f"{taken[at]} among {counts[at]} particles"
        raise InputError(path, f"event {first + at}", "a track_id of each particle's own", found)
    above = np.where(rows["parent"] >= 0, offsets[event] + rows["parent"], np.arange(len(rows)))
    mass = np.array([mass_mev(each) for each in pdg.tolist()], np.float64)
    # A mass that nobody knows is that of the momentum, so that reading subtracts the same.
    momentum2 = (rows["momentum_mev"].astype(np.float64) ** 2).sum(axis=1)
    kinetic = rows["kinetic_mev"].astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        mass = np.where(np.isnan(mass), np.maximum(momentum2 - kinetic**2, 0.0) / (2 * kinetic), mass)
    total = kinetic + mass
    index = (np.arange(len(rows)) - offsets[event]).astype(np.uint16)
    record: Record = {"_id": index, "_mcst_index": index}
    record["_shape"] = np.array([SHAPES[VoxelLabel(each)] for each in rows["label"].tolist()], np.int32)
    record |= {"_trackid": track.astype(np.uint32), "_pdg": pdg.astype(np.int32)}
    for number, axis in enumerate("xyz"):
        record[f"_p{axis}"] = _set(rows["momentum_mev"][:, number])
    for theirs, ours in (("_vtx", "start_mm"), ("_first_step", "start_mm"), ("_last_step", "end_mm")):
        for number, axis in enumerate("xyz"):
            record[f"{theirs}._{axis}"] = _set(rows[ours][:, number] / 10)
    record["_energy_init"] = np.where(np.isfinite(total), total, 0.0)
    record["_energy_deposit"] = _set(rows["deposit_mev"])
    record["_parent_trackid"] = track[above].astype(np.uint32)
    record["_parent_pdg"] = pdg[above].astype(np.int32)
    named = [
        process_name(process, parent) if process != Process.PRIMARY else "primary"
        for process, parent in zip(rows["process"].tolist(), pdg[above].tolist(), strict=True)
    ]
    spans = zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    names = ak.Array([";".join(named[low:high]) for low, high in spans])
    return {**_base(first, len(events)), "_part_v": _lists(counts, record), "_part_v._process": names}


def _trees(events: VoxelEvents, path: Path, first: int) -> Iterator[tuple[str, Columns]]:
    """Yield the trees of a block and their columns."""
    yield "sparse3d_data_tree", _sparse(events, events.energy_mev, first)
    if events.label is not None:
        yield "sparse3d_fivetypes_tree", _sparse(events, events.label, first)
    if events.particles is not None:
        if events.particle is not None:
            yield "sparse3d_particle_tree", _sparse(events, events.particle, first)
        yield "particle_mcst_tree", _particles(events, path, first)


def _type(column: Any) -> Any:
    return column.type if isinstance(column, ak.Array) else column.dtype


def write_larcv(path: Path, events: VoxelEvents | Iterable[VoxelEvents], *, overwrite: bool = False) -> int:
    """Write events, or blocks of them, as a ROOT file with trees and branches named as larcv2 names them.

    The trees are ``sparse3d_data_tree`` (energies in MeV), ``sparse3d_fivetypes_tree`` (labels),
    ``sparse3d_particle_tree`` (rows of particles; a name of ours) and ``particle_mcst_tree``; what the events
    lack is left out. ``read_larcv`` and plain uproot read them. larcv itself does not, and ROOT sees branches
    of numbers, not objects of larcv's classes, for uproot cannot write those: the branches stand directly in
    the tree, without ``..._branch`` above them, each list with the number of its elements in a branch beside
    it; the names of the creating processes are one text per event, joined by semicolons; cluster3d is not
    written.

    Returns
    -------
    The number of events.

    Raises
    ------
    InputError
        if there are no events, particles of an event share a track_id, or the path cannot be written.
    ValueError
        if blocks have different grids, or one lacks what another has.
    """
    check_target(path, overwrite)
    blocks = iter([events] if isinstance(events, VoxelEvents) else events)
    block = next(blocks, None)
    if block is None or len(block) == 0:
        raise InputError(path, "", "events to write", "none")
    done, shape, size = 0, block.shape, block.voxel_mm
    with whole(path) as temporary, uproot.recreate(temporary) as file:
        trees = {
            name: file.mktree(
                name,
                {key: _type(column) for key, column in columns.items()},
                counter_name=lambda counted: f"n{counted}",
                field_name=lambda outer, inner: f"{outer}.{inner}" if outer else inner,
            )
            for name, columns in _trees(block, path, 0)
        }
        while block is not None:
            parts = dict(_trees(block, path, done))
            if (block.shape, block.voxel_mm) != (shape, size) or list(parts) != list(trees):
                raise ValueError("all events of a file must have one grid and the same truth")
            for name, columns in parts.items():
                trees[name].extend(columns)
            done += len(block)
            block = next(blocks, None)
    return done
