"""What is known of a hit: the truth at its pixel, the particle behind it, how far the next vertex is."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8
from scipy.spatial import cKDTree

from cloudchamber.labels import VertexFlag
from cloudchamber.prepare.hit_images import HitScale, pack_targets, scale_codes, unpack_targets
from cloudchamber.wire_events import WireEvents

INTERACTION = VertexFlag.HADRONIC | VertexFlag.INELASTIC | VertexFlag.NEUTRINO_PRIMARY


@dataclass(frozen=True)
class Pixels:
    """Pixels of planes, of hits or lit ones: event, wire, drift bin; several hits may share one."""

    event: Int64[np.ndarray, "hit"]
    wire: Int64[np.ndarray, "hit"]
    drift: Int64[np.ndarray, "hit"]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.event)


@dataclass(frozen=True)
class HitTruth:
    """The truth at pixels; NaN where there is no particle, or no vertex in the plane.

    ``classes`` is an index in ``prepare.hit_images.CLASSES``, ``vertex`` in ``VERTEX_KINDS``.
    """

    event: Int64[np.ndarray, "hit"]
    classes: UInt8[np.ndarray, "hit"]
    michel: Bool[np.ndarray, "hit"]
    vertex: UInt8[np.ndarray, "hit"]
    kinetic_mev: Float32[np.ndarray, "hit"]
    distance_mm: Float64[np.ndarray, "hit"]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.event)


def pixels_of_hits(events: WireEvents) -> Pixels:
    """Return the pixel that holds the peak of every hit.

    Raises
    ------
    ValueError
        if there are no hits, or one lies on no wire of the plane.
    """
    if events.hits is None or events.hit_offsets is None:
        raise ValueError("events with hits")
    wire = events.hits["wire"].astype(np.int64)
    drift = (events.hits["peak_tick"] // events.readout.rebin).astype(np.int64)
    if len(wire) and not (wire.min() >= 0 and wire.max() < events.wires):
        raise ValueError(f"hits on wires 0 to {events.wires - 1}")
    event = np.repeat(np.arange(len(events)), np.diff(events.hit_offsets))
    return Pixels(event, wire, drift.clip(0, events.drifts - 1))


def lit_pixels(events: WireEvents, scale: HitScale) -> Pixels:
    """Return the pixels with a signal above the threshold."""
    lit = scale_codes(events.code, events.readout, scale) > scale.active
    return Pixels(*(axis.astype(np.int64) for axis in np.nonzero(lit)))


def distance_to_vertices(
    events: WireEvents, at: Pixels, flags: VertexFlag = INTERACTION
) -> Float64[np.ndarray, "hit"]:
    """Return how far, in mm along wires and drift, the next pixel with one of the flags is."""
    distance = np.full(len(at), np.nan)
    if events.vertex is None:
        return distance
    pixel_mm = np.array([events.readout.pitch_mm, events.readout.drift_mm])
    for event in range(len(events)):
        vertices = np.argwhere(events.vertex[event] & flags)
        here = at.event == event
        if len(vertices) and here.any():
            places = np.stack([at.wire[here], at.drift[here]], axis=1) * pixel_mm
            distance[here] = cKDTree(vertices * pixel_mm).query(places)[0]
    return distance


def truth_at(events: WireEvents, at: Pixels) -> HitTruth:
    """Return the truth at pixels.

    Raises
    ------
    ValueError
        if the events have no truth.
    """
    place = (at.event, at.wire, at.drift)
    target = unpack_targets(pack_targets(events)[place])
    kinetic = np.full(len(at), np.nan, np.float32)
    if events.particle is not None and events.particles is not None and events.particle_offsets is not None:
        row = events.particle[place]
        known = row >= 0
        kinetic[known] = events.particles["kinetic_mev"][
            events.particle_offsets[:-1][at.event[known]] + row[known]
        ]
    return HitTruth(
        at.event, target.classes, target.michel > 0, target.vertex, kinetic, distance_to_vertices(events, at)
    )


def join_truth(parts: list[HitTruth], events: list[int]) -> HitTruth:
    """Return the truth of several sets of events, each of so many, as one."""
    first = np.cumsum([0, *events[:-1]])
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in HitTruth.__dataclass_fields__
        if name != "event"
    }
    event = np.concatenate([part.event + start for part, start in zip(parts, first, strict=True)])
    return HitTruth(event=event, **joined)
