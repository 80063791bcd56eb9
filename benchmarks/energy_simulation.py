"""What simulated muons in a calorimeter cost: a second, a GeV deposited, in memory; beside a full simulation.

The cost of the full simulation (Geant4, 0.0043 CPU s per GeV deposited) is quoted, not measured here. Other
programs on the machine lower the muons per second, hardly the CPU time.

    python benchmarks/energy_simulation.py
"""

import argparse
import resource
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
from rich.console import Console
from rich.table import Table

from cloudchamber.simulate.calorimeter.config import Beam, CalorimeterConfig
from cloudchamber.simulate.calorimeter.event import simulate_muon

FULL_S_PER_GEV = 0.0043  # quoted
BAR_PER_S, BAR_RATIO = 100, 50
FIXED_GEV = (100.0, 1000.0, 4000.0, 8000.0)


def cost(config: CalorimeterConfig, muons: int, seed: int) -> np.ndarray:
    """Return CPU seconds, GeV deposited and cells of each muon, after one that does not count."""
    simulate_muon(seed, 0, config)
    rows = []
    for index in range(muons):
        start = time.process_time()
        event = simulate_muon(seed, index, config)
        used = time.process_time() - start
        rows.append((used, float(event.energy_gev.sum(dtype=np.float64)), len(event.energy_gev)))
    return np.array(rows)


def muons_per_second(workers: int, muons: int, seed: int) -> float:
    """Return the throughput of worker processes over the flat spectrum, their start not counted."""
    job = partial(simulate_cells, seed)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(job, range(8 * workers)))
        start = time.perf_counter()
        list(pool.map(job, range(muons), chunksize=16))
        return muons / (time.perf_counter() - start)


def simulate_cells(seed: int, index: int) -> int:
    """Simulate a muon of the flat spectrum; return its cells."""
    return len(simulate_muon(seed, index, CalorimeterConfig()).energy_gev)


def peak_memory_mib(muons: int, seed: int) -> float:
    """Return the peak resident memory of a fresh process that simulates muons one after another."""
    command = [sys.executable, __file__, "--only-memory", str(muons), "--seed", str(seed)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def print_report(muons: int, seed: int, console: Console) -> None:
    table = Table(title="one process, means over muons")
    for name in (
        "kinetic energy",
        "CPU ms",
        "GeV deposited",
        "cells",
        "CPU s / GeV",
        "full simulation / ours",
    ):
        table.add_column(name, justify="right")
    beams = {"50 GeV to 8 TeV, flat": Beam()}
    beams |= {f"{energy:g} GeV": Beam(fixed_gev=(energy,)) for energy in FIXED_GEV}
    ratio = 0.0
    for number, (name, beam) in enumerate(beams.items()):
        rows = cost(CalorimeterConfig(beam=beam), muons if number == 0 else muons // 4, seed)
        used, deposited, cells = rows.mean(axis=0)
        per_gev = used / deposited
        ratio = ratio or FULL_S_PER_GEV / per_gev
        table.add_row(
            name, f"{1e3 * used:.2f}", f"{deposited:.1f}", f"{cells:.0f}", f"{per_gev:.2e}",
            f"{FULL_S_PER_GEV / per_gev:.0f}",
        )  # fmt: skip
    console.print(table)
    console.print(
        f"flat spectrum: the full simulation takes {ratio:.0f} times the CPU time (bar {BAR_RATIO})"
    )
    rates = {workers: muons_per_second(workers, muons * workers, seed) for workers in (1, 2)}
    console.print(
        f"muons per second over the flat spectrum: {rates[1]:.0f} with 1 process, {rates[2]:.0f} with 2 "
        f"({rates[2] / rates[1]:.2f} x; bar {BAR_PER_S} with 2)"
    )
    few, many = (peak_memory_mib(n, seed) for n in (50, 500))
    console.print(f"peak memory: {few:.0f} MiB after 50 muons, {many:.0f} MiB after 500")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--muons", type=int, default=1000, help="muons of a number")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only-memory", type=int, metavar="MUONS", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only_memory:
        for index in range(arguments.only_memory):
            simulate_muon(arguments.seed, index, CalorimeterConfig())
        unit = 2**20 if sys.platform == "darwin" else 2**10
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
    else:
        print_report(arguments.muons, arguments.seed, Console(width=110))


if __name__ == "__main__":
    main()
