"""The Lightning module: one network, one loss, one cycle, and the figures of each epoch."""

from typing import Any

import lightning as L
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR

from cloudchamber.score.walls import iou_per_sample
from cloudchamber.train.batches import Batch
from cloudchamber.train.losses import LOSSES
from cloudchamber.train.muon import Muon
from cloudchamber.train.recipe import Training
from cloudchamber.train.structure import structure_loss

_OPTIMISERS: dict[str, type[torch.optim.Adam]] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def make_optimiser(network: nn.Module, training: Training) -> Optimizer:
    """Return the optimiser of a training, at the start of its schedule."""
    schedule = training.schedule
    rates = {"one-cycle": "start", "constant": "rate", "triangular2": "high"}
    rate = getattr(schedule, rates[schedule.kind])
    if training.optimiser == "muon":
        return Muon(network, rate, weight_decay=training.weight_decay)
    return _OPTIMISERS[training.optimiser](network.parameters(), lr=rate, weight_decay=training.weight_decay)


def make_schedule(optimiser: Optimizer, training: Training, steps_per_epoch: int) -> OneCycleLR | LambdaLR:
    """Return the schedule of learning rates: constant, triangular2 (as Bury's) or one cycle (as Strong's)."""
    cycle = training.schedule
    if cycle.kind == "constant":
        return LambdaLR(optimiser, lambda step: 1.0)
    if cycle.kind == "triangular2":
        half, low = max(1.0, cycle.half_period * steps_per_epoch), cycle.low / cycle.high

        def height(step: int) -> float:
            turn, phase = divmod(step, 2 * half)
            return float(low + (1 - low) * (1 - abs(phase / half - 1)) / 2**turn)

        return LambdaLR(optimiser, height)
    return OneCycleLR(
        optimiser,
        max_lr=cycle.peak,
        total_steps=max(training.epochs * steps_per_epoch, 2) + 1,
        pct_start=cycle.warm_up,
        div_factor=cycle.peak / cycle.start,
        final_div_factor=cycle.start / cycle.final,
        base_momentum=cycle.momentum[0],
        max_momentum=cycle.momentum[1],
    )


class SegmentationModule(L.LightningModule):
    """Train a network to label voxels.

    Everything random is fixed by (seed, step), so that a run resumed from ``resume`` (the optimiser's state
    and the position, see :mod:`cloudchamber.train.checkpoint`) goes on as if it had never stopped.
    """

    def __init__(
        self,
        network: nn.Module,
        training: Training,
        steps_per_epoch: int,
        resume: tuple[dict[str, Any], dict[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        self.network, self.training_options = network, training
        self.steps_per_epoch = steps_per_epoch
        self.loss = LOSSES[training.loss]
        self._resume = resume
        position = resume[1] if resume else {}
        self.epoch, self.batch = int(position.get("epoch", 0)), int(position.get("batch", 0))
        self.loss_sum = float(position.get("loss_sum", 0.0))
        self.best_loss = float(position.get("best_loss", "inf"))
        self.best_epoch = int(position.get("best_epoch", 0))
        self.seconds = float(position.get("seconds", 0.0))
        self._validation: list[tuple[float, Tensor]] = []
        self.figures: dict[str, float] = {}

    @property
    def step(self) -> int:
        """Steps taken since the run began."""
        return self.epoch * self.steps_per_epoch + self.batch

    @property
    def finished(self) -> bool:
        """Whether all epochs are over, or the patience is."""
        options = self.training_options
        waited = self.epoch - self.best_epoch
        return self.epoch >= options.epochs or (options.patience is not None and waited > options.patience)

    def configure_optimizers(self) -> Any:
        """Set up optimiser and schedule, both as they were if the run is resumed."""
        optimiser = make_optimiser(self.network, self.training_options)
        schedule = make_schedule(optimiser, self.training_options, self.steps_per_epoch)
        if self._resume:
            optimiser.load_state_dict(self._resume[0])
            schedule.load_state_dict(self._resume[1]["schedule"])
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Fix what is random inside the network (dropout) by seed and step."""
        torch.manual_seed((self.training_options.seed << 32) + self.step)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        x, target = batch
        if self.training_options.structure:
            logits, structure = self.network.describe(x)  # type: ignore[operator]
            loss: Tensor = self.loss(logits, target)
            loss = loss + self.training_options.structure * structure_loss(structure, target[:, 0])
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

    def close_epoch(self) -> None:
        """Close the epoch: its figures, and the position of the next."""
        iou = torch.cat([values for _, values in self._validation])
        self.figures = {
            "epoch": self.epoch,
            "step": self.step,
            "train_loss": self.loss_sum / self.steps_per_epoch,
            "val_loss": sum(loss for loss, _ in self._validation) / len(iou),
            "val_iou": float(iou.mean()),
        }
        self._validation.clear()
        if self.figures["val_loss"] < self.best_loss:
            self.best_loss, self.best_epoch = self.figures["val_loss"], self.epoch
        self.epoch, self.batch, self.loss_sum = self.epoch + 1, 0, 0.0
        if self.logger:
            self.logger.log_metrics({k: float(v) for k, v in self.figures.items()}, step=self.step)
