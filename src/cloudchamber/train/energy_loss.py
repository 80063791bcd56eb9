"""Losses of an estimated muon energy: the paper's fractional binned Huber, pinball, and a density's."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from cloudchamber.model.energy_output import EnergyOutput

GEV_PER_TEV = 1000.0
LEAST_LOG_SPREAD = -7.0  # of a density in units of the output: a spread of 0.001 widths


def high_energy_weights(energy_gev: Float[Tensor, "event"]) -> Float[Tensor, "event"]:
    """Return 1 - sigmoid((E - 5000 GeV) / s), with s of 300 GeV up to 5 TeV and 600 GeV above.

    Source: arXiv:2107.02119, for muons of up to 8 TeV: those near the upper end of the training energies
    could not be told from others beyond it.
    """
    above = energy_gev - 5000
    return torch.sigmoid(-above / torch.where(above > 0, 600.0, 300.0))


class FractionalBinnedHuber(nn.Module):
    """Squared error that is linear above a threshold T of the true energy's bin, over the true energy.

    (d^2 if d^2 <= T, else T + 2 sqrt(T) (|d| - sqrt(T))) / E, weighted, mean over events, with energies in
    TeV. T is the running average, with weight ``momentum`` for the present batch, of the given percentile of
    d^2 in each bin of true energy; a bin that is seen for the first time begins with its own. Only training
    batches move it. Source: arXiv:2107.02119.

    Parameters
    ----------
    edges_gev : of the bins; energies beyond the ends count in the outermost ones.
    """

    thresholds: Tensor  # TeV^2 per bin; NaN where there was no event yet
    edges: Tensor

    def __init__(
        self, edges_gev: Sequence[float], *, percentile: float = 0.68, momentum: float = 0.1
    ) -> None:
        super().__init__()
        self.percentile, self.momentum = percentile, momentum
        self.register_buffer("edges", torch.tensor(edges_gev, dtype=torch.float32)[1:-1], persistent=False)
        self.register_buffer("thresholds", torch.full((len(edges_gev) - 1,), torch.nan))

    def bins(self, energy_gev: Float[Tensor, "event"]) -> Int64[Tensor, "event"]:
        """Return the bin of each true energy."""
        return torch.bucketize(energy_gev, self.edges, right=True)

    @torch.no_grad()
    def _track(self, squared: Tensor, bins: Tensor) -> None:
        for number in range(len(self.thresholds)):
            here = squared[bins == number]
            if len(here):
                new = torch.quantile(here, self.percentile)
                old = self.thresholds[number]
                self.thresholds[number] = torch.where(old.isnan(), new, torch.lerp(old, new, self.momentum))

    def forward(
        self,
        predicted_gev: Float[Tensor, "event"],
        true_gev: Float[Tensor, "event"],
        weights: Float[Tensor, "event"] | None = None,
    ) -> Float[Tensor, ""]:
        """Return the loss."""
        error = (predicted_gev - true_gev) / GEV_PER_TEV
        squared, bins = error.square(), self.bins(true_gev)
        if self.training:
            self._track(squared, bins)
        threshold = self.thresholds[bins]
        # In validation, of a bin that had no event in training: nothing is beyond its threshold.
        threshold = torch.where(threshold.isnan(), squared.detach(), threshold)
        root = threshold.sqrt()
        linear = threshold + 2 * root * (error.abs() - root)
        each = torch.where(squared > threshold, linear, squared) * GEV_PER_TEV / true_gev
        return (each if weights is None else each * weights).mean()


def pinball_loss(
    predicted: Float[Tensor, "event level"],
    true: Float[Tensor, "event"],
    levels: Sequence[float],
    weights: Float[Tensor, "event"] | None = None,
) -> Float[Tensor, ""]:
    """Return max(q d, (q - 1) d), d = true - predicted, mean over levels q, then events.

    Its least value is at the quantiles (Koenker and Bassett, Econometrica 46, 33).
    """
    q = predicted.new_tensor(levels)
    d = true[:, None] - predicted
    each = torch.maximum(q * d, (q - 1) * d).mean(dim=1)
    return (each if weights is None else each * weights).mean()


def density_loss(
    out: Float[Tensor, "event 2"],
    true: Float[Tensor, "event"],
    weights: Float[Tensor, "event"] | None = None,
) -> Float[Tensor, ""]:
    """Return -ln of the normal density but for a constant: z^2/2 + ln s, z = (t - m)/s; outputs m, ln s."""
    log_spread = out[:, 1].clamp(min=LEAST_LOG_SPREAD)
    z = (true - out[:, 0]) * torch.exp(-log_spread)
    each = z.square() / 2 + log_spread
    return (each if weights is None else each * weights).mean()


class EnergyLoss(nn.Module):
    """The loss that belongs to a kind of output.

    ``energy``: fractional binned Huber, plus the pinball loss of the quantiles if there are any.
    ``quantiles`` and ``density``: theirs, in units of the output's width. High energies have less weight if
    asked for, but not in the loss of quantiles beside an energy, whose coverage is for muons as they come.
    """

    def __init__(self, output: EnergyOutput, edges_gev: Sequence[float], *, weigh: bool = True) -> None:
        super().__init__()
        self.output, self.weigh = output, weigh
        self.huber = FractionalBinnedHuber(edges_gev)

    def forward(
        self, out: Float[Tensor, "event output"], energy_gev: Float[Tensor, "event"]
    ) -> Float[Tensor, ""]:
        """Return the loss of a network's outputs for true energies."""
        output = self.output
        weights = high_energy_weights(energy_gev) if self.weigh else None
        target = output.target(energy_gev)
        if output.kind == "density":
            return density_loss(out, target, weights)
        if output.kind == "quantiles":
            return pinball_loss(out, target, output.levels, weights)
        loss: Tensor = self.huber(output.energy(out), energy_gev, weights)
        if output.levels:
            loss = loss + pinball_loss(out[:, 1:], target, output.levels)
        return loss
