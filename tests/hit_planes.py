"""Small planes with straight tracks, round showers and, at ends of tracks, Michel electrons."""

import numpy as np

from cloudchamber.labels import Activity, Origin, VertexFlag
from cloudchamber.voxel_events import offsets_of
from cloudchamber.wire_events import HIT, WIRE_PARTICLE, WireEvents, WireReadout

READOUT = WireReadout(rebin=6, zero=40.0, step=1.0)
WIRES, DRIFTS = 64, 80


def _draw(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    signal = rng.normal(0, 1.5, (WIRES, DRIFTS))
    activity, michel, vertex = (np.zeros((WIRES, DRIFTS), np.uint8) for _ in range(3))
    particle = np.full((WIRES, DRIFTS), -1, np.int32)
    along = np.arange(30)
    wire, drift = rng.integers(2, 20) + along, rng.integers(10, 40) + (along * rng.uniform(0, 1)).astype(int)
    signal[wire, drift] += 90
    activity[wire, drift], particle[wire, drift] = Activity.TRACK, 0
    end = wire[-1], drift[-1]
    vertex[end] = VertexFlag.DECAY
    for k, (count, middle) in enumerate(((18, end), (40, (rng.integers(40, 56), rng.integers(5, 15))))):
        w = np.clip(middle[0] + 1 + rng.integers(0, 5, count), 0, WIRES - 1)
        d = np.clip(middle[1] + rng.integers(-3, 4, count), 0, DRIFTS - 1)
        free = activity[w, d] == Activity.NONE
        w, d = w[free], d[free]
        signal[w, d] += 50
        activity[w, d], michel[w, d], particle[w, d] = Activity.EM, k == 0, k + 1
    return signal, activity, michel, vertex, particle


def _particles() -> np.ndarray:
    rows = np.zeros(3, WIRE_PARTICLE)
    rows["pdg"], rows["parent"], rows["origin"] = (13, 11, 11), (-1, 0, -1), Origin.COSMIC
    rows["kinetic_mev"] = (300, 40, 150)
    return rows


def make_hit_events(n: int, seed: int = 5, *, truth: bool = True) -> WireEvents:
    """Return n planes of 64 wires x 80 bins in bytes, with a hit on every charged pixel."""
    rng = np.random.default_rng(seed)
    planes = [np.stack(each) for each in zip(*(_draw(rng) for _ in range(n)), strict=True)]
    signal, activity, michel, vertex, particle = planes
    code = np.clip(np.round(signal / READOUT.step + READOUT.zero), 0, 255).astype(np.uint8)
    event, wire, drift = np.nonzero(activity)
    hits = np.zeros(len(event), HIT)
    hits["wire"], hits["peak_tick"], hits["peak"] = wire, 6 * drift + 2.5, signal[event, wire, drift]
    hits["rms_ticks"], hits["sum"] = 3.0, 6 * hits["peak"]
    counts = np.bincount(event, minlength=n)
    if not truth:
        return WireEvents(READOUT, code, hit_offsets=offsets_of(counts), hits=hits)
    return WireEvents(
        READOUT, code, beam=activity > 0, activity=activity, michel=michel, vertex=vertex, particle=particle,
        particle_offsets=offsets_of([3] * n), particles=np.concatenate([_particles()] * n),
        hit_offsets=offsets_of(counts), hits=hits,
    )  # fmt: skip
