"""Writing PILArNet-M's HDF5 files."""

from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Float32, Int64

from cloudchamber.errors import InputError
from cloudchamber.files import whole
from cloudchamber.labels import Process, VoxelLabel
from cloudchamber.source.larcv_names import mass_mev
from cloudchamber.source.pilarnet_tables import (
    CLUSTER,
    EXTRA,
    LOW_ENERGY,
    POINT,
    SEMANTIC_OF,
    Revision,
    pid_of,
)
from cloudchamber.source.sink import create_hdf5
from cloudchamber.source.writer import check_target
from cloudchamber.voxel_events import PARTICLE, VoxelEvents

CHUNK = 64
WIDTHS = {1: (5, 0), 2: (6, 5), 3: (6, 6)}


def _extra(particle: np.void, voxel_mm: float) -> list[float]:
    """Return mass, momentum (MeV), vertex (voxels) and whether it is a primary; NaN what is not known."""
    mass, kinetic = mass_mev(int(particle["pdg"])), float(particle["kinetic_mev"])
    momentum = float(np.sqrt(kinetic * (kinetic + 2 * mass)))
    vertex = [float(place) / voxel_mm for place in particle["start_mm"]]
    return [mass, momentum, *vertex, float(particle["process"] == Process.PRIMARY)]


def _clusters(
    event: VoxelEvents, path: Path, number: int
) -> tuple[Int64[np.ndarray, "voxel"], Int64[np.ndarray, "cluster 6"], Float32[np.ndarray, "cluster 6"]]:
    """Cut an event into clusters: the order of its voxels, and the two tables of clusters.

    A cluster has one class, so a particle whose voxels have several makes several: the largest bears the
    particle's row as its id, further ones ids after the last row and the first one's id as their group.
    """
    if event.label is None:
        raise InputError(path, f"event {number}", "labels, which make the clusters", "none")
    rows = np.full(len(event.label), -1, np.int32) if event.particle is None else event.particle
    table = np.zeros(0, PARTICLE) if event.particles is None else event.particles
    pairs, inverse, sizes = np.unique(
        np.stack([rows, event.label], axis=1), axis=0, return_inverse=True, return_counts=True
    )
    order = np.argsort(inverse.ravel(), kind="stable")
    main: dict[int, int] = {}
    for at in np.argsort(-sizes, kind="stable").tolist():
        main.setdefault(int(pairs[at, 0]), at)
    clusters, extras, following = [], [], len(table)
    for at, (row, label) in enumerate(pairs.tolist()):
        semantic = SEMANTIC_OF[VoxelLabel(label)]
        if row < 0:
            low = len(table) > 0 and label == VoxelLabel.SHOWER
            pid = pid_of(0, label)
            clusters.append([sizes[at], -1, -1, -1, LOW_ENERGY if low else semantic, pid])
            extras.append([np.nan] * 5 + [0.0])
            continue
        parent = int(table["parent"][row])
        if main[row] == at:
            own, group = row, parent if parent in main else row
        else:
            own, group = following, row
            following += 1
        clusters.append([sizes[at], own, group, 0, semantic, pid_of(int(table["pdg"][row]), label)])
        extras.append(_extra(table[row], event.voxel_mm))
    return (
        order,
        np.array(clusters, np.int64).reshape(-1, 6),
        np.array(extras, np.float32).reshape(-1, 6),
    )


def _points(event: VoxelEvents, order: Int64[np.ndarray, "voxel"]) -> Float32[np.ndarray, "voxel 8"]:
    point = np.full((len(order), 8), np.nan, np.float32)
    point[:, :3] = event.position[order]
    point[:, 3:5] = event.energy_mev[order, None]
    return point


def write_pilarnet(
    path: Path,
    events: VoxelEvents | Iterable[VoxelEvents],
    *,
    revision: Revision = 3,
    overwrite: bool = False,
) -> int:
    """Write events, or blocks of them, as PILArNet-M files are.

    Voxels of no particle that are showers become low-energy deposits, as a cluster of id -1, if the events
    have particles. Time, electrons and dx of a point are not known: NaN. HIP is written as a track of a
    proton, which v1 cannot say. Particles without voxels, signs of charge, directions, ends and all processes
    but "primary" are lost, and the kind of
    a proton that is not HIP (with v1 everything but clusters and classes).

    Parameters
    ----------
    revision : 1, 2 or 3: which columns there are.

    Returns
    -------
    The number of events.

    Raises
    ------
    InputError
        if there are no events, they have no labels, or the path cannot be written.
    """
    check_target(path, overwrite)
    columns, extra_columns = WIDTHS[revision]
    done = 0
    with whole(path) as temporary, create_hdf5(temporary) as (file, raise_failed):
        types = {POINT: "<f4", CLUSTER: "<i8"} | ({EXTRA: "<f4"} if extra_columns else {})
        tables = {
            name: file.create_dataset(
                name,
                (0,),
                h5py.vlen_dtype(np.dtype(kind)),
                chunks=(CHUNK,),
                maxshape=(None,),
                track_times=False,
            )
            for name, kind in types.items()
        }
        for block in [events] if isinstance(events, VoxelEvents) else events:
            for table in tables.values():
                table.resize((done + len(block),))
            for event in block:
                order, cluster, extra = _clusters(event, path, done)
                tables[POINT][done] = _points(event, order).ravel()
                tables[CLUSTER][done] = cluster[:, :columns].ravel()
                if extra_columns:
                    tables[EXTRA][done] = extra[:, :extra_columns].ravel()
                done += 1
            raise_failed()
        if done == 0:
            raise InputError(path, "", "events to write", "none")
    return done
