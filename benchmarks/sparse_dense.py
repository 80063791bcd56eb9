"""Sparse against dense U-ResNets: time and memory of a training step against the size of the image.

    python benchmarks/sparse_dense.py
    python benchmarks/sparse_dense.py --quick

"Matched" has the layers of the sparse network, "published" is the authors' dense form (five strides,
channels doubling to 512). Every measurement is a process of its own; memory is the peak of its resident
memory over what it held before its step (gradients and activations). Events have 4,300 voxels, the mean of
the particle bombs, or 1% of the image where that is less. Dense networks take one image, sparse ones 16 at a
time, per event; in 2D, dense 1, 2 and 4 images, and 88 by a straight line, as in the publication.
"""

import argparse
import ctypes
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.nn import functional as F

from cloudchamber.model.sparse.geometry import SparseGeometry
from cloudchamber.model.voxels_dense import (
    MatchedUResNet,
    MatchedUResNetConfig,
    PublishedUResNet,
    PublishedUResNetConfig,
)
from cloudchamber.model.voxels_uresnet import SparseUResNet, SparseUResNetConfig

VOXELS, SHARE, BATCH, BATCH_2D = 4300, 0.01, 16, 88
SIZES_SPARSE = [32, 64, 96, 128, 192, 512]
PUBLISHED = "119 (training, 3D), 33 (inference, 3D), 3 (2D) in time; 364 (inference, 3D), 93 (2D) in memory"


def build(kind: str, dimension: int) -> nn.Module:
    options = {"dimension": dimension}
    if kind == "sparse":
        return SparseUResNet(SparseUResNetConfig.model_validate(options))
    if kind == "matched":
        return MatchedUResNet(MatchedUResNetConfig.model_validate(options))
    return PublishedUResNet(PublishedUResNetConfig.model_validate(options))


def images(size: int, batch: int, dimension: int) -> torch.Tensor:
    """Return coordinates, the sample first: random walks until there are voxels enough in each."""
    rng = np.random.default_rng(0)
    wanted = min(VOXELS, int(SHARE * size**dimension))
    samples = []
    for sample in range(batch):
        found = np.empty((0, dimension), np.int64)
        while len(found) < wanted:
            direction = rng.normal(size=dimension)
            steps = 0.3 * direction / np.linalg.norm(direction)
            walk = steps + rng.normal(0, 0.1, (4 * size, dimension))
            places = np.floor(rng.uniform(0, size, dimension) + np.cumsum(walk, axis=0)).astype(np.int64)
            found = np.unique(np.concatenate([found, places % size]), axis=0)
        chosen = found[rng.permutation(len(found))[:wanted]] if len(found) > wanted else found
        samples.append(np.concatenate([np.full((len(chosen), 1), sample), chosen], axis=1))
    return torch.from_numpy(np.concatenate(samples))


def step(network: nn.Module, kind: str, coordinates: torch.Tensor, size: int, batch: int) -> float:
    """Return seconds of one training step."""
    dimension = coordinates.shape[1] - 1
    labels = torch.randint(0, 5, (len(coordinates),))
    values = torch.rand(len(coordinates), 1)
    rows = tuple(coordinates.unbind(dim=1))
    grid = torch.zeros(batch, 1, *[size] * dimension) if kind != "sparse" else None
    if grid is not None:
        grid[:, 0][rows] = values[:, 0]
    start = time.perf_counter()
    if grid is None:
        logits = network(values, SparseGeometry(coordinates))
    else:
        logits = network(grid).movedim(1, -1)[rows]
    F.cross_entropy(logits, labels).backward()
    return time.perf_counter() - start


