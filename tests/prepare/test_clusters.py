"""Clusters against scikit-learn and against distances taken one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Int32
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN

from cloudchamber.prepare.clusters import NOISE, REACH_VOXELS, components, dbscan, near


def cloud(seed: int, n: int, width: int) -> Int32[np.ndarray, "voxel 3"]:
    return np.unique(np.random.default_rng(seed).integers(0, width, (n, 3), dtype=np.int32), axis=0)


@given(st.integers(0, 10_000), st.integers(1, 150), st.integers(2, 25))
def test_components_are_dbscan_with_one_voxel_to_a_core(seed: int, n: int, width: int) -> None:
    position = cloud(seed, n, width)
    ours = components(position)
    theirs = DBSCAN(eps=REACH_VOXELS, min_samples=1).fit(position).labels_
    assert len({*zip(ours, theirs, strict=True)}) == len(set(ours)) == len(set(theirs))


@given(st.integers(0, 10_000), st.integers(0, 80), st.integers(3, 12), st.integers(1, 8))
def test_dbscan_by_its_definition(seed: int, n: int, width: int, least: int) -> None:
    position = cloud(seed, n, width) if n else np.zeros((0, 3), np.int32)
    found = dbscan(position, least)
    linked = cdist(position, position, "sqeuclidean") <= 8 if n else np.zeros((0, 0), bool)
    core = linked.sum(axis=1) >= least
    assert np.array_equal(found == NOISE, ~(linked & core).any(axis=1))
    pairs = linked & core & core[:, None]
    assert (found[:, None] == found)[pairs].all()
    for k, of in enumerate(found):
        if of != NOISE:
            assert of in set(found[linked[k] & core])


@pytest.mark.parametrize(("apart", "clusters"), [((2, 2, 0), 1), ((2, 2, 1), 2), ((3, 0, 0), 2)])
def test_reach_of_a_cluster_includes_its_limit(apart: tuple[int, int, int], clusters: int) -> None:
    position = np.array([[0, 0, 0], apart], np.int32)
    assert len(set(components(position))) == len(set(dbscan(position, 1))) == clusters


@pytest.mark.parametrize(("apart", "found"), [((2, 1, 1), True), ((2, 2, 0), False), ((0, 0, 0), True)])
def test_near_excludes_its_limit(apart: tuple[int, int, int], found: bool) -> None:
    origin = np.zeros((1, 3), np.int32)
    assert near(np.array([apart], np.int32), origin).tolist() == [found]


def test_nothing_is_near_nothing() -> None:
    none, one = np.zeros((0, 3), np.int32), np.zeros((1, 3), np.int32)
    assert near(one, none).tolist() == [False]
    assert near(none, one).shape == components(none).shape == (0,)
