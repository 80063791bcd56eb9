"""Images for the separation of beam and cosmics: planes downsampled to a few hundred pixels a side.

Published: 6000 ticks x 1440 wires to 320 x 320, of each new pixel the largest signal and its label, in images
of hits alone (Timilsina, 2018). Here images keep their noise, and a pixel of the plane has a label if its
signal reaches ``least_signal``: as of hits, what lies in the noise is background. Windows have floor and
ceiling edges, so that those of ratios which are no whole number overlap by a pixel and none is left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Int64, Integer, Shaped, UInt8
from pydantic import BaseModel, ConfigDict, Field

from cloudchamber.errors import InputError
from cloudchamber.labels import BeamLabel, BeamSpecies
from cloudchamber.prepare.windows import reduce_windows, window_edges
from cloudchamber.wire_events import WireEvents, WireReadout

Downsampling = Literal["maximum", "mean", "sum", "learned"]
HIT_RMS = 2.0
_SPECIES = {
    11: BeamSpecies.ELECTRON,
    22: BeamSpecies.ELECTRON,
    13: BeamSpecies.MUON,
    211: BeamSpecies.PION,
    111: BeamSpecies.PION,
    321: BeamSpecies.KAON,
    2212: BeamSpecies.PROTON,
}


class BeamImageConfig(BaseModel):
    """How images are made of planes. The defaults are the published ones but for the label."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wires: int = Field(default=320, ge=1, description="pixels along the wires")
    drifts: int = Field(default=320, ge=1, description="pixels along the drift")
    rebin: int = Field(default=6, ge=1, description="ticks whose mean is taken before, where they are finer")
    downsampling: Downsampling = "maximum"
    fine: int = Field(
        default=2, ge=1, le=8,
        description='with "learned": maxima of so many pixels a side are read for each pixel labelled',
    )  # fmt: skip
    least_signal: float = Field(
        default=18.0, ge=0,
        description="pixels of the plane with less are background: about the threshold of the hit finder",
    )  # fmt: skip
    truth: Literal["hits", "charge"] = Field(
        default="charge", description="label charge wherever it is, or within hits alone"
    )
    label: Literal["maximum", "labelled"] = Field(
        default="labelled",
        description="label of the largest signal, as published, or of the largest that has one",
    )
    classes: Literal["origin", "species"] = "origin"
    least_beam: int = Field(
        default=2000, ge=0, description="beam hits (pixels, where there are no hits) of events to train on"
    )

    @property
    def read(self) -> int:
        """Pixels read per pixel labelled, a side."""
        return self.fine if self.downsampling == "learned" else 1

    @property
    def labels(self) -> type[BeamLabel] | type[BeamSpecies]:
        """The classes."""
        return BeamLabel if self.classes == "origin" else BeamSpecies


@dataclass(frozen=True)
class BeamImages:
    """Images in memory: uint8 if the planes were and maxima are kept, else float16.

    The signal is (code - zero) * step in the unit per tick of ``readout``, which is that of the planes.
    ``beam`` counts beam hits of each event and ``event`` is its number.
    """

    config: BeamImageConfig
    readout: WireReadout
    code: Shaped[np.ndarray, "image wire drift"]
    zero: float
    step: float
    event: Int64[np.ndarray, "image"]
    label: UInt8[np.ndarray, "image wire2 drift2"] | None = None
    beam: Int64[np.ndarray, "image"] | None = None

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.code)

    def signal(self, chosen: Sequence[int] | slice) -> Float32[np.ndarray, "image wire drift"]:
        """Return the signal of some images."""
        codes = self.code[chosen].astype(np.float32)
        return (codes - np.float32(self.zero)) * np.float32(self.step)

    def taken(self, chosen: Bool[np.ndarray, "image"] | Int64[np.ndarray, "n"] | slice) -> "BeamImages":
        """Return some of the images."""
        label = None if self.label is None else self.label[chosen]
        beam = None if self.beam is None else self.beam[chosen]
        return replace(self, code=self.code[chosen], event=self.event[chosen], label=label, beam=beam)

    def selected(self) -> "BeamImages":
        """Return the images of events with as much beam as the configuration asks for."""
        if self.beam is None:
            raise ValueError("without truth no beam is known")
        return self.taken(self.beam >= self.config.least_beam)


