"""What a simulated scan of walls costs: per stage, per volume, in memory, and against the floor.

The floor is the bare arithmetic of a muon, as compiled loops: 14 voxel crossings with 4 normal numbers
each, and 33 values of the normal distribution function (11 voxel borders along 3 axes). All ratios come
from one run. The times of the public simulator are quoted from its challenge, not measured here.

    python benchmarks/walls_simulation.py
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from math import erf
from multiprocessing import get_context

import numpy as np
from rich.console import Console
from rich.table import Table

from cloudchamber.compiled import compiled_fast
from cloudchamber.simulate.random import new_stream, normal
from cloudchamber.simulate.walls import WallsConfig, challenge_2022, simulate_volume
from cloudchamber.simulate.walls.config import Muons
from cloudchamber.simulate.walls.geometry import generate_walls, radiation_lengths
from cloudchamber.simulate.walls.muons import generate_muons
from cloudchamber.simulate.walls.panels import record_hits
from cloudchamber.simulate.walls.poca import closest_approach
from cloudchamber.simulate.walls.scan import BLOCK
from cloudchamber.simulate.walls.tracks import fit_tracks
from cloudchamber.simulate.walls.transport import transport
from cloudchamber.simulate.walls.x0map import X0Map, muon_x0

MUONS = 10_000
QUOTED_S = {"public simulator, optimised": 0.62, "public simulator, as shipped": 34.0}  # per volume


@compiled_fast
def _normals(stream, n):
    total = 0.0
    for _ in range(n):
        x, stream = normal(stream)
        total += x
    return total


@compiled_fast
def _distribution_functions(u):
    total = 0.0
    for value in u:
        total += erf(value)
    return total


def median_ms(job: Callable[[], object], runs: int) -> float:
    """Return the median processor time of a job in milliseconds, after one run that does not count."""
    job()
    times = []
    for _ in range(runs):
        start = time.process_time()  # the stages run in one thread; other programs disturb this less
        job()
        times.append(time.process_time() - start)
    return 1e3 * float(np.median(times))


def stage_times(runs: int) -> dict[str, float]:
    """Return ms per 10,000 muons for each stage, in blocks as a scan has them."""
    config, rng = challenge_2022(), np.random.default_rng(1)
    volume, rules = config.volume, config.reconstruction
    walls = generate_walls(rng, volume)
    x0_m = radiation_lengths(walls, volume)
    muons = generate_muons(rng, config, BLOCK)
    exits = transport(rng, muons, x0_m, walls, config)
    hits = record_hits(rng, muons, exits, config)

    def fit(side: slice):
        return fit_tracks(
            hits.position_m[:, side], hits.sigma_m[:, side], hits.height_m[side], rules.fit_precision
        )

    above, below = fit(slice(4)), fit(slice(4, 8))
    poca = closest_approach(above, below, rules.uncertainty)
    x0 = muon_x0(poca, muons.momentum_gev, 1.0, rules.uncertainty)
    blocks = MUONS / BLOCK
    jobs: dict[str, Callable[[], object]] = {
        "muons": lambda: generate_muons(rng, config, BLOCK),
        "transport": lambda: transport(rng, muons, x0_m, walls, config),
        "hits": lambda: record_hits(rng, muons, exits, config),
        "fit": lambda: (fit(slice(4)), fit(slice(4, 8))),
        "PoCA": lambda: closest_approach(above, below, rules.uncertainty),
        "X0": lambda: muon_x0(poca, muons.momentum_gev, 1.0, rules.uncertainty),
        "map": lambda: X0Map(volume).add(poca, x0, hits.weight),
    }
    times = {"walls": median_ms(lambda: generate_walls(rng, volume), runs)}
    return times | {name: blocks * median_ms(job, 4 * runs) for name, job in jobs.items()}


def floor_ms(runs: int) -> float:
    """Return the time of the bare arithmetic of 10,000 muons in milliseconds."""
    rng = np.random.default_rng(2)
    u = rng.normal(size=33 * MUONS)
    return median_ms(lambda: _normals(new_stream(rng), 14 * 4 * MUONS), runs) + median_ms(
        lambda: _distribution_functions(u), runs
    )


def volume_ms(muons: int, runs: int) -> float:
    """Return the median time of a whole volume, each run another one."""
    config = WallsConfig(muons=Muons(count=muons))
    indices = iter(range(1_000_000))
    return median_ms(lambda: simulate_volume(1, next(indices), config), runs)


def volumes_per_second(workers: int, volumes: int) -> float:
    """Return the throughput of worker processes, their start not counted."""
    job = partial(simulate_volume, 1, config=challenge_2022())
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(job, range(4 * workers)))
        start = time.perf_counter()
        list(pool.map(job, range(volumes), chunksize=2))
        return volumes / (time.perf_counter() - start)


def peak_memory_mib(volumes: int) -> float:
    """Return the peak resident memory of a fresh process that simulates volumes one after another."""
    command = [sys.executable, __file__, "--only-memory", str(volumes)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def print_report(runs: int, console: Console) -> None:
    whole, floor = volume_ms(MUONS, runs), floor_ms(runs)
    stages = stage_times(runs)
    table = Table(title="processor time per 10,000 muons, one core, medians")
    for name in ("stage", "ms", "share"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for name, ms in stages.items():
        table.add_row(name, f"{ms:.2f}", f"{ms / whole:.0%}")
    table.add_row("sum of stages", f"{sum(stages.values()):.1f}", f"{sum(stages.values()) / whole:.0%}")
    table.add_row("whole volume", f"{whole:.1f}", "100%")
    table.add_row("floor: the bare arithmetic", f"{floor:.1f}", f"{floor / whole:.0%}")
    console.print(table)
    console.print(f"whole volume / floor: {whole / floor:.1f}")
    for name, seconds in QUOTED_S.items():
        console.print(
            f"{name}: {seconds} s per volume (quoted, not measured here), {1e3 * seconds / whole:.0f} x ours"
        )
    counts = (2500, 10_000, 40_000)
    per_10k = [volume_ms(count, max(3, runs // 2)) / count * 1e4 for count in counts]
    console.print(
        "linear in muons: ms per 10,000 muons "
        + ", ".join(f"{ms:.1f} with {count}" for ms, count in zip(per_10k, counts, strict=True))
    )
    rates = [volumes_per_second(workers, 10 * runs * workers) for workers in (1, 2)]
    console.print(
        f"volumes per second: {rates[0]:.1f} with 1 worker, {rates[1]:.1f} with 2 "
        f"({rates[1] / rates[0]:.2f} x)"
    )
    console.print(
        f"peak memory: {peak_memory_mib(10):.0f} MiB after 10 volumes, {peak_memory_mib(60):.0f} MiB after 60"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=15, help="timings per number; the median is printed")
    parser.add_argument("--only-memory", type=int, metavar="VOLUMES", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only_memory:
        for index in range(arguments.only_memory):
            simulate_volume(1, index, challenge_2022())
        unit = 2**20 if sys.platform == "darwin" else 2**10
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
    else:
        print_report(arguments.runs, Console(width=110))


if __name__ == "__main__":
    main()
