"""How many volumes a second the bundled networks predict, beside the published architecture in the same run.

    python benchmarks/walls_inference.py --threads 2

Volumes are simulated; medians of several runs. The published figure (0.027 s a volume for ten networks with
averaging over eight views on a V100) is quoted from the challenge's deck, not measured.
"""

import argparse
import time

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from cloudchamber.infer.bundle import load_bundle
from cloudchamber.infer.predict import predict_probability
from cloudchamber.model.registry import build_network
from cloudchamber.model.walls_unet import STRONG
from cloudchamber.prepare.normalise import Inputs, Standardise

VOLUMES, RUNS = 512, 5
PUBLISHED = "published architecture (Strong), one of ten"


def rate(network: nn.Module, inputs: Inputs, x0: np.ndarray, symmetries: bool, runs: int) -> float:
    """Return volumes per second, the median of several runs after one to warm up."""
    predict_probability(network, inputs, x0[:64], symmetries=symmetries)
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        predict_probability(network, inputs, x0, symmetries=symmetries)
        seconds.append(time.perf_counter() - start)
    return len(x0) / float(np.median(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rng = np.random.default_rng(0)
    one = rng.lognormal(-3.3, 0.8, (VOLUMES, 1, 10, 10, 10)).astype(np.float32)
    published = build_network("walls-unet", STRONG).eval()
    table = Table(
        title=f"volumes per second (ms per volume), {options.threads} threads, median of {options.runs} runs"
    )
    for head in ("network", "parameters", "one view", "eight views"):
        table.add_column(head, justify="right")
    rates = {}
    for name in ("walls/best", "walls/tracks", PUBLISHED):
        if name == PUBLISHED:
            network, inputs, n = published, Inputs(maps={"x0": Standardise()}), 16
        else:
            bundle = load_bundle(name)
            network, inputs, n = bundle.network, bundle.config.inputs, VOLUMES
        maps = np.repeat(one[:n], len(inputs.names), axis=1)
        views = (False,) if name == PUBLISHED else (False, True)
        found = {v: rate(network, inputs, maps, v, options.runs) for v in views}
        rates[name] = found[False]
        parameters = sum(p.numel() for p in network.parameters())
        cells = [f"{found[v]:.0f} ({1000 / found[v]:.2f})" if v in found else "–" for v in (False, True)]
        table.add_row(name, f"{parameters:,}", *cells)
    console = Console()
    console.print(table)
    ratio = rates["walls/best"] / rates[PUBLISHED]
    console.print(f"walls/best against the published architecture, one network, one view: {ratio:.1f} times")


if __name__ == "__main__":
    main()
