"""A page with one readout of a wire plane: signal, truth and prediction, pixel by pixel."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from cloudchamber.errors import InputError
from cloudchamber.files import write_text
from cloudchamber.show.page import render_page
from cloudchamber.show.voxels_display import template_text
from cloudchamber.show.wires_data import (
    class_counts,
    page_data,
    prediction_layers,
    truth_layers,
    vertex_counts,
)
from cloudchamber.source.wire_predictions import WirePredictions
from cloudchamber.wire_events import WireEvents

SCRIPTS = ("data", "paint", "axes", "panel", "page")


def _size_text(event: WireEvents) -> str:
    readout = event.readout
    text = f"{event.wires} wires × {event.drifts} drift bins of {readout.rebin} × {readout.tick_us:g} µs"
    if np.isfinite(readout.pitch_mm):
        text += f", {readout.pitch_mm:g} mm × {readout.drift_mm:.3g} mm"
    return text


def write_wires_display(
    path: Path,
    event: WireEvents,
    *,
    predicted: WirePredictions | None = None,
    frame_labels: UInt8[np.ndarray, "wire drift"] | None = None,
    title: str = "Wire plane of a LArTPC",
    facts: Mapping[str, str] | None = None,
) -> None:
    """Write one self-contained HTML page that needs no network; pixels are exact, deflated.

    Parameters
    ----------
    path : where the page goes.
    event : one readout, with what truth there is.
    predicted : classes of the same readout.
    frame_labels : a file's own classes, as ``read_frame_labels`` gives them.
    facts : what the reader should know of the data and the model, name and sentence; plain text.

    Raises
    ------
    InputError
        if the path cannot be written, there is not just one readout, or arrays do not fit it.
    """
    place = "display of wires"
    if len(event) != 1:
        raise InputError(place, "event", "one readout", str(len(event)))
    shape = event.code.shape
    if predicted is not None and predicted.label.shape != shape:
        raise InputError(place, "predicted", f"the shape {shape}", str(predicted.label.shape))
    if frame_labels is not None and frame_labels.shape != shape[1:]:
        raise InputError(place, "frame_labels", f"the shape {shape[1:]}", str(frame_labels.shape))
    layers = truth_layers(event, frame_labels)
    if predicted is not None:
        layers += prediction_layers(event, predicted)
    counts = class_counts(layers)
    page = render_page(
        "wires_page.html",
        title=title,
        image=_size_text(event),
        facts=dict(facts or {}),
        counts=counts,
        truth=any("truth" in row for row in counts),
        predicted=predicted is not None,
        vertices=vertex_counts(event),
        hits=0 if event.hits is None else len(event.hits),
        data=page_data(event, layers, predicted),
        voxels_css=template_text("voxels_style.css"),
        wires_css=template_text("wires_style.css"),
        scripts=[template_text(f"wires_{name}.js") for name in SCRIPTS],
    )
    write_text(Path(path), page)
