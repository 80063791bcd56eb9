"""Sparse events, and rows of PILArNet-M files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from cloudchamber.labels import Process, VoxelLabel
from cloudchamber.source.pilarnet import read_pilarnet
from cloudchamber.voxel_events import PARTICLE, VoxelEvents, offsets_of

SIDE = 32
Rows = dict[str, list[np.ndarray]]
LABEL_OF_PDG = {2212: VoxelLabel.HIP, 13: VoxelLabel.MIP, 211: VoxelLabel.MIP, 22: VoxelLabel.SHOWER}


def random_events(n: int, seed: int = 0, *, mixed: bool = False) -> VoxelEvents:
    """Return events whose voxels bear the class of their particle, or with ``mixed`` any class."""
    rng = np.random.default_rng(seed)
    voxels, counts = rng.integers(0, 40, n), rng.integers(1, 6, n)
    ids = np.concatenate([np.sort(rng.choice(SIDE**3, k, replace=False)) for k in voxels]).astype(np.int64)
    position = np.stack([ids % SIDE, ids // SIDE % SIDE, ids // SIDE**2], axis=1).astype(np.int32)
    offsets, particle_offsets = offsets_of(voxels), offsets_of(counts)
    table = np.zeros(int(counts.sum()), PARTICLE)
    within = np.arange(len(table)) - np.repeat(particle_offsets[:-1], counts)
    table["pdg"] = rng.choice([2212, 13, 211, 22], len(table))
    table["track_id"], table["parent"] = within, -1
    table["label"] = [LABEL_OF_PDG[pdg] for pdg in table["pdg"].tolist()]
    table["process"] = rng.choice([Process.PRIMARY, Process.UNKNOWN], len(table))
    table["kinetic_mev"] = rng.uniform(1, 900, len(table))
    table["momentum_mev"] = table["end_mm"] = np.nan
    table["start_mm"] = rng.uniform(0, 3 * SIDE, (len(table), 3))
    row = np.concatenate([rng.integers(-1, c, k) for c, k in zip(counts, voxels, strict=True)]).astype(
        np.int64
    )
    owner = np.repeat(particle_offsets[:-1], voxels) + row
    label = np.where(row >= 0, table["label"][owner], VoxelLabel.SHOWER).astype(np.uint8)
    if mixed:
        label = rng.integers(0, 5, len(row)).astype(np.uint8)
    energy = rng.uniform(0.05, 5, len(row)).astype(np.float32)
    table["voxels"] = np.bincount(owner[row >= 0], minlength=len(table))
    table["deposit_mev"] = np.bincount(owner[row >= 0], energy[row >= 0], len(table))
    return VoxelEvents(
        (SIDE, SIDE, SIDE),
        3.0,
        offsets,
        position,
        energy,
        label,
        row.astype(np.int32),
        particle_offsets,
        table,
    )


def read(path: Path, **options: Any) -> VoxelEvents:
    return read_pilarnet(path, side=SIDE, **options)


def same_voxels(found: VoxelEvents, wanted: VoxelEvents) -> None:
    assert (found.shape, found.voxel_mm) == (wanted.shape, wanted.voxel_mm)
    for name in ("voxel_offsets", "position", "energy_mev", "label"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), name)


def write_rows(path: Path, rows: Rows, kinds: dict[str, str] | None = None) -> Path:
    """Write the rows of events, flat, as the files have them."""
    kinds = {"point": "f4", "cluster": "i8", "cluster_extra": "f4", **(kinds or {})}
    with h5py.File(path, "w") as file:
        for name, events in rows.items():
            dataset = file.create_dataset(name, (len(events),), h5py.vlen_dtype(np.dtype(kinds[name])))
            for event, row in enumerate(events):
                dataset[event] = row.ravel()
    return path


def one_event() -> Rows:
    """Return an event of low-energy deposits, a muon, its Michel electron and delta ray, and a proton."""
    #         x  y  z  value dE t e dx
    point = [
        [1, 2, 3, 0.1, 0.1, 0, 0, 0],
        [9, 2, 3, 0.2, 0.2, 0, 0, 0],
        [5, 5, 5, 2.0, 2.0, 0, 0, 0],
        [5, 5, 6, 2.5, 2.5, 0, 0, 0],
        [5, 6, 7, 1.5, 1.5, 0, 0, 0],
        [6, 5, 5, 0.7, 0.7, 0, 0, 0],
        [5, 5, 5, 0.5, 0.5, 0, 0, 0],
        [20, 0, 31, 9.0, 9.0, 0, 0, 0],
    ]  # the muon and the delta ray share a voxel
    cluster = [
        [2, -1, -1, -1, 4, -1],
        [2, 4, 4, 0, 1, 2],
        [1, 7, 4, 0, 2, 1],
        [2, 9, 4, 0, 3, 1],
        [1, 12, 12, 1, 1, 4],
    ]
    extra = [
        [0, 0, 0, 0, 0, 0],
        [105.658, 300, 5.5, 5.5, 5.0, 1],
        [0.511, 30, 5.5, 6.0, 7.0, 0],
        [0.511, 2, 5.5, 5.5, 5.0, 0],
        [938.272, 400, 20.0, 0.0, 31.0, 1],
    ]
    return {
        "point": [np.array(point, "f4")],
        "cluster": [np.array(cluster)],
        "cluster_extra": [np.array(extra, "f4")],
    }


@pytest.fixture(name="random_events", scope="session")
def _random_events() -> Callable[..., VoxelEvents]:
    return random_events


@pytest.fixture(name="read", scope="session")
def _read() -> Callable[..., VoxelEvents]:
    return read


@pytest.fixture(name="same_voxels", scope="session")
def _same_voxels() -> Callable[..., None]:
    return same_voxels


@pytest.fixture(name="write_rows", scope="session")
def _write_rows() -> Callable[..., Path]:
    return write_rows


@pytest.fixture(name="one_event", scope="session")
def _one_event() -> Callable[..., Rows]:
    return one_event
