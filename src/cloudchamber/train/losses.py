"""Losses: from logits, 0/1 targets and, if wanted, a weight per sample, to one number to be made small.

A weight of 2 counts as the sample given twice, in every loss: those with a value per sample take the weighted
mean of it, those over the whole batch weight the sums. So equal weights change nothing, and the weights of a
batch must not all be 0.
"""

from typing import Protocol

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn import functional as F

Logits = Float[Tensor, "n *voxels"]
Target = Shaped[Tensor, "n *voxels"]
Weight = Float[Tensor, " n"]
Scalar = Float[Tensor, ""]

SMOOTH = 1e-17
"""Added to numerator and denominator, after the challenge's metric (deck of 15 Sep 2022)."""
JACCARD_SMOOTH = 1e-2
JACCARD_POWER = 1.75
"""Of Bury's losses (same deck)."""
FOCAL_GAMMA = 2.0
FOCAL_ALPHA = 0.25
"""What Lin et al. (arXiv:1708.02002) find best."""


class Loss(Protocol):
    """What every loss of ``LOSSES`` takes and gives."""

    def __call__(self, logits: Logits, target: Target, weight: Weight | None = None) -> Scalar:
        """Return the loss of a batch."""
        ...


def _flat(logits: Logits, target: Target) -> tuple[Float[Tensor, "n voxel"], Float[Tensor, "n voxel"]]:
    """Return logits and target as (n, voxel), in single precision or better."""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32)).flatten(1)
    return logits, target.to(logits.dtype).flatten(1)


def _mean(loss: Float[Tensor, " n"], weight: Weight | None) -> Scalar:
    """Return the weighted mean over the samples."""
    if weight is None:
        return loss.mean()
    return (weight.to(loss.dtype) * loss).sum() / weight.to(loss.dtype).sum()


def _sum(value: Float[Tensor, "n voxel"], weight: Weight | None) -> Scalar:
    """Return the weighted sum over samples and voxels."""
    if weight is None:
        return value.sum()
    return (weight.to(value.dtype) * value.sum(dim=1)).sum()


def binary_cross_entropy(logits: Logits, target: Target, weight: Weight | None = None) -> Scalar:
    """Return the mean binary cross-entropy over all voxels."""
    x, t = _flat(logits, target)
    return _mean(F.binary_cross_entropy_with_logits(x, t, reduction="none").mean(dim=1), weight)


def squared_error(logits: Logits, target: Target, weight: Weight | None = None) -> Scalar:
    """Return the mean of (p - t)^2 over all voxels, as Gonzalez and Munkes train (deck of 15 Sep 2022)."""
    x, t = _flat(logits, target)
    return _mean((x.sigmoid() - t).square().mean(dim=1), weight)


def focal(logits: Logits, target: Target, weight: Weight | None = None) -> Scalar:
    """Return the focal loss: -a_t (1 - p_t)^gamma log p_t, meaned over all voxels.

    Lin et al., arXiv:1708.02002, eq. 5: p_t is the probability given to the true class, a_t is .25 for wall
    and .75 for soil, gamma is 2. The paper divides by the number of objects instead.
    """
    x, t = _flat(logits, target)
    p = x.sigmoid()
    missed = p + t - 2 * p * t
    share = FOCAL_ALPHA * t + (1 - FOCAL_ALPHA) * (1 - t)
    entropy = F.binary_cross_entropy_with_logits(x, t, reduction="none")
    return _mean((share * missed.pow(FOCAL_GAMMA) * entropy).mean(dim=1), weight)


def soft_iou(logits: Logits, target: Target, weight: Weight | None = None) -> Scalar:
    """Return 1 - soft IOU per sample, averaged over the samples, as Strong trains.

    IOU with probabilities in place of 0 and 1: sum(p t) / sum(p + t - p t) (challenge deck of 15 Sep 2022).
    """
    x, t = _flat(logits, target)
    p = x.sigmoid()
    intersection = (p * t).sum(dim=1)
    union = (p + t).sum(dim=1) - intersection
    return _mean(1 - (intersection + SMOOTH) / (union + SMOOTH), weight)


def dice(logits: Logits, target: Target, weight: Weight | None = None) -> Scalar:
    """Return 1 - soft Dice coefficient per sample, averaged over the samples.

    2 sum(p t) / sum(p + t) (Sudre et al., arXiv:1707.03237, of the foreground alone).
    """
    x, t = _flat(logits, target)
    p = x.sigmoid()
    both = (p + t).sum(dim=1)
    return _mean(1 - (2 * (p * t).sum(dim=1) + SMOOTH) / (both + SMOOTH), weight)


def _batch_jaccard(
    logits: Logits, target: Target, weight: Weight | None, power: float, smooth: float
) -> Scalar:
    """Return 1 - (sum(p t) + smooth) / (sum(p^power + t^power - p t) + smooth), sums over the whole batch."""
    x, t = _flat(logits, target)
    p = x.sigmoid()
    intersection = _sum(p * t, weight)
    union = _sum(p.pow(power) + t.pow(power), weight) - intersection
    return 1 - (intersection + smooth) / (union + smooth)


def batch_soft_iou(logits: Logits, target: Target, weight: Weight | None = None) -> Scalar:
    """Return 1 - soft IOU of the whole batch taken as one volume, as Auclair trains (his is one less)."""
    return _batch_jaccard(logits, target, weight, 1.0, SMOOTH)


def jaccard(logits: Logits, target: Target, weight: Weight | None = None) -> Scalar:
    """Return the Jaccard distance of the whole batch, smoothed with .01, after Bury (deck of 15 Sep 2022)."""
    return _batch_jaccard(logits, target, weight, 1.0, JACCARD_SMOOTH)


def power_jaccard(logits: Logits, target: Target, weight: Weight | None = None) -> Scalar:
    """Return the power Jaccard loss of the whole batch with power 1.75, smoothed with .01, as Bury trains.

    1 - (sum(p t) + s) / (sum(p^1.75 + t^1.75 - p t) + s) (Duque-Arias et al., VISAPP 2021,
    hal-03139997, with the sums and the smoothing of the deck of 15 Sep 2022). Between 0 and 1 for powers from
    1 to 2.
    """
    return _batch_jaccard(logits, target, weight, JACCARD_POWER, JACCARD_SMOOTH)


LOSSES: dict[str, Loss] = {
    "bce": binary_cross_entropy,
    "mse": squared_error,
    "focal": focal,
    "soft-iou": soft_iou,
    "dice": dice,
    "batch-soft-iou": batch_soft_iou,
    "jaccard": jaccard,
    "power-jaccard": power_jaccard,
}
