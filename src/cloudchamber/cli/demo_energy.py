"""``cloudchamber demo energy``: muons in a calorimeter from simulation to a report."""

import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cloudchamber.cli.options import Count, Seed, available_processors

BUNDLE = "energy/best"
SHOWN_GEV = (100.0, 1000.0, 3000.0, 6000.0)


def energy(
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])] = Path("demo/energy"),
    n: Annotated[Count, Parameter(name=["-n", "--samples"])] = 600,
    seed: Seed = 2026,
    workers: Count | None = None,
) -> None:
    """Simulate muons in a calorimeter, estimate their energies with the bundled network, score and show them.

    Parameters
    ----------
    output
        Folder for the data set, the predictions and the displays.
    n
        Muons to simulate.
    seed
        Seed of the simulation; 1 and 2 are what the bundled network was trained and validated on.
    workers
        Processes to simulate with; all processors unless said otherwise.
    """
    import numpy as np
    from rich.console import Console

    from cloudchamber.calorimeter_events import join_muons
    from cloudchamber.cli.report_energy import find_energy_facts, write_report_of
    from cloudchamber.cli.score_energy import energy_tables, read_curves, read_energy_pair, score_all
    from cloudchamber.cli.simulate_energy import load_energy_config, produce_muons
    from cloudchamber.infer.energy_bundle import load_energy_bundle
    from cloudchamber.infer.energy_predict import predict_energy_file
    from cloudchamber.show.energy_display import write_energy_display
    from cloudchamber.show.energy_picture import write_energy_picture
    from cloudchamber.source.energy import read_muons

    data, out = output / "muons.h5", output / "predictions.h5"
    bundle = load_energy_bundle(BUNDLE)
    print(f"demo energy: {n} muons, the bundled network, a report in {output}/", file=sys.stderr)
    began = time.perf_counter()
    produce_muons(
        data, n, seed=seed, config=load_energy_config("paper"), workers=workers or available_processors(),
        overwrite=True,
    )  # fmt: skip
    simulated = time.perf_counter()
    predict_energy_file(bundle, data, out)
    done = time.perf_counter()
    predicted, true_gev = read_energy_pair(out, data)
    found = score_all(predicted, true_gev, read_curves(predicted, out))
    chosen = list(dict.fromkeys(int(np.argmin(np.abs(true_gev - wanted))) for wanted in SHOWN_GEV))
    shown = join_muons([read_muons(data, start=k, stop=k + 1)[0] for k in chosen])
    estimate = predicted.energy_gev[chosen].astype(float)
    interval = None
    if predicted.low_gev is not None and predicted.high_gev is not None:
        interval = np.stack([predicted.low_gev[chosen], predicted.high_gev[chosen]], axis=1).astype(float)
    middle = len(chosen) // 2
    ends = None if interval is None else (float(interval[middle, 0]), float(interval[middle, 1]))
    write_energy_picture(
        output / "event.png", shown.chosen(middle, middle + 1), float(estimate[middle]), ends
    )
    write_energy_display(
        output / "display.html", shown, predicted_gev=estimate, interval_gev=interval,
        names=[f"muon {k}" for k in chosen],
        facts={"data": f"{n} muons of cloudchamber's simulation, seed {seed}", "model": BUNDLE},
    )  # fmt: skip
    console = Console()
    for table in energy_tables(found, BUNDLE):
        console.print(table)
    seconds = simulated - began, done - simulated
    facts = find_energy_facts(out, data).model_copy(
        update={
            "commands": (f"cloudchamber demo energy -n {n} --seed {seed} -o {output}",),
            "timing": f"Simulation took {seconds[0]:.0f} s, prediction {seconds[1]:.0f} s.",
        }
    )
    write_report_of(output / "report.html", facts, predicted, true_gev, out)
    published = "" if found.deck is None else f", {found.deck.mi.text(2)} % with the published one"
    print(
        f"MI {found.energy.mi.text(2)} % with the bundle's own correction{published}, on {n:,} new muons of "
        "cloudchamber's simulation\n"
        f"simulation took {seconds[0]:.0f} s, prediction {seconds[1]:.0f} s"
    )
    print(output / "display.html")
    print(output / "report.html")
