"""What the classical reconstructions are worth: a lead block in beryllium, and buried walls by plain cuts.

The block: 0.2 x 0.4 x 0.4 m of lead (X0 5.612 mm) in 1 m^3 of beryllium (X0 0.3528 m), voxels of 0.1 m.
Ghosting is the mean excess density 1/X0 of the voxels right above and right below the block over that of the
block; the excess is over the median of the layer's voxels two or more away from the block's columns. X0 of
the block is one over its mean density. Errors are those of the mean over scans.

Walls: the challenge of 2022; cuts on X0 are fitted on half of the volumes, one for all layers or one each,
and scored on the other half. Milliseconds are processor time per volume of 10,000 muons, hits to map.

    python benchmarks/walls_reconstructions.py --scans 8 --volumes 400 --picture reconstructions.png
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import track
from rich.table import Table

from cloudchamber.infer.thresholds import fit_global, fit_layers
from cloudchamber.score.walls import iou_per_sample
from cloudchamber.simulate.walls import challenge_2022, full, scan_walls
from cloudchamber.simulate.walls.config import Material, Panels, Volume, WallsConfig
from cloudchamber.simulate.walls.geometry import generate_walls
from cloudchamber.simulate.walls.maps import TrackMaps
from cloudchamber.simulate.walls.rays import trace_rays
from cloudchamber.simulate.walls.reconstructions import RECONSTRUCTIONS, Asr, Block, Method, Mlem
from cloudchamber.simulate.walls.scan import locate_scatterings, volume_rng

LEAD = Material(x0_m=0.005612, density_g_cm3=11.35, z_over_a=0.39575, excitation_ev=823.0)
BERYLLIUM = Material(x0_m=0.3528, density_g_cm3=1.848, z_over_a=0.44384, excitation_ev=63.7)
METHODS: dict[str, Method] = {
    **{name: method for name, method in RECONSTRUCTIONS.items() if name != "mlem"},
    "asr, quantile 0.9": Asr(quantile=0.9),
    "mlem, 10 iterations": Mlem(iterations=10),
    "mlem, 20 iterations": Mlem(iterations=20),
    "mlem": RECONSTRUCTIONS["mlem"],  # 50 iterations
    "mlem, 100 iterations": Mlem(iterations=100),
    "mlem, 100, median": Mlem(iterations=100, average="median"),
}


class BlockScore(NamedTuple):
    """Ghosting, and X0 of the block over the true one."""

    ghosting: float
    x0_ratio: float


def lead_in_beryllium(muons: int, spectrum: bool) -> WallsConfig:
    """Return the configuration: 3 GeV, known; or the spectrum, energy loss, and momenta good to 20%."""
    config = full()
    changes: dict[str, object] = {} if spectrum else {"momentum_gev": 3.0}
    physics = config.transport if spectrum else config.transport.model_copy(update={"energy_loss": False})
    rules = config.reconstruction.model_copy(update={} if spectrum else {"momentum": "known"})
    return WallsConfig(
        setting="lead in beryllium",
        volume=Volume(voxel_m=0.1, soil=BERYLLIUM, wall=LEAD),
        muons=config.muons.model_copy(update={"count": muons, "margin_deg": 30.0, **changes}),
        transport=physics,
        panels=Panels(
            above_m=(3.0, 2.75, 2.5, 2.25), below_m=(0.75, 0.5, 0.25, 0.0), response="hard", span_m=5.0
        ),
        reconstruction=rules,
    )


def lead_block() -> np.ndarray:
    block = np.zeros((10, 10, 10), dtype=bool)
    block[4:6, 3:7, 3:7] = True
    return block


def score_block(x0_m: np.ndarray, block: np.ndarray) -> BlockScore:
    density = 1 / x0_m
    columns = block.any(axis=0)
    near = np.zeros_like(columns)
    for x, y in np.argwhere(columns):
        near[max(0, x - 1) : x + 2, max(0, y - 1) : y + 2] = True
    excess = density - np.median(density[:, ~near], axis=1)[:, None, None]
    layers = np.flatnonzero(block.any(axis=(1, 2)))
    beside = excess[[layers[0] - 1, layers[-1] + 1]][:, columns]
    return BlockScore(
        float(beside.mean() / excess[block].mean()), float(1 / density[block].mean() / LEAD.x0_m)
    )


def with_error(values: list[float], digits: int) -> str:
    error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return f"{np.mean(values):.{digits}f} ± {error:.{digits}f}"


def report_block(scans: int, muons: int, console: Console) -> dict[str, np.ndarray]:
    """Print both tables of the block; returns the maps of the first scan at 3 GeV."""
    block = lead_block()
    first: dict[str, np.ndarray] = {}
    for spectrum in (False, True):
        config = lead_in_beryllium(muons, spectrum)
        scores: dict[str, list[BlockScore]] = {name: [] for name in METHODS}
        for seed in track(range(scans), description="lead block", transient=True):
            blocks = list(scan_walls(np.random.default_rng(seed), block, config))
            for name, method in METHODS.items():
                x0_m = method(blocks, config.volume, config.reconstruction, config.transport)
                scores[name].append(score_block(x0_m, block))
                if not spectrum:
                    first.setdefault(name, x0_m)
        what = "spectrum, energy loss, momenta to 20%" if spectrum else "3 GeV"
        table = Table(title=f"lead block in beryllium, {muons} muons of {what}, {scans} scans")
        for name in ("method", "ghosting", "X0 of the block / true X0"):
            table.add_column(name, justify="left" if name == "method" else "right")
        for name, values in scores.items():
            table.add_row(
                name,
                with_error([v.ghosting for v in values], 3),
                with_error([v.x0_ratio for v in values], 3),
            )
        console.print(table)
    return first


def draw(maps: dict[str, np.ndarray], path: Path) -> None:
    """Draw the vertical section through the middle of the block, true and reconstructed."""
    truth = np.where(lead_block(), LEAD.x0_m, BERYLLIUM.x0_m)
    shown = {"truth": truth, **maps}
    with mpl.rc_context({"font.size": 9}):
        figure = Figure(figsize=(3 * ((len(shown) + 1) // 2), 6.4), layout="constrained")
        axes = figure.subplots(2, (len(shown) + 1) // 2, squeeze=False)
        for axis in axes.ravel()[len(shown) :]:
            axis.set_axis_off()
        for axis, (name, x0_m) in zip(axes.ravel(), shown.items(), strict=False):
            image = axis.imshow(
                1 / x0_m[:, :, 5], origin="lower", extent=(0, 1, 1, 2), cmap="viridis",
                norm=LogNorm(1, 1000),
            )  # fmt: skip
            axis.set(title=name, xlabel="x (m)", ylabel="z (m)")
        figure.colorbar(image, ax=axes, label="1/X0 (1/m)", shrink=0.8)
        figure.savefig(path, dpi=110)


def score_map(blocks: list[Block], config: WallsConfig) -> np.ndarray:
    """Return the X0 that the score of TrackMaps suggests, for comparison."""
    maps = TrackMaps(config.volume)
    for hits, momentum_gev in blocks:
        located = locate_scatterings(hits, momentum_gev, config.volume.voxel_m, config.reconstruction)
        rays = trace_rays(
            located.above, located.below, momentum_gev, hits.weight, config.volume,
            config.transport.azimuth_shrinks,
        )  # fmt: skip
        maps.add(rays, located.poca)
    return np.asarray(config.volume.soil.x0_m / np.maximum(1 + maps.maps()["score"], 0.05))


def report_walls(volumes: int, console: Console) -> None:
    config = challenge_2022()
    jobs: dict[str, Callable[[list[Block]], np.ndarray]] = {
        name: partial(method, volume=config.volume, rules=config.reconstruction, law=config.transport)
        for name, method in METHODS.items()
    }
    jobs["score of the track maps"] = partial(score_map, config=config)
    maps: dict[str, list[np.ndarray]] = {name: [] for name in jobs}
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    walls = []
    for index in track(range(volumes), description="walls", transient=True):
        rng = volume_rng(7, index)
        walls.append(generate_walls(rng, config.volume))
        blocks = list(scan_walls(rng, walls[-1], config))
        for name, job in jobs.items():
            start = time.process_time()
            maps[name].append(job(blocks))
            seconds[name].append(time.process_time() - start)
    truth, half = np.array(walls), volumes // 2
    table = Table(
        title=f"buried walls: IOU of cuts on X0, fitted on {half} volumes, scored on {volumes - half}"
    )
    for name in ("method", "one cut", "a cut per layer", "median X0 of soil (m)", "of wall", "ms"):
        table.add_column(name, justify="left" if name == "method" else "right")
    for name in jobs:
        x0_m = np.array(maps[name])
        # As a number between 0 and 1, which is what cuts are fitted on: from 4 times to a quarter of where
        # the densest voxels, as many as are wall, begin.
        middle = np.quantile(x0_m[:half], truth[:half].mean())
        density = np.clip(0.5 + 0.4 * np.log(middle / x0_m) / np.log(4), 0, 1)
        row = [name]
        for fit in (fit_global, fit_layers):
            cut = fit(density[:half], truth[:half])
            row.append(with_error(list(iou_per_sample(cut(density[half:]), truth[half:])), 3))
        soil, wall = np.median(x0_m[half:][~truth[half:]]), np.median(x0_m[half:][truth[half:]])
        table.add_row(*row, f"{soil:.4f}", f"{wall:.4f}", f"{1e3 * np.median(seconds[name]):.0f}")
    console.print(table)
    console.print(f"true X0: soil {config.volume.soil.x0_m:.4f} m, wall {config.volume.wall.x0_m:.4f} m")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scans", type=int, default=8, help="scans of the lead block")
    parser.add_argument("--muons", type=int, default=50_000, help="muons in each of them")
    parser.add_argument("--volumes", type=int, default=400, help="buried walls: half to fit, half to score")
    parser.add_argument("--picture", type=Path, default=Path("walls_reconstructions.png"))
    arguments = parser.parse_args()
    console = Console(width=110)
    maps = report_block(arguments.scans, arguments.muons, console)
    draw(maps, arguments.picture)
    console.print(f"{arguments.picture}: vertical sections through the block")
    report_walls(arguments.volumes, console)


if __name__ == "__main__":
    main()
