"""``cloudchamber demo beam``: a beam particle among cosmics, from simulation to a report."""

import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cloudchamber.cli.options import Count, Seed, available_processors

BUNDLE = "beam/best"


def beam(
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])] = Path("demo/beam"),
    n: Annotated[Count, Parameter(name=["-n", "--samples"])] = 16,
    seed: Seed = 2026,
    workers: Count | None = None,
) -> None:
    """Simulate readouts of a LArTPC in a beam, label beam and cosmics with the bundled network, score, show.

    Parameters
    ----------
    output
        Folder for the data set, the predictions and the report.
    n
        Readouts to simulate.
    seed
        Seed of the simulation; 1 and 2 are what the bundled network was trained and validated on.
    workers
        Processes to simulate with; all processors unless said otherwise.
    """
    from rich.console import Console

    from cloudchamber.cli.report_beam import find_beam_facts, write_report_of
    from cloudchamber.cli.score_beam import beam_tables, chosen_score, read_beam_pair
    from cloudchamber.cli.simulate_wires import load_wires_config, produce_readouts
    from cloudchamber.infer.beam_bundle import load_beam_bundle
    from cloudchamber.infer.beam_files import predict_beam_file
    from cloudchamber.show.beam_tables import headline

    bundle = load_beam_bundle(BUNDLE)
    data, images, planes = (output / f"{name}.h5" for name in ("wires", "images", "planes"))
    print(f"demo beam: {n} readouts, the bundled network, a report in {output}/", file=sys.stderr)
    began = time.perf_counter()
    produce_readouts(
        data, n, seed=seed, config=load_wires_config("protodune-sp"),
        workers=workers or available_processors(), overwrite=True,
    )  # fmt: skip
    simulated = time.perf_counter()
    predict_beam_file(bundle, data, images, images=True)
    predict_beam_file(bundle, data, planes)
    done = time.perf_counter()
    pair = read_beam_pair(images, data)
    found, whole = chosen_score(pair), chosen_score(read_beam_pair(planes, data))
    console = Console()
    for table in beam_tables(found, BUNDLE):
        console.print(table)
    facts = find_beam_facts(images, data).model_copy(
        update={
            "commands": (f"cloudchamber demo beam -n {n} --seed {seed} -o {output}",),
            "timing": f"Simulation took {simulated - began:.0f} s, prediction {done - simulated:.0f} s.",
        }
    )
    write_report_of(output / "report.html", facts, pair, data)
    print(f"images: {headline(found)}")
    print(f"planes, pixel by pixel: {headline(whole)}")
    print(f"simulation took {simulated - began:.0f} s, prediction {done - simulated:.0f} s")
    print(planes)
    print(output / "report.html")
