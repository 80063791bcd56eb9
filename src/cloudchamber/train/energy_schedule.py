"""One cycle of learning rate and momentum, then a smaller rate each time that the loss stays where it is."""

import math
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from cloudchamber.train.energy_recipe import EnergyTraining


class CycleThenSteps(LRScheduler):
    """Cosine from the first rate to the peak and on to the final one; then steps (arXiv:2107.02119).

    The momentum, Adam's beta1, goes the other way and stays at its largest value after the cycle. All of the
    state is in plain numbers, which a checkpoint holds.
    """

    def __init__(self, optimiser: Optimizer, training: EnergyTraining, steps_per_epoch: int) -> None:
        cycle = training.schedule
        self.rates = (cycle.start, cycle.peak, cycle.final)
        self.momentum = cycle.momentum
        self.cycle_epochs = training.cycle_epochs
        self.cycle_steps = max(2, self.cycle_epochs * steps_per_epoch)
        self.warm_up_steps = max(1.0, cycle.warm_up * self.cycle_steps)
        self.factor = training.steps.factor if training.steps else 1.0
        self.patience = training.steps.patience if training.steps else None
        self.halvings, self.waited = 0, 0
        super().__init__(optimiser)

    def at(self, step: int) -> tuple[float, float]:
        """Return rate and momentum after so many steps and the halvings so far."""
        start, peak, final = self.rates
        low, high = self.momentum
        if step < self.warm_up_steps:
            part = step / self.warm_up_steps
            return _cosine(start, peak, part), _cosine(high, low, part)
        part = min(1.0, (step - self.warm_up_steps) / (self.cycle_steps - self.warm_up_steps))
        return _cosine(peak, final, part) * self.factor**self.halvings, _cosine(low, high, part)

    def get_lr(self) -> list[float | Any]:
        """Return the rate of each group of parameters; set their momentum."""
        rate, momentum = self.at(self.last_epoch)
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (momentum, group["betas"][1])
        return [rate] * len(self.optimizer.param_groups)

    def epoch_over(self, epochs: int, improved: bool) -> bool:
        """Take note that so many epochs are over; return whether a step is due, which is then made."""
        if self.patience is None or epochs <= self.cycle_epochs or improved:
            self.waited = 0
            return False
        self.waited += 1
        if self.waited < self.patience:
            return False
        self.halvings, self.waited = self.halvings + 1, 0
        for group in self.optimizer.param_groups:
            group["lr"] = self.at(self.last_epoch)[0]
        return True


def _cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2
