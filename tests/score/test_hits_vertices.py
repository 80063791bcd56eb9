"""Vertices found on planes: candidates, matches and cuts against what is counted by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.errors import InputError
from cloudchamber.prepare.hit_images import VERTEX_KINDS
from cloudchamber.score.hits_vertices import (
    ANY,
    NO_CUT,
    SOUGHT,
    VertexMatches,
    choose_cut,
    find_vertices,
    join_matches,
    match_vertices,
    score_found,
    vertex_scores,
)

DECAY, HADRONIC, NOT = (VERTEX_KINDS.index(name) for name in ("decay", "hadronic", "not"))


def _one(event: int, best: list[float], score: list[float], right: list[bool]) -> VertexMatches:
    return VertexMatches(
        np.full(len(best), event), np.array(best), np.full(len(score), event), np.array(score),
        np.array(right, bool),
    )  # fmt: skip


def _says(*kinds: tuple[int, float]) -> np.ndarray:
    probability = np.zeros((len(kinds), 5))
    for row, (kind, value) in enumerate(kinds):
        probability[row, kind], probability[row, NOT] = value, 1 - value
    return probability


@given(st.integers(0, 10**6), st.floats(0, 0.9))
@settings(max_examples=30, deadline=None)
def test_candidates_stand_apart_and_leave_no_hit_out(seed: int, cut: float) -> None:
    rng = np.random.default_rng(seed)
    score, place = rng.random(60), rng.uniform(0, 150, (60, 2))
    taken = find_vertices(score, place, 30)
    apart = np.hypot(*(place[taken][:, None] - place[taken]).transpose(2, 0, 1))
    assert (apart + 100 * np.eye(len(taken)) > 30).all()
    near = np.hypot(*(place[:, None] - place[taken]).transpose(2, 0, 1)) <= 30
    assert (near & (score[taken] >= score[:, None])).any(axis=1).all()
    assert (np.diff(score[taken]) <= 0).all()
    above = np.flatnonzero(score > cut)
    cut_first = above[find_vertices(score[above], place[above], 30)]
    np.testing.assert_array_equal(taken[score[taken] > cut], cut_first)


def test_a_vertex_is_found_by_its_own_kind_within_reach() -> None:
    place = np.array([[0.0, 0], [5, 0], [100, 0], [200, 0]])
    probability = _says((DECAY, 0.6), (DECAY, 0.9), (HADRONIC, 0.8), (DECAY, 0.7))
    true_mm, kind = np.array([[10.0, 20], [100, 20], [200, 31]]), np.array([DECAY, DECAY, DECAY])
    found = match_vertices(3, probability, place, kind, true_mm)
    np.testing.assert_array_equal(found["decay"].best, [0.9, 0, 0])
    np.testing.assert_allclose(found["decay"].score, [0.9, 0.7, 0])
    np.testing.assert_array_equal(found["decay"].right, [True, False, True])  # the last at no score at all
    np.testing.assert_allclose(found[ANY].best, [0.9, 0.8, 0])
    assert set(found["decay"].event) == {3}
    assert len(found["hadronic"].best) == 0
    np.testing.assert_allclose(vertex_scores(probability)[:, 4], 1 - probability[:, NOT])


def test_efficiency_and_purity_are_counted_over_all_events() -> None:
    empty = _one(0, [], [], [])
    decays = [_one(0, [0.9, 0.2], [0.9, 0.8], [True, False]), _one(1, [0.6], [0.6, 0.4], [True, False])]
    parts = [dict.fromkeys(SOUGHT, empty) | {"decay": each} for each in decays]
    found = {each.name: each for each in score_found(join_matches(parts), (0.5,) * 5, n_events=2)}
    assert (found["decay"].n, found["decay"].candidates) == (3, 3)
    assert found["decay"].efficiency.value == pytest.approx(2 / 3)
    assert found["decay"].purity.value == pytest.approx(2 / 3)
    assert found["decay"].purity.error is not None
    assert found["hadronic"].efficiency.value is None
    with pytest.raises(ValueError, match="shorter"):
        score_found(join_matches(parts), (0.5,), n_events=2)
    with pytest.raises(InputError):
        score_found(join_matches(parts), (0.5,) * 5, n_events=0)


@given(st.integers(0, 10**6), st.integers(2, 12))
@settings(max_examples=40, deadline=None)
def test_no_cut_has_more_efficiency_times_purity(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    score = rng.integers(0, levels, 30) / levels
    right = rng.random(30) < 0.3 + 0.5 * score
    best = np.where(rng.random(12) < 0.7, rng.choice(score[right], 12) if right.any() else 0, 0)
    one = _one(0, list(best), list(score), list(right))

    def merit(cut: float) -> float:
        chosen = score > cut
        return float((best > cut).mean() * right[chosen].mean()) if chosen.any() else 0.0

    best_of_all = max(merit(value) for value in [0.0, *np.unique(score)])
    if best_of_all > 0:
        assert merit(choose_cut(one)) == pytest.approx(best_of_all)


def test_without_vertices_the_cut_is_a_half() -> None:
    assert choose_cut(_one(0, [], [0.3, 0.2], [False, False])) == NO_CUT
    assert choose_cut(_one(0, [], [], [])) == NO_CUT
