"""Beam and cosmics on wires: images of a few hundred pixels a side, and planes of any size.

A network trained on downsampled images labels the pixels of a plane through its image: a pixel whose signal
reaches ``least_signal`` has the class of the window it lies in, the others are background. One trained on
planes as they are labels them pixel by pixel, in tiles.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor
from torch.nn import functional as F

from cloudchamber.errors import InputError
from cloudchamber.infer.beam_bundle import BeamBundle
from cloudchamber.infer.predict import device_of
from cloudchamber.infer.tiles import MOST_PIXELS, run_tiles
from cloudchamber.prepare.beam_images import BeamImages, make_images, rebinned
from cloudchamber.prepare.windows import window_of
from cloudchamber.wire_events import WireEvents

Method = Literal["image", "plane"]
VIEWS = 4  # of a whole detector: for either side, the faces towards the drift volume and towards the wall
BATCH = 4
ELECTRONS_PER_ADC = 24.2  # x tick


class PlaneLabels(NamedTuple):
    """Class of every pixel of a plane, and the probability of that class."""

    label: UInt8[np.ndarray, "wire drift"]
    probability: Float32[np.ndarray, "wire drift"]


def in_unit(bundle: BeamBundle, events: WireEvents) -> WireEvents:
    """Return events with their signal in the unit that a network knows.

    Deconvolved electrons per tick are taken for ADC at 24.2 electrons per ADC x tick, at which 29,000
    electrons of a minimum ionising track sum to 1200 ADC x tick (arXiv:2007.06722); pulses stay as narrow as
    they are.
    A signal of unknown unit is taken as it is.

    Raises
    ------
    InputError
        if it is in another unit and there is no such factor.
    """
    known, found = bundle.config.unit, events.readout.unit
    if found in (known, "unknown"):
        return events
    factors = {("electrons", "adc"): 1 / ELECTRONS_PER_ADC, ("adc", "electrons"): ELECTRONS_PER_ADC}
    if (found, known) not in factors:
        wanted = f"signals in {known}, as the network was trained on"
        raise InputError("unit", "", wanted, found)
    step = events.readout.step * factors[found, known]
    return replace(events, readout=replace(events.readout, step=step))


def with_pixels(events: WireEvents, rebin: int) -> WireEvents:
    """Return events with pixels of so many ticks where theirs make them up, else as they are."""
    return rebinned(events, rebin) if rebin % events.readout.rebin == 0 else events


def _padded(read: Tensor, stride: int) -> Tensor:
    wires, drifts = (-read.shape[axis] % stride for axis in (2, 3))
    return F.pad(read, (0, drifts, 0, wires)) if wires or drifts else read


@torch.inference_mode()
def predict_images(
    bundle: BeamBundle,
    images: BeamImages,
    place: tuple[float, float, float, float] = (-1.0, 1.0, -1.0, 1.0),
    *,
    batch: int = BATCH,
) -> tuple[UInt8[np.ndarray, "image wire drift"], Float32[np.ndarray, "image class wire drift"]]:
    """Return the class of every pixel of the images and the probability of each class.

    ``place`` is where they lie on the plane that the network knows, see :class:`BeamInput`.
    """
    network, device = bundle.network, device_of(bundle.network)
    fine = bundle.config.images.read
    n, wires, drifts = len(images), images.code.shape[1] // fine, images.code.shape[2] // fine
    probability = np.empty((n, len(bundle.config.images.labels), wires, drifts), np.float32)
    for start in range(0, n, batch):
        rows = slice(start, min(n, start + batch))
        read = bundle.config.inputs(images.signal(rows), place).to(device)
        logits = network(_padded(read, int(network.stride)))  # type: ignore[arg-type]
        probability[rows] = logits[:, :, :wires, :drifts].float().softmax(dim=1).cpu().numpy()
    return probability.argmax(axis=1).astype(np.uint8), probability


def _scaled_place(bundle: BeamBundle, wires: float, drifts: float) -> tuple[float, float, float, float]:
    """Return where a plane that begins with the network's own ends on it."""
    config = bundle.config
    return -1.0, 2 * wires / config.plane_wires - 1, -1.0, 2 * drifts / config.plane_drifts - 1


