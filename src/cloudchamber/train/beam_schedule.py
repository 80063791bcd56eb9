"""A learning rate that falls each time the validation loss stays where it is."""

from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from cloudchamber.train.beam_recipe import Plateau


class PlateauSchedule(LRScheduler):
    """The rate, times ``factor`` after more than ``patience`` epochs without a lower validation loss.

    As Keras' ReduceLROnPlateau, which Timilsina used, but for its least change of the loss. All of the state
    is in plain numbers, which a checkpoint holds.
    """

    def __init__(self, optimiser: Optimizer, plateau: Plateau) -> None:
        self.rate, self.least = plateau.rate, plateau.least
        self.factor, self.patience = plateau.factor, plateau.patience
        self.reductions, self.waited, self.lowest = 0, 0, float("inf")
        super().__init__(optimiser)

    def get_lr(self) -> list[float | Any]:
        """Return the rate of each group of parameters."""
        rate = max(self.least, self.rate * self.factor**self.reductions)
        return [rate] * len(self.optimizer.param_groups)

    def epoch_over(self, loss: float) -> None:
        """Take note of an epoch's validation loss."""
        if loss < self.lowest:
            self.lowest, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited > self.patience:
            self.reductions, self.waited = self.reductions + 1, 0
            for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
                group["lr"] = rate
