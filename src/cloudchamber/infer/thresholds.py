"""Cuts that turn probabilities into walls, fitted on validation data alone."""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import BaseModel, ConfigDict, Field

from cloudchamber.errors import InputError
from cloudchamber.score.walls import iou_per_sample

CANDIDATES = np.round(np.arange(0.10, 0.905, 0.02), 2)


class Thresholds(BaseModel):
    """One cut, or one for each layer; a voxel is wall when its probability is above the cut."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["fixed", "global", "layers"] = "fixed"
    cuts: tuple[float, ...] = Field(default=(0.5,), min_length=1)

    def __call__(self, probability: Float[np.ndarray, "n z x y"]) -> Bool[np.ndarray, "n z x y"]:
        """Return where there is wall.

        Raises
        ------
        InputError
            if there is a cut per layer and the volumes have another number of layers.
        """
        if len(self.cuts) not in (1, probability.shape[1]):
            raise InputError("volume", "layers", f"{len(self.cuts)}", f"{probability.shape[1]}")
        cuts = np.asarray(self.cuts, dtype=probability.dtype)
        return np.asarray(probability > cuts[None, :, None, None])


def fit_global(probability: Float[np.ndarray, "n z x y"], walls: Bool[np.ndarray, "n z x y"]) -> Thresholds:
    """Return the one cut with the best mean IOU among steps of 0.02."""
    means = [iou_per_sample(probability > cut, walls).mean() for cut in CANDIDATES]
    return Thresholds(kind="global", cuts=(float(CANDIDATES[int(np.argmax(means))]),))


def _counts(
    probability: Float[np.ndarray, "n z x y"], walls: Bool[np.ndarray, "n z x y"], cut: float
) -> tuple[Int[np.ndarray, "n z"], Int[np.ndarray, "n z"]]:
    preds = probability > cut
    return (preds & walls).sum(axis=(2, 3)), (preds | walls).sum(axis=(2, 3))


def fit_layers(probability: Float[np.ndarray, "n z x y"], walls: Bool[np.ndarray, "n z x y"]) -> Thresholds:
    """Return a cut per layer: from the best global cut, one layer after the other (Bury, 2022).

    A layer keeps the global cut unless another is better for the IOU of whole volumes.
    """
    start = fit_global(probability, walls).cuts[0]
    tables = [_counts(probability, walls, float(cut)) for cut in CANDIDATES]
    both, either = np.array([t[0] for t in tables]), np.array([t[1] for t in tables])
    chosen = np.full(walls.shape[1], int(np.flatnonzero(np.isclose(CANDIDATES, start))[0]))
    layers = np.arange(walls.shape[1])
    for layer in layers:
        others = layers != layer
        rest_both = both[chosen[others], :, layers[others]].sum(axis=0)
        rest_either = either[chosen[others], :, layers[others]].sum(axis=0)
        union = rest_either + either[:, :, layer]
        iou = np.where(union > 0, (rest_both + both[:, :, layer]) / np.maximum(union, 1), 1.0).mean(axis=1)
        if iou.max() > iou[chosen[layer]]:
            chosen[layer] = int(np.argmax(iou))
    return Thresholds(kind="layers", cuts=tuple(float(CANDIDATES[k]) for k in chosen))


def fit_thresholds(
    kind: Literal["fixed", "global", "layers"],
    probability: Float[np.ndarray, "n z x y"],
    walls: Bool[np.ndarray, "n z x y"],
) -> Thresholds:
    """Fit the kind of cut a recipe asks for, on validation volumes."""
    if kind == "fixed":
        return Thresholds()
    return fit_global(probability, walls) if kind == "global" else fit_layers(probability, walls)
