"""The Lightning module for walls: one network, one loss, and the figures of each epoch."""

from typing import Any

import torch
from torch import Tensor, nn

from cloudchamber.score.walls import iou_per_sample
from cloudchamber.train.batches import Batch
from cloudchamber.train.epochs import EpochModule
from cloudchamber.train.losses import LOSSES
from cloudchamber.train.recipe import Training
from cloudchamber.train.structure import structure_loss


class SegmentationModule(EpochModule):
    """Train a network to label the voxels of buried volumes."""

    def __init__(
        self,
        network: nn.Module,
        training: Training,
        steps_per_epoch: int,
        resume: tuple[dict[str, Any], dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(network, training, steps_per_epoch, resume)
        self.loss, self.structure = LOSSES[training.loss], training.structure
        self._validation: list[tuple[float, Tensor]] = []

    @property
    def headline(self) -> str:
        """The validation IOU."""
        return f"IOU {self.figures['val_iou']:.4f}"

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        x, target = batch
        if self.structure:
            logits, structure = self.network.describe(x)  # type: ignore[operator]
            loss: Tensor = self.loss(logits, target)
            loss = loss + self.structure * structure_loss(structure, target[:, 0])
        else:
            loss = self.loss(self.network(x), target)
        self.loss_sum += float(loss.detach())
        self.batch += 1
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Note loss and IOU (cut at one half) of a batch."""
        x, target = batch
        logits = self.network(x)
        iou = iou_per_sample((logits[:, 0] > 0).cpu().numpy(), (target[:, 0] > 0.5).cpu().numpy())
        self._validation.append((float(self.loss(logits, target)) * len(x), torch.from_numpy(iou)))

    def validation_figures(self) -> dict[str, float]:
        """Return loss and IOU, means over volumes."""
        iou = torch.cat([values for _, values in self._validation])
        loss = sum(loss for loss, _ in self._validation) / len(iou)
        self._validation.clear()
        return {"val_loss": loss, "val_iou": float(iou.mean())}
