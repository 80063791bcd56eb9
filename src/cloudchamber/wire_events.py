"""Readouts of the wires of a LArTPC: dense images of wire against drift, truth per pixel, particles, hits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from jaxtyping import Float32, Int32, Int64, Shaped, UInt8

from cloudchamber.voxel_events import PARTICLE, offsets_of

Unit = Literal["adc", "electrons", "unknown"]

# One row per particle: as in sparse events, with positions in mm in the detector's frame, ``label`` a value
# of Activity, and ``origin`` one of Origin.
WIRE_PARTICLE = np.dtype([*((name, PARTICLE[name]) for name in PARTICLE.names or ()), ("origin", "u1")])

# One row per hit: peak time and width in ticks, peak in units of the signal, sum in units of signal x tick.
HIT = np.dtype([("wire", "<i4"), ("peak_tick", "<f4"), ("rms_ticks", "<f4"), ("peak", "<f4"), ("sum", "<f4")])


@dataclass(frozen=True)
class WireReadout:
    """What a pixel is: its size along wires and drift, and the unit of the signal.

    A pixel spans ``rebin`` ticks; its signal is (code - zero) * step, in ``unit`` per tick. NaN: unknown.
    """

    pitch_mm: float = 4.79
    tick_us: float = 0.5
    rebin: int = 1
    drift_mm_us: float = 1.6  # drift velocity
    unit: Unit = "adc"
    zero: float = 0.0
    step: float = 1.0

    @property
    def drift_mm(self) -> float:
        """Return the length of drift of a pixel in mm."""
        return self.drift_mm_us * self.tick_us * self.rebin


@dataclass(frozen=True)
class WireEvents:
    """Some events of one detector; what a file does not say is None.

    ``code`` is the signal as stored; ``beam`` a value of BeamLabel, ``activity`` of Activity, ``michel`` 1
    where a Michel electron left most, ``vertex`` a sum of VertexFlag, ``particle`` the row, within the event,
    of the particle that left most charge in a pixel, -1 for none. Hits and particles of the events stand one
    after the other.
    """

    readout: WireReadout
    code: Shaped[np.ndarray, "event wire drift"]  # uint8, int16 or float32
    beam: UInt8[np.ndarray, "event wire drift"] | None = None
    activity: UInt8[np.ndarray, "event wire drift"] | None = None
    michel: UInt8[np.ndarray, "event wire drift"] | None = None
    vertex: UInt8[np.ndarray, "event wire drift"] | None = None
    particle: Int32[np.ndarray, "event wire drift"] | None = None
    particle_offsets: Int64[np.ndarray, "event+1"] | None = None
    particles: Shaped[np.ndarray, "particle"] | None = None  # of dtype WIRE_PARTICLE
    hit_offsets: Int64[np.ndarray, "event+1"] | None = None
    hits: Shaped[np.ndarray, "hit"] | None = None  # of dtype HIT

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.code)

    @property
    def wires(self) -> int:
        """Return the number of wires of an image."""
        return int(self.code.shape[1])

    @property
    def drifts(self) -> int:
        """Return the number of pixels along the drift of an image."""
        return int(self.code.shape[2])

    def signal(self) -> Float32[np.ndarray, "event wire drift"]:
        """Return the signal in the readout's unit per tick."""
        codes = self.code.astype(np.float32)
        return (codes - np.float32(self.readout.zero)) * np.float32(self.readout.step)

    def chosen(self, start: int, stop: int) -> "WireEvents":
        """Return events ``start`` to ``stop``."""
        changed: dict[str, object] = {}
        for name in PLANES:
            values = getattr(self, name)
            changed[name] = None if values is None else values[start:stop]
        for offsets_name, name in TABLES.items():
            offsets, rows = getattr(self, offsets_name), getattr(self, name)
            if offsets is not None and rows is not None:
                changed[offsets_name] = offsets[start : stop + 1] - offsets[start]
                changed[name] = rows[int(offsets[start]) : int(offsets[stop])]
        kept = {field.name: getattr(self, field.name) for field in fields(self)}
        return WireEvents(**(kept | changed))

    def __iter__(self) -> Iterator["WireEvents"]:
        """Yield the events one by one."""
        return (self.chosen(event, event + 1) for event in range(len(self)))


PLANES = ("code", "beam", "activity", "michel", "vertex", "particle")
TABLES = {"particle_offsets": "particles", "hit_offsets": "hits"}


def join_wire_events(events: Sequence[WireEvents]) -> WireEvents:
    """Return several sets of events of one readout as one; what one of them lacks, the result lacks.

    Raises
    ------
    ValueError
        if there are none, or their readouts or images differ.
    """
    if not events or len({(each.readout, each.code.shape[1:], each.code.dtype) for each in events}) != 1:
        raise ValueError("events of one readout, and at least one set of them, can be joined")
    joined: dict[str, np.ndarray | None] = {}
    for name in PLANES:
        parts = [getattr(each, name) for each in events]
        joined[name] = None if any(part is None for part in parts) else np.concatenate(parts)
    for offsets_name, name in TABLES.items():
        offsets, rows = ([getattr(each, key) for each in events] for key in (offsets_name, name))
        whole = not any(part is None for part in (*offsets, *rows))
        joined[name] = np.concatenate(rows) if whole else None
        counts = [np.diff(each) for each in offsets] if whole else []
        joined[offsets_name] = offsets_of(np.concatenate(counts)) if whole else None
    code = joined.pop("code")
    if code is None:
        raise ValueError("events have images")
    return WireEvents(events[0].readout, code, **joined)
