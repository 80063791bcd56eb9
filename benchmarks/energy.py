"""A training step of the networks for muon energies: dense against sparse, one and two threads, in one run.

    python benchmarks/energy.py
    python benchmarks/energy.py --quick

Forward and backward pass of 32 muons of the simulation, grids or sparse cells ready, the sparse geometry
inside the step; medians, rounds of all contestants one after the other. The muons are of 50 to 8000 GeV,
flat, and of 1 TeV, which light about 3,000 of 51,200 cells; the last columns are of the network that
`compare energy --sparse` and energy/best train, which leaves out cells below 1 MeV. Then the cost of the
sparse step from 100 GeV to 8 TeV against its active cells.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from cloudchamber.cli.compare_energy_systems import LEAST_MEV
from cloudchamber.model.energy_inputs import dense_grids
from cloudchamber.model.energy_paper import EnergyPaper, EnergyPaperConfig
from cloudchamber.model.energy_sparse import EnergySparse, EnergySparseConfig
from cloudchamber.simulate.calorimeter import CalorimeterConfig, simulate_muons
from cloudchamber.train.energy_batches import EnergyBatch, make_batch

MUONS, FEATURES, RUNS = 32, 28, 9
ENERGIES = (100.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
AT_LEAST = 5.0


def batch(fixed_gev: tuple[float, ...] = ()) -> EnergyBatch:
    """Return simulated muons, flat in energy or of given ones."""
    config = CalorimeterConfig()
    beam = config.beam.model_copy(update={"fixed_gev": fixed_gev})
    events = simulate_muons(1, range(MUONS), config.model_copy(update={"beam": beam}))
    features = np.random.default_rng(1).normal(size=(MUONS, FEATURES)).astype(np.float32)
    return make_batch(events, np.arange(MUONS), features)


def dense_step(muons: EnergyBatch) -> Callable[[], None]:
    torch.manual_seed(0)
    network = EnergyPaper(EnergyPaperConfig())
    grids = dense_grids(muons.energy_gev, muons.coordinates, MUONS, network.config.shape)

    def step() -> None:
        network.zero_grad()
        network(grids, muons.features).square().mean().backward()

    return step


def sparse_step(muons: EnergyBatch, least_mev: float = 0.0) -> Callable[[], None]:
    torch.manual_seed(0)
    network = EnergySparse(EnergySparseConfig(least_mev=least_mev))

    def step() -> None:
        network.zero_grad()
        network(muons.energy_gev, muons.coordinates, muons.features).square().mean().backward()

    return step


def medians(steps: dict[str, Callable[[], None]], runs: int) -> dict[str, float]:
    """Return seconds of each step, median of so many rounds of all of them, after one that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(runs + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def compare(console: Console, runs: int) -> None:
    table = Table(title=f"training step of {MUONS} muons, ms, median of {runs}")
    for head in (
        "muons",
        "cells per muon",
        "threads",
        "dense",
        "sparse",
        "times",
        f"sparse, cells >= {LEAST_MEV:g} MeV",
        "times",
    ):
        table.add_column(head, justify="right")
    ratios = []
    for name, muons in (("flat, 50 to 8000 GeV", batch()), ("1 TeV", batch((1000.0,)))):
        steps = {
            "dense": dense_step(muons),
            "sparse": sparse_step(muons),
            "cut": sparse_step(muons, LEAST_MEV),
        }
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found = medians(steps, runs)
            ratios.append(found["dense"] / found["sparse"])
            table.add_row(
                name, f"{len(muons.energy_gev) / MUONS:,.0f}", str(threads), f"{1000 * found['dense']:.0f}",
                f"{1000 * found['sparse']:.0f}", f"{ratios[-1]:.1f}", f"{1000 * found['cut']:.0f}",
                f"{found['dense'] / found['cut']:.1f}",
            )  # fmt: skip
    console.print(table)
    console.print(f"sparse against dense: {min(ratios):.1f} times as fast at least (wanted: {AT_LEAST:g})")


def scale(console: Console, runs: int) -> None:
    torch.set_num_threads(1)
    table = Table(title=f"cost against active cells, one thread, median of {runs}")
    for head in ("GeV", "cells", "step (ms)", "us per cell"):
        table.add_column(head, justify="right")
    batches = {f"{energy:g}": batch((energy,)) for energy in ENERGIES}
    found = medians({name: sparse_step(muons) for name, muons in batches.items()}, runs)
    cells = [len(muons.energy_gev) for muons in batches.values()]
    seconds = list(found.values())
    for name, n, each in zip(batches, cells, seconds, strict=True):
        table.add_row(name, f"{n:,}", f"{1000 * each:.0f}", f"{1e6 * each / n:.2f}")
    slope, start = np.polyfit(cells, seconds, 1)
    worst = max(abs(start + slope * n - each) / each for n, each in zip(cells, seconds, strict=True))
    console.print(table)
    console.print(
        f"step = {1000 * start:.0f} ms + {1e6 * slope:.2f} us per cell; off by {worst:.0%} at the most"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--quick", action="store_true", help="fewer runs")
    options = parser.parse_args()
    runs = 3 if options.quick else options.runs
    console = Console()
    compare(console, runs)
    scale(console, runs)


if __name__ == "__main__":
    main()
