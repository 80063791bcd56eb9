"""How many volumes a second the bundled network predicts, beside the published architecture in the same run.

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
from cloudchamber.prepare.normalise import Standardise

VOLUMES, RUNS = 512, 5


def rate(network: nn.Module, standardise: Standardise, x0: np.ndarray, symmetries: bool, runs: int) -> float:
    """Return volumes per second, the median of several runs after one to warm up."""
    predict_probability(network, standardise, x0[:64], symmetries=symmetries)
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        predict_probability(network, standardise, x0, symmetries=symmetries)
        seconds.append(time.perf_counter() - start)
    return len(x0) / float(np.median(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    x0 = np.random.default_rng(0).lognormal(-3.3, 0.8, (VOLUMES, 10, 10, 10)).astype(np.float32)
    bundle = load_bundle("walls")
    published = build_network("walls-unet", {}).eval()
    table = Table(title=f"volumes per second, {options.threads} threads, median of {options.runs} runs")
    for head in ("network", "parameters", "one view", "eight views"):
        table.add_column(head, justify="right")
    rates = {}
    for name, network, views in (
        ("bundle walls", bundle.network, (False, True)),
        ("published architecture, one network", published, (False,)),
    ):
        found = {v: rate(network, bundle.config.standardise, x0, v, options.runs) for v in views}
        rates[name] = found[False]
        parameters = sum(p.numel() for p in network.parameters())
        eight = f"{found[True]:.0f}" if True in found else "–"
        table.add_row(name, f"{parameters:,}", f"{found[False]:.0f}", eight)
    console = Console()
    console.print(table)
    ours, theirs = rates.values()
    console.print(f"ratio, one view: {ours / theirs:.1f}")


if __name__ == "__main__":
    main()
