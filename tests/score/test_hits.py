"""Scores of hits: ROC areas against another implementation, efficiencies against counts by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from cloudchamber.errors import InputError
from cloudchamber.labels import VertexFlag
from cloudchamber.prepare.hit_images import VERTEX_KINDS, HitScale, unpack_targets
from cloudchamber.score.hits import em_score, score_hits, score_vertices
from cloudchamber.score.hits_truth import (
    HitTruth,
    Pixels,
    distance_to_vertices,
    join_truth,
    lit_pixels,
    pixels_of_hits,
    truth_at,
)
from cloudchamber.score.published_hits import PARAMETERS, TIMES
from cloudchamber.score.roc import area_error, roc_area, score_roc
from cloudchamber.wire_events import WireEvents

from ..hit_planes import make_hit_events

EVENTS = make_hit_events(5)


@given(st.integers(0, 10**6), st.integers(1, 20))
@settings(max_examples=25, deadline=None)
def test_the_area_is_that_of_scikit_learn_ties_included(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    positive = rng.random(60) < 0.4
    if positive.all() or not positive.any():
        return
    score = rng.integers(0, levels, 60) / levels + 0.3 * positive
    assert roc_area(score, positive) == pytest.approx(roc_auc_score(positive, score))
    curve = score_roc(score, positive, np.arange(60))
    assert curve.area.value is not None
    assert np.trapezoid(curve.efficiency, curve.mistag) == pytest.approx(curve.area.value, abs=0.02)
    assert (curve.mistag[0], curve.efficiency[0]) == (0, 0)
    assert (curve.mistag[-1], curve.efficiency[-1]) == (1, 1)


def test_two_normal_distributions_have_the_area_they_should() -> None:
    rng = np.random.default_rng(1)
    positive = np.arange(40_000) % 2 == 0
    score = rng.normal(positive * 1.5, 1)
    curve = score_roc(score, positive, np.arange(40_000) // 100)
    expected = norm.cdf(1.5 / np.sqrt(2))
    assert curve.area.value == pytest.approx(expected, abs=4e-3)
    assert curve.area.error == pytest.approx(1.8e-3, rel=0.2)  # Hanley and McNeil for 20,000 of each
    assert curve.n_positive == curve.n_negative == 20_000


def test_the_error_is_that_of_drawing_events() -> None:
    rng = np.random.default_rng(2)
    event = np.repeat(np.arange(60), 50)
    positive = rng.random(3000) < 0.5
    score = rng.normal(positive + rng.normal(0, 1, 60)[event] * positive, 1)
    own = np.random.default_rng(3)
    areas = []
    for _ in range(300):
        rows = np.concatenate([np.flatnonzero(event == k) for k in own.integers(0, 60, 60)])
        areas.append(roc_auc_score(positive[rows], score[rows]))
    error = area_error(score, positive, event, resamples=400)
    assert error == pytest.approx(np.std(areas), rel=0.15)
    assert error > 2 * area_error(score, positive, np.arange(3000))  # type: ignore[operator]


def test_what_cannot_be_known_is_none() -> None:
    score = np.array([0.1, 0.2, 0.3])
    nothing = score_roc(score, np.zeros(3, bool), np.arange(3))
    assert nothing.area.value is None
    assert score_roc(score, np.array([True, False, True]), np.zeros(3)).area.error is None
    with pytest.raises(InputError, match="one length"):
        score_roc(score, np.zeros(2, bool), np.arange(3))
    with pytest.raises(InputError, match="finite"):
        score_roc(np.full(3, np.nan), np.zeros(3, bool), np.arange(3))


def test_hits_take_the_truth_of_the_pixel_of_their_peak() -> None:
    at = pixels_of_hits(EVENTS)
    truth = truth_at(EVENTS, at)
    assert EVENTS.activity is not None
    assert EVENTS.michel is not None
    expected = np.nonzero(EVENTS.activity)  # a hit on each charged pixel, in order
    np.testing.assert_array_equal(np.stack([at.event, at.wire, at.drift]), np.stack(expected))
    np.testing.assert_array_equal(truth.michel, EVENTS.michel[expected] > 0)
    np.testing.assert_array_equal(truth.classes == 0, EVENTS.activity[expected] == 1)
    kinetic = np.where(truth.classes == 0, 300, np.where(truth.michel, 40, 150))
    np.testing.assert_array_equal(truth.kinetic_mev, kinetic)
    lit = lit_pixels(EVENTS, HitScale())
    assert set(zip(lit.event, lit.wire, lit.drift, strict=True)) == set(
        zip(*np.nonzero(EVENTS.signal() > 10), strict=True)
    )


def test_distances_are_those_counted_by_hand() -> None:
    at = pixels_of_hits(EVENTS)
    distance = distance_to_vertices(EVENTS, at, VertexFlag.DECAY)
    assert EVENTS.vertex is not None
    for k in range(0, len(at), 17):
        wire, drift = np.argwhere(EVENTS.vertex[at.event[k]])[0]
        by_hand = np.hypot((at.wire[k] - wire) * 4.79, (at.drift[k] - drift) * 4.8)
        assert distance[k] == pytest.approx(by_hand)
    assert np.isnan(distance_to_vertices(EVENTS, at)).all()  # no interactions here


def _truth(n: int, seed: int) -> HitTruth:
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 3, n).astype(np.uint8)
    michel = (classes == 1) & (rng.random(n) < 0.3)
    return HitTruth(
        np.sort(rng.integers(0, 20, n)), classes, michel, rng.integers(0, 5, n).astype(np.uint8),
        rng.gamma(2, 100, n).astype(np.float32), rng.gamma(2, 100, n),
    )  # fmt: skip


def test_efficiency_and_purity_are_counted() -> None:
    truth = _truth(4000, 1)
    rng = np.random.default_rng(2)
    probability = np.column_stack([rng.dirichlet((1, 1, 1), 4000), rng.random(4000)]).astype(np.float32)
    score = score_hits(truth, probability, n_events=20)
    em, charged = em_score(probability) > 0.5, truth.classes != 2
    found = {(each.name, each.cut): each for each in score.selections}
    is_em = truth.classes == 1
    assert found["em", 0.5].efficiency.value == pytest.approx((em & is_em).sum() / is_em.sum())
    assert found["em", 0.5].purity.value == pytest.approx((em & is_em).sum() / (em & charged).sum())
    michel = probability[:, 3] > 0.8
    assert found["Michel", 0.8].purity.value == pytest.approx((michel & truth.michel).sum() / michel.sum())
    inside = is_em & (truth.kinetic_mev >= 30) & (truth.kinetic_mev < 100)
    of_bin = next(each for each in score.by_energy if each.low == 30)
    assert of_bin.n[0] == inside.sum()
    assert of_bin.em.value == pytest.approx((em & inside).sum() / inside.sum())
    assert sum(each.n[1] for each in score.by_distance) == (truth.classes == 0).sum()
    assert score.em.area.value == pytest.approx(0.5, abs=0.05)


def test_a_perfect_prediction_scores_one() -> None:
    truth = _truth(500, 3)
    probability = np.column_stack([np.eye(3)[truth.classes], truth.michel]).astype(np.float32)
    score = score_hits(truth, probability, n_events=20, at="lit pixels")
    assert score.em.area.value == score.michel.area.value == 1
    assert {each.efficiency.value for each in score.selections} == {1}
    assert score.at == "lit pixels"
    vertices = score_vertices(truth, np.eye(5, dtype=np.float32)[truth.vertex], n_events=20)
    assert [each.name for each in vertices.kinds] == list(VERTEX_KINDS[:4])
    assert all(each.efficiency.value == each.purity.value == 1 for each in vertices.kinds)
    assert vertices.vertex.area.value == 1


def test_of_vertices_the_likeliest_kind_counts() -> None:
    truth = _truth(3000, 5)
    probability = np.random.default_rng(1).dirichlet((1,) * 5, 3000).astype(np.float32)
    score = score_vertices(truth, probability, n_events=20)
    said = probability.argmax(axis=1)
    for kind, each in enumerate(score.kinds):
        right = ((said == kind) & (truth.vertex == kind)).sum()
        assert each.efficiency.value == pytest.approx(right / (truth.vertex == kind).sum())
        assert each.purity.value == pytest.approx(right / (said == kind).sum())


def test_bad_probabilities_are_refused() -> None:
    truth = _truth(10, 1)
    for bad in (np.zeros((9, 4)), np.zeros((10, 3)), np.full((10, 4), np.nan), np.full((10, 4), 2.0)):
        with pytest.raises(InputError):
            score_hits(truth, bad, n_events=20)
    with pytest.raises(InputError):
        score_hits(_truth(0, 1), np.zeros((0, 4)), n_events=20)


def test_hits_beyond_the_plane_are_refused() -> None:
    with pytest.raises(ValueError, match="with hits"):
        pixels_of_hits(WireEvents(EVENTS.readout, EVENTS.code))
    wrong = EVENTS.hits.copy()  # type: ignore[union-attr]
    wrong["wire"][3] = 64
    with pytest.raises(ValueError, match="wires 0 to 63"):
        pixels_of_hits(WireEvents(EVENTS.readout, EVENTS.code, hit_offsets=EVENTS.hit_offsets, hits=wrong))


def test_truth_of_several_sets_is_joined_event_by_event() -> None:
    whole = truth_at(EVENTS, pixels_of_hits(EVENTS))
    parts = [EVENTS.chosen(0, 2), EVENTS.chosen(2, 5)]
    joined = join_truth([truth_at(part, pixels_of_hits(part)) for part in parts], [2, 3])
    for name in HitTruth.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name))
    assert len(Pixels(joined.event, joined.event, joined.event)) == len(whole)
    assert [int(each[0]) for each in unpack_targets(np.array([2 + 4 + (3 << 3)], np.uint8))] == [2, 1, 3]


def test_the_published_step_is_twelvefold() -> None:
    assert TIMES[0].seconds / TIMES[1].seconds == pytest.approx(12, abs=0.1)
    assert PARAMETERS == 11_900_420
