import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.score.walls import iou_per_sample
from cloudchamber.train.losses import LOSSES, soft_iou

SHARP = 60.0


@given(st.integers(0, 2**32 - 1))
def test_of_certain_predictions_it_is_one_minus_the_challenges_iou(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pred, truth = rng.random((4, 3, 3, 3)) < 0.4, rng.random((4, 3, 3, 3)) < 0.4
    logits = torch.from_numpy(np.where(pred, SHARP, -SHARP))
    expected = 1 - iou_per_sample(pred, truth).mean()
    assert float(soft_iou(logits, torch.from_numpy(truth))) == pytest.approx(expected, abs=1e-5)


def test_by_hand() -> None:
    logits = torch.log(torch.tensor([[0.8 / 0.2, 0.3 / 0.7]]))
    target = torch.tensor([[1.0, 0.0]])
    assert float(soft_iou(logits, target)) == pytest.approx(1 - 0.8 / (1.1 + 1 - 0.8))


@pytest.mark.parametrize("name", LOSSES)
def test_gradients(name: str) -> None:
    logits = torch.randn(2, 8, requires_grad=True)
    target = (torch.rand(2, 8) < 0.5).float()
    LOSSES[name](logits, target).backward()
    assert logits.grad is not None
    eps = 1e-2
    for k in range(8):
        step = torch.zeros(2, 8)
        step[1, k] = eps
        rise = LOSSES[name](logits.detach() + step, target) - LOSSES[name](logits.detach() - step, target)
        assert float(rise) / (2 * eps) == pytest.approx(float(logits.grad[1, k]), abs=2e-4)


@pytest.mark.parametrize("name", LOSSES)
def test_a_better_prediction_costs_less(name: str) -> None:
    target = (torch.rand(3, 20) < 0.5).float()
    right, wrong = 4 * (target - 0.5), -4 * (target - 0.5)
    assert LOSSES[name](right, target) < LOSSES[name](wrong, target)
