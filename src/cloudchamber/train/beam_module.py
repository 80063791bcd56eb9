"""The Lightning module for wire images: the loss, IOU per class, and what it looks like when it collapses."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Int64
from rich.console import Console
from torch import Tensor, nn

from cloudchamber.labels import BeamLabel, BeamSpecies
from cloudchamber.train.beam_batches import BeamBatch
from cloudchamber.train.beam_loss import beam_loss, weights_at
from cloudchamber.train.beam_recipe import BeamTraining, Plateau
from cloudchamber.train.beam_schedule import PlateauSchedule
from cloudchamber.train.epochs import EpochModule, make_optimiser
from cloudchamber.train.recipe import Constant

COLLAPSED = 0.01  # a class found in less than this share of its true pixels' number is not found at all


def collapsed_to(confusion: Int64[Tensor, "true predicted"]) -> str:
    """Return what a network has collapsed to: "background", "not beam", or nothing.

    It has when all classes but the background, or all of the beam, are found hardly anywhere.
    """
    true, found = confusion.sum(dim=1), confusion.sum(dim=0)
    for first, name in ((BeamLabel.NOT_BEAM, "background"), (BeamLabel.BEAM, "not beam")):
        if true[first:].sum() > 0 and found[first:].sum() < COLLAPSED * true[first:].sum():
            return name
    return ""


class BeamModule(EpochModule):
    """Train a network to label the pixels of wire images.

    Parameters
    ----------
    labels : the classes.
    weights : of the classes, for losses that have them.
    """

    def __init__(
        self,
        network: nn.Module,
        training: BeamTraining,
        steps_per_epoch: int,
        labels: type[BeamLabel] | type[BeamSpecies],
        weights: Sequence[float],
        resume: tuple[dict[str, Any], dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(network, training, steps_per_epoch, resume)
        self.training_options, self.labels, self.weights = training, labels, weights
        self._schedule: PlateauSchedule | None = None
        self._loss, self._images = 0.0, 0
        self._confusion = torch.zeros(len(labels), len(labels), dtype=torch.int64)
        self.collapsed = ""

    @property
    def headline(self) -> str:
        """Validation IOU, mean and per class."""
        figures = self.figures
        classes = " ".join(
            f"{k.name.lower()} {figures[f'val_iou_{k.name.lower()}']:.4f}" for k in self.labels
        )
        return f"mean IOU {figures['val_miou']:.4f} ({classes})"

    def configure_optimizers(self) -> Any:
        """Set up optimiser and schedule, both as they were if the run is resumed."""
        plateau = self.training_options.schedule
        if not isinstance(plateau, Plateau):
            return super().configure_optimizers()
        constant = Constant(kind="constant", rate=plateau.rate)
        optimiser = make_optimiser(self.network, self.fitting.model_copy(update={"schedule": constant}))
        self._schedule = PlateauSchedule(optimiser, plateau)
        if self._resume:
            optimiser.load_state_dict(self._resume[0])
            self._schedule.load_state_dict(self._resume[1]["schedule"])
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": self._schedule, "interval": "step"}}

    def _loss_of(self, batch: BeamBatch) -> tuple[Tensor, Tensor]:
        options, weights = self.training_options.loss, self.weights
        if options.kind == "epoch-weights":
            weights = weights_at(weights, self.epoch, self.fitting.epochs)
        logits = self.network(batch.read)
        return logits, beam_loss(logits, batch.label, options, weights)

    def training_step(self, batch: BeamBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        loss = self._loss_of(batch)[1]
        self.loss_sum += float(loss.detach())
        self.batch += 1
        return loss

    def validation_step(self, batch: BeamBatch, batch_idx: int) -> None:
        """Note loss and confusion matrix of a batch."""
        logits, loss = self._loss_of(batch)
        self._loss += float(loss) * len(batch.label)
        self._images += len(batch.label)
        n = len(self.labels)
        cell = batch.label * n + logits.argmax(dim=1)
        self._confusion += torch.bincount(cell.flatten(), minlength=n * n).view(n, n).cpu()

    def validation_figures(self) -> dict[str, float]:
        """Return the loss, mean over images, the IOU of each class over all pixels, whether it collapsed."""
        counts = self._confusion.double()
        both = counts.diagonal()
        either = counts.sum(dim=0) + counts.sum(dim=1) - both
        iou, there = both / either.clamp(min=1), either > 0
        figures = {
            "val_loss": self._loss / max(1, self._images),
            "val_miou": float(iou[there].mean()),
            "val_miou_without_background": float(iou[1:][there[1:]].mean()) if there[1:].any() else 0.0,
        }
        figures |= {f"val_iou_{k.name.lower()}": float(iou[k]) for k in self.labels}
        self.collapsed = collapsed_to(self._confusion)
        figures["collapsed"] = float(bool(self.collapsed))
        self._loss, self._images = 0.0, 0
        self._confusion.zero_()
        return figures

    def close_epoch(self) -> None:
        """Close the epoch; say if the network calls everything background or has lost the beam."""
        super().close_epoch()
        if self._schedule is not None:
            self._schedule.epoch_over(self.figures["val_loss"])
        if self.collapsed:
            Console(stderr=True).print(
                f"WARNING: epoch {self.epoch}: the network has collapsed to {self.collapsed}: it finds "
                f"{'nothing else' if self.collapsed == 'background' else 'no beam'}; if that lasts, take a "
                "lower learning rate or a loss that weighs rare classes"
            )
