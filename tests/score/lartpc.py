"""Events with known answers: straight tracks, Michel electrons at their ends, showers apart."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from cloudchamber.labels import Process, VoxelLabel
from cloudchamber.voxel_events import PARTICLE, VoxelEvents, join_events, offsets_of

SIDE = 192


def event(
    parts: Sequence[tuple[VoxelLabel, np.ndarray]],
    *,
    kinetic_mev: Sequence[float] | None = None,
    parents: Sequence[int] | None = None,
) -> VoxelEvents:
    """Return an event whose particle k has the label and the voxels of part k; 1 MeV to a voxel."""
    position = np.concatenate([where for _, where in parts]).astype(np.int32)
    label = np.concatenate([np.full(len(where), kind) for kind, where in parts]).astype(np.uint8)
    particle = np.repeat(np.arange(len(parts), dtype=np.int32), [len(where) for _, where in parts])
    order = np.lexsort((position[:, 0], position[:, 1], position[:, 2]))
    particles = np.zeros(len(parts), PARTICLE)
    particles["label"] = [kind for kind, _ in parts]
    particles["parent"] = -1 if parents is None else parents
    particles["process"] = Process.PRIMARY
    particles["kinetic_mev"] = np.nan if kinetic_mev is None else kinetic_mev
    particles["start_mm"] = [3.0 * (where[0] + 0.5) for _, where in parts]
    particles["end_mm"] = [3.0 * (where[-1] + 0.5) for _, where in parts]
    return VoxelEvents(
        (SIDE, SIDE, SIDE), 3.0, offsets_of([len(position)]), position[order],
        np.ones(len(position), np.float32), label[order], particle[order],
        offsets_of([len(parts)]), particles,
    )  # fmt: skip


def line(start: tuple[int, int, int], step: tuple[int, int, int], n: int) -> np.ndarray:
    """Return ``n`` voxels from ``start`` on, one ``step`` after the other."""
    return np.asarray(np.array(start) + np.arange(n)[:, None] * np.array(step))


def thick(start: tuple[int, int, int], n: int) -> np.ndarray:
    """Return a track along x, two voxels thick along y: ten of its voxels are within 2 sqrt 2 of each."""
    x, y, z = start
    return np.concatenate([line((x, y + 1, z), (1, 0, 0), n), line(start, (1, 0, 0), n)])


def stopping(
    y: int, n_track: int = 60, n_michel: int = 12, x: int = 10
) -> list[tuple[VoxelLabel, np.ndarray]]:
    """Return a muon along x, two voxels thick along y, and the Michel electron at its end, along z."""
    track = thick((x, y, 20), n_track)
    return [
        (VoxelLabel.MIP, track),
        (VoxelLabel.MICHEL, line((x + n_track, y, 20), (0, 0, 1), n_michel)),
    ]


def random_events(seed: int, n: int = 3) -> VoxelEvents:
    """Return events of tracks, Michels, deltas and showers at random places."""
    rng = np.random.default_rng(seed)
    events = []
    for _ in range(n):
        parts = stopping(int(rng.integers(10, 30)), int(rng.integers(30, 90)), int(rng.integers(3, 20)))
        parts.append((VoxelLabel.HIP, line((10, 60, 20), (0, 1, 0), int(rng.integers(5, 40)))))
        parts.append((VoxelLabel.DELTA, line((20, 40, 20), (1, 1, 0), int(rng.integers(2, 8)))))
        shower = np.unique(rng.integers(90, 110, (int(rng.integers(50, 200)), 3)), axis=0)
        parts.append((VoxelLabel.SHOWER, shower))
        energies = rng.uniform(10, 50, len(parts)).tolist()
        events.append(event(parts, kinetic_mev=energies))
    return join_events(events)


def label_of(events: VoxelEvents) -> UInt8[np.ndarray, "voxel"]:
    assert events.label is not None
    return np.asarray(events.label)


def mistaken(events: VoxelEvents, share: float, seed: int = 0) -> UInt8[np.ndarray, "voxel"]:
    """Return the labels with some of them drawn anew."""
    rng = np.random.default_rng(seed)
    label = label_of(events).copy()
    wrong = rng.random(len(label)) < share
    label[wrong] = rng.integers(0, 5, np.count_nonzero(wrong))
    return np.asarray(label)
