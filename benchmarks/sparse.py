"""A training step of the sparse U-ResNet "5-16": our backends and spconv, one and two threads, in one run.

    python benchmarks/sparse.py
    python benchmarks/sparse.py --spconv-python PATH   # an interpreter that has spconv 2.3.8
    python benchmarks/sparse.py --quick

Geometry, forward and backward pass of 20,000 voxels in 512^3, tracks and showers; medians, rounds of all
contestants one after the other. Then the cost from 2,000 to 200,000 voxels with a fitted power law. Where
there is a CUDA device, the same step there.
"""

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch.nn import functional as F

from cloudchamber.model.sparse.backend import sparse_backend
from cloudchamber.model.sparse.geometry import SparseGeometry
from cloudchamber.model.voxels_uresnet import SparseUResNet, SparseUResNetConfig

SIZE, VOXELS, RUNS = 512, 20_000, 9
SPCONV = Path(__file__).with_name("sparse_spconv.py")


def clustered_voxels(voxels: int, size: int, rng: np.random.Generator, dimension: int = 3) -> np.ndarray:
    """Return coordinates of one image: tracks and showers in turn, until there are so many voxels."""
    found = np.empty((0, dimension), np.int64)
    track = True
    while len(found) < voxels:
        start = rng.uniform(0, size, dimension)
        direction = rng.normal(size=dimension)
        direction /= np.linalg.norm(direction)
        if track:
            steps = np.arange(0, rng.uniform(0.2, 0.8) * size, 0.3)[:, None]
            points = start + direction * steps + np.cumsum(rng.normal(0, 0.05, (len(steps), dimension)), 0)
        else:
            branches = []
            for _ in range(rng.integers(20, 60)):
                root = start + direction * rng.exponential(40) + rng.normal(0, 4, dimension)
                along = (direction + rng.normal(0, 0.4, dimension)) * 0.6
                steps = np.arange(rng.integers(5, 25))[:, None]
                walk = np.cumsum(rng.normal(0, 0.3, (len(steps), dimension)), 0)
                branches.append(root + along * steps + walk)
            points = np.concatenate(branches)
        track = not track
        places = np.floor(points).astype(np.int64)
        inside = places[((places >= 0) & (places < size)).all(axis=1)]
        found = np.unique(np.concatenate([found, inside]), axis=0)
    return found[np.sort(rng.permutation(len(found))[:voxels])]


def batch(voxels: int, size: int = SIZE, dimension: int = 3) -> torch.Tensor:
    """Return coordinates with the sample first, 20,000 voxels or fewer in each."""
    rng = np.random.default_rng(0)
    samples = list[np.ndarray]()
    while voxels > 0:
        image = clustered_voxels(min(voxels, VOXELS), size, rng, dimension)
        samples.append(np.concatenate([np.full((len(image), 1), len(samples)), image], axis=1))
        voxels -= VOXELS
    return torch.from_numpy(np.concatenate(samples))


class Step:
    """One training step, timed in parts."""

    def __init__(self, coordinates: torch.Tensor, device: str = "cpu", dimension: int = 3) -> None:
        torch.manual_seed(0)
        self.network = SparseUResNet(SparseUResNetConfig(dimension=dimension)).to(device)
        self.coordinates = coordinates.to(device)
        self.features = torch.rand(len(coordinates), 1).to(device)
        self.labels = torch.randint(0, 5, (len(coordinates),)).to(device)
        self.device = device

    def _now(self) -> float:
        if self.device != "cpu":
            torch.cuda.synchronize()
        return time.perf_counter()

    def __call__(self, backend: str) -> tuple[float, float, float]:
        """Return seconds of geometry, forward and backward pass."""
        with sparse_backend(backend):
            start = self._now()
            geometry = SparseGeometry(self.coordinates)
            for level in range(self.network.config.levels):
                _ = geometry.level(level).neighbours
                if level < self.network.config.levels - 1:
                    _ = geometry.level(level).down
            made = self._now()
            loss = F.cross_entropy(self.network(self.features, geometry), self.labels)
            forward = self._now()
            self.network.zero_grad()
            loss.backward()
            return made - start, forward - made, self._now() - forward


