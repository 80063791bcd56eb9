"""The losses on wire images against hands, loops and other implementations."""

import math

import pytest
import torch
from torch.nn import functional as F
from torchmetrics.functional.classification import multiclass_fbeta_score
from torchmetrics.functional.segmentation import dice_score

from cloudchamber.train.beam_loss import (
    BeamLossConfig,
    beam_loss,
    class_weights,
    dice_loss,
    fbeta_loss,
    focal_loss,
    weights_at,
)


def pair(seed: int = 1, shape: tuple[int, ...] = (2, 3, 5, 4)) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    label = torch.randint(0, shape[1], (shape[0], *shape[2:]), generator=generator)
    return 2 * torch.randn(shape, generator=generator), label


def certain(label: torch.Tensor, classes: int = 3) -> torch.Tensor:
    return 200 * F.one_hot(label, classes).movedim(-1, 1).float() - 100


def test_focal_of_one_pixel_by_hand() -> None:
    logits = torch.log(torch.tensor([0.7, 0.2, 0.1])).view(1, 3, 1, 1)
    wanted = -0.25 * 0.8**2 * math.log(0.2)
    assert float(focal_loss(logits, torch.tensor([[[1]]]))) == pytest.approx(wanted, rel=1e-5)


def test_focal_without_focus_is_cross_entropy() -> None:
    logits, label = pair()
    torch.testing.assert_close(focal_loss(logits, label, 1.0, 0.0), F.cross_entropy(logits, label))


def test_dice_by_hand() -> None:
    logits = torch.log(torch.tensor([[0.6, 0.4], [0.3, 0.7]])).T.view(1, 2, 1, 2)
    label = torch.tensor([[[0, 1]]])
    # class 0: sum p t = .6, sum p = .9, sum t = 1; class 1: .7, 1.1, 1
    wanted = 1 - ((1.2 + 1) / (1.9 + 1) + (1.4 + 1) / (2.1 + 1)) / 2
    assert float(dice_loss(logits, label)) == pytest.approx(wanted, rel=1e-5)


def test_fbeta_by_hand() -> None:
    logits = torch.log(torch.tensor([[0.6, 0.4], [0.3, 0.7]])).T.view(1, 2, 1, 2)
    label = torch.tensor([[[0, 1]]])
    wanted = 0.0
    for both, p, t in ((0.6, 0.9, 1.0), (0.7, 1.1, 1.0)):
        hit, false, missed = both, p - both, t - both
        wanted += (1 - (5 * hit + 1) / (5 * hit + 4 * missed + false + 1)) / 2
    assert float(fbeta_loss(logits, label, 2.0)) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_of_certain_predictions_they_are_those_of_torchmetrics(seed: int) -> None:
    _, label = pair(seed)
    _, other = pair(seed + 10)
    hot = F.one_hot(other, 3).movedim(-1, 1), F.one_hot(label, 3).movedim(-1, 1)
    joined = [each.movedim(1, 0).reshape(1, 3, -1) for each in hot]  # one sample of all pixels
    dice = dice_score(joined[0], joined[1], 3, average="macro").mean()
    torch.testing.assert_close(dice_loss(certain(other), label, 1e-6), 1 - dice.float(), atol=1e-5, rtol=0)
    fbeta = multiclass_fbeta_score(other.flatten(), label.flatten(), beta=2.0, num_classes=3, average="macro")
    torch.testing.assert_close(fbeta_loss(certain(other), label, 2.0, 1e-6), 1 - fbeta, atol=1e-5, rtol=0)


def test_fbeta_of_one_is_dice() -> None:
    logits, label = pair()
    torch.testing.assert_close(fbeta_loss(logits, label, 1.0, 2.0), dice_loss(logits, label, 2.0))


def test_weights_of_classes() -> None:
    assert class_weights([142, 14, 1], 1.0) == pytest.approx((1.0, 142 / 14, 142.0))
    assert class_weights([144, 16, 0], 0.5) == (1.0, 3.0, 1.0)
    assert class_weights([5, 3, 1], 0.0) == (1.0, 1.0, 1.0)
    grown = [weights_at((1.0, 3.0, 9.0), epoch, 5) for epoch in range(5)]
    assert grown[0] == (1, 1, 1)
    assert grown[2] == (1, 2, 5)
    assert grown[4] == (1, 3, 9)
    assert weights_at((1.0, 3.0), 0, 1) == (1, 1)


def test_the_configuration_chooses() -> None:
    logits, label = pair()
    weights = (1.0, 2.0, 5.0)
    each = F.cross_entropy(logits, label, reduction="none")
    weight = torch.tensor(weights)[label]
    wanted = {
        "cross-entropy": each.mean(),
        "weighted": (each * weight).sum() / weight.sum(),
        "epoch-weights": (each * weight).sum() / weight.sum(),
        "focal": focal_loss(logits, label, 0.25, 2.0),
        "dice": dice_loss(logits, label, 1.0),
        "fbeta": fbeta_loss(logits, label, 2.0, 1.0),
    }
    for kind, value in wanted.items():
        config = BeamLossConfig.model_validate({"kind": kind})
        torch.testing.assert_close(beam_loss(logits, label, config, weights), value)
    both = BeamLossConfig(dice_share=0.5)
    torch.testing.assert_close(beam_loss(logits, label, both), each.mean() + 0.5 * dice_loss(logits, label))


@pytest.mark.parametrize("kind", ["cross-entropy", "weighted", "focal", "dice", "fbeta"])
def test_gradients_are_finite_where_all_is_certain(kind: str) -> None:
    _, label = pair()
    for found in (label, 2 - label):
        logits = certain(found).requires_grad_()
        beam_loss(logits, label, BeamLossConfig.model_validate({"kind": kind}), (1.0, 1.0, 1.0)).backward()
        assert logits.grad is not None
        assert torch.isfinite(logits.grad).all()
