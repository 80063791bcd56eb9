"""Beam and cosmics from file to file, one event at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.infer.beam_bundle import BeamBundle
from cloudchamber.infer.beam_predict import Method, in_unit, predict_images, predict_plane, with_pixels
from cloudchamber.infer.bundle import about_card
from cloudchamber.labels import BeamLabel
from cloudchamber.prepare.beam_images import make_images
from cloudchamber.progress import progress
from cloudchamber.source.wire_files import count_wire_file, iterate_wire_file
from cloudchamber.source.wire_predictions import WirePredictions, probability_codes, write_wire_predictions
from cloudchamber.wire_events import WireEvents

IMAGES = "images"  # attribute: how the images were made that the predictions are of, as JSON


def _image_prediction(bundle: BeamBundle, event: WireEvents) -> tuple[np.ndarray, np.ndarray]:
    event = with_pixels(in_unit(bundle, event), bundle.config.images.rebin)
    made = bundle.config.images.model_copy(update={"rebin": event.readout.rebin})
    images = make_images(event, made)
    label, probability = predict_images(bundle, images)
    return label, probability.max(axis=1)


def predict_beam_file(
    bundle: BeamBundle, source: Path, target: Path, *, images: bool = False, method: Method | None = None
) -> int:
    """Predict every event of ``source`` and write ``target`` as a whole; memory holds one event.

    ``target`` holds the class of every pixel and its probability: of the planes as they are, or, with
    ``images``, of the downsampled images, which are what is published. Species become beam in planes.

    Returns
    -------
    The number of events.

    Raises
    ------
    InputError
        if the source is no file of wires or does not fit the network, or the target cannot be written.
    """
    if target.exists() and target.samefile(source):
        raise InputError(target, "", "another file than the input", "the same")
    config = bundle.config
    species = config.images.classes == "species"
    if images and species:
        raise InputError(config.name, "images", "a network with the classes of beam and cosmics", "species")
    attributes: dict[str, str | int | float] = {
        "model": config.name, "card": about_card(bundle.card), "source": source.name,
        "least_signal": config.images.least_signal,
    }  # fmt: skip
    if images:
        attributes[IMAGES] = config.images.model_dump_json()
    n = count_wire_file(source)
    in_unit(bundle, next(iterate_wire_file(source, truth=False)))

    def blocks() -> Iterator[WirePredictions]:
        for event in iterate_wire_file(source, truth=False):
            if images:
                label, probability = _image_prediction(bundle, event)
            else:
                plane = predict_plane(bundle, event, method)
                label, probability = plane.label[None], plane.probability[None]
                label = np.minimum(label, np.uint8(BeamLabel.BEAM))
            yield WirePredictions("beam", label, probability_codes(probability))
            advance(1)

    with progress("predicting", n, "events") as advance:
        write_wire_predictions(target, n, blocks(), attributes)
    return n
