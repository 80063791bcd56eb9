"""Voxels as solid cubes: only the faces that can be seen, each with its own corners (so sharply shaded)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

# The four corners of a face, in order around it, as seen from outside; in units of a voxel, axes (x, y, z).
_FACES: tuple[tuple[tuple[int, int, int], tuple[tuple[int, int, int], ...]], ...] = (
    ((1, 0, 0), ((1, 0, 0), (1, 1, 0), (1, 1, 1), (1, 0, 1))),
    ((-1, 0, 0), ((0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0))),
    ((0, 1, 0), ((0, 1, 0), (0, 1, 1), (1, 1, 1), (1, 1, 0))),
    ((0, -1, 0), ((0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1))),
    ((0, 0, 1), ((0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1))),
    ((0, 0, -1), ((0, 0, 0), (0, 1, 0), (1, 1, 0), (1, 0, 0))),
)


class Faces(NamedTuple):
    """Faces of cubes, wound counter-clockwise seen from outside."""

    corners_m: Float[np.ndarray, "face corner=4 axis=3"]
    voxel: Int[np.ndarray, "face axis=3"]


def exposed_faces(
    voxels: Bool[np.ndarray, "z x y"],
    *,
    hidden_by: Bool[np.ndarray, "z x y"] | None = None,
    voxel_m: float = 1.0,
    base_m: float = 0.0,
) -> Faces:
    """Return the faces of ``voxels`` that no other opaque voxel covers.

    Parameters
    ----------
    voxels : which voxels to draw, z = 0 the deepest layer.
    hidden_by : which voxels are opaque; ``voxels`` themselves if none.
    voxel_m, base_m : side of a voxel; height of the lower face of the volume.

    Returns
    -------
    Corners in metres, axes (x, y, z), and of each face the index (z, x, y) of its voxel.
    """
    opaque = np.pad(voxels if hidden_by is None else hidden_by | voxels, 1)
    corners, owners = [], []
    inside = slice(1, -1)
    for (dx, dy, dz), corner in _FACES:
        covered = np.roll(opaque, (-dz, -dx, -dy), axis=(0, 1, 2))[inside, inside, inside]
        index = np.argwhere(voxels & ~covered)
        owners.append(index)
        corners.append(index[:, None, [1, 2, 0]] + np.array(corner)[None])
    corners_m = np.concatenate(corners) * voxel_m + np.array([0.0, 0.0, base_m])
    return Faces(corners_m, np.concatenate(owners))


def triangles(faces: int) -> Int[np.ndarray, "triangle corner=3"]:
    """Return the corners of the two triangles of each face, where corner k of face f is number 4 f + k."""
    first = 4 * np.arange(faces)[:, None]
    return np.asarray((first[:, :, None] + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3))


def edges(corners_m: Float[np.ndarray, "face corner=4 axis=3"]) -> Float[np.ndarray, "edge end=2 axis=3"]:
    """Return every edge of the faces once."""
    ends = np.stack([corners_m, np.roll(corners_m, -1, axis=1)], axis=2).reshape(-1, 2, 3)
    swap = (np.sign(ends[:, 1] - ends[:, 0]).sum(axis=1) < 0)[:, None, None]
    ordered = np.where(swap, ends[:, ::-1], ends).round(6)
    return np.unique(ordered.reshape(-1, 6), axis=0).reshape(-1, 2, 3)
