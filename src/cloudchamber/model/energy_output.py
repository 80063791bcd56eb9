"""What the outputs of a network mean: an energy, quantiles of it, or mean and spread of a density."""

from statistics import NormalDist
from typing import Literal, Self

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor
from torch.nn import functional

OutputKind = Literal["energy", "quantiles", "density"]
TargetScale = Literal["linear", "log", "bent"]
LARGEST_LOG = 20.0  # e^20 GeV is no muon's energy: exponentials stay finite
BEND_GEV = 1000.0


def bend(energy_gev: Float[Tensor, "*size"]) -> Float[Tensor, "*size"]:
    """Return ln(e^x - 1), x = E / 1 TeV: near ln x below 1 TeV, near x above; the inverse of softplus."""
    x = energy_gev / BEND_GEV
    found: Tensor = x + torch.log(-torch.expm1(-x))
    return found


class EnergyOutput(BaseModel):
    """From a network's numbers to energies in GeV, t = (s(E) - centre)/width.

    ``scale`` says what s is: the energy in GeV (``linear``), its logarithm (``log``), or, so that all
    energies are positive and none is exponentially far off, a logarithm that goes over into a straight line
    at 1 TeV (``bent``, see :func:`bend`).
    ``energy``: output 0 is t of the energy, the others are t of its quantiles at ``levels``, if there are
    any. ``quantiles``: each output is t of one quantile; that at 1/2 is the energy. ``density``: t is normal,
    with output 0 as its mean and e^(output 1) as its spread; the energy is the median. Quantiles that cross
    are put in order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: OutputKind = "energy"
    levels: tuple[float, ...] = Field(default=(), description="of the quantiles, rising, between 0 and 1")
    scale: TargetScale = "linear"
    centre: float = 0.0
    width: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _stands(self) -> Self:
        levels = self.levels
        if sorted(set(levels)) != list(levels) or any(not 0 < level < 1 for level in levels):
            raise ValueError("levels rise and lie between 0 and 1")
        if self.kind == "quantiles" and 0.5 not in levels:
            raise ValueError("one of the levels of quantiles is 0.5, which gives the energy")
        if self.kind == "density" and not levels:
            raise ValueError("a density has levels at which its quantiles are given")
        return self

    @property
    def outputs(self) -> int:
        """How many numbers the network gives per muon."""
        return {"energy": 1 + len(self.levels), "quantiles": len(self.levels), "density": 2}[self.kind]

    def fitted(self, energy_gev: Float[np.ndarray, "event"]) -> "EnergyOutput":
        """Return the same with centre and width those of a training set: mean and standard deviation."""
        values = self._scaled(torch.from_numpy(energy_gev.astype(np.float64)))
        spread = float(values.std(correction=0))
        return self.model_copy(
            update={"centre": float(values.mean()), "width": spread if spread > 0 else 1.0}
        )

    def target(self, energy_gev: Float[Tensor, "*size"]) -> Float[Tensor, "*size"]:
        """Return t of energies."""
        return (self._scaled(energy_gev) - self.centre) / self.width

    def _scaled(self, energy_gev: Float[Tensor, "*size"]) -> Float[Tensor, "*size"]:
        if self.scale == "bent":
            return bend(energy_gev)
        return energy_gev.log() if self.scale == "log" else energy_gev

    def in_gev(self, t: Float[Tensor, "*size"]) -> Float[Tensor, "*size"]:
        """Return the energies that t stands for."""
        values = t * self.width + self.centre
        if self.scale == "bent":
            return BEND_GEV * functional.softplus(values)
        return values.clamp(max=LARGEST_LOG).exp() if self.scale == "log" else values

    def energy(self, out: Float[Tensor, "event output"]) -> Float[Tensor, "event"]:
        """Return the energy of each muon in GeV."""
        place = self.levels.index(0.5) if self.kind == "quantiles" else 0
        return self.in_gev(out[:, place])

    def quantiles(self, out: Float[Tensor, "event output"]) -> Float[Tensor, "event level"]:
        """Return the quantiles of each muon's energy in GeV, in the order of ``levels``."""
        if self.kind == "density":
            normal = out.new_tensor([NormalDist().inv_cdf(level) for level in self.levels])
            t = out[:, :1] + normal * out[:, 1:].exp()
        else:
            t = out[:, self.outputs - len(self.levels) :].sort(dim=1).values
        return self.in_gev(t)
