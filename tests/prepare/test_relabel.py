"""The relabelling against its definition, written out with scikit-learn and all distances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Int32, UInt8
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN

from cloudchamber.labels import VoxelLabel
from cloudchamber.prepare.relabel import relabel, relabel_events
from cloudchamber.voxel_events import VoxelEvents, join_events, offsets_of

HIP, MIP, SHOWER, DELTA, MICHEL = VoxelLabel
EPS = 2.8284271247461903


def literal(position: Int32[np.ndarray, "voxel 3"], label: UInt8[np.ndarray, "voxel"]) -> list[int]:
    def clusters(chosen: np.ndarray) -> list[np.ndarray]:
        rows = np.flatnonzero(chosen)
        if not len(rows):
            return []
        of = DBSCAN(eps=EPS, min_samples=1).fit(position[rows]).labels_
        return [rows[of == k] for k in np.unique(of)]

    tracks = clusters(np.isin(label, [HIP, MIP]))
    new = label.copy()
    for kind in (MICHEL, DELTA):
        for rows in clusters(label == kind):
            if all(cdist(position[rows], position[track]).min() >= EPS for track in tracks):
                new[rows] = SHOWER
    return [int(value) for value in new]


def random_event(seed: int, n: int, width: int) -> VoxelEvents:
    rng = np.random.default_rng(seed)
    position = np.unique(rng.integers(0, width, (n, 3), dtype=np.int32), axis=0)
    label = rng.choice([HIP, MIP, SHOWER, DELTA, MICHEL], len(position), p=[0.05, 0.1, 0.25, 0.3, 0.3])
    offsets = offsets_of([len(position)])
    energy = np.ones(len(position), np.float32)
    return VoxelEvents((64, 64, 64), 3.0, offsets, position, energy, label.astype(np.uint8))


events = st.builds(random_event, st.integers(0, 10_000), st.integers(1, 150), st.integers(3, 20))


@given(events)
def test_equal_to_its_definition(event: VoxelEvents) -> None:
    assert event.label is not None
    assert relabel(event.position, event.label).tolist() == literal(event.position, event.label)


@given(events)
def test_a_second_time_changes_nothing(event: VoxelEvents) -> None:
    once = relabel_events(event)
    twice = relabel_events(once)
    assert once.label is not None
    assert twice.label is not None
    assert np.array_equal(once.label, twice.label)


@given(events)
def test_only_michels_and_deltas_change(event: VoxelEvents) -> None:
    new = relabel_events(event).label
    assert new is not None
    assert event.label is not None
    changed = new != event.label
    assert set(event.label[changed]) <= {MICHEL, DELTA}
    assert set(new[changed]) <= {SHOWER}


def test_events_do_not_see_each_other() -> None:
    parts = [random_event(seed, 80, 12) for seed in range(5)]
    both = relabel_events(join_events(parts)).label
    assert both is not None
    alone = [relabel_events(part).label for part in parts]
    assert np.array_equal(both, np.concatenate([label for label in alone if label is not None]))


@pytest.mark.parametrize(
    ("apart", "kept"), [((2, 1, 1), True), ((2, 2, 0), False), ((3, 0, 0), False), ((1, 0, 0), True)]
)
def test_what_touches_a_track_stays_with_all_of_its_cluster(apart: tuple[int, int, int], kept: bool) -> None:
    x, y, z = apart
    position = np.array([(0, 0, 0), apart, (x + 2, y, z), (x + 4, y, z)], np.int32)
    label = np.array([MIP, MICHEL, MICHEL, MICHEL], np.uint8)
    assert relabel(position, label).tolist() == [MIP, *([MICHEL if kept else SHOWER] * 3)]


def test_without_a_track_all_becomes_shower() -> None:
    position = np.array([(0, 0, 0), (1, 0, 0), (2, 0, 0)], np.int32)
    assert relabel(position, np.array([SHOWER, DELTA, MICHEL], np.uint8)).tolist() == [SHOWER] * 3


def test_events_without_labels() -> None:
    bare = VoxelEvents((4, 4, 4), 3.0, offsets_of([0]), np.zeros((0, 3), np.int32), np.zeros(0, np.float32))
    with pytest.raises(ValueError, match="without labels"):
        relabel_events(bare)
