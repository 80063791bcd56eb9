"""Pixels of another number of ticks, and signals of another unit."""

from dataclasses import replace
from math import gcd
from typing import Any

import numpy as np
from jaxtyping import Float32, Shaped

from cloudchamber.wire_events import PLANES, WireEvents


def _spread(values: Shaped[np.ndarray, "event wire drift"], finer: int, coarser: int) -> np.ndarray:
    """Return values, each ``finer`` times, in groups of ``coarser``; a short last group is left out."""
    repeated = np.repeat(values, finer, axis=2)
    whole = repeated.shape[2] // coarser * coarser
    return repeated[:, :, :whole].reshape(*repeated.shape[:2], -1, coarser)


def rebin_events(events: WireEvents, ticks: int) -> WireEvents:
    """Return events with pixels of ``ticks`` ticks: the mean of the signal, the label of the largest signal.

    Pixels are cut into the finest that fit both sizes first, so the sum of the signal stays. The signal is
    float32 then. Hits are kept, since they are told in ticks.

    Raises
    ------
    ValueError
        if ``ticks`` is not positive.
    """
    if ticks < 1:
        raise ValueError(f"one tick or more, not {ticks}")
    old = events.readout.rebin
    if ticks == old:
        return events
    common = gcd(old, ticks)
    parts = _spread(events.signal(), old // common, ticks // common)
    largest = parts.argmax(axis=3)[..., None]
    changed: dict[str, Any] = {"code": parts.mean(axis=3, dtype=np.float32)}
    for name in PLANES[1:]:
        values = getattr(events, name)
        if values is not None:
            groups = _spread(values, old // common, ticks // common)
            changed[name] = np.take_along_axis(groups, largest, axis=3)[..., 0]
    readout = replace(events.readout, rebin=ticks, zero=0.0, step=1.0)
    return replace(events, readout=readout, **changed)


def median_lit(signal: Float32[np.ndarray, "*size"], threshold: float) -> float:
    """Return the median of the signals above a threshold; NaN if there are none."""
    lit = signal[signal > threshold]
    return float(np.median(lit)) if len(lit) else float("nan")


def as_adc(events: WireEvents, factor: float) -> WireEvents:
    """Return events of an unknown unit as if in ADC: their signal times a factor."""
    readout = replace(events.readout, unit="adc", zero=0.0, step=1.0)
    return replace(events, readout=readout, code=events.signal() * np.float32(factor))
