"""``cloudchamber demo voxels``: sparse LArTPC events from simulation to a display."""

import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cloudchamber.cli.options import Count, Seed, available_processors

BUNDLE = "voxels/best"


def voxels(
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])] = Path("demo/voxels"),
    n: Annotated[Count, Parameter(name=["-n", "--samples"])] = 200,
    seed: Seed = 2026,
    workers: Count | None = None,
) -> None:
    """Simulate sparse events of a LArTPC, label their voxels with the bundled network, score and show them.

    Parameters
    ----------
    output
        Folder for the data set, the predictions and the displays.
    n
        Events to simulate.
    seed
        Seed of the simulation; 1 and 2 are what the bundled network was trained and validated on.
    workers
        Processes to simulate with; all processors unless said otherwise.
    """
    import numpy as np
    from rich.console import Console

    from cloudchamber.cli.report_voxels import find_voxels_facts, write_report_of
    from cloudchamber.cli.score_voxels import read_voxels_pair, score_all, voxels_tables
    from cloudchamber.cli.simulate_voxels import load_voxels_config, produce_events
    from cloudchamber.infer.voxels_bundle import load_voxels_bundle
    from cloudchamber.infer.voxels_predict import predict_voxels_file
    from cloudchamber.labels import VoxelLabel
    from cloudchamber.show.voxels_display import write_voxels_display
    from cloudchamber.show.voxels_picture import write_voxels_picture
    from cloudchamber.voxel_events import join_events

    data, out = output / "voxels.h5", output / "predictions.h5"
    print(f"demo voxels: {n} events, the bundled network, a display in {output}/", file=sys.stderr)
    began = time.perf_counter()
    produce_events(
        data, n, seed=seed, config=load_voxels_config("bomb-512"), relabel=True,
        workers=workers or available_processors(), overwrite=True,
    )  # fmt: skip
    simulated = time.perf_counter()
    predict_voxels_file(load_voxels_bundle(BUNDLE), data, out)
    done = time.perf_counter()
    predicted, events = read_voxels_pair(out, data)
    found = score_all(predicted, events)
    label = events.label
    if label is None:
        raise ValueError("the simulated data set has no labels")
    michels = np.add.reduceat(label == VoxelLabel.MICHEL, events.voxel_offsets[:-1])
    chosen = np.argsort(-michels, kind="stable")[: min(4, n)].tolist()
    first = int(chosen[0])
    rows = events.voxels_of(first)
    write_voxels_picture(
        output / "event.png", events.chosen(first, first + 1), predicted.label[rows],
        title="A simulated LArTPC event: truth, prediction, energy",
    )  # fmt: skip
    voxel_rows = np.concatenate([np.arange(*events.voxels_of(event).indices(len(label))) for event in chosen])
    write_voxels_display(
        output / "display.html", join_events([events.chosen(k, k + 1) for k in chosen]),
        predicted=predicted.label[voxel_rows],
        probability=None if predicted.probability is None else predicted.probability[voxel_rows],
        title="Sparse LArTPC events", names=[f"event {event}" for event in chosen],
        facts={"data": f"{n} events of cloudchamber's simulation, seed {seed}", "model": BUNDLE},
    )  # fmt: skip
    console = Console()
    for table in voxels_tables(found, BUNDLE):
        console.print(table)
    seconds = simulated - began, done - simulated
    facts = find_voxels_facts(out, data).model_copy(
        update={
            "commands": (f"cloudchamber demo voxels -n {n} --seed {seed} -o {output}",),
            "timing": f"Simulation took {seconds[0]:.0f} s, prediction {seconds[1]:.0f} s.",
        }
    )
    write_report_of(output / "report.html", facts, predicted, events)
    print(
        f"non-zero accuracy {found.voxels.accuracy.text(4)} on {n:,} new events of cloudchamber's "
        f"simulation\nsimulation took {seconds[0]:.0f} s, prediction {seconds[1]:.0f} s"
    )
    print(output / "display.html")
    print(output / "report.html")
