"""Counts of true against found classes, and the mean of their IOUs with its error."""

import numpy as np
from jaxtyping import Float, Int64, UInt8

from cloudchamber.errors import InputError


def count_confusion(
    truth: UInt8[np.ndarray, "sample ..."], predicted: UInt8[np.ndarray, "sample ..."], classes: int
) -> Int64[np.ndarray, "sample true predicted"]:
    """Return how many pixels of each image are of which class and predicted as which.

    Raises
    ------
    InputError
        if the shapes differ or there is a class that does not exist.
    """
    if truth.shape != predicted.shape:
        raise InputError(
            "score", "predictions", f"the shape of the truth, {truth.shape}", str(predicted.shape)
        )
    for entry, values in (("truth", truth), ("predictions", predicted)):
        if values.size and int(values.max()) >= classes:
            raise InputError("score", entry, f"classes 0 to {classes - 1}", str(int(values.max())))
    found = np.empty((len(truth), classes, classes), np.int64)
    for k, (true, seen) in enumerate(zip(truth, predicted, strict=True)):
        cell = true.ravel().astype(np.intp) * classes + seen.ravel()
        found[k] = np.bincount(cell, minlength=classes**2).reshape(classes, classes)
    return found


def mean_iou_terms(
    both: Int64[np.ndarray, "sample class"], either: Int64[np.ndarray, "sample class"]
) -> Float[np.ndarray, "sample"]:
    """Return numbers, one for each sample, whose mean is the mean IOU and whose bootstrap error is its own.

    A ratio I / U of sums over n samples changes by (i - u I / U) / U when a sample counts twice: the
    infinitesimal jackknife (Jaeckel, Bell Laboratories memorandum 72-1215-11, 1972). Classes that are
    nowhere do not count.
    """
    there = either.sum(axis=0) > 0
    both, either = both[:, there], either[:, there]
    iou = both.sum(axis=0) / either.sum(axis=0)
    change = len(both) * (both - iou * either) / either.sum(axis=0)
    return np.asarray((iou + change).mean(axis=1))
