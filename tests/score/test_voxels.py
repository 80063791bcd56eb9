"""The score of voxels on events with known answers, and against torchmetrics and plain loops."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.classification import (
    multiclass_confusion_matrix,
    multiclass_jaccard_index,
    multiclass_recall,
)

from cloudchamber.errors import InputError
from cloudchamber.labels import VoxelLabel
from cloudchamber.score.voxels import VoxelsScore, confusion_by_event, score_voxels
from cloudchamber.score.voxels_parts import distance_to_end, shower_scores
from cloudchamber.voxel_events import VoxelEvents, join_events, offsets_of

from .lartpc import event, label_of, line, mistaken, random_events

HIP, MIP, SHOWER, DELTA, MICHEL = VoxelLabel
seeds = st.integers(0, 1000)


def values(score: VoxelsScore) -> list[float | None]:
    found = [score.accuracy.value, score.event_accuracy.value, score.mean_iou.value]
    return found + [e.value for c in score.classes for e in (c.accuracy, c.purity, c.iou)]


@settings(max_examples=30)
@given(seeds)
def test_a_perfect_prediction_gives_one(seed: int) -> None:
    events = random_events(seed)
    one_hot = np.eye(5, dtype=np.float32)[label_of(events)]
    score = score_voxels(events, label_of(events), one_hot, resamples=10)
    assert values(score) == [1.0] * 18
    assert all(b.accuracy.value == 1 for b in score.by_track_end)
    assert score.calibration_error == 0
    assert score.shower_uniformity is not None
    assert score.shower_uniformity.event_mean.value == 1
    assert score.shower_uniformity.spread_of_events.value == 0
    assert score.shower_uniformity.spread_in_event.value == 0
    assert [b.low for b in score.reliability] == [0.9]


@settings(max_examples=30)
@given(seeds, st.floats(0, 1))
def test_the_order_of_events_changes_nothing(seed: int, share: float) -> None:
    events = random_events(seed, 4)
    predicted = mistaken(events, share, seed)
    order = np.random.default_rng(seed).permutation(4)
    turned = join_events([events.chosen(k, k + 1) for k in order])
    predicted_turned = np.concatenate([predicted[events.voxels_of(k)] for k in order])
    a, b = (score_voxels(e, p, resamples=2) for e, p in ((events, predicted), (turned, predicted_turned)))
    assert values(a) == pytest.approx(values(b), rel=1e-12)
    assert a.confusion == b.confusion
    assert [x.accuracy.value for x in a.by_track_end] == [x.accuracy.value for x in b.by_track_end]


@settings(max_examples=30)
@given(seeds, st.floats(0, 1))
def test_equal_to_torchmetrics(seed: int, share: float) -> None:
    events = random_events(seed, 3)
    predicted = mistaken(events, share, seed)
    score = score_voxels(events, predicted, resamples=2)
    pair: tuple[Any, Any] = (
        torch.from_numpy(predicted.astype(np.int64)),
        torch.from_numpy(label_of(events).astype(np.int64)),
    )
    assert score.confusion == tuple(
        map(tuple, multiclass_confusion_matrix(pair[0], pair[1], num_classes=5).tolist())
    )
    iou = multiclass_jaccard_index(pair[0], pair[1], num_classes=5, average=None)
    assert [c.iou.value for c in score.classes] == pytest.approx(iou.tolist(), rel=1e-6)
    assert score.mean_iou.value == pytest.approx(float(iou.mean()), rel=1e-6)
    recall = multiclass_recall(pair[0], pair[1], num_classes=5, average=None)
    assert [c.accuracy.value for c in score.classes] == pytest.approx(recall.tolist(), rel=1e-6)
    assert score.accuracy.value == pytest.approx(float((pair[0] == pair[1]).double().mean()))


def test_accuracy_of_all_voxels_and_of_events() -> None:
    small, large = (
        event([(MIP, line((0, 0, 0), (1, 0, 0), 10))]),
        event([(MIP, line((0, 0, 0), (1, 0, 0), 90))]),
    )
    predicted = np.full(100, MIP, np.uint8)
    predicted[:10] = SHOWER
    score = score_voxels(join_events([small, large]), predicted)
    assert score.accuracy.value == 0.9
    assert score.event_accuracy.value == 0.5
    assert score.mean_iou.value == pytest.approx(0.45)
    assert [c.n_voxels for c in score.classes] == [0, 100, 0, 0, 0]
    assert score.classes[MIP].purity.value == 1
    assert score.classes[SHOWER].purity.value == 0
    assert score.classes[HIP].accuracy.value is None
    assert score.shower_uniformity is None


def test_errors_of_the_mean_iou_are_those_of_a_plain_bootstrap() -> None:
    events = random_events(3, 40)
    predicted = mistaken(events, 0.2)
    confusion = confusion_by_event(events, predicted)
    rng = np.random.default_rng(5)
    drawn = []
    for _ in range(2000):
        total = confusion[rng.integers(0, 40, 40)].sum(axis=0)
        both = np.diagonal(total)
        drawn.append((both / (total.sum(0) + total.sum(1) - both)).mean())
    score = score_voxels(events, predicted)
    assert score.mean_iou.error == pytest.approx(np.std(drawn), rel=0.15)


def test_distance_to_the_end_of_a_track() -> None:
    track = line((10, 20, 30), (1, 0, 0), 50)
    events = event([(MIP, track), (SHOWER, line((100, 100, 100), (0, 1, 0), 5))])
    distance = distance_to_end(events)
    assert distance is not None
    assert distance[:50].tolist() == pytest.approx(list(range(49, -1, -1)))
    assert np.isnan(distance[50:]).all()
    predicted = label_of(events).copy()
    predicted[48:50] = MICHEL
    bins = score_voxels(events, predicted).by_track_end
    assert [(b.low_voxels, b.high_voxels, b.n_voxels) for b in bins][:2] == [(0, 2, 2), (2, 4, 2)]
    assert [b.accuracy.value for b in bins] == [0] + [1] * (len(bins) - 1)
    assert sum(b.n_voxels for b in bins) == 50


def test_ends_that_are_not_known_do_not_count() -> None:
    events = event([(MIP, line((10, 20, 30), (1, 0, 0), 50))])
    assert events.particles is not None
    events.particles["end_mm"] = np.nan
    assert score_voxels(events, label_of(events)).by_track_end == ()
    bare = dataclasses.replace(events, particle=None, particles=None, particle_offsets=None)
    assert score_voxels(bare, label_of(events)).by_track_end == ()


def test_uniformity_of_shower_scores() -> None:
    shower = [(SHOWER, line((10, 20, 30), (1, 0, 0), 2))]
    events = join_events([event(shower), event(shower), event([(MIP, line((0, 0, 0), (1, 0, 0), 3))])])
    probability = np.zeros((7, 5))
    probability[:, SHOWER] = [0.5, 0.7, 0.9, 0.9, 0.1, 0.1, 0.1]
    scores = shower_scores(events, probability)
    assert scores.mean.tolist() == pytest.approx([0.6, 0.9])
    assert scores.spread.tolist() == pytest.approx([0.1, 0.0], abs=1e-7)
    found = score_voxels(events, label_of(events), probability).shower_uniformity
    assert found is not None
    assert found.n_events == 2
    assert found.event_mean.value == pytest.approx(0.75)
    assert found.spread_of_events.value == pytest.approx(0.15)
    assert found.spread_in_event.value == pytest.approx(0.05)


def test_reliability() -> None:
    events = event([(MIP, line((0, 0, 0), (1, 0, 0), 100))])
    probability = np.zeros((100, 5))
    probability[:50, MIP], probability[50:, HIP] = 0.85, 0.65
    predicted = probability.argmax(axis=1).astype(np.uint8)
    score = score_voxels(events, predicted, probability)
    assert [(b.low, b.n_voxels, b.accuracy.value) for b in score.reliability] == [(0.6, 50, 0), (0.8, 50, 1)]
    assert score.calibration_error == pytest.approx((0.15 + 0.65) / 2)


def test_json_round_trip() -> None:
    events = random_events(1)
    one_hot = np.eye(5, dtype=np.float32)[label_of(events)]
    score = score_voxels(events, mistaken(events, 0.3), one_hot)
    assert VoxelsScore.model_validate_json(score.model_dump_json()) == score


@pytest.mark.parametrize(
    ("changes", "predicted", "probability", "match"),
    [
        ({"label": None}, np.zeros(10, np.uint8), None, "label"),
        ({}, np.zeros(9, np.uint8), None, "predictions"),
        ({}, np.full(10, 5, np.uint8), None, "classes 0 to 4"),
        ({"label": np.full(10, 7, np.uint8)}, np.zeros(10, np.uint8), None, "label"),
        ({}, np.zeros(10, np.uint8), np.zeros((10, 4)), "shape"),
        ({}, np.zeros(10, np.uint8), np.full((10, 5), 1.5), "within 0..1"),
        ({}, np.zeros(10, np.uint8), np.full((10, 5), np.nan), "within 0..1"),
    ],
)
def test_mistakes(changes: dict[str, Any], predicted: Any, probability: Any, match: str) -> None:
    events = dataclasses.replace(event([(MIP, line((0, 0, 0), (1, 0, 0), 10))]), **changes)
    with pytest.raises(InputError, match=match):
        score_voxels(events, predicted, probability)


def test_no_voxels() -> None:
    none = np.zeros(0, np.uint8)
    events = VoxelEvents(
        (4, 4, 4), 3.0, offsets_of([0]), np.zeros((0, 3), np.int32), np.zeros(0, np.float32), none
    )
    with pytest.raises(InputError, match="events with voxels"):
        score_voxels(events, none)
