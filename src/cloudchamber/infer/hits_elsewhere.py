"""A model for hits on data that it was not trained for: labelled frames of others, real planes."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float32

from cloudchamber.errors import InputError
from cloudchamber.infer.hits_bundle import HitsBundle
from cloudchamber.infer.hits_measure import classify_pixels
from cloudchamber.infer.hits_readout import NEAR
from cloudchamber.prepare.drift_bins import as_adc, median_lit, rebin_events
from cloudchamber.prepare.hit_images import scale_codes
from cloudchamber.score.hits import HitsScore, score_hits
from cloudchamber.score.hits_truth import join_truth, lit_pixels, truth_at
from cloudchamber.wire_events import WireEvents


def fitted_events(
    bundle: HitsBundle, blocks: Iterable[WireEvents], median_lit_adc: float
) -> list[WireEvents]:
    """Return events of any unit and pixel as a model reads them, block by block.

    Pixels are put together anew to the length of drift it was trained with. A signal of unknown unit is
    scaled, all events by one factor, so that the median of the pixels above zero is ``median_lit_adc``: that
    of the simulation. No label is used.

    Raises
    ------
    InputError
        if pixels cannot be made as long as the model's, or there is no signal.
    """
    fitted = []
    for block in blocks:
        per_tick = block.readout.drift_mm / block.readout.rebin
        ticks = round(bundle.config.drift_mm / per_tick)
        if ticks < 1 or abs(ticks * per_tick / bundle.config.drift_mm - 1) > NEAR:
            wanted = f"ticks that make up {bundle.config.drift_mm:.3g} mm of drift"
            raise InputError("pixels", "drift", wanted, f"ticks of {per_tick:.3g} mm")
        fitted.append(rebin_events(block, ticks))
    if not any(each.readout.unit == "unknown" for each in fitted):
        return fitted
    signals = [signal[signal > 0] for signal in (each.signal() for each in fitted)]
    median = median_lit(np.concatenate(signals), 0.0)
    if not np.isfinite(median):
        raise InputError("signal", "", "pixels with a signal", "none")
    return [as_adc(each, median_lit_adc / median) for each in fitted]


def median_signal(blocks: Iterable[WireEvents], bundle: HitsBundle) -> float:
    """Return the median signal, in ADC per tick, of the lit pixels of events."""
    scale, values = bundle.config.scale, []
    for block in blocks:
        x = scale_codes(block.code, block.readout, scale)
        values.append(x[x > scale.active])
    return float(np.median(np.concatenate(values))) * scale.scale_adc


def score_labelled(bundle: HitsBundle, blocks: Iterable[WireEvents], median_lit_adc: float) -> HitsScore:
    """Return the score of a model at the lit pixels of events of others, with their labels.

    Raises
    ------
    InputError
        if the events cannot be read as the model reads them.
    ValueError
        if they have no truth.
    """
    truths, probabilities = [], []
    for events in fitted_events(bundle, blocks, median_lit_adc):
        at = lit_pixels(events, bundle.config.scale)
        truths.append(truth_at(events, at))
        probabilities.append(classify_pixels(bundle, events, at))
    truth = join_truth(truths, [1] * len(truths))
    return score_hits(truth, np.concatenate(probabilities), n_events=len(truths), at="lit pixels")


def scores_of_lit(
    bundle: HitsBundle, blocks: Iterable[WireEvents], median_lit_adc: float
) -> Float32[np.ndarray, "pixel 4"]:
    """Return the scores of all lit pixels of events, whether there is truth or not.

    Raises
    ------
    InputError
        if the events cannot be read as the model reads them.
    """
    parts = []
    for events in fitted_events(bundle, blocks, median_lit_adc):
        parts.append(classify_pixels(bundle, events, lit_pixels(events, bundle.config.scale)))
    return np.concatenate(parts)
