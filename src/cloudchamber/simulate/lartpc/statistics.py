"""What a set of events holds: voxels per event, and the share of each class."""

import numpy as np
from jaxtyping import Bool
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from cloudchamber.labels import VoxelLabel
from cloudchamber.voxel_events import VoxelEvents

LOW_ENERGY_VOXELS = 10
_TOUCH = 1.75  # above sqrt(3): the 26 neighbours of a voxel


def low_energy_scatters(event: VoxelEvents) -> Bool[np.ndarray, "voxel"]:
    """Return which voxels of one labelled event are low-energy scatters.

    These are shower voxels in fragments of fewer than 10 voxels; a fragment is connected by the 26 neighbours
    among shower voxels. Blips of Compton scattering are most of them.
    """
    low = np.zeros(len(event.position), dtype=np.bool_)
    shower = np.flatnonzero(event.label == VoxelLabel.SHOWER)
    if len(shower):
        pairs = cKDTree(event.position[shower]).query_pairs(_TOUCH, output_type="ndarray")
        links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(shower), len(shower)))
        _, fragment = connected_components(links, directed=False)
        low[shower] = np.bincount(fragment)[fragment] < LOW_ENERGY_VOXELS
    return low


def summarise(events: VoxelEvents) -> dict[str, float]:
    """Return figures of labelled events: voxels per event, energy, and the share of the classes in voxels.

    The shares leave low-energy scatters out, as the published counts do; ``low_energy`` is their part of all.
    """
    counts, low = np.zeros(len(VoxelLabel)), 0
    for event in events:
        scatters = low_energy_scatters(event)
        low += int(scatters.sum())
        if event.label is not None:
            counts += np.bincount(event.label[~scatters], minlength=len(VoxelLabel))
    voxels = np.diff(events.voxel_offsets)
    share = counts / max(counts.sum(), 1)
    return {
        "events": float(len(events)),
        "voxels_mean": float(voxels.mean()),
        "voxels_least": float(voxels.min()),
        "voxels_most": float(voxels.max()),
        "energy_mev_mean": float(events.energy_mev.sum() / len(events)),
        "low_energy": low / max(int(voxels.sum()), 1),
        "track": float(share[VoxelLabel.HIP] + share[VoxelLabel.MIP]),
        **{label.name.lower(): float(share[label]) for label in VoxelLabel},
    }
