"""What the training modules of all tasks share: optimiser, schedule, position in the run, epochs."""

from typing import Any

import lightning as L
import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR

from cloudchamber.train.muon import Muon
from cloudchamber.train.recipe import Fitting

_OPTIMISERS: dict[str, type[torch.optim.Adam]] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def make_optimiser(network: nn.Module, training: Fitting) -> Optimizer:
    """Return the optimiser of a training, at the start of its schedule."""
    schedule = training.schedule
    rates = {"one-cycle": "start", "constant": "rate", "triangular2": "high", "inverse-time": "rate"}
    rate = getattr(schedule, rates[schedule.kind])
    if training.optimiser == "muon":
        return Muon(network, rate, weight_decay=training.weight_decay)
    if training.optimiser == "sgd":
        return torch.optim.SGD(
            network.parameters(), rate, momentum=0.9, nesterov=True, weight_decay=training.weight_decay
        )
    return _OPTIMISERS[training.optimiser](network.parameters(), lr=rate, weight_decay=training.weight_decay)


def make_schedule(optimiser: Optimizer, training: Fitting, steps_per_epoch: int) -> OneCycleLR | LambdaLR:
    """Return the schedule of learning rates: constant, triangular2, inverse-time or one cycle."""
    cycle = training.schedule
    if cycle.kind == "constant":
        return LambdaLR(optimiser, lambda step: 1.0)
    if cycle.kind == "inverse-time":
        decay = cycle.decay
        return LambdaLR(optimiser, lambda step: 1 / (1 + decay * step))
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


class EpochModule(L.LightningModule):
    """Train a network epoch by epoch; what is done with a batch is the task's.

    Everything random is fixed by (seed, step), so that a run resumed from ``resume`` (the optimiser's state
    and the position, see :mod:`cloudchamber.train.checkpoint`) goes on as if it had never stopped.
    """

    def __init__(
        self,
        network: nn.Module,
        training: Fitting,
        steps_per_epoch: int,
        resume: tuple[dict[str, Any], dict[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        self.network, self.fitting = network, training
        self.steps_per_epoch = steps_per_epoch
        self._resume = resume
        position = resume[1] if resume else {}
        self.epoch, self.batch = int(position.get("epoch", 0)), int(position.get("batch", 0))
        self.loss_sum = float(position.get("loss_sum", 0.0))
        self.best_loss = float(position.get("best_loss", "inf"))
        self.best_epoch = int(position.get("best_epoch", 0))
        self.seconds = float(position.get("seconds", 0.0))
        self.figures: dict[str, float] = {}

    @property
    def step(self) -> int:
        """Steps taken since the run began."""
        return self.epoch * self.steps_per_epoch + self.batch

    @property
    def finished(self) -> bool:
        """Whether all epochs are over, or the patience is."""
        waited = self.epoch - self.best_epoch
        patience = self.fitting.patience
        return self.epoch >= self.fitting.epochs or (patience is not None and waited > patience)

    @property
    def headline(self) -> str:
        """What to say of the epoch that was closed last, beside its losses."""
        raise NotImplementedError

    def validation_figures(self) -> dict[str, float]:
        """Return the figures of the validation steps since the last call, ``val_loss`` among them."""
        raise NotImplementedError

    def configure_optimizers(self) -> Any:
        """Set up optimiser and schedule, both as they were if the run is resumed."""
        optimiser = make_optimiser(self.network, self.fitting)
        schedule = make_schedule(optimiser, self.fitting, self.steps_per_epoch)
        if self._resume:
            optimiser.load_state_dict(self._resume[0])
            schedule.load_state_dict(self._resume[1]["schedule"])
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Fix what is random inside the network (dropout) by seed and step."""
        torch.manual_seed((self.fitting.seed << 32) + self.step)

    def close_epoch(self) -> None:
        """Close the epoch: its figures, and the position of the next."""
        self.figures = {
            "epoch": self.epoch,
            "step": self.step,
            "train_loss": self.loss_sum / self.steps_per_epoch,
            **self.validation_figures(),
        }
        if self.figures["val_loss"] < self.best_loss:
            self.best_loss, self.best_epoch = self.figures["val_loss"], self.epoch
        self.epoch, self.batch, self.loss_sum = self.epoch + 1, 0, 0.0
        if self.logger:
            self.logger.log_metrics({k: float(v) for k, v in self.figures.items()}, step=self.step)
