"""How close simulated scans of walls come to the reference simulation and the real data of 2022.

Prints, layer by layer, the medians of soil and wall with bootstrap errors beside the quoted ones, and the
IOU of three simple cuts. Quoted numbers: 2388 volumes of the challenge's own simulator, and 8000 real
training samples.

    python benchmarks/walls_fidelity.py --n 2000 --seed 1 --workers 2
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from cloudchamber.simulate.walls import challenge_2022, simulate_volume

SOIL_MEDIAN_M = (0.092, 0.050, 0.031, 0.022, 0.018, 0.018, 0.022, 0.029, 0.044, 0.083)
WALL_MEDIAN_M = (0.029, 0.018, 0.013, 0.0105, 0.0095, 0.0093, 0.0111, 0.0146, 0.0208)
WALL_VOXELS, WALL_VOXELS_ERROR = 68.6, 0.8
REAL_CUTS_M = (0.016869, 0.016268, 0.012642, 0.011047, 0.010147, 0.010204, 0.011643, 0.013628, 0.014346, 0.0)
# name: (cut in metres, for all layers or one each; IOU of the reference simulation)
CUTS: dict[str, tuple[float | tuple[float, ...], float]] = {
    "x0 < 0.015 m": (0.015, 0.2055),
    "x0 < 0.0115 m": (0.0115, 0.2238),
    "the real data's cut per layer": (REAL_CUTS_M, 0.2313),
}
_REFERENCE_VOLUMES = 2388


class Volumes(NamedTuple):
    """Maps in metres and true walls, axes (sample, z, x, y)."""

    x0_m: np.ndarray
    walls: np.ndarray


def simulate(n: int, seed: int, workers: int) -> Volumes:
    """Simulate volumes of the challenge set-up."""
    job = partial(simulate_volume, seed, config=challenge_2022())
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        scans = list(
            track(pool.map(job, range(n), chunksize=8), total=n, description="volumes", transient=True)
        )
    return Volumes(np.array([s.x0_m for s in scans]), np.array([s.walls for s in scans]))


def iou(volumes: Volumes, cut_m: float | tuple[float, ...]) -> np.ndarray:
    """Return the IOU of each volume when all voxels below the cut are called wall."""
    called = volumes.x0_m < np.reshape(cut_m, (-1, 1, 1))
    both, either = ((op(called, volumes.walls)).sum((1, 2, 3)) for op in (np.logical_and, np.logical_or))
    scores: np.ndarray = (both + 1e-17) / (either + 1e-17)
    return scores


def layer_medians(volumes: Volumes, wall: bool) -> np.ndarray:
    """Return the median of soil or wall voxels in each layer, in metres; NaN where there is none."""
    medians = [
        float(np.median(x[w == wall])) if (w == wall).any() else np.nan
        for x, w in ((volumes.x0_m[:, z], volumes.walls[:, z]) for z in range(volumes.x0_m.shape[1]))
    ]
    return np.array(medians)


def median_errors(volumes: Volumes, wall: bool, draws: int = 30) -> np.ndarray:
    """Return their errors, from a bootstrap over volumes."""
    rng = np.random.default_rng(0)
    n = len(volumes.x0_m)
    again = []
    for _ in range(draws):
        pick = rng.integers(n, size=n)
        again.append(layer_medians(Volumes(volumes.x0_m[pick], volumes.walls[pick]), wall))
    errors: np.ndarray = np.std(again, axis=0)
    return errors


def print_report(volumes: Volumes, console: Console) -> None:
    n = len(volumes.x0_m)
    scale = np.hypot(1, np.sqrt(n / _REFERENCE_VOLUMES))  # the reference has a statistical error too
    for wall, quoted in ((False, SOIL_MEDIAN_M), (True, WALL_MEDIAN_M)):
        table = Table(title=f"median X0 of {'wall' if wall else 'soil'} voxels, {n} volumes")
        for name in ("layer", "ours (m)", "reference (m)", "deviation", "error of both (and of rounding)"):
            table.add_column(name, justify="right")
        medians, errors = layer_medians(volumes, wall), median_errors(volumes, wall)
        for z, reference_m in enumerate(quoted):
            rounding = (0.0005 if reference_m >= 0.012 else 0.00005) / np.sqrt(3) / reference_m
            error = np.hypot(errors[z] / medians[z] * scale, rounding)
            table.add_row(
                str(z),
                f"{medians[z]:.4f}",
                f"{reference_m:.4f}",
                f"{medians[z] / reference_m - 1:+.1%}",
                f"{error:.1%}",
            )
        console.print(table)
    table = Table(title="IOU of simple cuts, mean over volumes")
    for name in ("cut", "ours", "reference"):
        table.add_column(name)
    for name, (cut_m, quoted_iou) in CUTS.items():
        scores = iou(volumes, cut_m)
        table.add_row(name, f"{scores.mean():.4f} ± {scores.std() / np.sqrt(n):.4f}", f"{quoted_iou:.4f}")
    console.print(table)
    voxels = volumes.walls.sum((1, 2, 3))
    console.print(
        f"wall voxels per volume: {voxels.mean():.1f} ± {voxels.std() / np.sqrt(n):.1f}, "
        f"sd {voxels.std():.0f} "
        f"(reference {WALL_VOXELS} ± {WALL_VOXELS_ERROR}, sd 37; real data 67.8)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=1000, help="volumes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    print_report(simulate(arguments.n, arguments.seed, arguments.workers), Console(width=110))


if __name__ == "__main__":
    main()
