"""The score of predicted walls: the challenge's IOU with errors, and where it is lost."""

import numpy as np
from jaxtyping import Bool, Float, Int

from cloudchamber.errors import InputError
from cloudchamber.score.bootstrap import RESAMPLES, Estimate, Frozen, bootstrap_ratios
from cloudchamber.score.calibration import CalibrationBin, calibrate
from cloudchamber.score.inputs import booleans, same_shape

SMOOTH = 1e-17


class LayerScore(Frozen):
    """One layer: the challenge's IOU (1 where truth and prediction are empty), and that of the rest."""

    layer: int
    iou: Estimate
    iou_not_empty: Estimate
    n_not_empty: int


class CountBin(Frozen):
    """Mean IOU of the volumes whose count lies between ``low`` and ``high``, both included."""

    low: int
    high: int
    n: int
    iou: Estimate


class WallsScore(Frozen):
    """The score of ``n`` predicted volumes; errors are bootstrap errors over volumes."""

    n: int
    iou: Estimate
    precision: Estimate
    recall: Estimate
    base_right: Estimate
    top_right: Estimate
    layers_added: Estimate
    layers_missed: Estimate
    one_base: Estimate
    perfect: Estimate
    layers: tuple[LayerScore, ...]
    by_voxels: tuple[CountBin, ...]
    by_columns: tuple[CountBin, ...]
    calibration: tuple[CalibrationBin, ...] | None = None


def iou_per_sample(
    pred: Bool[np.ndarray, "sample *axes"], truth: Bool[np.ndarray, "sample *axes"]
) -> Float[np.ndarray, "sample"]:
    """Return the challenge's metric of each sample: (|A and B| + 1e-17) / (|A or B| + 1e-17).

    Parameters
    ----------
    pred, truth : (sample, ...), true where there is wall.

    Returns
    -------
    Intersection over union (sample,); 1 where both are empty. Source: starter notebook of the MODE data
    challenge, doi:10.5281/zenodo.7050560.

    Raises
    ------
    InputError
        if the shapes differ or a value is neither 0 nor 1.
    """
    pred, truth = booleans(pred, "predictions"), booleans(truth, "walls")
    same_shape(pred.shape, truth.shape, "predictions")
    axes = tuple(range(1, pred.ndim))
    both, either = (pred & truth).sum(axis=axes), (pred | truth).sum(axis=axes)
    return np.asarray((both + SMOOTH) / (either + SMOOTH), dtype=np.float64)


def iou_per_layer(
    pred: Bool[np.ndarray, "sample z x y"], truth: Bool[np.ndarray, "sample z x y"]
) -> Float[np.ndarray, "sample z"]:
    """Return the metric of :func:`iou_per_sample` of each layer, (sample, z); 1 where both are empty."""
    pred, truth = booleans(pred, "predictions"), booleans(truth, "walls")
    same_shape(pred.shape, truth.shape, "predictions")
    both, either = (pred & truth).sum(axis=(2, 3)), (pred | truth).sum(axis=(2, 3))
    return np.asarray((both + SMOOTH) / (either + SMOOTH), dtype=np.float64)


def _count_bins(count: Int[np.ndarray, "sample"], bins: int) -> list[Bool[np.ndarray, "sample"]]:
    """Split samples by a whole number into at most ``bins`` groups of about equal size."""
    edges = np.unique(np.quantile(count, np.linspace(0, 1, bins + 1)[1:-1], method="lower"))
    group = np.searchsorted(edges, count, side="left")
    return [group == k for k in np.unique(group)]


def _count_bin(count: Int[np.ndarray, "sample"], iou: Estimate) -> CountBin:
    return CountBin(low=int(count.min()), high=int(count.max()), n=len(count), iou=iou)


def _any(values: Bool[np.ndarray, "..."], *axes: int) -> Bool[np.ndarray, "..."]:
    return np.asarray(np.any(values, axis=axes))


def _one_base(pred: Bool[np.ndarray, "sample z x y"]) -> Bool[np.ndarray, "sample"]:
    """Return whether all columns with wall begin in one layer; true where there is no wall."""
    first, deepest = pred.argmax(axis=1), _any(pred, 2, 3).argmax(axis=1)
    return np.asarray(((first == deepest[:, None, None]) | ~_any(pred, 1)).all(axis=(1, 2)))


