"""Seconds and peak memory of labelling a whole readout, 5760 wires x 6000 ticks at full resolution.

Simulates one noisy readout of all wires, tick by tick, into a file, and labels it with each bundle as
``cloudchamber predict`` does, in a process of its own: memory is the largest resident size of that process,
with the libraries it loads. A network of images labels the plane through them, one of planes (``beam/plane``)
in tiles.

    cloudchamber train beam/plane --budget quick -o run
    python benchmarks/beam_full_size.py --bundles beam/best,run/bundle
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cloudchamber.cli.simulate_wires import produce_readouts
from cloudchamber.simulate.wires.config import WiresConfig

Measured = tuple[float, float]
_UNIT = 2**30 if sys.platform == "darwin" else 2**20  # of ru_maxrss in a GiB


def measure(name: str, source: Path, target: Path, threads: int) -> Measured:
    """Return seconds and GiB."""
    import torch

    from cloudchamber.infer.beam_bundle import load_beam_bundle
    from cloudchamber.infer.beam_files import predict_beam_file

    torch.set_num_threads(threads)
    bundle = load_beam_bundle(name)
    began = time.perf_counter()
    predict_beam_file(bundle, source, target)
    seconds = time.perf_counter() - began
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _UNIT


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundles", default="beam/best", help="names or paths, with commas between")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    table = Table(title="one readout of 5760 wires x 6000 ticks")
    for column in ("bundle", "seconds", "peak memory (GiB)"):
        table.add_column(column, justify="left" if column == "bundle" else "right")
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "readout.h5"
        config = WiresConfig(readout="all", rebin=1)
        produce_readouts(source, 1, seed=chosen.seed, config=config, workers=1)
        for number, name in enumerate(chosen.bundles.split(",")):
            with context.Pool(1) as pool:
                target = Path(folder) / f"{number}.h5"
                seconds, memory = pool.apply(measure, (name, source, target, chosen.threads))
            table.add_row(name, f"{seconds:.1f}", f"{memory:.2f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