def spconv_seconds(python: str, coordinates: torch.Tensor, threads: int, runs: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "voxels.npz"
        np.savez(path, coordinates=coordinates.numpy().astype(np.int32), size=SIZE)
        command = [python, "-W", "ignore", str(SPCONV), str(path)]
        command += ["--threads", str(threads), "--runs", str(runs)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def medians(step: Step, backend: str, runs: int) -> list[float]:
    """Return median seconds of the three parts and of the whole."""
    step(backend)
    parts = [step(backend) for _ in range(runs)]
    return [statistics.median(column) for column in zip(*((*p, sum(p)) for p in parts), strict=True)]


def compare(console: Console, python: str | None, runs: int) -> None:
    coordinates = batch(VOXELS)
    step = Step(coordinates)
    table = Table(title=f"{len(coordinates):,} voxels in {SIZE}^3, ms, median of {runs}")
    for head in ("engine", "threads", "geometry", "forward", "backward", "step", "geometry's share"):
        table.add_column(head, justify="right")
    steps: dict[tuple[str, int], float] = {}
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for backend in ("numba", "torch"):
            *parts, whole = medians(step, backend, runs if backend == "numba" else max(1, runs // 3))
            steps[backend, threads] = whole
            cells = [f"{1000 * each:.1f}" for each in (*parts, whole)]
            table.add_row(f"ours, {backend}", str(threads), *cells, f"{parts[0] / whole:.1%}")
        if python is not None:
            found = spconv_seconds(python, coordinates, threads, runs)
            steps["spconv", threads] = found["step"]
            cells = [f"{1000 * found[name]:.1f}" for name in ("forward", "backward", "step")]
            table.add_row("spconv 2.3.8, patched", str(threads), "in forward", *cells, "")
    if torch.cuda.is_available():
        for backend in ("torch", "triton"):
            *parts, whole = medians(Step(coordinates, "cuda"), backend, runs)
            cells = [f"{1000 * each:.1f}" for each in (*parts, whole)]
            table.add_row(f"ours, {backend}", torch.cuda.get_device_name(), *cells, f"{parts[0] / whole:.1%}")
    console.print(table)
    for engine in {name for name, _ in steps}:
        gain = steps[engine, 1] / steps[engine, 2]
        console.print(f"{engine}: the second thread makes it {gain:.2f} times as fast")
    if python is not None:
        for threads in (1, 2):
            ratio = steps["spconv", threads] / steps["numba", threads]
            console.print(f"ours against spconv, {threads} threads: {ratio:.2f} times as fast")


def scale(console: Console, runs: int, sizes: list[int]) -> None:
    torch.set_num_threads(1)
    table = Table(title=f"cost against voxels, one thread, median of {runs}")
    for head in ("voxels", "step (ms)", "us per voxel"):
        table.add_column(head, justify="right")
    seconds = []
    for voxels in sizes:
        seconds.append(medians(Step(batch(voxels)), "auto", runs)[3])
        table.add_row(f"{voxels:,}", f"{1000 * seconds[-1]:.1f}", f"{1e6 * seconds[-1] / voxels:.1f}")
    power, _ = np.polyfit(np.log(sizes), np.log(seconds), 1)
    console.print(table)
    console.print(f"step ~ voxels^{power:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    here = sys.executable if importlib.util.find_spec("spconv") else None
    parser.add_argument("--spconv-python", default=here, help="interpreter that has spconv")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--quick", action="store_true", help="fewer runs, up to 50,000 voxels")
    options = parser.parse_args()
    console = Console()
    runs = 3 if options.quick else options.runs
    compare(console, options.spconv_python, runs)
    sizes = [2000, 5000, 20_000, 50_000] if options.quick else [2000, 5000, 20_000, 50_000, 200_000]
    scale(console, max(1, runs // 3), sizes)


if __name__ == "__main__":
    main()
