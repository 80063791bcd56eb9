"""The tables of PILArNet-M: their columns, its classes and kinds of particles against ours.

Sources: the data set's cards and the loaders published with PoLAr-MAE and Panda. Revisions differ in the
columns of ``cluster`` (5 in v1, 6 with the kind of particle in v2 and v3) and of ``cluster_extra`` (absent in
v1, 5 in v2, 6 with ``is_primary`` in v3).
"""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, Shaped

from cloudchamber.labels import Process, VoxelLabel
from cloudchamber.source.larcv_names import PROTON
from cloudchamber.voxel_events import PARTICLE

POINT, CLUSTER, EXTRA = "point", "cluster", "cluster_extra"
POINT_COLUMNS = ("x", "y", "z", "value", "dE", "t", "electrons", "dx")
CLUSTER_COLUMNS = ("size", "cluster id", "group id", "interaction id", "semantic", "pid")
EXTRA_COLUMNS = ("mass", "momentum", "vertex x", "vertex y", "vertex z", "is_primary")
SHOWER, TRACK, MICHEL, DELTA, LOW_ENERGY = range(5)
PROTON_PID = 4
LowEnergy = Literal["shower", "drop"]
Revision = Literal[1, 2, 3]

SEMANTIC_OF = {
    VoxelLabel.HIP: TRACK, VoxelLabel.MIP: TRACK, VoxelLabel.SHOWER: SHOWER, VoxelLabel.DELTA: DELTA,
    VoxelLabel.MICHEL: MICHEL,
}  # fmt: skip
PDG_OF = {0: 22, 1: 11, 2: 13, 3: 211, PROTON_PID: PROTON, 5: 321}
PID_OF = {22: 0, 11: 1, 13: 2, 211: 3, PROTON: PROTON_PID, 321: 5}
_LABELS = np.array(
    [VoxelLabel.SHOWER, VoxelLabel.MIP, VoxelLabel.MICHEL, VoxelLabel.DELTA, VoxelLabel.SHOWER], np.uint8
)


class Event(NamedTuple):
    """The rows of one event; what a revision lacks is filled up with -1 (pid) and NaN (extra)."""

    point: Float64[np.ndarray, "voxel 8"]
    cluster: Int64[np.ndarray, "cluster 6"]
    extra: Float64[np.ndarray, "cluster 6"]


def labels_of(cluster: Int64[np.ndarray, "cluster 6"]) -> Shaped[np.ndarray, "cluster"]:
    """Return the five-class label of clusters: tracks of protons are HIP, low-energy deposits showers."""
    label = np.asarray(_LABELS[cluster[:, 4]])
    label[(cluster[:, 4] == TRACK) & (cluster[:, 5] == PROTON_PID)] = VoxelLabel.HIP
    return label


def pid_of(pdg: int, label: int) -> int:
    """Return the kind of particle to write beside a label; a proton stands for HIP and nothing else."""
    if label == VoxelLabel.HIP:
        return PROTON_PID
    pid = PID_OF.get(abs(pdg), -1)
    return -1 if pid == PROTON_PID else pid


def particle_rows(
    event: Event, voxel_mm: float
) -> tuple[Int64[np.ndarray, "cluster"], Shaped[np.ndarray, "particle"]]:
    """Return each cluster's row among the particles (-1 for clusters of none, with a negative id), and these.

    A cluster is a particle: its id the track_id, the cluster of its group's id the parent. Signs of charge
    are not in the file, so pdg is that of the negative lepton and the positive hadron; nor are directions and
    ends. Electrons get the process that their class tells, primaries theirs, all others none.
    """
    is_particle = event.cluster[:, 1] >= 0
    row = np.where(is_particle, np.cumsum(is_particle) - 1, -1).astype(np.int64)
    cluster, extra = event.cluster[is_particle], event.extra[is_particle]
    table = np.zeros(len(cluster), PARTICLE)
    table["pdg"] = [PDG_OF.get(pid, 0) for pid in cluster[:, 5].tolist()]
    table["track_id"] = cluster[:, 1]
    table["label"] = labels_of(cluster)
    rows = {number: at for at, number in reversed(list(enumerate(cluster[:, 1].tolist())))}
    parent = np.array([rows.get(group, -1) for group in cluster[:, 2].tolist()], np.int64)
    table["parent"] = np.where(parent == np.arange(len(parent)), -1, parent)
    table["process"] = Process.UNKNOWN
    table["process"][cluster[:, 4] == DELTA] = Process.IONISATION
    table["process"][cluster[:, 4] == MICHEL] = Process.DECAY
    table["process"][extra[:, 5] == 1] = Process.PRIMARY
    mass, momentum = extra[:, 0], extra[:, 1]
    table["kinetic_mev"] = np.hypot(mass, momentum) - mass
    table["deposit_mev"] = np.nan
    table["momentum_mev"] = np.nan
    table["start_mm"] = extra[:, 2:5] * voxel_mm
    table["end_mm"] = np.nan
    return row, table