def rebinned(events: WireEvents, rebin: int) -> WireEvents:
    """Return events whose pixels span ``rebin`` ticks: means of finer ones, the label of the largest signal.

    Ticks at the end that fill no pixel are left out. Michel and vertex flags are left out.

    Raises
    ------
    InputError
        if the pixels are coarser, or no whole number of them makes one.
    """
    have = events.readout.rebin
    if have == rebin:
        return events
    if rebin % have or events.drifts < rebin // have:
        wanted = f"pixels of {rebin} ticks, or some that make them"
        raise InputError("rebin", "", wanted, f"{events.drifts} of {have}")
    width = rebin // have
    n, wires, bins = len(events), events.wires, events.drifts // width
    blocks = (n, wires, bins, width)
    code = events.code[:, :, : bins * width].reshape(blocks)
    largest = code.argmax(axis=3)[..., None]

    def at_largest(values: np.ndarray) -> np.ndarray:
        planes = values[:, :, : bins * width].reshape(blocks)
        # a pixel with some truth keeps it, though its largest signal may have none
        truth = np.where(planes != empty, code.astype(np.float32), -np.inf)
        best = np.where(np.isfinite(truth).any(axis=3), truth.argmax(axis=3), largest[..., 0])
        found: np.ndarray = np.take_along_axis(planes, best[..., None], axis=3)[..., 0]
        return found

    planes: dict[str, np.ndarray | None] = {}
    for name in ("beam", "activity", "particle"):
        values, empty = getattr(events, name), -1 if name == "particle" else 0
        planes[name] = None if values is None else at_largest(values)
    return replace(
        events, readout=replace(events.readout, rebin=rebin), code=code.mean(axis=3, dtype=np.float32),
        michel=None, vertex=None, **planes,
    )  # fmt: skip


def hit_pixels(events: WireEvents) -> Bool[np.ndarray, "event wire drift"]:
    """Return which pixels of the planes belong to a hit: those within ``HIT_RMS`` times its RMS of its peak.

    Raises
    ------
    InputError
        if there are no hits.
    """
    if events.hits is None or events.hit_offsets is None:
        raise InputError("hits", "", "the hits of every event (or images of all charge)", "none")
    hits, rebin = events.hits, events.readout.rebin
    event = np.repeat(np.arange(len(events)), np.diff(events.hit_offsets))
    reach = HIT_RMS * hits["rms_ticks"]
    first, last = (
        np.clip((hits["peak_tick"] + sign * reach) / rebin, 0, events.drifts - 1).astype(np.int64)
        for sign in (-1, 1)
    )
    ends = np.zeros((len(events), events.wires, events.drifts + 1), np.int32)
    np.add.at(ends, (event, hits["wire"], first), 1)
    np.add.at(ends, (event, hits["wire"], last + 1), -1)
    found: np.ndarray = np.cumsum(ends, axis=2)[:, :, :-1] > 0
    return found


def label_planes(events: WireEvents, config: BeamImageConfig) -> UInt8[np.ndarray, "event wire drift"] | None:
    """Return the class of every pixel of the planes; None if there is no truth.

    Raises
    ------
    InputError
        if hits are needed and there are none, or species are asked for and the particles of the pixels are
        not known.
    """
    if events.beam is None:
        return None
    label: np.ndarray = _species_planes(events) if config.classes == "species" else events.beam
    if config.least_signal:
        label = np.where(events.signal() >= config.least_signal, label, 0).astype(np.uint8)
    if config.truth == "hits":
        label = np.where(hit_pixels(events), label, 0).astype(np.uint8)
    return label


def _species_planes(events: WireEvents) -> UInt8[np.ndarray, "event wire drift"]:
    if (
        events.beam is None
        or events.particle is None
        or events.particles is None
        or events.particle_offsets is None
    ):
        raise InputError("particle", "", "the particle of every pixel, to tell species apart", "none")
    species = np.full(len(events.particles) + 1, BeamSpecies.OTHER, np.uint8)
    for pdg, label in _SPECIES.items():
        species[:-1][np.abs(events.particles["pdg"]) == pdg] = label
    row = np.where(
        events.particle < 0, len(events.particles), events.particle + events.particle_offsets[:-1, None, None]
    )
    found: np.ndarray = np.where(events.beam == BeamLabel.BEAM, species[row], events.beam).astype(np.uint8)
    return found


