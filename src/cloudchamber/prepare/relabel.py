"""The relabelling of Domine and Terao: only the primary ionisation of a Michel electron is Michel.

Voxels that a Michel electron or a delta ray left away from the track, by way of photons, look like parts of
a shower and bear that label afterwards. Source: public code of the authors of arXiv:1903.05663.
"""

import dataclasses

import numpy as np
from jaxtyping import Int, UInt8

from cloudchamber.labels import VoxelLabel
from cloudchamber.prepare.clusters import REACH_VOXELS, components, near
from cloudchamber.voxel_events import VoxelEvents

RELABELLED = (VoxelLabel.MICHEL, VoxelLabel.DELTA)


def relabel(
    position: Int[np.ndarray, "voxel axis"],
    label: UInt8[np.ndarray, "voxel"],
    reach_voxels: float = REACH_VOXELS,
) -> UInt8[np.ndarray, "voxel"]:
    """Return the labels of one event with Michel and delta clusters that touch no track made shower.

    Parameters
    ----------
    position : coordinates, in voxels, each voxel once.
    label : values of VoxelLabel.
    reach_voxels : voxels of one label at most this far apart are of one cluster (DBSCAN with one voxel to a
        core, on Michel and on delta voxels separately). A cluster whose distance from every HIP or MIP voxel
        is this or more becomes shower; all do where there is neither HIP nor MIP.
    """
    new = np.array(label, dtype=np.uint8)
    track = position[(new == VoxelLabel.HIP) | (new == VoxelLabel.MIP)]
    for kind in RELABELLED:
        index = np.flatnonzero(new == kind)
        if not index.size:
            continue
        cluster = components(position[index], reach_voxels)
        attached = np.zeros(cluster.max() + 1, np.bool_)
        attached[cluster[near(position[index], track, reach_voxels)]] = True
        new[index[~attached[cluster]]] = VoxelLabel.SHOWER
    return new


def relabel_events(events: VoxelEvents, reach_voxels: float = REACH_VOXELS) -> VoxelEvents:
    """Return events relabelled, each by :func:`relabel`; the particle table stays as it was.

    Raises
    ------
    ValueError
        if the events come without labels.
    """
    if events.label is None:
        raise ValueError("these events come without labels")
    label = events.label.copy()
    for event in range(len(events)):
        voxels = events.voxels_of(event)
        label[voxels] = relabel(events.position[voxels], label[voxels], reach_voxels)
    return dataclasses.replace(events, label=label)
