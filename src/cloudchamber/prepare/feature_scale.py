"""Bring high-level features to numbers of order one."""

from typing import Literal, Self

import numpy as np
from jaxtyping import Float, Float32
from pydantic import BaseModel, ConfigDict, Field, model_validator

Transform = Literal["linear", "arcsinh"]
# Spread against the size of a feature below which it is called constant: what float32 can hold.
LEAST_SPREAD = 1e-6


class FeatureScale(BaseModel):
    """(v - mean) / std of each feature, v its value or the arcsinh of it.

    The arcsinh is a logarithm with a sign for what is far from zero, and linear near it: it draws in the long
    tails of energies and moments.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    transform: Transform = "linear"
    mean: tuple[float, ...] = Field(min_length=1)
    std: tuple[float, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.mean) != len(self.std) or not np.isfinite([*self.mean, *self.std]).all():
            raise ValueError("as many finite means as standard deviations")
        if min(self.std) <= 0:
            raise ValueError("standard deviations above 0")
        return self

    def __call__(self, features: Float[np.ndarray, "event feature"]) -> Float32[np.ndarray, "event feature"]:
        """Return the standardised features.

        Raises
        ------
        ValueError
            if there are more or fewer features than the scale has.
        """
        if features.ndim != 2 or features.shape[1] != len(self.mean):
            raise ValueError(f"{len(self.mean)} features, not an array of shape {features.shape}")
        values = _transformed(features, self.transform)
        scaled: Float[np.ndarray, "event feature"] = (values - np.array(self.mean)) / np.array(self.std)
        return scaled.astype(np.float32)


def _transformed(
    features: Float[np.ndarray, "event feature"], transform: Transform
) -> Float[np.ndarray, "event feature"]:
    values = features.astype(np.float64)
    return np.arcsinh(values) if transform == "arcsinh" else values


def fit_feature_scale(
    features: Float[np.ndarray, "event feature"], transform: Transform = "linear"
) -> FeatureScale:
    """Fit means and standard deviations over a training set, in double precision.

    A feature that is the same for all muons gets the standard deviation 1, so that it becomes 0.

    Raises
    ------
    ValueError
        if there are no muons, or a feature is not finite.
    """
    if features.ndim != 2 or not len(features) or not np.isfinite(features).all():
        raise ValueError("finite features of at least one muon make a scale")
    values = _transformed(features, transform)
    mean, std = values.mean(axis=0), values.std(axis=0)
    std[std <= LEAST_SPREAD * np.maximum(np.abs(mean), LEAST_SPREAD)] = 1.0
    return FeatureScale(transform=transform, mean=tuple(mean.tolist()), std=tuple(std.tolist()))
