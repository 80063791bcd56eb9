"""``cloudchamber score``: predictions against the truth, beside the published numbers."""

from pathlib import Path
from typing import TYPE_CHECKING

from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from cloudchamber.score.walls import WallsScore
    from cloudchamber.show.tables import Rows
    from cloudchamber.source.predictions import Predictions
    from cloudchamber.source.store import WallsData


def read_pair(out: Path, truth: Path) -> tuple["Predictions", "WallsData"]:
    """Read predictions and the data set with the truth, and check that they fit each other.

    Raises
    ------
    InputError
        if a file cannot be read, or the shapes of predictions and targets differ.
    """
    from cloudchamber.source.predictions import read_predictions
    from cloudchamber.source.store import read_walls

    data, predicted = read_walls(truth, targets=True), read_predictions(out)
    if predicted.walls.shape != data.x0_m.shape:
        wanted = f"the shape of the targets in {truth}, {data.x0_m.shape}"
        raise InputError(out, "preds", wanted, str(predicted.walls.shape))
    return predicted, data


def check_wire_pair(out: Path, truth: Path, task: str) -> None:
    """Check that predictions for wire readouts are given first, and readouts second, of the task ``task``.

    Raises
    ------
    InputError
        if readouts are given with something else, or predictions for them in place of the truth.
    """
    from cloudchamber.source.kinds import task_of

    given = {"wires": "readouts", "beam": "predictions", "hits": "predictions"}
    if task in ("beam", "hits"):
        raise InputError(truth, "attribute task", "'wires': readouts with truth", f"{task!r}: {given[task]}")
    if task == "wires" and (first := task_of(out)) not in ("beam", "hits"):
        wanted = "'beam' or 'hits': predictions for readouts of wires"
        found = f"{first!r}: {given.get(first, 'something else')}, beside wires in {truth}"
        raise InputError(out, "attribute task", wanted, found)


def score(out: Path, truth: Path, *, json: Path | None = None, report: Path | None = None) -> None:
    """Score predictions, with errors and published numbers: IOU of walls, accuracy of voxels, MI of energies.

    MI is the mean improvement over a tracker. Of voxels also the Michel electrons and their spectrum. On the
    challenge's own test set (test_private.h5) also the public and the private IOU.

    Parameters
    ----------
    out
        HDF5 file with predictions (preds, and probability if there is any), or a submission.
    truth
        HDF5 file with the data set they were made from, with its truth.
    json
        Write all numbers to this JSON file.
    report
        Write the report to this HTML file.
    """
    from cloudchamber.source.kinds import task_of

    task = task_of(truth)
    check_wire_pair(out, truth, task)
    if task == "wires" and task_of(out) == "beam":
        from cloudchamber.cli.score_beam import score_beam_files

        score_beam_files(out, truth, json, report)
        return
    if task == "wires" and task_of(out) == "hits":
        from cloudchamber.cli.score_hits import score_hits_files

        score_hits_files(out, truth, json, report)
        return
    if task == "energy":
        from cloudchamber.cli.score_energy import score_energy_files

        score_energy_files(out, truth, json, report)
        return
    if task == "voxels":
        from cloudchamber.cli.score_voxels import score_voxels_files

        score_voxels_files(out, truth, json, report)
        return
    from rich.console import Console

    from cloudchamber.files import write_text
    from cloudchamber.score.challenge import ChallengeScore, is_test_set, score_parts
    from cloudchamber.score.walls import score_walls
    from cloudchamber.show.facts import find_facts, find_grid
    from cloudchamber.source.challenge import split_test_set

    predicted, data = read_pair(out, truth)
    if data.walls is None:
        raise InputError(truth, "targs", "targets", "none")
    found = score_walls(predicted.walls, data.walls, predicted.probability)
    facts = find_facts(truth, data.attributes, out, predicted.attributes, data.x0_m.shape)
    grid = find_grid(data.attributes)
    if is_test_set(data.walls.shape) and not facts.simulated:
        found = score_parts(found, predicted.walls, data.walls)
    if json is not None:
        write_text(json, found.model_dump_json(indent=2) + "\n")
    if report is not None:
        from cloudchamber.show.report import write_report

        write_report(
            report, x0_m=data.x0_m, walls=data.walls, preds=predicted.walls,
            probability=predicted.probability, score=found, facts=facts, voxel_m=grid.voxel_m,
            base_m=grid.base_m,
        )  # fmt: skip
    console = Console(soft_wrap=False)
    console.print(f"IOU {found.iou.text(4)} on {found.n:,} {facts.volumes} ({facts.measured_on})")
    if isinstance(found, ChallengeScore):
        split = split_test_set(found.n)
        console.print(
            f"public IOU {found.public_iou.text(4)} ({len(split.public):,} volumes), "
            f"private IOU {found.private_iou.text(4)} ({len(split.private):,} volumes), "
            "the parts as the challenge split them"
        )
    for table in score_tables(found, facts.model or "this prediction", facts.measured_on, grid.voxel_m):
        console.print(table)
    for written in (json, report):
        if written is not None:
            print(written)


def score_tables(found: "WallsScore", model: str, measured_on: str, voxel_m: float = 1.0) -> list["Table"]:
    """Return the tables that ``cloudchamber score`` prints."""
    from cloudchamber.show.tables import (
        calibration_rows,
        count_rows,
        layer_rows,
        published_rows,
        summary_rows,
    )

    tables = [
        make_table(
            "Published results and this one (mean IOU)", published_rows(found, model, measured_on), last=True
        ),
        make_table("Whole volumes", summary_rows(found)),
        make_table("By layer", layer_rows(found, voxel_m)),
        make_table("By number of wall voxels", count_rows(found.by_voxels, "wall voxels")),
        make_table("By number of wall columns", count_rows(found.by_columns, "wall columns")),
    ]
    if found.calibration is not None:
        tables.append(make_table("Calibration", calibration_rows(found.calibration)))
    return tables


def make_table(title: str, rows: "Rows", *, last: bool = False) -> "Table":
    """Return a table; ``last`` sets the last row apart."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for index, name in enumerate(rows["head"]):
        table.add_column(name, justify="left" if index == 0 else "right")
    for row in rows["rows"]:
        ours = last and row is rows["rows"][-1]
        if ours:
            table.add_section()
        table.add_row(*(escape(cell) for cell in row), style="bold" if ours else None)
    return table
