"""Bring the maps that a network reads to numbers of order one."""

from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field

Scale = Literal["linear", "log", "arcsinh"]
# Logarithms for what spans orders of magnitude; the offset (in the map's unit) keeps voxels without muons.
SCALES: Mapping[str, tuple[Scale, float]] = {
    "x0": ("log", 0.0),
    "poca_count": ("log", 1.0),
    "poca_theta2": ("log", 1e-4),
    "score": ("linear", 0.0),
    "score_information": ("log", 1e-2),
}


class Standardise(BaseModel):
    """(v - mean)/std of one map; v is its value, the natural logarithm of value + offset, or its arcsinh.

    The arcsinh is a logarithm with a sign, for what is linear near zero and has long tails on either side.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale: Scale = "log"
    offset: float = Field(default=0.0, ge=0)
    mean: float = 0.0
    std: float = Field(default=1.0, gt=0)

    def __call__(self, values: Float[torch.Tensor, "*shape"]) -> Float[torch.Tensor, "*shape"]:
        """Return the standardised values."""
        if self.scale == "log":
            values = (values + self.offset).log()
        elif self.scale == "arcsinh":
            values = values.arcsinh()
        return (values - self.mean) / self.std


class Inputs(BaseModel):
    """The maps that a network reads, in order, and how each is standardised."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    maps: dict[str, Standardise] = Field(min_length=1)

    @property
    def names(self) -> tuple[str, ...]:
        """The maps' names, in the order of the channels."""
        return tuple(self.maps)

    def __call__(self, values: Float[torch.Tensor, "n map z x y"]) -> Float[torch.Tensor, "n map z x y"]:
        """Return the standardised maps."""
        columns = [each(values[:, k]) for k, each in enumerate(self.maps.values())]
        return torch.stack(columns, dim=1)


def fit_standardise(
    blocks: Iterable[Float[np.ndarray, "..."]], scale: Scale = "log", offset: float = 0.0
) -> Standardise:
    """Fit mean and standard deviation over all voxels, in double precision, block by block."""
    count, total, squares = 0, 0.0, 0.0
    for block in blocks:
        values = block.astype(np.float64)
        if scale == "log":
            values = np.log(values + offset)
        elif scale == "arcsinh":
            values = np.arcsinh(values)
        count += values.size
        total += float(values.sum())
        squares += float(np.square(values).sum())
    mean = total / count
    std = float(np.sqrt(max(squares / count - mean**2, 1e-12)))
    return Standardise(scale=scale, offset=offset, mean=mean, std=std)


def fit_inputs(
    maps: Mapping[str, Float[np.ndarray, "n z x y"]], log: bool | Mapping[str, Scale] = True
) -> Inputs:
    """Fit the standardisation of each map on training volumes.

    Parameters
    ----------
    log : False takes every map as it is; scales by name take the place of those in ``SCALES``.
    """
    fitted = {}
    for name, values in maps.items():
        scale, offset = SCALES.get(name, ("linear", 0.0)) if log is not False else ("linear", 0.0)
        if isinstance(log, Mapping) and name in log:
            scale, offset = log[name], offset if log[name] == "log" else 0.0
        fitted[name] = fit_standardise(np.array_split(values, max(1, len(values) // 4096)), scale, offset)
    return Inputs(maps=fitted)
