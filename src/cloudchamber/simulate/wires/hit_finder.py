"""Hits: pulses on a wire, at full resolution."""

import numpy as np
from jaxtyping import Float32, Shaped

from cloudchamber.compiled import compiled
from cloudchamber.simulate.wires.config import WiresConfig
from cloudchamber.simulate.wires.noise import pixel_noise
from cloudchamber.wire_events import HIT

_EDGE = 0.2  # of the threshold: pulses reach out to it


@compiled
def _half(signal, peak, step, start, stop):
    """Return how many ticks from its peak a pulse falls to half on one side, between ``start`` and ``stop``.

    Where it does not before its end, the half width of a Gaussian through peak and end.
    """
    top = signal[peak]
    t = peak
    while start <= t + step < stop:
        t += step
        if signal[t] <= 0.5 * top:
            a, b = signal[t - step], signal[t]
            return abs(t - step - peak) + (a - 0.5 * top) / max(a - b, 1e-6)
    away = abs(t - peak) + 0.5
    ratio = min(max(signal[t], 1e-3 * top), 0.98 * top) / top
    return min(away * np.sqrt(np.log(2.0) / -np.log(ratio)), 4.0 * away)


@compiled
def _write(signal, wire, start, stop, peak, out, count):
    """Write the hit of a pulse from ``start`` to ``stop`` that is highest at ``peak``; return how many."""
    if count < len(out):
        total = 0.0
        for t in range(start, stop):
            total += signal[t]
        at = float(peak)
        if start < peak < stop - 1:
            a, b, c = signal[peak - 1], signal[peak], signal[peak + 1]
            bend = a - 2 * b + c
            if bend < 0:
                at += min(max(0.5 * (a - c) / bend, -0.5), 0.5)
        width = 0.5 * (_half(signal, peak, -1, start, stop) + _half(signal, peak, 1, start, stop))
        out[count]["wire"] = wire
        out[count]["peak_tick"] = max(at, 0.0)
        out[count]["rms_ticks"] = width / 1.17741
        out[count]["peak"] = signal[peak]
        out[count]["sum"] = total
    return count + 1


@compiled
def _pulse(signal, wire, start, stop, core_start, core_stop, threshold, valley, longest, out, count):
    """Cut a pulse into hits at its valleys, or, if it is long and has none, into equal pieces."""
    first, peak, lowest = start, core_start, core_start
    hits = 0
    for t in range(core_start, core_stop):
        if signal[t] > signal[peak]:
            peak, lowest = t, t
        if signal[t] < signal[lowest]:
            lowest = t
        deep = signal[lowest] < valley * signal[peak]
        if deep and signal[t] * valley > signal[lowest] and signal[t] - signal[lowest] > threshold:
            count = _write(signal, wire, first, lowest, peak, out, count)
            hits += 1
            first, peak, lowest = lowest, t, t
    if stop - first <= 1.5 * longest:
        return _write(signal, wire, first, stop, peak, out, count)
    pieces = int((stop - first) / longest + 0.5)
    for k in range(pieces):
        a = first + (stop - first) * k // pieces
        b = first + (stop - first) * (k + 1) // pieces
        peak = a
        for t in range(a, b):
            if signal[t] > signal[peak]:
                peak = t
        count = _write(signal, wire, a, b, peak, out, count)
    return count


@compiled
def _find(signal, threshold, valley, longest, out):
    """Write the hits of all wires; return how many there are, which may be more than there is room for."""
    wires, ticks = signal.shape
    count = 0
    edge = _EDGE * threshold
    for wire in range(wires):
        line = signal[wire]
        t, free = 0, 0  # free: what no pulse has taken yet
        while t < ticks:
            if line[t] <= threshold:
                t += 1
                continue
            start = stop = t
            while start > free and line[start - 1] > edge:
                start -= 1
            core_stop = t
            while stop < ticks and line[stop] > edge:
                if line[stop] > threshold:
                    core_stop = stop + 1
                stop += 1
            count = _pulse(line, wire, start, stop, t, core_stop, threshold, valley, longest, out, count)
            t = free = stop
    return count


def find_hits(
    signal: Float32[np.ndarray, "wire tick"], config: WiresConfig, first_wire: int = 0
) -> Shaped[np.ndarray, "hit"]:
    """Return the hits of some wires in order of wire and tick, records of ``HIT``.

    A pulse is what exceeds the threshold, out to a fifth of it; it is cut where the signal between two peaks
    falls below ``valley`` of both and rises by a threshold again, and long ones without peaks into pieces.
    The peak is that of a parabola through three samples, the width that at half height as of a Gaussian.
    """
    finding = config.hits
    plain = config.model_copy(update={"noise": config.noise.model_copy(update={"scale": 1.0})})
    threshold = finding.threshold * pixel_noise(plain, 1)
    out = np.zeros(max(1024, signal.shape[0] * 16), HIT)
    while True:
        count = int(_find(signal, np.float32(threshold), finding.valley, finding.longest_ticks, out))
        if count <= len(out):
            break
        out = np.zeros(count, HIT)
    hits = out[:count].copy()
    hits["wire"] += first_wire
    return hits
