"""Losses of hits: cross-entropy of the classes, and of Michel electrons squared error or cross-entropy."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

from cloudchamber.train.hits_recipe import HitsLossOptions


def hits_loss(
    classes: Float[Tensor, "n 3"],
    michel: Float[Tensor, "n"],
    true_class: Int64[Tensor, "n"],
    true_michel: Float[Tensor, "n"],
    options: HitsLossOptions,
) -> Float[Tensor, "n"]:
    """Return the loss of each pixel, from logits and truth.

    Source: Sulej et al., whose weights are .1 for the cross-entropy and 1 for the squared error.
    """
    loss = options.classes * F.cross_entropy(classes, true_class, reduction="none")
    if not options.michel:
        return loss
    if options.michel_kind == "mse":
        each = (torch.sigmoid(michel) - true_michel).square()
    else:
        each = F.binary_cross_entropy_with_logits(michel, true_michel, reduction="none")
    return loss + options.michel * (1 + (options.michel_positive - 1) * true_michel) * each


def soft_loss(
    classes: Float[Tensor, "n 3"],
    michel: Float[Tensor, "n"],
    taught: Float[Tensor, "n 4"],
    options: HitsLossOptions,
) -> Float[Tensor, "n"]:
    """Return the cross-entropy of each pixel against a teacher's probabilities of track, em, none, Michel.

    Source: Hinton et al., arXiv:1503.02531, at temperature 1.
    """
    of_classes = F.cross_entropy(classes, taught[:, :3], reduction="none")
    of_michel = F.binary_cross_entropy_with_logits(michel, taught[:, 3], reduction="none")
    return options.classes * of_classes + options.michel * of_michel
