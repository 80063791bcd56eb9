"""Clusters whose answer is known: toys."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.infer.hits_clusters import find_michels, score_clusters


def scores(track: list[float], em: list[float], michel: list[float]) -> np.ndarray:
    none = 1 - np.array(track) - np.array(em)
    return np.stack([track, em, none, michel], axis=1).astype(np.float32)


def test_a_cluster_has_the_mean_log_odds_of_its_hits() -> None:
    hits = scores([0.8, 0.2, 0.1, 0.45], [0.2, 0.8, 0.9, 0.45], [0.5, 0.9, 0.9, 0.1])
    found = score_clusters(hits, np.array([0, 0, 1, 1]))
    odds = (np.log(0.9 / 0.1) + np.log(0.45 / 0.45)) / 2  # what is none counts for neither side
    np.testing.assert_allclose(found.em, [0.5, 1 / (1 + np.exp(-odds))], rtol=1e-5)
    np.testing.assert_allclose(found.michel, [0.75, 0.5], rtol=1e-5)  # odds 1 and 9: sqrt(9) = 3
    np.testing.assert_array_equal(found.hits, [2, 2])


def test_weights_hits_of_none_and_empty_clusters() -> None:
    hits = scores([0.9, 0.1, 0.5], [0.1, 0.9, 0.5], [0.5, 0.5, 0.5])
    found = score_clusters(hits, np.array([0, 0, -1]), 3, np.array([3.0, 1.0, 100.0]))
    odds = (3 * np.log(1 / 9) + np.log(9)) / 4
    np.testing.assert_allclose(found.em[0], 1 / (1 + np.exp(-odds)), rtol=1e-5)
    assert np.isnan(found.em[1:]).all()
    np.testing.assert_array_equal(found.hits, [2, 0, 0])


def test_no_single_hit_decides() -> None:
    """One certain hit of a hundred does not outweigh the others."""
    track, em = [0.7] * 99 + [0.0], [0.3] * 99 + [1.0]
    assert score_clusters(scores(track, em, [0.5] * 100), np.zeros(100, int)).em[0] < 0.5


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=30))
def test_scores_lie_within_those_of_the_hits_in_any_order(em: list[float]) -> None:
    hits = scores([1 - p for p in em], em, em)
    found = score_clusters(hits, np.zeros(len(em), int))
    assert min(em) - 1e-4 <= found.em[0] <= max(em) + 1e-4
    order = np.random.default_rng(len(em)).permutation(len(em))
    again = score_clusters(hits[order], np.zeros(len(em), int))
    np.testing.assert_allclose([again.em[0], again.michel[0]], [found.em[0], found.michel[0]], rtol=1e-9)


@pytest.mark.parametrize(("cluster", "weight", "message"), [
    ([0], None, "2 hits, 1 clusters"), ([0, 0], [1.0, -1.0], "not negative"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(cluster: list[int], weight: list[float] | None, message: str) -> None:
    hits = scores([0.5, 0.5], [0.5, 0.5], [0.5, 0.5])
    with pytest.raises(ValueError, match=message):
        score_clusters(hits, np.array(cluster), weight=None if weight is None else np.array(weight))


def test_michels_at_the_ends_of_two_tracks() -> None:
    """Two short stubs of Michel hits, one surer, a lone hit, and a long track that is none."""
    rng = np.random.default_rng(0)
    track = np.stack([np.arange(100), 50 + 0.5 * np.arange(100)], axis=1)
    stub = np.stack([100 + np.arange(8), 100 - np.arange(8)], axis=1)
    other = np.stack([300 + np.arange(5), 500 + np.arange(5)], axis=1)
    place = np.concatenate([track, stub, other, [[400, 20]]])
    michel = np.concatenate([np.full(100, 0.05), np.full(8, 0.8), np.full(5, 0.95), [0.9]])
    order = rng.permutation(len(place))
    hits = scores([0.5] * len(place), [0.5] * len(place), michel.tolist())
    found = find_michels(hits[order], place[order, 0], place[order, 1], pitch_mm=4.79, drift_mm=4.8)
    assert len(found) == 2
    np.testing.assert_array_equal(found.hits, [5, 8])
    np.testing.assert_allclose(found.score, [0.95, 0.8], rtol=1e-5)
    np.testing.assert_allclose(found.wire, [302, 103.5])
    np.testing.assert_allclose(found.drift, [502, 96.5])
    np.testing.assert_allclose(found.extent_mm, [4 * np.hypot(4.79, 4.8), 7 * np.hypot(4.79, 4.8)])
    of_hit = np.full(len(place), -1)
    of_hit[100:108], of_hit[108:113] = 1, 0
    np.testing.assert_array_equal(found.cluster, of_hit[order])


def test_distances_are_in_mm() -> None:
    """Hits 4 bins apart are neighbours where a bin is short, and are not where it is long."""
    hits = scores([0.5] * 4, [0.5] * 4, [0.9] * 4)
    wire, drift = np.zeros(4, int), np.arange(0, 16, 4)
    near = find_michels(hits, wire, drift, pitch_mm=4.79, drift_mm=3.0)
    far = find_michels(hits, wire, drift, pitch_mm=4.79, drift_mm=4.8)
    assert (len(near), len(far)) == (1, 0)


def test_no_hits_no_candidates() -> None:
    none = np.empty((0, 4), np.float32)
    found = find_michels(none, np.empty(0), np.empty(0), pitch_mm=4.79, drift_mm=4.8)
    assert len(found) == 0
    assert len(found.cluster) == 0
