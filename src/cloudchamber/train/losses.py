"""Losses."""

import torch
from jaxtyping import Float
from torch import Tensor

SMOOTH = 1e-17


def soft_iou(logits: Float[Tensor, "n *voxels"], target: Float[Tensor, "n *voxels"]) -> Float[Tensor, ""]:
    """Return 1 - soft IOU per sample, averaged over the samples.

    IOU with probabilities in place of 0 and 1: sum(p t) / sum(p + t - p t) (challenge deck of 15 Sep 2022).
    """
    p, t = logits.float().sigmoid().flatten(1), target.float().flatten(1)
    intersection = (p * t).sum(dim=1)
    union = (p + t).sum(dim=1) - intersection
    return (1 - (intersection + SMOOTH) / (union + SMOOTH)).mean()


def binary_cross_entropy(
    logits: Float[Tensor, "n *voxels"], target: Float[Tensor, "n *voxels"]
) -> Float[Tensor, ""]:
    """Return the mean binary cross-entropy over all voxels."""
    return torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), target.float())


LOSSES = {"soft-iou": soft_iou, "bce": binary_cross_entropy}
