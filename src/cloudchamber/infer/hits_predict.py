"""Scores of the hits of a file of wire readouts, from file to file, event by event; without torch.

Whatever computes is given as a ``HitsScorer``: ``hits_scorers`` makes one of a bundle, ``hits_onnx`` one of
an exported network.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64

from cloudchamber.errors import InputError
from cloudchamber.infer.hits_readout import check_pixels
from cloudchamber.prepare.hit_images import CLASSES, HitScale, scale_planes
from cloudchamber.progress import progress
from cloudchamber.score.hits_truth import Pixels, lit_pixels, pixels_of_hits
from cloudchamber.source.hit_predictions import HitPredictions, write_hit_predictions
from cloudchamber.source.wire_choice import WireChoice
from cloudchamber.source.wire_files import count_wire_file, iterate_wire_file, wire_kind
from cloudchamber.source.wire_predictions import (
    NOT_PREDICTED,
    WirePredictions,
    probability_codes,
    write_wire_predictions,
)
from cloudchamber.source.writer import Attributes
from cloudchamber.voxel_events import offsets_of
from cloudchamber.wire_events import WireEvents

Classify = Callable[
    [Float32[np.ndarray, "wire drift"], Int64[np.ndarray, "hit"], Int64[np.ndarray, "hit"]],
    Float32[np.ndarray, "hit 4"],
]
_ACTIVITY = np.array([int(each) for each in CLASSES], np.uint8)


@dataclass(frozen=True)
class HitsScorer:
    """What gives scores (track, em, none, michel) of hits, and what planes it reads."""

    name: str
    card: str  # what its card says first
    scale: HitScale
    pitch_mm: float
    drift_mm: float
    engine: str
    classify: Classify


def score_event(scorer: HitsScorer, event: WireEvents, at: Pixels) -> Float32[np.ndarray, "hit 4"]:
    """Return the scores at pixels of one event.

    Raises
    ------
    InputError
        if pixels are of another size than the network was trained on, or the unit is not known.
    """
    check_pixels(scorer.pitch_mm, scorer.drift_mm, event.readout)
    return scorer.classify(scale_planes(event, scorer.scale)[0, 0], at.wire, at.drift)


def predict_hits_file(scorer: HitsScorer, source: Path, target: Path) -> int:
    """Score every event of ``source`` and write ``target`` as a whole.

    ``target`` holds the scores of each hit; where the source has no hits, the class of each lit pixel.

    Returns
    -------
    The number of events.

    Raises
    ------
    InputError
        if the source is no file of wire readouts or does not fit the network, or the target cannot be
        written.
    """
    if target.exists() and target.samefile(source):
        raise InputError(target, "", "another file than the input", "the same")
    n = count_wire_file(source)
    first = next(iter(iterate_wire_file(source, truth=False, stop=1)), None)
    if first is None:
        raise InputError(source, "", "events", "none")
    choice = _put_together(scorer, source, first)
    about: Attributes = {
        "model": scorer.name, "card": scorer.card, "source": source.name, "engine": scorer.engine
    }  # fmt: skip
    with progress("predicting", n, "events") as advance:
        if first.hits is None:
            write_wire_predictions(target, n, _of_pixels(scorer, source, choice, advance), about)
        else:
            write_hit_predictions(target, n, _of_hits(scorer, source, choice, advance), about)
    return n


def _put_together(scorer: HitsScorer, source: Path, first: WireEvents) -> WireChoice | None:
    """Return how frames of single ticks become pixels as the network was trained on; None: as they are."""
    ticks = round(scorer.drift_mm / first.readout.drift_mm)
    if wire_kind(source) not in ("frames", "labelled frames") or first.readout.rebin != 1 or ticks < 2:
        return None
    return WireChoice(rebin=ticks)


def _of_hits(
    scorer: HitsScorer, source: Path, choice: WireChoice | None, advance: Callable[[int], None]
) -> Iterator[HitPredictions]:
    for event in iterate_wire_file(source, choice, truth=False):
        try:
            at = pixels_of_hits(event)
        except ValueError as error:
            raise InputError(source, "hits", "hits on the wires of the plane", str(error)) from error
        yield HitPredictions(offsets_of([len(at)]), score_event(scorer, event, at))
        advance(1)


def _of_pixels(
    scorer: HitsScorer, source: Path, choice: WireChoice | None, advance: Callable[[int], None]
) -> Iterator[WirePredictions]:
    for event in iterate_wire_file(source, choice, truth=False):
        check_pixels(scorer.pitch_mm, scorer.drift_mm, event.readout)
        at = lit_pixels(event, scorer.scale)
        scores = score_event(scorer, event, at)
        shape = event.code.shape
        label = np.full(shape, NOT_PREDICTED, np.uint8)
        probability, michel = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
        place = (at.event, at.wire, at.drift)
        label[place] = _ACTIVITY[scores[:, :3].argmax(axis=1)]
        probability[place] = probability_codes(scores[:, :3].max(axis=1))
        michel[place] = probability_codes(scores[:, 3])
        yield WirePredictions("hits", label, probability, michel)
        advance(1)
