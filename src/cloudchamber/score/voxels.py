"""The score of predicted classes of voxels, with errors, and where it is lost.

Non-zero accuracy is the share of the voxels with energy whose class is right (arXiv:1903.05663). Voxels of
one event are not independent: every error is a bootstrap error over events.
"""

import numpy as np
from jaxtyping import Float, Int64, UInt8

from cloudchamber.errors import InputError
from cloudchamber.labels import VoxelLabel
from cloudchamber.score.bootstrap import RESAMPLES, Estimate, Frozen, bootstrap_ratios
from cloudchamber.score.confusion import mean_iou_terms
from cloudchamber.score.voxels_parts import (
    DistanceBin,
    ReliabilityBin,
    ShowerUniformity,
    score_reliability,
    score_showers,
    score_track_ends,
)
from cloudchamber.voxel_events import VoxelEvents

_N = len(VoxelLabel)


class ClassScore(Frozen):
    """One class: its voxels, the share of them that is found, of those found that is right, and the IOU."""

    label: VoxelLabel
    n_voxels: int
    accuracy: Estimate
    purity: Estimate
    iou: Estimate


class VoxelsScore(Frozen):
    """The score of the voxels of ``n_events`` events.

    ``accuracy`` is that of all voxels together, ``event_accuracy`` the mean over events of an event's own;
    ``mean_iou`` the mean over the classes that occur. ``confusion`` counts voxels, a row for each true class.
    ``calibration_error`` is the mean distance of accuracy and probability over the bins of ``reliability``,
    weighted by their voxels.
    """

    n_events: int
    n_voxels: int
    accuracy: Estimate
    event_accuracy: Estimate
    mean_iou: Estimate
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    by_track_end: tuple[DistanceBin, ...] = ()
    shower_uniformity: ShowerUniformity | None = None
    reliability: tuple[ReliabilityBin, ...] = ()
    calibration_error: float | None = None


def confusion_by_event(
    truth: VoxelEvents, predicted: UInt8[np.ndarray, "voxel"]
) -> Int64[np.ndarray, "event true predicted"]:
    """Return how many voxels of each event are of which class and predicted as which.

    Raises
    ------
    InputError
        if the events have no labels, or predictions are not one class for every voxel.
    """
    if truth.label is None:
        raise InputError("score", "label", "events with the true class of every voxel", "none")
    if predicted.shape != truth.label.shape:
        raise InputError("score", "predictions", f"{len(truth.label)} voxels", f"shape {predicted.shape}")
    for entry, values in (("label", truth.label), ("predictions", predicted)):
        if values.size and not 0 <= int(values.min()) <= int(values.max()) < _N:
            found = f"{int(values.min())} to {int(values.max())}"
            raise InputError("score", entry, f"classes 0 to {_N - 1}", found)
    cell = truth.event_of_voxel() * _N**2 + truth.label.astype(np.int64) * _N + predicted
    return np.bincount(cell, minlength=len(truth) * _N**2).reshape(len(truth), _N, _N)


def _check_probability(probability: Float[np.ndarray, "voxel class"], n_voxels: int) -> None:
    if probability.shape != (n_voxels, _N):
        raise InputError("score", "probability", f"shape {(n_voxels, _N)}", f"shape {probability.shape}")
    if not (probability.min() >= 0 and probability.max() <= 1 + 1e-3):
        found = f"{probability.min()} to {probability.max()}"
        raise InputError("score", "probability", "numbers within 0..1", found)


def score_voxels(
    truth: VoxelEvents,
    predicted: UInt8[np.ndarray, "voxel"],
    probability: Float[np.ndarray, "voxel class"] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> VoxelsScore:
    """Score the predicted class of every voxel.

    Parameters
    ----------
    truth : events with labels; with particles too, the accuracy against the distance to a track's end.
    predicted : values of VoxelLabel, in the order of the voxels of ``truth``.
    probability : predicted probability of each class; gives the uniformity of shower scores and reliability.
    resamples, seed : of the bootstrap over events.

    Raises
    ------
    InputError
        if there are no voxels, shapes differ, or values are out of range.
    """
    confusion = confusion_by_event(truth, predicted)
    if not len(predicted):
        raise InputError("score", "events", "events with voxels", "none")
    how = {"resamples": resamples, "seed": seed}
    hits, of_truth, of_pred = np.diagonal(confusion, axis1=1, axis2=2), confusion.sum(2), confusion.sum(1)
    either = of_truth + of_pred - hits
    all_hits, voxels = hits.sum(axis=1), of_truth.sum(axis=1)
    own = np.divide(all_hits, voxels, out=np.zeros(len(truth)), where=voxels > 0)
    above = np.column_stack([all_hits, own, mean_iou_terms(hits, either), hits, hits, hits])
    below = np.column_stack([voxels, voxels > 0, np.ones(len(truth)), of_truth, of_pred, either])
    accuracy, event_accuracy, mean_iou, *by_class = bootstrap_ratios(above, below, **how)
    classes = tuple(
        ClassScore(
            label=label,
            n_voxels=int(of_truth[:, label].sum()),
            accuracy=by_class[label],
            purity=by_class[_N + label],
            iou=by_class[2 * _N + label],
        )
        for label in VoxelLabel
    )
    right = np.asarray(predicted == truth.label)
    uniformity: ShowerUniformity | None = None
    reliability: tuple[ReliabilityBin, ...] = ()
    calibration_error = None
    if probability is not None:
        _check_probability(probability, len(predicted))
        uniformity = score_showers(truth, probability, **how)
        reliability = score_reliability(truth, right, probability, **how)
        gaps = [b.n_voxels * abs((b.accuracy.value or 0.0) - b.mean_probability) for b in reliability]
        calibration_error = sum(gaps) / len(predicted)
    return VoxelsScore(
        n_events=len(truth),
        n_voxels=len(predicted),
        accuracy=accuracy,
        event_accuracy=event_accuracy,
        mean_iou=mean_iou,
        classes=classes,
        confusion=tuple(tuple(row) for row in confusion.sum(axis=0).tolist()),
        by_track_end=score_track_ends(truth, right, **how),
        shower_uniformity=uniformity,
        reliability=reliability,
        calibration_error=calibration_error,
    )
