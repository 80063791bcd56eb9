"""Reports on labelled voxels, for ``cloudchamber report``, ``score --report`` and the demo."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.show.voxels_report import VoxelsFacts
    from cloudchamber.source.voxel_predictions import VoxelPredictions
    from cloudchamber.voxel_events import VoxelEvents


def find_voxels_facts(out: Path, truth: Path) -> "VoxelsFacts":
    """Return what predictions and data set say of themselves."""
    from cloudchamber.show.voxels_report import VoxelsFacts
    from cloudchamber.source.voxel_predictions import read_voxel_predictions
    from cloudchamber.source.voxels import read_events

    attributes = read_events(truth, stop=1)[1]
    about = read_voxel_predictions(out).attributes
    try:
        config = json.loads(str(attributes.get("config", "{}")))
    except json.JSONDecodeError:
        config = {}
    simulated = "seed" in attributes and isinstance(config, dict) and "setting" in config
    n, voxel_mm = attributes["n"], attributes["voxel_mm"]
    grid = " × ".join(str(attributes[key]) for key in ("nx", "ny", "nz"))
    relabelled = about.get("labels") == "relabelled"
    where, found = shlex.quote(str(truth)), shlex.quote(str(out))
    commands = [f"cloudchamber report {found} {where}"]
    data = f"{n} events of {grid} voxels of {voxel_mm:g} mm were read."
    if simulated:
        option = " --relabel" if attributes.get("labels") == "relabelled" else ""
        data = f"{n} events of {grid} voxels of {voxel_mm:g} mm were simulated, setting {config['setting']}."
        commands.insert(
            0,
            f"cloudchamber simulate voxels -n {n} -o {where} --seed {attributes['seed']} "
            f"--setting {config['setting']}{option}",
        )
    return VoxelsFacts(
        data=data, seed=int(attributes["seed"]) if simulated else None, model=str(about.get("model", "")),
        model_card=str(about.get("card", "")), commands=tuple(commands), simulated=simulated,
        relabelled=relabelled,
    )  # fmt: skip


def write_report_of(
    path: Path, facts: "VoxelsFacts", predicted: "VoxelPredictions", events: "VoxelEvents"
) -> None:
    """Score predictions of sparse events and write the report."""
    from cloudchamber.score.michel import find_michels
    from cloudchamber.score.voxels import score_voxels
    from cloudchamber.show.voxels_report import write_voxels_report

    write_voxels_report(
        path, truth=events, predicted=predicted.label, probability=predicted.probability,
        score=score_voxels(events, predicted.label, predicted.probability),
        michels=find_michels(events, predicted.label), facts=facts,
    )  # fmt: skip


def report_voxels(out: Path, truth: Path, output: Path) -> None:
    """Write the report on predictions of sparse events."""
    from cloudchamber.cli.score_voxels import read_voxels_pair

    if output in (out, truth):
        raise InputError(output, "", "another file than the input", "the same")
    write_report_of(output, find_voxels_facts(out, truth), *read_voxels_pair(out, truth))
    print(output)
