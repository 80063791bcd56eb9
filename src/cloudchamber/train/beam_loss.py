"""Losses over the pixels of images of very unequal classes: those that Timilsina tried (2018).

All take logits and labels; sums over pixels run over the whole batch.
"""

from collections.abc import Sequence
from typing import Literal

from jaxtyping import Float, Int64
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn import functional as F

Logits = Float[Tensor, "image class wire drift"]
Labels = Int64[Tensor, "image wire drift"]
LossKind = Literal["cross-entropy", "weighted", "epoch-weights", "focal", "dice", "fbeta"]


class BeamLossConfig(BaseModel):
    """Which loss, and its numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: LossKind = "cross-entropy"
    power: float = Field(
        default=0.5, ge=0, le=1, description="of (pixels / pixels of a class), the weights of the classes"
    )
    alpha: float = Field(default=0.25, gt=0, description="focal: factor of the whole")
    gamma: float = Field(default=2.0, ge=0, description="focal: power of 1 - p")
    smooth: float = Field(default=1.0, gt=0, description="dice and F-beta: added above and below")
    beta: float = Field(default=2.0, gt=0, description="F-beta: how much more a missed pixel costs")
    dice_share: float = Field(
        default=0.0, ge=0, description="times the dice loss that is added to any of the others"
    )

    @property
    def text(self) -> str:
        """The loss in words."""
        return f"{self.kind} + {self.dice_share:g} dice" if self.dice_share else self.kind


def class_weights(counts: Sequence[int], power: float) -> tuple[float, ...]:
    """Return (pixels / pixels of the class) ** power, over that of the commonest class, which is 1."""
    rarity = [max(counts) / max(1, count) for count in counts]
    return tuple(each**power if count else 1.0 for each, count in zip(rarity, counts, strict=True))


def weights_at(weights: Sequence[float], epoch: int, epochs: int) -> tuple[float, ...]:
    """Return weights that grow in equal steps from 1 in the first epoch to their own in the last.

    The slides say only that weights become larger at a later time; the steps are ours.
    """
    part = epoch / max(1, epochs - 1)
    return tuple(1 + (weight - 1) * part for weight in weights)


def focal_loss(logits: Logits, label: Labels, alpha: float = 0.25, gamma: float = 2.0) -> Float[Tensor, ""]:
    """Return -alpha (1 - p)^gamma ln p of the probability p of the true class, mean over pixels.

    Source: Lin et al., arXiv:1708.02002, with one alpha for all classes.
    """
    log_p = F.log_softmax(logits, dim=1).gather(1, label[:, None])
    return (-alpha * (1 - log_p.exp()) ** gamma * log_p).mean()


def _overlaps(logits: Logits, label: Labels) -> tuple[Tensor, Tensor, Tensor]:
    """Return sums over pixels of p t, p and t of each class, of probability p and truth t."""
    p = logits.softmax(dim=1)
    t = F.one_hot(label, logits.shape[1]).movedim(-1, 1).to(p.dtype)
    return (p * t).sum(dim=(0, 2, 3)), p.sum(dim=(0, 2, 3)), t.sum(dim=(0, 2, 3))


def dice_loss(logits: Logits, label: Labels, smooth: float = 1.0) -> Float[Tensor, ""]:
    """Return 1 - (2 sum p t + s) / (sum p + sum t + s), mean over classes.

    Source: Milletari et al., arXiv:1606.04797.
    """
    both, p, t = _overlaps(logits, label)
    return (1 - (2 * both + smooth) / (p + t + smooth)).mean()


def fbeta_loss(logits: Logits, label: Labels, beta: float = 2.0, smooth: float = 1.0) -> Float[Tensor, ""]:
    """Return 1 - F of each class, mean over classes; with beta = 1 it is the dice loss with half of s.

    F = ((1 + b^2) TP + s) / ((1 + b^2) TP + b^2 FN + FP + s), of sums of probabilities (van Rijsbergen's
    measure, Information Retrieval, 1979).
    """
    both, p, t = _overlaps(logits, label)
    above = (1 + beta**2) * both
    return (1 - (above + smooth) / (beta**2 * t + p + smooth)).mean()


def beam_loss(
    logits: Logits, label: Labels, config: BeamLossConfig, weights: Sequence[float] | None = None
) -> Float[Tensor, ""]:
    """Return the loss that a configuration asks for.

    ``weights`` of the classes are for the kinds that have them; the cross-entropy is then the sum of weighted
    terms over the sum of weights.
    """
    logits = logits.float()
    if config.kind == "focal":
        loss = focal_loss(logits, label, config.alpha, config.gamma)
    elif config.kind == "dice":
        loss = dice_loss(logits, label, config.smooth)
    elif config.kind == "fbeta":
        loss = fbeta_loss(logits, label, config.beta, config.smooth)
    else:
        weighted = config.kind != "cross-entropy" and weights is not None
        loss = F.cross_entropy(logits, label, logits.new_tensor(weights) if weighted else None)
    if config.dice_share:
        loss = loss + config.dice_share * dice_loss(logits, label, config.smooth)
    return loss
