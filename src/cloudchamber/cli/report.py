"""``cloudchamber report``: a score as one HTML page."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cloudchamber.cli.score import check_wire_pair, read_pair
from cloudchamber.errors import InputError


def report(
    out: Path,
    truth: Path,
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])] = Path("report.html"),
) -> None:
    """Write a report as one HTML page: the result beside the published ones, plots, volumes in 3D.

    Of labelled voxels it tells the accuracies and the Michel electrons, of muon energies the resolution, what
    is gained over a tracker, and how often the intervals hold the truth. The page holds everything it needs
    and opens without a network.

    Parameters
    ----------
    out
        HDF5 file with predictions (preds, and probability if there is any).
    truth
        HDF5 file with the data set they were made from, with its truth.
    output
        The HTML file to write.
    """
    from cloudchamber.source.kinds import task_of

    task = task_of(truth)
    check_wire_pair(out, truth, task)
    if task == "wires" and task_of(out) == "beam":
        from cloudchamber.cli.report_beam import report_beam

        report_beam(out, truth, output)
        return
    if task == "wires" and task_of(out) == "hits":
        from cloudchamber.cli.report_hits import report_hits

        report_hits(out, truth, output)
        return
    if task == "energy":
        from cloudchamber.cli.report_energy import report_energy

        report_energy(out, truth, output)
        return
    if task == "voxels":
        from cloudchamber.cli.report_voxels import report_voxels

        report_voxels(out, truth, output)
        return
    from cloudchamber.score.walls import score_walls
    from cloudchamber.show.facts import find_facts, find_grid
    from cloudchamber.show.report import write_report

    predicted, data = read_pair(out, truth)
    if data.walls is None:
        raise InputError(truth, "targs", "targets", "none")
    grid = find_grid(data.attributes)
    write_report(
        output,
        x0_m=data.x0_m,
        walls=data.walls,
        preds=predicted.walls,
        probability=predicted.probability,
        score=score_walls(predicted.walls, data.walls, predicted.probability),
        facts=find_facts(truth, data.attributes, out, predicted.attributes, data.x0_m.shape),
        voxel_m=grid.voxel_m,
        base_m=grid.base_m,
    )
    print(output)
