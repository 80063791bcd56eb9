"""Reading larcv2's ROOT files: sparse3d, cluster3d and particle trees to our sparse events."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.labels import VoxelLabel
from cloudchamber.source.hdf5 import block_starts
from cloudchamber.source.larcv_open import LarcvChoice, OpenLarcv, open_larcv
from cloudchamber.source.larcv_particles import read_particles
from cloudchamber.source.larcv_voxels import (
    check_energies,
    look_up,
    read_clusters,
    read_labels,
    read_rows,
    read_sparse,
)
from cloudchamber.source.voxel_sums import LARGEST_BLOCK, count_rows, place_voxels, sum_deposits
from cloudchamber.voxel_events import VoxelEvents, join_events

__all__ = ["LarcvChoice", "count_larcv", "iterate_larcv", "read_larcv"]

BLOCK = 64


def _load(opened: OpenLarcv, start: int, stop: int) -> VoxelEvents:
    grid, trees = opened.grid, opened.trees
    scale = {"MeV": 1.0, "GeV": 1000.0}[opened.choice.unit]
    particle_offsets = particles = counts = None
    if "particles" in trees:
        particle_offsets, particles = read_particles(
            trees["particles"],
            opened.path,
            start,
            stop,
            (grid.corner[start:stop], grid.mm),
            opened.choice.unit,
        )
        counts = np.diff(particle_offsets)
    clusters = read_clusters(opened, start, stop, counts) if "clusters" in trees else None
    if "energies" in trees:
        keys, value, where = read_sparse(opened, "energies", start, stop)
        check_energies(value, keys // grid.cells, opened.path, where)
        sums = sum_deposits(keys, value.astype(np.float64), np.full(len(keys), -1, np.int64))
        key, energy = sums.key, sums.energy_mev
    elif clusters is not None:
        key, energy = clusters.key, clusters.energy_mev
    row = None
    if particles is not None and counts is not None:
        if clusters is not None:
            place, there = look_up(key, clusters.key)
            row = np.where(there, clusters.row[place], -1) if len(clusters.key) else np.full(len(key), -1)
        elif "rows" in trees:
            row = read_rows(opened, key, start, stop, counts)
    offsets, position = place_voxels(key, grid.shape, stop - start)
    label = read_labels(opened, key, start, stop) if "labels" in trees else None
    if row is not None and particles is not None and particle_offsets is not None:
        event = key // grid.cells
        particles["voxels"] = count_rows(row, event, particle_offsets)
        if label is None:
            label = np.full(len(key), VoxelLabel.SHOWER, np.uint8)
            label[row >= 0] = particles["label"][(particle_offsets[event] + row)[row >= 0]]
    return VoxelEvents(
        grid.shape, grid.voxel_mm, offsets, position, (energy * scale).astype(np.float32), label,
        None if row is None else row.astype(np.int32), particle_offsets, particles,
    )  # fmt: skip


def count_larcv(path: Path, choice: LarcvChoice | None = None) -> int:
    """Return the number of events that ``iterate_larcv`` would read.

    Raises
    ------
    InputError
        as ``read_larcv`` does, but for what stands in the events.
    """
    with open_larcv(path, choice or LarcvChoice()) as opened:
        return opened.entries


def iterate_larcv(
    path: Path, choice: LarcvChoice | None = None, *, block: int = BLOCK
) -> Iterator[VoxelEvents]:
    """Read a larcv2 file in blocks of up to ``block`` events; memory stays flat.

    Raises
    ------
    InputError
        as ``read_larcv`` does, when the faulty block is reached.
    """
    with open_larcv(path, choice or LarcvChoice()) as opened:
        for start, stop in block_starts(opened.entries, min(block, LARGEST_BLOCK)):
            yield _load(opened, start, stop)


def read_larcv(
    path: Path, choice: LarcvChoice | None = None, *, start: int = 0, stop: int | None = None
) -> VoxelEvents:
    """Read events ``start`` to ``stop`` of a larcv2 ROOT file; no ROOT nor larcv is needed.

    Energies are in MeV, positions of particles in mm from the corner of the event's own image. larcv's
    voxels need not be quite cubic (within 1%): ``voxel_mm`` is the mean of their sides, and positions are
    scaled with them, so that a position over ``voxel_mm`` is a place in voxels. Voxels that an entry holds
    more than once are added up.

    Raises
    ------
    InputError
        that names file, branch and entry: the file is not ROOT, cut off or damaged; a tree or branch is
        missing, of another type or length; the images differ in their grids or are not in cm; the number of
        a voxel is outside its image; an energy is negative or not finite; a label or a row of a particle does
        not exist; or there are no events of these numbers.
    """
    with open_larcv(path, choice or LarcvChoice()) as opened:
        end = opened.entries if stop is None else stop
        if not 0 <= start < end <= opened.entries:
            raise InputError(path, "", f"events {start} to {end - 1}", f"{opened.entries} events")
        return join_events([_load(opened, *each) for each in _spans(start, end)])


def _spans(start: int, stop: int) -> list[tuple[int, int]]:
    return [(start + low, start + high) for low, high in block_starts(stop - start, LARGEST_BLOCK)]
