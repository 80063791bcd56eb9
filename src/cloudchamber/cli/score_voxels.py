"""Scores of labelled voxels and of the Michel chain, for ``cloudchamber score`` and the demo."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from cloudchamber.score.michel_energy import MichelSpectrum
    from cloudchamber.score.michel_score import MichelScore
    from cloudchamber.score.voxels import VoxelsScore
    from cloudchamber.source.voxel_predictions import VoxelPredictions
    from cloudchamber.voxel_events import VoxelEvents


class Scored(NamedTuple):
    """Everything that is measured on predictions of sparse events."""

    voxels: "VoxelsScore"
    michels: "MichelScore"
    spectrum: "MichelSpectrum"


def read_voxels_pair(out: Path, truth: Path) -> tuple["VoxelPredictions", "VoxelEvents"]:
    """Read predictions and the events they are of, labelled as the network was taught to label.

    Raises
    ------
    InputError
        if a file cannot be read, the events have no labels, or the voxels differ.
    """
    from cloudchamber.prepare.relabel import relabel_events
    from cloudchamber.source.voxel_predictions import check_same_voxels, read_voxel_predictions
    from cloudchamber.source.voxels import read_events

    events, attributes = read_events(truth, truth=True)
    predicted = read_voxel_predictions(out)
    check_same_voxels(predicted, events, out, truth)
    taught, labelled = (str(each.get("labels", "regular")) for each in (predicted.attributes, attributes))
    if taught == "regular" and labelled == "relabelled":
        raise InputError(truth, "attribute labels", "regular labels, as the network was taught", labelled)
    return predicted, relabel_events(events) if taught != labelled else events


def score_all(predicted: "VoxelPredictions", events: "VoxelEvents") -> Scored:
    """Score voxels, Michel electrons and their spectrum."""
    from cloudchamber.score.michel import find_michels
    from cloudchamber.score.michel_energy import michel_spectrum
    from cloudchamber.score.michel_score import score_michels
    from cloudchamber.score.voxels import score_voxels

    michels = find_michels(events, predicted.label)
    return Scored(
        score_voxels(events, predicted.label, predicted.probability),
        score_michels(michels),
        michel_spectrum(michels),
    )


def voxels_tables(found: Scored, model: str) -> list["Table"]:
    """Return the tables of a score, beside the published figures."""
    from cloudchamber.cli.score import make_table
    from cloudchamber.show import voxels_tables as rows

    tables = [
        make_table(
            "Published accuracy by class (quoted) and this one",
            rows.published_accuracy_rows(found.voxels, model), last=True,
        ),
        make_table("By class", rows.class_rows(found.voxels)),
        make_table("Voxels by true and predicted class", rows.confusion_rows(found.voxels)),
        make_table("Michel electrons, published (quoted) and this one", rows.michel_rows(found.michels)),
        make_table("Michel electrons: numbers", rows.michel_count_rows(found.michels)),
        make_table("End point of the Michel spectrum", rows.end_point_rows(found.spectrum)),
    ]  # fmt: skip
    if found.voxels.by_track_end:
        title = "HIP and MIP voxels by distance to the end of their track"
        tables.insert(3, make_table(title, rows.distance_rows(found.voxels.by_track_end)))
    return tables


def score_voxels_files(out: Path, truth: Path, json: Path | None, report: Path | None) -> None:
    """Score labelled voxels and print what came out."""
    from json import dumps

    from rich.console import Console

    from cloudchamber.files import write_text

    predicted, events = read_voxels_pair(out, truth)
    found = score_all(predicted, events)
    model = str(predicted.attributes.get("model", "")) or "this prediction"
    if json is not None:
        parts = {name: part.model_dump(mode="json") for name, part in found._asdict().items()}
        write_text(json, dumps(parts, indent=2) + "\n")
    if report is not None:
        from cloudchamber.cli.report_voxels import find_voxels_facts, write_report_of

        write_report_of(report, find_voxels_facts(out, truth), predicted, events)
    console = Console(soft_wrap=False)
    console.print(
        f"non-zero accuracy {found.voxels.accuracy.text(4)} on {found.voxels.n_events:,} events, "
        f"{found.voxels.n_voxels:,} voxels"
    )
    for table in voxels_tables(found, model):
        console.print(table)
    for written in (json, report):
        if written is not None:
            print(written)
