"""Bring radiation lengths to numbers of order one."""

from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field


class Standardise(BaseModel):
    """(v - mean)/std with v = x0 in metres or its natural logarithm."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    log: bool = True
    mean: float = 0.0
    std: float = Field(default=1.0, gt=0)

    def __call__(self, x0_m: Float[torch.Tensor, "*shape"]) -> Float[torch.Tensor, "*shape"]:
        """Return the standardised values."""
        return ((x0_m.log() if self.log else x0_m) - self.mean) / self.std


def fit_standardise(blocks: Iterable[Float[np.ndarray, "..."]], log: bool = True) -> Standardise:
    """Fit mean and standard deviation over all voxels, in double precision, block by block."""
    count, total, squares = 0, 0.0, 0.0
    for block in blocks:
        values = np.log(block, dtype=np.float64) if log else block.astype(np.float64)
        count += values.size
        total += float(values.sum())
        squares += float(np.square(values).sum())
    mean = total / count
    return Standardise(log=log, mean=mean, std=float(np.sqrt(max(squares / count - mean**2, 1e-12))))
