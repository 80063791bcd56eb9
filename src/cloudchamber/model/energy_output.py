"""What the outputs of a network mean: an energy, quantiles of it, or mean and spread of a density."""

import math
from typing import Literal, Self

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor

OutputKind = Literal["energy", "quantiles", "density"]
TargetScale = Literal["linear", "log"]
LARGEST_LOG = 20.0  # e^20 GeV is no muon's energy: exponentials stay finite


class EnergyOutput(BaseModel):
    """From a network's numbers to energies in GeV, t = (E - centre)/width or (ln E - centre)/width.

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
        values = energy_gev.astype(np.float64)
        values = np.log(values) if self.scale == "log" else values
        spread = float(values.std())
        return self.model_copy(
            update={"centre": float(values.mean()), "width": spread if spread > 0 else 1.0}
        )

    def target(self, energy_gev: Float[Tensor, "*size"]) -> Float[Tensor, "*size"]:
        """Return t of energies."""
        values = energy_gev.log() if self.scale == "log" else energy_gev
        return (values - self.centre) / self.width

    def in_gev(self, t: Float[Tensor, "*size"]) -> Float[Tensor, "*size"]:
        """Return the energies that t stands for."""
        values = t * self.width + self.centre
        return values.clamp(max=LARGEST_LOG).exp() if self.scale == "log" else values

    def energy(self, out: Float[Tensor, "event output"]) -> Float[Tensor, "event"]:
        """Return the energy of each muon in GeV."""
        place = self.levels.index(0.5) if self.kind == "quantiles" else 0
        return self.in_gev(out[:, place])

    def quantiles(self, out: Float[Tensor, "event output"]) -> Float[Tensor, "event level"]:
        """Return the quantiles of each muon's energy in GeV, in the order of ``levels``."""
        if self.kind == "density":
            normal = math.sqrt(2) * torch.erfinv(2 * out.new_tensor(self.levels) - 1)
            t = out[:, :1] + normal * out[:, 1:].exp()
        else:
            t = out[:, self.outputs - len(self.levels) :].sort(dim=1).values
        return self.in_gev(t)
