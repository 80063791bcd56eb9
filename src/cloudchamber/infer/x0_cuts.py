"""The baselines without training: a voxel is wall where the radiation length lies below a cut."""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from pydantic import BaseModel, ConfigDict, Field

from cloudchamber.errors import InputError
from cloudchamber.infer.thresholds import CANDIDATES, fit_global, fit_layers

# The cuts tried, in metres: as many as thresholds have, in equal steps of the logarithm (6%). The starter
# notebook of the challenge found its cuts between 0.010 and 0.017 m.
CUTS_M = (0.004, 0.04)


class X0Cuts(BaseModel):
    """One cut on the radiation length in metres, or one for each layer, z = 0 the deepest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cuts_m: tuple[float, ...] = Field(min_length=1)

    def __call__(self, x0_m: Float[np.ndarray, "n z x y"]) -> Bool[np.ndarray, "n z x y"]:
        """Return where there is wall.

        Raises
        ------
        InputError
            if there is a cut per layer and the volumes have another number of layers.
        """
        if len(self.cuts_m) not in (1, x0_m.shape[1]):
            raise InputError("volume", "layers", f"{len(self.cuts_m)}", f"{x0_m.shape[1]}")
        cuts = np.asarray(self.cuts_m, dtype=x0_m.dtype)
        return np.asarray(x0_m < cuts[None, :, None, None])


def _rank(x0_m: Float[np.ndarray, "n z x y"]) -> Float[np.ndarray, "n z x y"]:
    """Map X0 to a falling number that is above a candidate threshold where X0 is below the cut behind it."""
    low, high = CUTS_M
    share = np.log(np.asarray(x0_m, dtype=np.float32) / low) / np.log(high / low)
    return np.asarray(CANDIDATES[-1] - (CANDIDATES[-1] - CANDIDATES[0]) * share)


def _cut_m(threshold: float) -> float:
    low, high = CUTS_M
    return float(low * (high / low) ** ((CANDIDATES[-1] - threshold) / (CANDIDATES[-1] - CANDIDATES[0])))


def fit_x0_cuts(
    kind: Literal["global", "layers"],
    x0_m: Float[np.ndarray, "n z x y"],
    walls: Bool[np.ndarray, "n z x y"],
) -> X0Cuts:
    """Fit the cuts with the best mean IOU: one, or one for each layer after the other, as thresholds are.

    Parameters
    ----------
    x0_m : radiation lengths in metres, z = 0 the deepest layer.
    walls : true where there is wall.
    """
    fit = {"global": fit_global, "layers": fit_layers}[kind]
    return X0Cuts(cuts_m=tuple(_cut_m(threshold) for threshold in fit(_rank(x0_m), walls).cuts))
