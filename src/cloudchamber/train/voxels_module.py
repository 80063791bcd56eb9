"""The Lightning module for sparse events: cross-entropy per event, accuracy over non-zero voxels."""

from typing import Any

import torch
from torch import Tensor, nn

from cloudchamber.labels import VoxelLabel
from cloudchamber.train.epochs import EpochModule
from cloudchamber.train.voxels_batches import VoxelBatch
from cloudchamber.train.voxels_loss import voxel_cross_entropy
from cloudchamber.train.voxels_recipe import VoxelsTraining


class VoxelsModule(EpochModule):
    """Train a network to label the voxels of sparse events."""

    def __init__(
        self,
        network: nn.Module,
        training: VoxelsTraining,
        steps_per_epoch: int,
        resume: tuple[dict[str, Any], dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(network, training, steps_per_epoch, resume)
        self.class_weights = training.class_weights
        self._loss, self._events = 0.0, 0
        self._confusion = torch.zeros(len(VoxelLabel), len(VoxelLabel), dtype=torch.int64)

    @property
    def headline(self) -> str:
        """Validation accuracy over all non-zero voxels, and per class."""
        figures = self.figures
        classes = " ".join(f"{label.name} {figures[f'val_{label.name}']:.3f}" for label in VoxelLabel)
        return f"accuracy {figures['val_accuracy']:.4f} ({classes})"

    def _loss_of(self, batch: VoxelBatch) -> tuple[Tensor, Tensor]:
        logits = self.network(batch.features, batch.coordinates)
        event = batch.coordinates[:, 0]
        weights = self.class_weights
        return logits, voxel_cross_entropy(logits, batch.label, event, batch.events, class_weights=weights)

    def training_step(self, batch: VoxelBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        loss = self._loss_of(batch)[1]
        self.loss_sum += float(loss.detach())
        self.batch += 1
        return loss

    def validation_step(self, batch: VoxelBatch, batch_idx: int) -> None:
        """Note loss and confusion matrix of a batch."""
        logits, loss = self._loss_of(batch)
        self._loss += float(loss) * batch.events
        self._events += batch.events
        n = len(VoxelLabel)
        pairs = torch.bincount(batch.label * n + logits.argmax(dim=1), minlength=n * n)
        self._confusion += pairs.view(n, n).cpu()

    def validation_figures(self) -> dict[str, float]:
        """Return the loss, mean over events, and accuracies over voxels: of all, and of each class."""
        counts = self._confusion.double()
        right, total = counts.diagonal(), counts.sum(dim=1)
        figures = {
            "val_loss": self._loss / max(1, self._events),
            "val_accuracy": float(right.sum() / total.sum().clamp(min=1)),
        }
        figures |= {f"val_{k.name}": float(right[k] / total[k].clamp(min=1)) for k in VoxelLabel}
        self._loss, self._events = 0.0, 0
        self._confusion.zero_()
        return figures
