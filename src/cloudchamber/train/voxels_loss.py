"""Losses over the voxels of sparse events."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F


def event_weights(
    event: Int64[Tensor, "voxel"],
    label: Int64[Tensor, "voxel"],
    events: int,
    classes: int,
    power: float = 1.0,
) -> Float[Tensor, "voxel"]:
    """Return (N / (classes present * voxels of the class)) ** power of each voxel in its event of N voxels.

    Source: the class weights of Domine and Terao, PRD 102, 012005, whose power is 1; a smaller one is between
    theirs and none.
    """
    counts = torch.bincount(event * classes + label, minlength=events * classes).view(events, classes)
    present = (counts > 0).sum(dim=1)
    weights = counts.sum(dim=1, keepdim=True) / (present[:, None] * counts.clamp(min=1))
    return weights[event, label] ** power


def voxel_cross_entropy(
    logits: Float[Tensor, "voxel class"],
    label: Int64[Tensor, "voxel"],
    event: Int64[Tensor, "voxel"],
    events: int,
    *,
    class_weights: float = 0.0,
) -> Float[Tensor, ""]:
    """Return the cross-entropy, mean over the voxels of an event, then over events; empty ones count as 0.

    ``class_weights`` is the power of :func:`event_weights`.

    Source: Domine and Terao, PRD 102, 012005, who sum over the events of a batch where this takes the mean.
    """
    each = F.cross_entropy(logits, label, reduction="none")
    if class_weights:
        each = each * event_weights(event, label, events, logits.shape[1], class_weights).to(each.dtype)
    voxels = torch.bincount(event, minlength=events).clamp(min=1)
    return (each / voxels[event]).sum() / max(1, events)


def mean_log_weights(
    event: Int64[Tensor, "voxel"], label: Int64[Tensor, "voxel"], events: int, classes: int, power: float
) -> Float[Tensor, "class"]:
    """Return the mean logarithm of ``event_weights`` over the voxels of each class; 0 where there are none.

    A network trained with weights w gives p w, up to a factor, where it would give p without them (Elkan,
    IJCAI 2001, theorem 2, for weights of the classes alone).
    """
    weights = event_weights(event, label, events, classes, power).double().log()
    counts = torch.bincount(label, minlength=classes).clamp(min=1)
    return torch.bincount(label, weights=weights, minlength=classes) / counts
