"""``cloudchamber demo hits``: what each hit of a readout shows, from simulation to a report."""

import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cloudchamber.cli.options import Count, Seed, available_processors

BUNDLE = "hits/best"
SIDES = 2  # a readout of the demo holds the wires that face one of the two drift volumes


def hits(
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])] = Path("demo/hits"),
    n: Annotated[Count, Parameter(name=["-n", "--samples"])] = 8,
    seed: Seed = 2026,
    bundle: str = BUNDLE,
    workers: Count | None = None,
    threads: Count = 1,
) -> None:
    """Simulate readouts of wires, classify their hits with the bundled network, score and show them.

    Parameters
    ----------
    output
        Folder for the data set, the predictions and the report.
    n
        Readouts to simulate.
    seed
        Seed of the simulation; 1 and 2 are what the bundled network was trained and validated on.
    bundle
        Another trained model, by name or path.
    workers
        Processes to simulate with; all processors unless said otherwise.
    threads
        Threads to predict with.
    """
    from rich.console import Console

    from cloudchamber.cli.report_hits import find_hits_facts, write_report_of
    from cloudchamber.cli.score_hits import hits_tables, read_hits_pair, score_pair
    from cloudchamber.cli.simulate_wires import load_wires_config, produce_readouts
    from cloudchamber.infer.hits_bundle import load_hits_bundle
    from cloudchamber.infer.hits_predict import predict_hits_file
    from cloudchamber.infer.hits_scorers import scorer_of_bundle

    data, out = output / "wires.h5", output / "predictions.h5"
    model = load_hits_bundle(bundle)
    print(f"demo hits: {n} readouts, {model.config.name}, a report in {output}/", file=sys.stderr)
    began = time.perf_counter()
    produce_readouts(
        data, n, seed=seed, config=load_wires_config("protodune-sp"),
        workers=workers or available_processors(), overwrite=True,
    )  # fmt: skip
    simulated = time.perf_counter()
    predict_hits_file(scorer_of_bundle(bundle, threads=threads), data, out)
    seconds = simulated - began, time.perf_counter() - simulated
    pair = read_hits_pair(out, data)
    score = score_pair(pair)
    for table in hits_tables(score, model.config.name)[:3]:
        Console().print(table)
    per_event = seconds[1] / n
    facts = find_hits_facts(out, data, pair).model_copy(
        update={
            "commands": (f"cloudchamber demo hits -n {n} --seed {seed} -o {output}",),
            "timing": f"Simulation took {seconds[0]:.0f} s, prediction {seconds[1]:.0f} s.",
        }
    )
    ours = f"{model.config.name}, {n} simulated events, times {SIDES}: the wires facing both drifts"
    write_report_of(output / "report.html", facts, pair, score, {ours: (SIDES * per_event, threads)})
    print(
        f"areas under the ROC curve on {score.n:,} hits: EM against track {score.em.area.text(4)}, Michel "
        f"{score.michel.area.text(4)}\n"
        f"simulation took {seconds[0]:.0f} s, prediction {seconds[1]:.0f} s: {per_event:.2f} s a readout"
    )
    print(output / "report.html")
