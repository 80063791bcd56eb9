"""The score of labelled wire images: intersection over union per class, over the pixels of all images.

Pixels of one event are not independent: every error is a bootstrap error over images.
"""

from enum import IntEnum

import numpy as np
from jaxtyping import Int64, UInt8

from cloudchamber.errors import InputError
from cloudchamber.labels import BeamLabel
from cloudchamber.score.bootstrap import RESAMPLES, Estimate, Frozen, bootstrap_ratios
from cloudchamber.score.confusion import count_confusion, mean_iou_terms


class BeamClassScore(Frozen):
    """One class: its true pixels, IOU, the share of them that is found, of those found that is right."""

    name: str
    n_pixels: int
    iou: Estimate
    accuracy: Estimate
    purity: Estimate


class BeamBin(Frozen):
    """Images of events with ``low`` to ``high`` - 1 beam hits; ``high`` is None where there is no end."""

    low: int
    high: int | None
    n_images: int
    not_beam_iou: Estimate
    beam_iou: Estimate
    mean_iou_without_background: Estimate


class BeamScore(Frozen):
    """The score of ``n_images`` images of ``wires`` x ``drifts`` pixels.

    ``mean_iou`` is the mean over the classes that occur, ``mean_iou_without_background`` that of all but the
    background, which is easy. ``confusion`` counts pixels, a row for each true class. ``image_beam_iou`` is
    the mean of the images' own IOUs of the beam (all classes from BEAM on), of those that hold some.
    """

    n_images: int
    wires: int
    drifts: int
    mean_iou: Estimate
    mean_iou_without_background: Estimate
    classes: tuple[BeamClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    image_beam_iou: Estimate
    by_beam: tuple[BeamBin, ...] = ()


BEAM_EDGES = (0, 200, 500, 1000, 2000)


def beam_iou_of_images(
    truth: UInt8[np.ndarray, "image wire drift"], predicted: UInt8[np.ndarray, "image wire drift"]
) -> np.ndarray:
    """Return the IOU of the beam, all its species together, of each image; NaN where there is none."""
    true, found = truth >= BeamLabel.BEAM, predicted >= BeamLabel.BEAM
    both, either = (np.count_nonzero(each, axis=(1, 2)) for each in (true & found, true | found))
    iou: np.ndarray = np.divide(both, either, out=np.full(len(truth), np.nan), where=either > 0)
    return iou


def score_beam(
    truth: UInt8[np.ndarray, "image wire drift"],
    predicted: UInt8[np.ndarray, "image wire drift"],
    labels: type[IntEnum] = BeamLabel,
    *,
    beam: Int64[np.ndarray, "image"] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> BeamScore:
    """Score the predicted class of every pixel.

    Parameters
    ----------
    truth, predicted : values of ``labels``.
    beam : beam hits of each event, to score events with few and many apart, all of the beam's classes
        together.
    resamples, seed : of the bootstrap over images.

    Raises
    ------
    InputError
        if there are no images, shapes differ, or a class does not exist.
    """
    if truth.ndim != 3 or not truth.size:
        raise InputError("score", "truth", "images (image, wire, drift)", f"shape {truth.shape}")
    n = len(labels)
    confusion = count_confusion(truth, predicted, n)
    hits, of_truth, of_pred = np.diagonal(confusion, axis1=1, axis2=2), confusion.sum(2), confusion.sum(1)
    either = of_truth + of_pred - hits
    own = beam_iou_of_images(truth, predicted)
    holds = (truth >= BeamLabel.BEAM).any(axis=(1, 2))
    lit = slice(1, None)
    some_lit = bool(either[:, lit].any())
    means = [mean_iou_terms(hits, either)]
    means += [mean_iou_terms(hits[:, lit], either[:, lit]) if some_lit else np.zeros(len(truth))]
    ones = np.ones(len(truth))
    above = np.column_stack([*means, np.where(holds, np.nan_to_num(own), 0), hits, hits, hits])
    below = np.column_stack([ones, ones * some_lit, holds, either, of_truth, of_pred])
    every, without, image_iou, *by_class = bootstrap_ratios(above, below, resamples=resamples, seed=seed)
    classes = tuple(
        BeamClassScore(
            name=label.name,
            n_pixels=int(of_truth[:, label].sum()),
            iou=by_class[label],
            accuracy=by_class[n + label],
            purity=by_class[2 * n + label],
        )
        for label in labels
    )
    return BeamScore(
        n_images=len(truth),
        wires=truth.shape[1],
        drifts=truth.shape[2],
        mean_iou=every,
        mean_iou_without_background=without,
        classes=classes,
        confusion=tuple(tuple(row) for row in confusion.sum(axis=0).tolist()),
        image_beam_iou=image_iou,
        by_beam=() if beam is None else _by_beam(confusion, beam, resamples, seed),
    )


def _by_beam(
    confusion: Int64[np.ndarray, "image true predicted"],
    beam: Int64[np.ndarray, "image"],
    resamples: int,
    seed: int,
) -> tuple[BeamBin, ...]:
    first = BeamLabel.BEAM
    both = np.stack([confusion[:, 1, 1], confusion[:, first:, first:].sum(axis=(1, 2))], axis=1)
    true = np.stack([confusion[:, 1].sum(axis=1), confusion[:, first:].sum(axis=(1, 2))], axis=1)
    found = np.stack([confusion[:, :, 1].sum(axis=1), confusion[:, :, first:].sum(axis=(1, 2))], axis=1)
    either = true + found - both
    bins = []
    for low, high in zip(BEAM_EDGES, (*BEAM_EDGES[1:], None), strict=True):
        here = (beam >= low) & (True if high is None else beam < high)
        if not here.any() or not either[here].any():
            continue
        above = np.column_stack([both[here], mean_iou_terms(both[here], either[here])])
        below = np.column_stack([either[here], np.ones(int(here.sum()))])
        not_beam, of_beam, mean = bootstrap_ratios(above, below, resamples=resamples, seed=seed)
        bins.append(
            BeamBin(
                low=low, high=high, n_images=int(here.sum()), not_beam_iou=not_beam, beam_iou=of_beam,
                mean_iou_without_background=mean,
            )
        )  # fmt: skip
    return tuple(bins)
