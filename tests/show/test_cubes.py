"""Faces, triangles and edges of cubes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cloudchamber.show.cubes import edges, exposed_faces, triangles

VOXELS = arrays(bool, (3, 4, 2), elements=st.booleans())


def one(*index: int) -> np.ndarray:
    voxels = np.zeros((3, 4, 5), bool)
    voxels[index] = True
    return voxels


def test_one_cube() -> None:
    faces = exposed_faces(one(2, 1, 3), voxel_m=0.5, base_m=1.0)
    assert len(faces.voxel) == 6
    np.testing.assert_array_equal(faces.voxel, [[2, 1, 3]] * 6)
    corners = faces.corners_m.reshape(-1, 3)
    np.testing.assert_allclose(corners.min(axis=0), [0.5, 1.5, 2.0])
    np.testing.assert_allclose(corners.max(axis=0), [1.0, 2.0, 2.5])
    assert len(edges(faces.corners_m)) == 12


def test_no_cube() -> None:
    faces = exposed_faces(np.zeros((2, 2, 2), bool))
    assert faces.corners_m.shape == (0, 4, 3)
    assert edges(faces.corners_m).shape == (0, 2, 3)


@given(VOXELS)
def test_faces_are_those_between_full_and_empty(voxels: np.ndarray) -> None:
    padded = np.pad(voxels, 1).astype(int)
    expected = sum(int(np.abs(np.diff(padded, axis=axis)).sum()) for axis in range(3))
    assert len(exposed_faces(voxels).voxel) == expected


@given(VOXELS)
def test_surface_encloses_the_volume_with_normals_outward(voxels: np.ndarray) -> None:
    """Divergence theorem: the signed tetrahedra over all triangles sum to the number of voxels."""
    faces = exposed_faces(voxels)
    corners = faces.corners_m.reshape(-1, 3)[triangles(len(faces.voxel))]
    volume = np.einsum("ti,ti->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
    assert np.isclose(volume, voxels.sum())


def test_faces_hidden_by_other_voxels() -> None:
    assert len(exposed_faces(one(1, 1, 1), hidden_by=one(1, 2, 1)).voxel) == 5


def test_edges_shared_by_faces_come_once() -> None:
    voxels = one(1, 1, 1) | one(1, 2, 1)
    assert len(edges(exposed_faces(voxels).corners_m)) == 20
