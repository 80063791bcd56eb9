"""What the networks read of a voxel: its place and one number made of its energy."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float32, Int64

from cloudchamber.prepare.cube import turn_positions
from cloudchamber.voxel_events import VoxelEvents, join_events

EnergyScale = Literal["linear", "log"]
LOG_FROM_MEV = 0.05  # the deposit below which the simulation, as the authors', keeps no voxel


def scale_energy(
    energy_mev: Float32[np.ndarray, "voxel"], scale: EnergyScale
) -> Float32[np.ndarray, "voxel 1"]:
    """Return the feature of each voxel: its energy in MeV, or log10 of that over 0.05 MeV, no less than 0."""
    if scale == "linear":
        return energy_mev[:, None]
    return np.log10(np.maximum(energy_mev / np.float32(LOG_FROM_MEV), 1))[:, None].astype(np.float32)


def place_voxels(
    events: VoxelEvents, symmetries: Sequence[int] | None = None
) -> Int64[np.ndarray, "voxel 4"]:
    """Return event, x, y, z of each voxel, each event turned by one of the 48 symmetries if they are given.

    Raises
    ------
    ValueError
        if events are to be turned and the image is no cube.
    """
    position = events.position
    if symmetries is not None:
        if len(set(events.shape)) != 1:
            raise ValueError(f"only cubes are turned, not images of {events.shape}")
        parts = [
            turn_positions(position[events.voxels_of(event)], events.shape[0], int(symmetry))
            for event, symmetry in enumerate(symmetries)
        ]
        position = np.concatenate(parts)
    return np.concatenate([events.event_of_voxel()[:, None], position.astype(np.int64)], axis=1)


def take_events(events: VoxelEvents, chosen: Sequence[int]) -> VoxelEvents:
    """Return some events in the order given."""
    return join_events([events.chosen(int(event), int(event) + 1) for event in chosen])