def memory(name: str) -> float:
    """Return a field of this process's memory in MB: VmRSS now, or VmHWM at most since it was reset."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise OSError(f"/proc/self/status has no {name}")


def measure(kind: str, dimension: int, size: int, batch: int, steps: int) -> dict[str, float]:
    """Return seconds per step and MB at most, in this process."""
    torch.manual_seed(0)
    network = build(kind, dimension)
    step(build(kind, dimension), kind, images(32, 2, dimension), 32, 2)  # compiles, fills pools
    coordinates = images(size, batch, dimension)
    ctypes.CDLL(None).malloc_trim(0)  # else the step fits into what the first one has freed
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    seconds = [step(network, kind, coordinates, size, batch) for _ in range(steps)]
    return {"seconds": float(np.median(seconds)), "mb": memory("VmHWM") - before}


def apart(kind: str, dimension: int, size: int, batch: int, options: argparse.Namespace) -> dict[str, float]:
    """Return what ``measure`` finds in a process of its own."""
    command = [sys.executable, __file__, "--threads", str(options.threads), "--one", kind]
    command += [str(each) for each in (dimension, size, batch, 1 if options.quick else 3)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def law(sizes: list[int], values: list[float]) -> tuple[float, float]:
    """Return slope and offset of value = offset + slope size^3, fitted to relative deviations."""
    slope, offset = np.polyfit(np.array(sizes) ** 3.0, values, 1, w=1 / np.array(values))
    return float(slope), float(offset)


def three_dimensions(console: Console, options: argparse.Namespace) -> None:
    sizes = [32, 64] if options.quick else [32, 64, 96, *([128] if options.large else [])]
    sparse_sizes = [size for size in SIZES_SPARSE if not options.quick or size in (32, 64, 192, 512)]
    found = {}
    for kind in ("sparse", "matched", "published"):
        for size in sparse_sizes if kind == "sparse" else sizes:
            batch = BATCH if kind == "sparse" else 2 if size == 32 else 1  # one voxel has no spread
            each = apart(kind, 3, size, batch, options)
            found[kind, size] = {name: value / batch for name, value in each.items()}
    table = Table(title=f"3D, a training step per event, {options.threads} threads (* by the fitted law)")
    kinds = ("sparse", "matched", "published")
    for head in ("size", "voxels", *(f"{kind} {unit}" for unit in ("s", "MB") for kind in kinds)):
        table.add_column(head, justify="right")
    laws = {}
    for kind in ("matched", "published"):
        for quantity in ("seconds", "mb"):
            laws[kind, quantity] = law(sizes, [found[kind, size][quantity] for size in sizes])
    ratios = []
    for size in sparse_sizes:
        cells = []
        for quantity in ("seconds", "mb"):
            cells.append(f"{found['sparse', size][quantity]:.3g}")
            for kind in ("matched", "published"):
                slope, offset = laws[kind, quantity]
                known = (kind, size) in found
                value = found[kind, size][quantity] if known else offset + slope * size**3
                cells.append(f"{value:.3g}{'' if known else '*'}")
                ratios.append((size, kind, quantity, value / found["sparse", size][quantity], known))
        table.add_row(f"{size}^3", f"{min(VOXELS, int(SHARE * size**3)):,}", *cells)
    console.print(table)
    for (kind, quantity), (slope, offset) in laws.items():
        points = [found[kind, size][quantity] for size in sizes]
        power = np.polyfit(np.log(sizes), np.log(points), 1)[0]
        console.print(
            f"{kind}, {quantity}: {offset:.3g} + {slope:.3g} size^3 (a power law through all: {power:.2f})"
        )
    for size, kind, quantity, ratio, known in ratios:
        if size in (sizes[-1], 192, 512):
            what, how = "time" if quantity == "seconds" else "memory", "measured" if known else "extrapolated"
            console.print(f"{size}^3: sparse takes {ratio:,.0f} times less {what} than {kind} dense ({how})")


def two_dimensions(console: Console, options: argparse.Namespace) -> None:
    size, few = (128, [1, 2]) if options.quick else (512, [1, 2, 4])
    batch = 8 if options.quick else BATCH_2D
    sparse = apart("sparse", 2, size, batch, options)
    for kind in ("matched", "published"):
        dense = [apart(kind, 2, size, each, options) for each in few]
        for quantity in ("seconds", "mb"):
            slope, offset = np.polyfit(few, [each[quantity] for each in dense], 1)
            whole = offset + slope * batch
            console.print(
                f"2D, {size} px, batch {batch}, {kind}: {whole:,.3g} {quantity} (extrapolated) against "
                f"{sparse[quantity]:,.3g}: {whole / sparse[quantity]:,.0f} times"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--quick", action="store_true", help="dense up to 64^3, one step each")
    parser.add_argument("--large", action="store_true", help="dense at 128^3 too: needs 10 GB")
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.one:
        kind, *numbers = options.one
        print(json.dumps(measure(kind, *(int(each) for each in numbers))))
        return
    console = Console(width=130, soft_wrap=True)
    three_dimensions(console, options)
    two_dimensions(console, options)
    console.print(f"published ratios (Domine and Terao): {PUBLISHED}")


if __name__ == "__main__":
    main()
