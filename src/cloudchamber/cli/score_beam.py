"""Scores of labelled wire images and planes, for ``cloudchamber score`` and the demo."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Int64, UInt8

from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from cloudchamber.score.beam import BeamScore
    from cloudchamber.source.ragged import FileAttributes


class BeamPair(NamedTuple):
    """True and predicted classes of all events, beam hits of each, and what both files say of themselves."""

    truth: UInt8[np.ndarray, "event wire drift"]
    predicted: UInt8[np.ndarray, "event wire drift"]
    beam: Int64[np.ndarray, "event"]
    images: bool  # downsampled ones, not planes
    least_beam: int  # beam hits of the events that the model is made for; 0 if not known
    about: "FileAttributes"


def read_beam_pair(out: Path, truth: Path) -> BeamPair:
    """Read predictions, of planes or of images, and the truth in the same form.

    Raises
    ------
    InputError
        if a file cannot be read, there is no truth, or the events differ in number or size.
    """
    from cloudchamber.infer.beam_files import IMAGES
    from cloudchamber.prepare.beam_images import BeamImageConfig, count_beam, label_planes, make_images
    from cloudchamber.source.wire_predictions import read_wire_predictions
    from cloudchamber.source.wires import iterate_wire_events

    predicted, about = read_wire_predictions(out)
    if predicted.task != "beam":
        raise InputError(out, "attribute task", "'beam'", repr(predicted.task))
    made = about.get(IMAGES)
    try:
        config = BeamImageConfig.model_validate_json(str(made)) if made is not None else BeamImageConfig()
    except ValueError as error:
        raise InputError(out, f"attribute {IMAGES}", "how images are made", str(error)[:80]) from error
    if made is None:
        least = about.get("least_signal", config.least_signal)
        if not isinstance(least, (int, float)) or not least >= 0:
            raise InputError(out, "attribute least_signal", "a signal of 0 or more", repr(least))
        config = config.model_copy(update={"least_signal": float(least)})
    labels, beam = [], []
    for block in iterate_wire_events(truth, 1, truth=True):
        if block.beam is None:
            raise InputError(truth, "beam", "the beam's pixels, as truth", "none")
        label = label_planes(block, config) if made is None else make_images(block, config).label
        if label is None:
            raise ValueError("events with truth have labels")
        labels.append(label)
        beam.append(count_beam(block))
    true = np.concatenate(labels)
    if true.shape != predicted.label.shape:
        wanted = f"the images of {truth}, (event, wire, drift) = {true.shape}"
        raise InputError(out, "label", wanted, str(predicted.label.shape))
    least_beam = config.least_beam if made is not None else 0
    return BeamPair(true, predicted.label, np.concatenate(beam), made is not None, least_beam, about)


def chosen_score(pair: BeamPair) -> "BeamScore":
    """Score all events, or those with as much beam as the model is made for, if there are some."""
    from cloudchamber.score.beam import score_beam

    chosen = pair.beam >= pair.least_beam
    if not chosen.any():
        chosen = np.ones(len(pair.beam), bool)
    return score_beam(pair.truth[chosen], pair.predicted[chosen], beam=pair.beam[chosen])


def beam_tables(found: "BeamScore", model: str) -> list["Table"]:
    """Return the tables of a score, beside the published figures."""
    from cloudchamber.cli.score import make_table
    from cloudchamber.show import beam_tables as rows

    tables = [
        make_table("Published IOU (quoted) and this one", rows.published_rows(found, model), last=True),
        make_table("By class", rows.class_rows(found)),
        make_table("Pixels by true and predicted class", rows.confusion_rows(found)),
    ]
    if found.by_beam:
        tables.append(make_table("By beam hits of the event", rows.beam_rows(found)))
    return tables


def score_beam_files(out: Path, truth: Path, json: Path | None, report: Path | None) -> None:
    """Score labelled images or planes and print what came out."""
    from rich.console import Console

    from cloudchamber.files import write_text
    from cloudchamber.show.beam_tables import headline

    pair = read_beam_pair(out, truth)
    found = chosen_score(pair)
    model = str(pair.about.get("model", "")) or "this prediction"
    if json is not None:
        write_text(json, found.model_dump_json(indent=2) + "\n")
    if report is not None:
        from cloudchamber.cli.report_beam import find_beam_facts, write_report_of

        write_report_of(report, find_beam_facts(out, truth), pair, truth)
    console = Console(soft_wrap=False)
    console.print(headline(found))
    for table in beam_tables(found, model):
        console.print(table)
    for written in (json, report):
        if written is not None:
            print(written)
