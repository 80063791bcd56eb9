"""What simulated wire readouts cost: seconds a readout, with one and two processes, by particles, in memory.

A whole event is all faces of 6 APAs, 5760 wires, with a particle of the beam and 60 to 70 cosmic muons.
Other programs on the machine lower readouts per second, hardly the CPU time.

    python benchmarks/wires_simulation.py
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

from cloudchamber.simulate.wires.config import Cosmics, Halo, WiresConfig
from cloudchamber.simulate.wires.event import simulate_wires
from cloudchamber.source.worker import one_thread

BAR_S = 10.0  # a whole event on two processes
MUONS = (0, 20, 65, 130, 260)


def cost(config: WiresConfig, readouts: int, seed: int) -> np.ndarray:
    """Return CPU seconds of each readout, after one that does not count."""
    simulate_wires(seed, 0, config)
    used = []
    for index in range(readouts):
        start = time.process_time()
        simulate_wires(seed, index, config)
        used.append(time.process_time() - start)
    return np.array(used)


def simulate_one(seed: int, config: WiresConfig, index: int) -> float:
    """Simulate a readout in a worker; return the CPU seconds it took."""
    start = time.process_time()
    simulate_wires(seed, index, config)
    return time.process_time() - start


def seconds_each(config: WiresConfig, workers: int, readouts: int, seed: int) -> float:
    """Return wall seconds a readout with worker processes, their start not counted."""
    job = partial(simulate_one, seed, config)
    with one_thread(), ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(job, range(2 * workers)))
        start = time.perf_counter()
        list(pool.map(job, range(readouts)))
        return (time.perf_counter() - start) / readouts


def peak_memory_mib(readout: str, readouts: int, seed: int) -> float:
    """Return the peak resident memory of a fresh process that simulates readouts one after another."""
    command = [sys.executable, __file__, "--only-memory", readout, "--readouts", str(readouts)]
    done = subprocess.run([*command, "--seed", str(seed)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def print_report(readouts: int, seed: int, console: Console) -> None:
    table = Table(title=f"CPU seconds a readout, one process, means over {readouts}")
    for name in ("", "wires", "pixels along drift", "CPU s", "error"):
        table.add_column(name, justify="left" if not name else "right")
    whole = WiresConfig(readout="all")
    for name, config in {
        "beam's side": WiresConfig(),
        "beam's side, full resolution": WiresConfig(rebin=1),
        "beam's side, electrons": WiresConfig(signal="electrons"),
        "whole event": whole,
        "whole event, full resolution": whole.model_copy(update={"rebin": 1}),
    }.items():
        used = cost(config, readouts, seed)
        n_wires = 5760 if config.readout == "all" else 1440
        error = used.std(ddof=1) / np.sqrt(len(used))
        table.add_row(name, str(n_wires), str(6000 // config.rebin), f"{used.mean():.2f}", f"{error:.2f}")
    console.print(table)
    seconds = {workers: seconds_each(whole, workers, 2 * readouts, seed) for workers in (1, 2)}
    console.print(
        f"wall seconds a whole event: {seconds[1]:.2f} with 1 process, {seconds[2]:.2f} with 2 "
        f"(bar {BAR_S:g} with 2)"
    )
    table = Table(title="whole events by cosmic muons, no halo")
    for name in ("cosmic muons", "CPU s", "error", "CPU ms a muon above none"):
        table.add_column(name, justify="right")
    base = 0.0
    for count in MUONS:
        changes = {"cosmics": Cosmics(count=(count, count)), "halo": Halo(count=(0, 0))}
        used = cost(whole.model_copy(update=changes), max(3, readouts // 2), seed)
        base = base or float(used.mean())
        each = f"{1e3 * (used.mean() - base) / count:.1f}" if count else "-"
        table.add_row(str(count), f"{used.mean():.2f}", f"{used.std(ddof=1) / len(used) ** 0.5:.2f}", each)
    console.print(table)
    for name in ("beam-side", "all"):
        few, many = (peak_memory_mib(name, n, seed) for n in (2, 8))
        console.print(f"peak memory, {name}: {few:.0f} MiB after 2 readouts, {many:.0f} MiB after 8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readouts", type=int, default=10, help="readouts of a number")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only-memory", choices=("beam-side", "all"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.only_memory:
        for index in range(chosen.readouts):
            simulate_wires(chosen.seed, index, WiresConfig(readout=chosen.only_memory))
        unit = 2**20 if sys.platform == "darwin" else 2**10
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
    else:
        print_report(chosen.readouts, chosen.seed, Console(width=110))


if __name__ == "__main__":
    main()
