"""The Lightning module for muon energies: the paper's loss and schedule, resolution of each epoch."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor, nn

from cloudchamber.model.energy_inputs import read_muons
from cloudchamber.model.energy_output import EnergyOutput
from cloudchamber.train.energy_batches import EnergyBatch
from cloudchamber.train.energy_loss import EnergyLoss
from cloudchamber.train.energy_recipe import EnergyTraining
from cloudchamber.train.energy_schedule import CycleThenSteps
from cloudchamber.train.epochs import EpochModule, make_optimiser

BINS = 10


def mean_resolution(
    predicted_gev: Float[np.ndarray, "event"], true_gev: Float[np.ndarray, "event"], bins: int = BINS
) -> float:
    """Return half the central 68.27% of the predictions over the median true energy, mean over bins.

    Bins hold equal numbers of true energies. Nothing is corrected: this is to follow a training, not a score.
    """
    parts = np.array_split(np.argsort(true_gev, kind="stable"), min(bins, len(true_gev)))
    widths = []
    for part in parts:
        low, high = np.percentile(predicted_gev[part], [15.865, 84.135])
        widths.append((high - low) / 2 / np.median(true_gev[part]))
    return float(np.mean(widths))


class EnergyLearner(nn.Module):
    """A network and its loss, whose thresholds belong to the state of a training."""

    def __init__(self, network: nn.Module, loss: EnergyLoss) -> None:
        super().__init__()
        self.network, self.loss = network, loss

    def forward(self, batch: EnergyBatch) -> tuple[Float[Tensor, "n output"], Float[Tensor, ""]]:
        """Return outputs and loss of a batch."""
        out = read_muons(self.network, batch.energy_gev, batch.coordinates, batch.features).float()
        return out, self.loss(out, batch.truth_gev)


class EnergyModule(EpochModule):
    """Train a network to estimate the energy of muons.

    Parameters
    ----------
    best : file in which the weights of the best epoch are kept, from which the steps of the schedule begin.
    """

    network: EnergyLearner

    def __init__(
        self,
        learner: EnergyLearner,
        training: EnergyTraining,
        steps_per_epoch: int,
        best: Path,
        resume: tuple[dict[str, Any], dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(learner, training, steps_per_epoch, resume)
        self.training_options, self.best = training, best
        self._schedule: CycleThenSteps | None = None
        self._losses: list[float] = []
        self._predicted: list[Tensor] = []
        self._true: list[Tensor] = []
        self._inside: list[Tensor] = []

    @property
    def output(self) -> EnergyOutput:
        """What the network's outputs mean."""
        return self.network.loss.output

    @property
    def headline(self) -> str:
        """The validation resolution, and how often the outermost quantiles hold the truth."""
        text = f"resolution {self.figures['val_resolution']:.4f}"
        if "val_coverage" in self.figures:
            text += f", coverage {self.figures['val_coverage']:.4f}"
        return text

    def configure_optimizers(self) -> Any:
        """Set up optimiser and schedule, both as they were if the run is resumed."""
        optimiser = make_optimiser(self.network, self.fitting)
        self._schedule = CycleThenSteps(optimiser, self.training_options, self.steps_per_epoch)
        if self._resume:
            optimiser.load_state_dict(self._resume[0])
            self._schedule.load_state_dict(self._resume[1]["schedule"])
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": self._schedule, "interval": "step"}}

    def training_step(self, batch: EnergyBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        loss: Tensor = self.network(batch)[1]
        self.loss_sum += float(loss.detach())
        self.batch += 1
        return loss

    def validation_step(self, batch: EnergyBatch, batch_idx: int) -> None:
        """Note loss, predictions and truth of a batch."""
        out, loss = self.network(batch)
        self._losses.append(float(loss) * len(out))
        self._predicted.append(self.output.energy(out).cpu())
        self._true.append(batch.truth_gev.cpu())
        if len(self.output.levels) > 1:
            quantiles, truth = self.output.quantiles(out), batch.truth_gev
            self._inside.append(((quantiles[:, 0] <= truth) & (truth <= quantiles[:, -1])).cpu())

    def validation_figures(self) -> dict[str, float]:
        """Return the loss, mean over muons, the resolution, and the coverage of the outermost quantiles."""
        predicted, true = torch.cat(self._predicted).numpy(), torch.cat(self._true).numpy()
        figures = {
            "val_loss": sum(self._losses) / len(true),
            "val_resolution": mean_resolution(predicted, true),
        }
        if self._inside:
            figures["val_coverage"] = float(torch.cat(self._inside).float().mean())
        for noted in (self._losses, self._predicted, self._true, self._inside):
            noted.clear()
        return figures

    def close_epoch(self) -> None:
        """Close the epoch; where a step of the schedule is due, go back to the best weights."""
        super().close_epoch()
        if self._schedule is None:
            raise RuntimeError("an epoch is closed before the schedule is set up")
        improved = self.best_epoch == self.epoch - 1 and self.best_loss < float("inf")
        if self._schedule.epoch_over(self.epoch, improved) and self.best.exists():
            self.network.load_state_dict(load_file(self.best))
