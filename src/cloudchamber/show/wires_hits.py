"""Scores of hits as an image: what was predicted, where each hit lies."""

import numpy as np

from cloudchamber.labels import Activity
from cloudchamber.source.hit_predictions import HitPredictions
from cloudchamber.source.wire_predictions import NOT_PREDICTED, WirePredictions, probability_codes
from cloudchamber.wire_events import WireEvents

_CLASSES = np.array([Activity.TRACK, Activity.EM, Activity.NONE], np.uint8)  # in the order of the scores


def hit_image(event: WireEvents, predicted: HitPredictions) -> WirePredictions:
    """Return the most probable class in the pixels of each hit, from one width before its peak to one after.

    Where hits overlap the stronger one is shown; elsewhere nothing was predicted.

    Raises
    ------
    ValueError
        if the readout, which must be one, has no hits or not as many as there are scores.
    """
    if len(event) != 1 or event.hits is None or len(event.hits) != len(predicted.scores):
        raise ValueError("one readout, with as many hits as there are scores")
    label = np.full(event.code.shape, NOT_PREDICTED, np.uint8)
    probability, michel = np.zeros(label.shape, np.uint8), np.zeros(label.shape, np.uint8)
    best = predicted.scores[:, :3].argmax(axis=1)
    sure = probability_codes(predicted.scores[np.arange(len(best)), best])
    electron = probability_codes(predicted.scores[:, 3])
    hits, rebin = event.hits, event.readout.rebin
    half = np.maximum(hits["rms_ticks"], 0.0)
    first = np.maximum((hits["peak_tick"] - half) // rebin, 0).astype(np.int64)
    last = np.minimum((hits["peak_tick"] + half) // rebin, event.drifts - 1).astype(np.int64)
    for hit in np.argsort(hits["peak"], kind="stable"):
        where = 0, int(hits["wire"][hit]), slice(int(first[hit]), int(last[hit]) + 1)
        label[where] = _CLASSES[best[hit]]
        probability[where], michel[where] = sure[hit], electron[hit]
    return WirePredictions("hits", label, probability, michel)
