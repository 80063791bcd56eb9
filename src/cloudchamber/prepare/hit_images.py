"""What the networks for hits read and learn: planes scaled and clipped, and a byte of truth per pixel."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float32, Shaped, UInt8
from pydantic import BaseModel, ConfigDict, Field, model_validator

from cloudchamber.labels import Activity, VertexFlag
from cloudchamber.wire_events import WireEvents, WireReadout

CLASSES = (Activity.TRACK, Activity.EM, Activity.NONE)
"""The order of the networks' first three outputs."""
VERTEX_KINDS = ("decay", "hadronic", "conversion", "neutrino", "not")
"""The order of the outputs of the network for vertices."""
NOT_A_VERTEX = len(VERTEX_KINDS) - 1
ELECTRONS_PER_ADC_TICK = 29e3 / 1200
"""A minimum ionising particle leaves 29,000 electrons on a collection wire, 1200 ADC x ticks."""

_CLASS_OF_ACTIVITY = np.array([CLASSES.index(activity) for activity in Activity], np.uint8)


class HitScale(BaseModel):
    """How a signal becomes the input of a network: over ``scale_adc``, then clipped.

    The limits are those of Sulej et al.; they do not give the scale. With ours the peak of a minimum ionising
    track is at about 20.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale_adc: float = Field(default=5.0, gt=0, description="ADC per tick that become 1")
    low: float = -10.0
    high: float = 30.0
    active: float = Field(default=2.0, gt=0, description="a pixel above this, after scaling, is lit")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low < self.active < self.high:
            raise ValueError("low, active and high in rising order")
        return self

    def factor(self, readout: WireReadout) -> float:
        """Return by what the signal of a readout is multiplied.

        Raises
        ------
        ValueError
            if it is not known in what unit the signal is.
        """
        if readout.unit == "unknown":
            raise ValueError("a signal in ADC or electrons, not in a unit that is not known")
        electrons = readout.unit == "electrons"
        return 1 / (self.scale_adc * (ELECTRONS_PER_ADC_TICK if electrons else 1.0))

    def clip(self, x: Float32[np.ndarray, "*size"]) -> Float32[np.ndarray, "*size"]:
        """Return values between ``low`` and ``high``."""
        return np.asarray(np.clip(x, np.float32(self.low), np.float32(self.high)))


def scale_codes(
    code: Shaped[np.ndarray, "*size"], readout: WireReadout, scale: HitScale
) -> Float32[np.ndarray, "*size"]:
    """Return the signal of stored codes, scaled and not yet clipped.

    Raises
    ------
    ValueError
        if it is not known in what unit the signal is.
    """
    factor = np.float32(readout.step * scale.factor(readout))
    zero = np.float32(readout.zero)
    if code.dtype == np.uint8:
        table = (np.arange(256, dtype=np.float32) - zero) * factor
        return np.asarray(table[code])
    return np.asarray((code.astype(np.float32) - zero) * factor)


def scale_planes(events: WireEvents, scale: HitScale) -> Float32[np.ndarray, "event 1 wire drift"]:
    """Return planes as the networks read them: scaled and clipped.

    Raises
    ------
    ValueError
        if it is not known in what unit the signal is.
    """
    return scale.clip(scale_codes(events.code, events.readout, scale))[:, None]


class Target(NamedTuple):
    """Truth per pixel: index in ``CLASSES``, 1 for a Michel electron, index in ``VERTEX_KINDS``."""

    classes: UInt8[np.ndarray, "*size"]
    michel: UInt8[np.ndarray, "*size"]
    vertex: UInt8[np.ndarray, "*size"]


def vertex_kinds(flags: UInt8[np.ndarray, "*size"]) -> UInt8[np.ndarray, "*size"]:
    """Return the kind of vertex of each pixel; where there are several, neutrino, hadronic, decay goes first.

    The hadronic kind holds inelastic scattering too; elastic scattering and ends of electrons are none.
    """
    kinds = np.full(flags.shape, NOT_A_VERTEX, np.uint8)
    kinds[(flags & VertexFlag.CONVERSION) > 0] = VERTEX_KINDS.index("conversion")
    kinds[(flags & VertexFlag.DECAY) > 0] = VERTEX_KINDS.index("decay")
    hadronic = VertexFlag.HADRONIC | VertexFlag.INELASTIC
    kinds[(flags & hadronic) > 0] = VERTEX_KINDS.index("hadronic")
    kinds[(flags & VertexFlag.NEUTRINO_PRIMARY) > 0] = VERTEX_KINDS.index("neutrino")
    return kinds


def pack_targets(events: WireEvents) -> UInt8[np.ndarray, "event wire drift"]:
    """Return truth in a byte per pixel: the class in bits 0 and 1, Michel in 2, the vertex from bit 3 on.

    Raises
    ------
    ValueError
        if the events have no truth.
    """
    if events.activity is None or events.michel is None:
        raise ValueError("events with truth: activity and Michel electron of every pixel")
    packed = np.asarray(_CLASS_OF_ACTIVITY[events.activity])
    packed |= (events.michel > 0).astype(np.uint8) << np.uint8(2)
    kinds = NOT_A_VERTEX if events.vertex is None else vertex_kinds(events.vertex)
    packed |= np.asarray(kinds, np.uint8) << np.uint8(3)
    return packed


def unpack_targets(packed: UInt8[np.ndarray, "*size"]) -> Target:
    """Return what :func:`pack_targets` put together."""
    return Target(packed & 3, (packed >> 2) & 1, packed >> 3)


@dataclass(frozen=True)
class HitImages:
    """Planes to train on, two bytes per pixel where codes are of one byte."""

    readout: WireReadout
    code: Shaped[np.ndarray, "event wire drift"]
    target: UInt8[np.ndarray, "event wire drift"]  # see pack_targets

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.code)

    def lit(self, event: int, scale: HitScale) -> Bool[np.ndarray, "wire drift"]:
        """Return which pixels hold charge or a signal above the threshold."""
        bright = scale_codes(self.code[event], self.readout, scale) > scale.active
        return np.asarray(bright | ((self.target[event] & 3) != CLASSES.index(Activity.NONE)))


def keep_images(blocks: Iterable[WireEvents]) -> HitImages:
    """Return planes and truth of events that come block by block; the rest of the truth is not kept.

    Raises
    ------
    ValueError
        if there are no events, they have no truth, or are of several readouts.
    """
    codes, targets, readouts = [], [], set()
    for block in blocks:
        codes.append(block.code)
        targets.append(pack_targets(block))
        readouts.add(block.readout)
    if len(readouts) != 1 or len({(code.shape[1:], code.dtype) for code in codes}) != 1:
        raise ValueError("events of one readout and size, and at least one")
    code = np.concatenate(codes)
    codes.clear()  # so that memory never holds all of it twice
    return HitImages(readouts.pop(), code, np.concatenate(targets))
