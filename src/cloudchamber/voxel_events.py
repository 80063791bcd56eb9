"""Sparse events of a LArTPC: voxels with energy, truth per voxel and per particle."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float32, Int32, Int64, Shaped, UInt8

# One row per particle. ``parent`` is the parent's row in the same event, -1 for none; ``process`` a value of
# Process, ``label`` of VoxelLabel; positions in mm from the corner of the image, NaN where unknown.
PARTICLE = np.dtype(
    [
        ("pdg", "<i4"), ("track_id", "<i4"), ("parent", "<i4"), ("process", "u1"), ("label", "u1"),
        ("kinetic_mev", "<f4"), ("deposit_mev", "<f4"), ("momentum_mev", "<f4", (3,)),
        ("start_mm", "<f4", (3,)), ("end_mm", "<f4", (3,)), ("voxels", "<i4"),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class VoxelEvents:
    """Some events, their voxels and particles one after the other in flat arrays.

    The voxels of an event stand in the order of larcv's number of a voxel, (z * ny + y) * nx + x, each once.
    ``particle`` is the row, within its event, of the particle that left most of a voxel's energy; -1: none.
    What a file does not say is None.
    """

    shape: tuple[int, int, int]  # voxels along x, y, z
    voxel_mm: float
    voxel_offsets: Int64[np.ndarray, "event+1"]
    position: Int32[np.ndarray, "voxel 3"]  # x, y, z
    energy_mev: Float32[np.ndarray, "voxel"]
    label: UInt8[np.ndarray, "voxel"] | None = None
    particle: Int32[np.ndarray, "voxel"] | None = None
    particle_offsets: Int64[np.ndarray, "event+1"] | None = None
    particles: Shaped[np.ndarray, "particle"] | None = None  # of dtype PARTICLE

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.voxel_offsets) - 1

    def voxels_of(self, event: int) -> slice:
        """Return where the voxels of an event stand in the flat arrays."""
        return slice(int(self.voxel_offsets[event]), int(self.voxel_offsets[event + 1]))

    def particles_of(self, event: int) -> slice:
        """Return where the particles of an event stand in ``particles``.

        Raises
        ------
        ValueError
            if there are none in the file.
        """
        if self.particle_offsets is None:
            raise ValueError("these events come without particles")
        return slice(int(self.particle_offsets[event]), int(self.particle_offsets[event + 1]))

    def event_of_voxel(self) -> Int64[np.ndarray, "voxel"]:
        """Return the number of the event of every voxel."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.voxel_offsets))

    def chosen(self, start: int, stop: int) -> "VoxelEvents":
        """Return events ``start`` to ``stop``."""
        voxels = slice(int(self.voxel_offsets[start]), int(self.voxel_offsets[stop]))
        changed: dict[str, object] = {
            "voxel_offsets": self.voxel_offsets[start : stop + 1] - voxels.start,
            "position": self.position[voxels],
            "energy_mev": self.energy_mev[voxels],
            "label": None if self.label is None else self.label[voxels],
            "particle": None if self.particle is None else self.particle[voxels],
        }
        if self.particle_offsets is not None and self.particles is not None:
            rows = slice(int(self.particle_offsets[start]), int(self.particle_offsets[stop]))
            changed["particle_offsets"] = self.particle_offsets[start : stop + 1] - rows.start
            changed["particles"] = self.particles[rows]
        kept = {field.name: getattr(self, field.name) for field in fields(self)}
        return VoxelEvents(**(kept | changed))

    def __iter__(self) -> Iterator["VoxelEvents"]:
        """Yield the events one by one."""
        return (self.chosen(event, event + 1) for event in range(len(self)))


def offsets_of(counts: Sequence[int] | Int64[np.ndarray, "event"]) -> Int64[np.ndarray, "event+1"]:
    """Return where each event starts in flat arrays, and where the last one ends, from counts per event."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)


def join_events(events: Sequence[VoxelEvents]) -> VoxelEvents:
    """Return several sets of events of one grid as one; what one of them lacks, the result lacks.

    Raises
    ------
    ValueError
        if there are none, or their grids differ.
    """
    if not events or len({(each.shape, each.voxel_mm) for each in events}) != 1:
        raise ValueError("events of one grid, and at least one set of them, can be joined")

    def joined(name: str) -> np.ndarray | None:
        parts = [getattr(each, name) for each in events]
        return None if any(part is None for part in parts) else np.concatenate(parts)

    def counts(name: str) -> np.ndarray | None:
        parts = [getattr(each, name) for each in events]
        if any(part is None for part in parts):
            return None
        return offsets_of(np.concatenate([np.diff(part) for part in parts]))

    offsets, position, energy_mev = counts("voxel_offsets"), joined("position"), joined("energy_mev")
    if offsets is None or position is None or energy_mev is None:
        raise ValueError("events have voxels")
    return VoxelEvents(
        events[0].shape, events[0].voxel_mm, offsets, position, energy_mev, joined("label"),
        joined("particle"), counts("particle_offsets"), joined("particles"),
    )  # fmt: skip