def _volume_columns(
    preds: Bool[np.ndarray, "sample z x y"], walls: Bool[np.ndarray, "sample z x y"]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return numerator and denominator, by sample, of what is said of whole volumes."""
    ones = np.ones(len(walls))
    in_pred, in_walls = _any(preds, 2, 3), _any(walls, 2, 3)
    alike = _any(in_pred, 1) == _any(in_walls, 1)
    base = alike & (in_pred.argmax(axis=1) == in_walls.argmax(axis=1))
    top = alike & (in_pred[:, ::-1].argmax(axis=1) == in_walls[:, ::-1].argmax(axis=1))
    right = (preds & walls).sum(axis=(1, 2, 3))
    return {
        "iou": (iou_per_sample(preds, walls), ones),
        "precision": (right, preds.sum(axis=(1, 2, 3))),
        "recall": (right, walls.sum(axis=(1, 2, 3))),
        "base_right": (base, ones),
        "top_right": (top, ones),
        "layers_added": ((in_pred & ~in_walls).sum(axis=1), ones),
        "layers_missed": ((in_walls & ~in_pred).sum(axis=1), ones),
        "one_base": (_one_base(preds), ones),
        "perfect": (~_any(preds ^ walls, 1, 2, 3), ones),
    }


def score_walls(
    preds: Bool[np.ndarray, "sample z x y"],
    walls: Bool[np.ndarray, "sample z x y"],
    probability: Float[np.ndarray, "sample z x y"] | None = None,
    *,
    count_bins: int = 5,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> WallsScore:
    """Score predicted walls.

    Parameters
    ----------
    preds, walls : (sample, z, x, y), z = 0 the deepest layer; true (or 1) where there is wall.
    probability : predicted probability of wall; gives the calibration curve.
    count_bins : groups of about equal size by number of wall voxels, and by number of columns with wall.
    resamples, seed : of the bootstrap.

    Returns
    -------
    Mean IOU (:func:`iou_per_sample`); precision and recall of all voxels together; fractions of volumes with
    the right deepest layer (``base_right``), the right highest layer (``top_right``), and all predicted
    columns beginning in one layer, as walls do (``one_base``), and every voxel right (``perfect``); whole
    layers added and missed per volume.

    Raises
    ------
    InputError
        if shapes differ, there are no volumes, or values are out of range.
    """
    preds, walls = booleans(preds, "predictions"), booleans(walls, "walls")
    if walls.ndim != 4 or not walls.size:
        raise InputError("score", "walls", "volumes (sample, z, x, y)", f"shape {walls.shape}")
    same_shape(preds.shape, walls.shape, "predictions")
    volume, by_layer = _volume_columns(preds, walls), iou_per_layer(preds, walls)
    layers = range(walls.shape[1])
    ones = np.ones(len(walls))
    filled = _any(preds | walls, 2, 3)
    counts = walls.sum(axis=(1, 2, 3)), _any(walls, 1).sum(axis=(1, 2))
    bins = [_count_bins(count, count_bins) for count in counts]
    ratios = [
        *volume.values(),
        *((by_layer[:, k], ones) for k in layers),
        *((by_layer[:, k] * filled[:, k], filled[:, k]) for k in layers),
        *((volume["iou"][0] * chosen, chosen) for chosen in (*bins[0], *bins[1])),
    ]
    above, below = (np.column_stack([ratio[k] for ratio in ratios]) for k in (0, 1))
    found = iter(bootstrap_ratios(above, below, resamples=resamples, seed=seed))
    whole = {name: next(found) for name in volume}
    of_all, of_filled = ([next(found) for _ in layers] for _ in range(2))
    by_voxels, by_columns = (
        tuple(_count_bin(count[chosen], next(found)) for chosen in groups)
        for count, groups in zip(counts, bins, strict=True)
    )
    return WallsScore(
        n=len(walls),
        **whole,
        layers=tuple(
            LayerScore(
                layer=k,
                iou=of_all[k],
                iou_not_empty=of_filled[k],
                n_not_empty=int(filled[:, k].sum()),
            )
            for k in layers
        ),
        by_voxels=by_voxels,
        by_columns=by_columns,
        calibration=None if probability is None else calibrate(np.asarray(probability), walls),
    )
