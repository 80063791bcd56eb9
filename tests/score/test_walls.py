"""The score of walls against other people's code and against cases worked out by hand."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import jaccard_score, precision_score, recall_score
from torchmetrics.classification import BinaryJaccardIndex

from cloudchamber.errors import InputError
from cloudchamber.score.walls import WallsScore, iou_per_layer, iou_per_sample, score_walls
from cloudchamber.simulate.walls.config import Volume
from cloudchamber.simulate.walls.geometry import generate_walls

RNG = np.random.default_rng(11)
WALLS = np.stack([generate_walls(RNG, Volume()) for _ in range(120)])
PREDS = WALLS ^ (RNG.random(WALLS.shape) < 0.02)
PROBABILITY = np.clip(np.where(PREDS, 0.8, 0.1) + RNG.normal(0, 0.05, WALLS.shape), 0, 1)


def test_iou_agrees_with_scikit_learn_and_torchmetrics() -> None:
    found = iou_per_sample(PREDS, WALLS)
    metric = BinaryJaccardIndex()
    for k in range(20):
        assert found[k] == pytest.approx(jaccard_score(WALLS[k].ravel(), PREDS[k].ravel()))
        other = metric(torch.from_numpy(PREDS[k].astype(int)), torch.from_numpy(WALLS[k].astype(int)))
        assert found[k] == pytest.approx(float(other), rel=1e-6)


@given(arrays(bool, (2, 3, 4, 4), elements=st.booleans()), arrays(bool, (2, 3, 4, 4), elements=st.booleans()))
def test_iou_is_symmetric_bounded_and_one_for_equals(a: np.ndarray, b: np.ndarray) -> None:
    found = iou_per_sample(a, b)
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_array_equal(found, iou_per_sample(b, a))
    np.testing.assert_array_equal(iou_per_sample(a, a), 1.0)


def test_empty_volumes_count_one() -> None:
    empty = np.zeros((1, 2, 2, 2), bool)
    assert iou_per_sample(empty, empty)[0] == 1.0
    assert iou_per_sample(~empty, empty)[0] == pytest.approx(0.0)
    np.testing.assert_array_equal(iou_per_layer(empty, empty), [[1.0, 1.0]])


def test_iou_of_layers_is_that_of_each_layer_alone() -> None:
    found = iou_per_layer(PREDS, WALLS)
    for layer in (0, 4, 9):
        np.testing.assert_allclose(found[:, layer], iou_per_sample(PREDS[:, layer], WALLS[:, layer]))


def test_integers_are_taken_and_other_numbers_refused() -> None:
    np.testing.assert_array_equal(iou_per_sample(PREDS.astype(np.int64), WALLS), iou_per_sample(PREDS, WALLS))
    with pytest.raises(InputError, match="0 or 1"):
        iou_per_sample(PREDS.astype(np.int64) * 2, WALLS)
    with pytest.raises(InputError, match="shape of the walls"):
        score_walls(PREDS[:, :9], WALLS)
    with pytest.raises(InputError, match="volumes"):
        score_walls(PREDS[:0], WALLS[:0])


def test_score_of_a_perfect_prediction() -> None:
    found = score_walls(WALLS, WALLS)
    for name in ("iou", "precision", "recall", "base_right", "top_right", "one_base", "perfect"):
        assert getattr(found, name).value == 1.0
        assert getattr(found, name).error == 0.0
    assert found.layers_added.value == found.layers_missed.value == 0.0


def test_score_agrees_with_scikit_learn_and_adds_up() -> None:
    found = score_walls(PREDS, WALLS, PROBABILITY)
    assert found.n == len(WALLS)
    assert found.iou.value == pytest.approx(iou_per_sample(PREDS, WALLS).mean())
    assert found.precision.value == pytest.approx(precision_score(WALLS.ravel(), PREDS.ravel()))
    assert found.recall.value == pytest.approx(recall_score(WALLS.ravel(), PREDS.ravel()))
    for bins in (found.by_voxels, found.by_columns):
        assert sum(b.n for b in bins) == found.n
        assert sum(b.n * (b.iou.value or 0) for b in bins) / found.n == pytest.approx(found.iou.value)
        assert all(low.high < high.low for low, high in pairwise(bins))
    assert found.layers[9].iou.value == pytest.approx(iou_per_layer(PREDS, WALLS)[:, 9].mean())
    empty = ~(PREDS | WALLS)[:, 9].any(axis=(1, 2))
    assert found.layers[9].n_not_empty == np.count_nonzero(~empty)
    assert found.layers[9].iou_not_empty.value == pytest.approx(iou_per_layer(PREDS, WALLS)[~empty, 9].mean())


def test_whole_layers_added_and_missed() -> None:
    walls = np.zeros((4, 6, 3, 3), bool)
    walls[:, 1:4, 1, :] = True
    preds = walls.copy()
    preds[0, 0, 1, :] = True  # one layer too deep
    preds[1, 3] = False  # the highest one is missing
    preds[2, 1, 1, 0] = False  # one column begins a layer higher
    found = score_walls(preds, walls)
    assert found.base_right.value == 0.75
    assert found.top_right.value == 0.75
    assert found.layers_added.value == 0.25
    assert found.layers_missed.value == 0.25
    assert found.one_base.value == 0.75
    assert found.perfect.value == 0.25


def test_empty_prediction_has_no_level_and_no_precision() -> None:
    found = score_walls(np.zeros_like(WALLS), WALLS)
    assert found.precision.value is None
    assert found.base_right.value == found.top_right.value == 0.0
    assert found.recall.value == 0.0


def test_json_round_trip() -> None:
    found = score_walls(PREDS, WALLS, PROBABILITY)
    assert WallsScore.model_validate_json(found.model_dump_json()) == found
