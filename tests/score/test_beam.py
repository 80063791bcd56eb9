"""The score of labelled wire images, by hand and against torchmetrics."""

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_confusion_matrix,
    multiclass_jaccard_index,
)

from cloudchamber.errors import InputError
from cloudchamber.labels import BeamLabel, BeamSpecies
from cloudchamber.score.beam import beam_iou_of_images, score_beam
from cloudchamber.score.published_beam import CLASS_RATIO, LOSSES, TIRAMISU


def images(seed: int, n: int = 20, classes: int = 3, wrong: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, (n, 16, 12), p=np.array([classes, *[1] * (classes - 1)]) / (2 * classes - 1))
    other = rng.integers(0, classes, truth.shape)
    return truth.astype(np.uint8), np.where(rng.random(truth.shape) < wrong, other, truth).astype(np.uint8)


def test_by_hand() -> None:
    truth = np.array([[[0, 0, 1, 1], [2, 2, 2, 0]]], np.uint8)
    found = np.array([[[0, 0, 1, 2], [2, 2, 1, 1]]], np.uint8)
    score = score_beam(truth, found)
    assert [each.iou.value for each in score.classes] == [2 / 3, 1 / 4, 2 / 4]
    assert [each.n_pixels for each in score.classes] == [3, 2, 3]
    assert score.mean_iou.value == pytest.approx((2 / 3 + 1 / 4 + 2 / 4) / 3)
    assert score.mean_iou_without_background.value == pytest.approx(3 / 8)
    assert score.confusion == ((2, 1, 0), (0, 1, 1), (0, 1, 2))
    assert (score.n_images, score.wires, score.drifts) == (1, 2, 4)
    assert score.mean_iou.error is None
    assert beam_iou_of_images(truth, found).tolist() == [0.5]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("labels", [BeamLabel, BeamSpecies])
def test_equal_to_torchmetrics(seed: int, labels: type[BeamLabel] | type[BeamSpecies]) -> None:
    n = len(labels)
    truth, found = images(seed, classes=n)
    score = score_beam(truth, found, labels)
    pair = torch.from_numpy(found.astype(np.int64)), torch.from_numpy(truth.astype(np.int64))
    iou = multiclass_jaccard_index(*pair, n, average="none")
    recall = multiclass_accuracy(*pair, n, average="none")
    torch.testing.assert_close(torch.tensor([each.iou.value for each in score.classes]), iou)
    torch.testing.assert_close(torch.tensor([each.accuracy.value for each in score.classes]), recall)
    assert score.mean_iou.value == pytest.approx(float(iou.mean()), abs=1e-6)
    assert score.mean_iou_without_background.value == pytest.approx(float(iou[1:].mean()), abs=1e-6)
    np.testing.assert_array_equal(score.confusion, multiclass_confusion_matrix(*pair, n).numpy())


def test_errors_are_those_of_repeated_experiments() -> None:
    values, errors = [], []
    for seed in range(100):
        rng = np.random.default_rng(1000 + seed)
        truth, found = images(seed, 12)
        for k in range(12):  # some images are much worse than others
            worse = rng.random(found[k].shape) < 0.3 * rng.random()
            found[k][worse] = 0
        score = score_beam(truth, found, resamples=200)
        values.append([score.mean_iou.value, score.classes[2].iou.value])
        errors.append([score.mean_iou.error, score.classes[2].iou.error])
    spread, quoted = np.std(np.array(values, float), axis=0), np.mean(np.array(errors, float), axis=0)
    np.testing.assert_allclose(quoted, spread, rtol=0.25)


def test_perfect_and_empty_images() -> None:
    truth, _ = images(1)
    score = score_beam(truth, truth)
    assert all(each.iou.value == 1 for each in score.classes)
    assert score.image_beam_iou.value == 1
    nothing = np.zeros((3, 4, 4), np.uint8)
    empty = score_beam(nothing, nothing)
    assert empty.mean_iou.value == 1
    assert empty.mean_iou_without_background.value is None
    assert empty.image_beam_iou.value is None
    assert np.isnan(beam_iou_of_images(nothing, nothing)).all()


def test_what_does_not_fit_is_refused() -> None:
    truth, found = images(1)
    with pytest.raises(InputError, match="shape of the truth"):
        score_beam(truth, found[:, :-1])
    with pytest.raises(InputError, match="classes 0 to 2"):
        score_beam(truth, found + 1)
    with pytest.raises(InputError, match="image, wire, drift"):
        score_beam(truth[:0], found[:0])


def test_published_figures_agree_with_each_other() -> None:
    assert np.mean(list(TIRAMISU.iou.values())) == pytest.approx(TIRAMISU.mean_iou, abs=1e-3)
    assert TIRAMISU.mean_iou_without_background == pytest.approx(0.9065)
    assert list(CLASS_RATIO.values()) == [142, 14, 1]
    assert len(LOSSES) == 6


def test_events_with_few_and_many_beam_hits_apart() -> None:
    truth, found = images(3, n=12, classes=8)
    beam = np.array([0, 10, 150, 300, 300, 700, 999, 1000, 1500, 2500, 9000, 2000])
    bins = score_beam(truth, found, BeamSpecies, beam=beam).by_beam
    assert [(each.low, each.n_images) for each in bins] == [(0, 3), (200, 2), (500, 2), (1000, 2), (2000, 3)]
    last = bins[-1]
    true, seen = truth[beam >= 2000] >= 2, found[beam >= 2000] >= 2
    assert last.beam_iou.value == pytest.approx((true & seen).sum() / (true | seen).sum())
    assert last.high is None
    assert last.not_beam_iou.value is not None
    assert last.beam_iou.value is not None
    mean = (last.not_beam_iou.value + last.beam_iou.value) / 2
    assert last.mean_iou_without_background.value == pytest.approx(mean)