def count_beam(events: WireEvents) -> Int64[np.ndarray, "event"]:
    """Return the number of hits whose peak lies in a beam pixel; of beam pixels, where there are no hits.

    Raises
    ------
    ValueError
        if there is no truth.
    """
    if events.beam is None:
        raise ValueError("without truth no beam is known")
    if events.hits is None or events.hit_offsets is None:
        pixels: np.ndarray = np.count_nonzero(events.beam == BeamLabel.BEAM, axis=(1, 2))
        return pixels.astype(np.int64)
    event = np.repeat(np.arange(len(events)), np.diff(events.hit_offsets))
    drift = np.clip(events.hits["peak_tick"] / events.readout.rebin, 0, events.drifts - 1).astype(np.int64)
    on_beam = events.beam[event, events.hits["wire"], drift] == BeamLabel.BEAM
    return np.bincount(event, weights=on_beam, minlength=len(events)).astype(np.int64)


def _sortable(code: Shaped[np.ndarray, "..."]) -> Integer[np.ndarray, "..."]:
    """Return whole numbers in the same order, with room for 8 more bits."""
    if code.dtype.kind in "iu" and code.dtype.itemsize <= 2:
        return code.astype(np.int32)
    bits = np.ascontiguousarray(code, np.float32).view(np.int32).astype(np.int64)
    found: np.ndarray = np.where(bits < 0, np.int64(-(2**31)) - bits, bits)
    return found


def _label_of(
    code: Shaped[np.ndarray, "event wire drift"],
    label: UInt8[np.ndarray, "event wire drift"],
    config: BeamImageConfig,
) -> UInt8[np.ndarray, "event wire2 drift2"]:
    key = _sortable(code) * 256 + label
    if config.label == "labelled":
        key = np.where(label > 0, key, np.iinfo(key.dtype).min // 256 * 256)
    return (reduce_windows(np.maximum, key, config.wires, config.drifts) & 255).astype(np.uint8)


def make_images(events: WireEvents, config: BeamImageConfig, first: int = 0) -> BeamImages:
    """Return the images of events, with labels where there is truth.

    ``mean`` and ``sum`` are of the signal over a window; ``learned`` are maxima of ``fine`` times as many
    pixels a side. ``first`` is the number of the first event.

    Raises
    ------
    InputError
        if the pixels do not fit ``rebin`` or are fewer than the windows, or species are asked for that are
        not known.
    """
    beam = None if events.beam is None else count_beam(events)
    events = rebinned(events, config.rebin)
    readout, code = events.readout, events.code
    label = label_planes(events, config)
    for name, have in (("wires", events.wires), ("drifts", events.drifts)):
        wanted = getattr(config, name) * config.read
        if wanted > have:
            raise InputError("images", name, f"as many windows as pixels at most, {have}", str(wanted))
    if config.downsampling in ("maximum", "learned"):
        sides = config.wires * config.read, config.drifts * config.read
        found = reduce_windows(np.maximum, code, *sides)
        zero, step = readout.zero, readout.step
        if found.dtype != np.uint8:
            found, zero, step = ((found - zero) * step).astype(np.float16), 0.0, 1.0
    else:
        found = reduce_windows(np.add, events.signal(), config.wires, config.drifts)
        if config.downsampling == "mean":
            wires, drifts = (
                np.diff(window_edges(size, parts), axis=1)[:, 0]
                for size, parts in ((events.wires, config.wires), (events.drifts, config.drifts))
            )
            found = found / (wires[:, None] * drifts)
        found, zero, step = found.astype(np.float16), 0.0, 1.0
    return BeamImages(
        config, readout, found, zero, step, np.arange(first, first + len(events)),
        None if label is None else _label_of(code, label, config), beam,
    )  # fmt: skip


def join_images(images: Sequence[BeamImages]) -> BeamImages:
    """Return several sets of images as one.

    Raises
    ------
    ValueError
        if there are none, or they were made in different ways.
    """
    same = {(each.config, repr(each.readout), each.zero, each.step) for each in images}
    if len(same) != 1:
        raise ValueError("images made in one way, and at least one set of them, can be joined")
    first = images[0]

    def joined(name: str) -> np.ndarray | None:
        parts = [getattr(each, name) for each in images]
        return None if any(part is None for part in parts) else np.concatenate(parts)

    return replace(
        first, code=np.concatenate([each.code for each in images]),
        event=np.concatenate([each.event for each in images]), label=joined("label"), beam=joined("beam"),
    )  # fmt: skip


def iterate_images(
    blocks: Iterable[WireEvents], config: BeamImageConfig, *, select: bool = True
) -> Iterator[BeamImages]:
    """Yield the images of blocks of events; with ``select`` those of events with enough beam alone."""
    done = 0
    for block in blocks:
        for one in block:  # one by one, for a plane takes some 10 MB on the way
            images = make_images(one, config, done)
            done += 1
            yield images.selected() if select else images
