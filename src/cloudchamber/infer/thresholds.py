"""Cuts that turn probabilities into walls, fitted on validation data alone."""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import BaseModel, ConfigDict, Field

from cloudchamber.errors import InputError
from cloudchamber.score.walls import iou_per_sample

CANDIDATES = np.round(np.arange(0.10, 0.905, 0.02), 2)


Kind = Literal["fixed", "global", "layers", "layers-alone", "expected-iou"]


class Thresholds(BaseModel):
    """One cut, or one for each layer; a voxel is wall when its probability is above the cut.

    ``expected-iou`` takes the most probable voxels of each volume, as many as make the expected IOU largest;
    its one number is the power that turns probabilities into calibrated ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "fixed"
    cuts: tuple[float, ...] = Field(default=(0.5,), min_length=1)

    def __call__(self, probability: Float[np.ndarray, "n z x y"]) -> Bool[np.ndarray, "n z x y"]:
        """Return where there is wall.

        Raises
        ------
        InputError
            if there is a cut per layer and the volumes have another number of layers.
        """
        if self.kind == "expected-iou":
            return largest_expected_iou(probability, self.cuts[0])
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


def fit_layers_alone(
    probability: Float[np.ndarray, "n z x y"], walls: Bool[np.ndarray, "n z x y"]
) -> Thresholds:
    """Return a cut per layer, each the best for the IOU of that layer alone (Gonzalez, 2022)."""
    tables = [_counts(probability, walls, float(cut)) for cut in CANDIDATES]
    layer_iou = np.array([np.where(e > 0, b / np.maximum(e, 1), 1.0).mean(axis=0) for b, e in tables])
    return Thresholds(kind="layers-alone", cuts=tuple(CANDIDATES[layer_iou.argmax(axis=0)].tolist()))


def largest_expected_iou(
    probability: Float[np.ndarray, "n z x y"], sharpness: float = 1.0
) -> Bool[np.ndarray, "n z x y"]:
    """Return the voxels that make the expected IOU of each volume largest, to first order.

    For independent voxels the best set holds the k most probable ones (Nowozin, CVPR 2014), and its expected
    IOU is near sum_{i<=k} p_i / (k + sum_{i>k} p_i), the ratio of expectations. ``sharpness`` is a power on
    the odds, p^s / (p^s + (1-p)^s), which calibrates probabilities that were trained for something else.
    """
    flat = probability.reshape(len(probability), -1).astype(np.float64)
    odds = (flat / np.maximum(1 - flat, 1e-12)) ** sharpness
    flat = odds / (1 + odds)
    order = np.argsort(-flat, axis=1, kind="stable")
    inside = np.cumsum(np.take_along_axis(flat, order, axis=1), axis=1)
    count = np.arange(1, flat.shape[1] + 1)
    best = (inside / (count + inside[:, -1:] - inside)).argmax(axis=1)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(flat.shape[1])[None], axis=1)
    return np.asarray((rank <= best[:, None]).reshape(probability.shape))


def fit_sharpness(
    probability: Float[np.ndarray, "n z x y"], walls: Bool[np.ndarray, "n z x y"]
) -> Thresholds:
    """Return the sharpness with the best mean IOU of the sets of ``largest_expected_iou``."""
    powers = (0.25, 0.35, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0)
    means = [iou_per_sample(largest_expected_iou(probability, s), walls).mean() for s in powers]
    return Thresholds(kind="expected-iou", cuts=(powers[int(np.argmax(means))],))


def fit_thresholds(
    kind: Kind,
    probability: Float[np.ndarray, "n z x y"],
    walls: Bool[np.ndarray, "n z x y"],
    fixed_cut: float = 0.5,
) -> Thresholds:
    """Fit the kind of cut a recipe asks for, on validation volumes."""
    if kind == "fixed":
        return Thresholds(cuts=(fixed_cut,))
    fits = {
        "global": fit_global, "layers": fit_layers, "layers-alone": fit_layers_alone,
        "expected-iou": fit_sharpness,
    }  # fmt: skip
    return fits[kind](probability, walls)
