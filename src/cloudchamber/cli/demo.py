"""``cloudchamber demo``: the main job, from simulation to report."""

import sys
import time
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from cloudchamber.cli.options import Count, Seed, available_processors

app = App(name="demo", help="Do the main job, from simulation to report, in minutes.")
app.command("cloudchamber.cli.demo_voxels:voxels", name="voxels")
app.command("cloudchamber.cli.demo_energy:energy", name="energy")
app.command("cloudchamber.cli.demo_beam:beam", name="beam")
app.command("cloudchamber.cli.demo_hits:hits", name="hits")


@app.command
def walls(
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])] = Path("demo"),
    n: Annotated[Count, Parameter(name=["-n", "--samples"])] = 1000,
    seed: Seed = 2026,
    workers: Count | None = None,
) -> None:
    """Simulate buried walls, find them with the bundled networks, score the result and write a report.

    Parameters
    ----------
    output
        Folder for the data set, the predictions and the report.
    n
        Volumes to simulate.
    seed
        Seed of the simulation; 1 and 2 are what the bundled network was trained and validated on.
    workers
        Processes to simulate with; all processors unless said otherwise.
    """
    import numpy as np
    from rich.console import Console

    from cloudchamber.cli.score import score_tables
    from cloudchamber.cli.simulate import make_walls
    from cloudchamber.infer.bundle import load_bundle
    from cloudchamber.infer.files import predict_file
    from cloudchamber.score.walls import iou_per_sample, score_walls
    from cloudchamber.show.facts import find_facts
    from cloudchamber.show.picture import write_picture
    from cloudchamber.show.report import write_report
    from cloudchamber.simulate.walls.config import challenge_2022
    from cloudchamber.source.predictions import read_predictions
    from cloudchamber.source.produce import produce
    from cloudchamber.source.store import read_walls

    config, data, found = challenge_2022(), output / "walls.h5", output / "predictions.h5"
    print(
        f"demo walls: {n} volumes of {config.muons.count:,} muons, the bundled networks, "
        f"a report in {output}/",
        file=sys.stderr,
    )
    attributes: dict[str, str | int | float] = {
        "task": "walls", "seed": seed, "config": config.model_dump_json(), "maps": "tracks"
    }  # fmt: skip
    began = time.perf_counter()
    produce(
        data, partial(make_walls, seed, config, maps=True), n, attributes=attributes,
        workers=workers or available_processors(), description="simulating", overwrite=True,
    )  # fmt: skip
    simulated = time.perf_counter()
    predict_file(load_bundle("walls/best"), data, found)
    predicted = time.perf_counter()
    of_tracks = output / "predictions-tracks.h5"
    predict_file(load_bundle("walls/tracks"), data, of_tracks)
    truth, predictions = read_walls(data, targets=True), read_predictions(found)
    if truth.walls is None:
        raise ValueError("the simulated data set has no targets")
    result = score_walls(predictions.walls, truth.walls, predictions.probability)
    facts = find_facts(data, truth.attributes, found, predictions.attributes, truth.x0_m.shape)
    facts = facts.model_copy(
        update={
            "commands": (f"cloudchamber demo walls -n {n} --seed {seed} -o {output}",),
            "timing": f"Simulation took {simulated - began:.0f} s, prediction {predicted - simulated:.0f} s.",
        }
    )
    write_report(
        output / "report.html", x0_m=truth.x0_m, walls=truth.walls, preds=predictions.walls,
        probability=predictions.probability, score=result, facts=facts,
    )  # fmt: skip
    median = int(np.argsort(iou_per_sample(predictions.walls, truth.walls))[n // 2])
    write_picture(
        output / "median.png", truth.x0_m[median], truth.walls[median], predictions.walls[median],
        title="Buried walls from cosmic muons: the median volume of the demo",
    )  # fmt: skip
    console = Console()
    for table in score_tables(result, facts.model, facts.measured_on)[:2]:
        console.print(table)
    tracks = score_walls(read_predictions(of_tracks).walls, truth.walls).iou
    print(
        f"IOU {result.iou.text()} from the X0 map alone on {n:,} new volumes ({facts.measured_on}); "
        "published best 0.824 (private)\n"
        f"IOU {tracks.text()} from maps made of the muons' tracks, on the same volumes"
    )
    print(output / "report.html")
