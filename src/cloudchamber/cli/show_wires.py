"""Displays of wire planes, for ``cloudchamber show``."""

from pathlib import Path
from typing import TYPE_CHECKING

from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.source.ragged import FileAttributes
    from cloudchamber.source.wire_choice import WireChoice
    from cloudchamber.source.wire_predictions import WirePredictions
    from cloudchamber.wire_events import WireEvents


def _prediction(
    path: Path, file: Path, event: "WireEvents", index: int, n: int
) -> "tuple[WirePredictions, FileAttributes]":
    """Return the prediction for one readout, of pixels or of hits, and what the file says of it."""
    import numpy as np

    from cloudchamber.show.wires_hits import hit_image
    from cloudchamber.source.hit_predictions import (
        HitPredictions,
        check_same_hits,
        holds_hit_predictions,
        read_hit_predictions,
    )
    from cloudchamber.source.wire_predictions import check_same_wires, read_wire_predictions

    if not holds_hit_predictions(path):
        predicted, attributes = read_wire_predictions(path, start=index, stop=index + 1)
        check_same_wires(predicted, event, path, file)
        return predicted, attributes
    hits, attributes = read_hit_predictions(path)
    if len(hits) != n:
        raise InputError(path, "hit_count", f"the {n} events of {file}", str(len(hits)))
    rows = slice(int(hits.hit_offsets[index]), int(hits.hit_offsets[index + 1]))
    scores = hits.scores[rows]
    of_event = HitPredictions(np.array([0, len(scores)], np.int64), scores)
    check_same_hits(of_event, event, path, file)
    return hit_image(event, of_event), attributes


def _as_scored(event: "WireEvents", about: "FileAttributes") -> "WireEvents":
    """Return a readout with the truth that beam predictions are scored by: faint pixels are background."""
    least = about.get("least_signal")
    if event.beam is None or not isinstance(least, (int, float)):
        return event
    from dataclasses import replace

    from cloudchamber.prepare.beam_images import BeamImageConfig, label_planes

    return replace(event, beam=label_planes(event, BeamImageConfig(least_signal=float(least))))


def show_wires(
    file: Path, index: int, prediction: Path | None, output: Path, choice: "WireChoice | None" = None
) -> None:
    """Write one readout of a plane as a page, from any file of wires, with its prediction if there is one.

    Raises
    ------
    InputError
        if the file or the prediction is damaged, or does not have such an event.
    """
    from cloudchamber.show.wires_display import write_wires_display
    from cloudchamber.source.labelled_frames import read_frame_labels
    from cloudchamber.source.wire_files import count_wire_file, open_wire_file, wire_kind

    n, kind = count_wire_file(file, choice), wire_kind(file)
    if not -n <= index < n:
        raise InputError(file, "", f"an event within 0..{n - 1}", str(index))
    index %= n
    event = open_wire_file(file, choice, start=index, stop=index + 1)
    facts = {"file": file.name, "event": str(index)}
    labels = None
    if kind == "labelled frames" and event.activity is not None:
        labels = read_frame_labels(file, choice, event=index)
    predicted = None
    if prediction is not None:
        predicted, about = _prediction(prediction, file, event, index, n)
        facts["prediction"] = str(about.get("model", prediction.name))
        event = _as_scored(event, about)
    write_wires_display(
        output, event, predicted=predicted, frame_labels=labels, title=f"{file.name}, event {index}",
        facts=facts,
    )  # fmt: skip
    print(output)