def _through_image(bundle: BeamBundle, event: WireEvents) -> PlaneLabels:
    config = bundle.config
    coarse = with_pixels(event, config.images.rebin)
    drifts = coarse.drifts * coarse.readout.rebin / config.images.rebin
    # Windows as wide as in training: a smaller plane has fewer of them.
    sides = [
        max(1, round(have * wanted / known))
        for have, wanted, known in (
            (coarse.wires, config.images.wires, config.plane_wires),
            (drifts, config.images.drifts, config.plane_drifts),
        )
    ]
    made = config.images.model_copy(
        update={"wires": sides[0], "drifts": sides[1], "rebin": coarse.readout.rebin}
    )
    place = _scaled_place(bundle, coarse.wires, drifts)
    label, probability = predict_images(bundle, make_images(coarse, made), place)
    window = np.ix_(window_of(event.wires, sides[0]), window_of(event.drifts, sides[1]))
    lit = event.signal()[0] >= config.images.least_signal
    classes = np.where(lit, label[0][window], 0).astype(np.uint8)
    found = np.take_along_axis(probability[0], label[0][None].astype(np.intp), axis=0)[0][window]
    # Of what is dark the background is sure; what is lit in a background window is as sure as the window.
    return PlaneLabels(classes, np.where(lit, found, 1.0).astype(np.float32))


def _in_tiles(bundle: BeamBundle, event: WireEvents, most_pixels: int) -> PlaneLabels:
    config, network = bundle.config, bundle.network
    device, channels = device_of(network), bundle.config.inputs.channels
    coarse = rebinned(event, config.images.rebin)
    wires, drifts = coarse.wires, coarse.drifts
    readout = coarse.readout

    def read(wire: slice, drift: slice) -> Tensor:
        ends = min(wire.stop, wires), min(drift.stop, drifts)
        code = coarse.code[:, wire.start : ends[0], drift.start : ends[1]].astype(np.float32)
        along_wires, along_drift = 2 / (config.plane_wires - 1), 2 / (config.plane_drifts - 1)
        place = (
            wire.start * along_wires - 1, (ends[0] - 1) * along_wires - 1,
            drift.start * along_drift - 1, (ends[1] - 1) * along_drift - 1,
        )  # fmt: skip
        part = config.inputs((code - readout.zero) * np.float32(readout.step), place)[0]
        found = torch.zeros(channels, wire.stop - wire.start, drift.stop - drift.start)
        found[:, : part.shape[1], : part.shape[2]] = part
        return found.to(device)

    label, probability = np.empty((wires, drifts), np.uint8), np.empty((wires, drifts), np.float32)
    for tile in run_tiles(network, read, (wires, drifts), most_pixels=most_pixels):
        best, which = tile.logits.float().softmax(dim=0).max(dim=0)
        label[tile.wires, tile.drifts] = which.cpu().numpy()
        probability[tile.wires, tile.drifts] = best.cpu().numpy()
    if drifts == event.drifts:
        return PlaneLabels(label, probability)
    bins = np.minimum(np.arange(event.drifts) * drifts // event.drifts, drifts - 1)
    return PlaneLabels(label[:, bins], probability[:, bins])


def view_wires(wires: int, plane_wires: int) -> list[np.ndarray]:
    """Return which wires of a plane are seen as one image.

    A plane of four times as many wires as the network knows is that of a whole detector, APA by APA, of each
    the face towards the drift volume and that towards the wall: the faces of one side in a row are an image.
    """
    if wires != VIEWS * plane_wires or wires % 12:
        return [np.arange(wires)]
    faces = np.arange(wires).reshape(2, 3, 2, wires // 12)  # side, APA, face
    return [faces[side, :, face].ravel() for side in range(2) for face in range(2)]


def predict_plane(
    bundle: BeamBundle, event: WireEvents, method: Method | None = None, *, most_pixels: int = MOST_PIXELS
) -> PlaneLabels:
    """Return the class of every pixel of one event's plane, at the plane's own resolution.

    Parameters
    ----------
    method : through its image, or pixel by pixel in tiles; as the network was trained unless said otherwise.
    most_pixels : read at once in tiles: memory goes with them.

    Raises
    ------
    InputError
        if the signal is in a unit that cannot be converted, or tiles are asked of a network that downsamples
        or knows other pixels.
    """
    event, config = in_unit(bundle, event), bundle.config
    how = method or ("plane" if config.whole_planes else "image")
    if how == "plane" and config.images.read > 1:
        raise InputError("method", "", "image, for a network that downsamples", repr(how))
    label = np.empty((event.wires, event.drifts), np.uint8)
    probability = np.empty(label.shape, np.float32)
    for wires in view_wires(event.wires, config.plane_wires):
        part = WireEvents(event.readout, event.code[:, wires])
        found = _through_image(bundle, part) if how == "image" else _in_tiles(bundle, part, most_pixels)
        label[wires], probability[wires] = found
    return PlaneLabels(label, probability)


def predict_planes(
    bundle: BeamBundle, events: WireEvents, method: Method | None = None
) -> Iterator[PlaneLabels]:
    """Yield the labels of the plane of each event, see :func:`predict_plane`."""
    return (predict_plane(bundle, event, method) for event in events)
