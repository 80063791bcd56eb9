"""Groups of voxels that touch: DBSCAN, and components under a distance.

Distances are between the whole-number coordinates of voxels, in voxels. The reach of everything that the
authors of arXiv:1903.05663 cluster is 2 sqrt 2: the diagonal of a face of two voxels.
"""

import math

import numpy as np
from jaxtyping import Bool, Int, Int64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from sklearn.cluster import DBSCAN

REACH_VOXELS = 2 * math.sqrt(2)
NOISE = -1
_HAIR = 1e-6  # squared distances are whole numbers: this much decides which side of the reach is meant


def dbscan(
    position: Int[np.ndarray, "voxel axis"], min_voxels: int, reach_voxels: float = REACH_VOXELS
) -> Int64[np.ndarray, "voxel"]:
    """Return the cluster of every voxel, by scikit-learn's DBSCAN; -1 where a voxel is in none.

    Parameters
    ----------
    position : coordinates, in voxels.
    min_voxels : how many voxels, itself among them, a voxel has within the reach to be a cluster's core.
    reach_voxels : voxels at this distance, or closer, are neighbours.
    """
    if len(position) < min_voxels:
        return np.full(len(position), NOISE, np.int64)
    find = DBSCAN(eps=reach_voxels, min_samples=min_voxels, algorithm="kd_tree")
    return np.asarray(find.fit(np.asarray(position)).labels_, dtype=np.int64)


def components(
    position: Int[np.ndarray, "voxel axis"], reach_voxels: float = REACH_VOXELS
) -> Int64[np.ndarray, "voxel"]:
    """Return the component of every voxel when those at most ``reach_voxels`` apart are linked.

    This is DBSCAN with one voxel to a core, whose cores are all voxels, several times faster.
    """
    n = len(position)
    if not n:
        return np.zeros(0, np.int64)
    pairs = cKDTree(position).query_pairs(reach_voxels + _HAIR, output_type="ndarray")
    links = coo_array((np.ones(len(pairs), np.bool_), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def near(
    position: Int[np.ndarray, "voxel axis"],
    others: Int[np.ndarray, "other axis"],
    reach_voxels: float = REACH_VOXELS,
) -> Bool[np.ndarray, "voxel"]:
    """Return which voxels have one of ``others`` closer than ``reach_voxels``, that distance not included."""
    if not len(position) or not len(others):
        return np.zeros(len(position), np.bool_)
    distance, _ = cKDTree(others).query(position, distance_upper_bound=reach_voxels - _HAIR)
    return np.asarray(np.isfinite(distance), dtype=np.bool_)
