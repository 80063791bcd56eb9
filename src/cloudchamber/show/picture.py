"""A still picture of one volume: truth, X0 input, prediction side by side."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LightSource, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from cloudchamber.files import whole
from cloudchamber.score.walls import iou_per_sample
from cloudchamber.show.theme import (
    ADDED,
    EDGE,
    GRID,
    MISSED,
    MUTED,
    WALL,
    X0_COLOURS,
    X0_TICKS_M,
    png_bytes,
    style,
)
from cloudchamber.show.volumes import CUT_M, Grid, colour_range, log10_x0


def _panel(figure: Figure, place: int, title: str, shape: tuple[int, ...], grid: Grid) -> Any:
    axes: Any = figure.add_subplot(1, 3, place, projection="3d", computed_zorder=True)
    nz, nx, ny = shape
    side = grid.voxel_m
    axes.set(xlim=(0, nx * side), ylim=(0, ny * side), zlim=(grid.base_m, grid.base_m + nz * side))
    axes.set_box_aspect((nx, ny, nz), zoom=1.02)
    axes.set_title(title, loc="center", pad=0, fontsize=11)
    axes.view_init(elev=24, azim=-58)
    for name in "xyz":
        axis = getattr(axes, f"{name}axis")
        axis.set_pane_color((1, 1, 1, 0))
        axis._axinfo["grid"].update(color=GRID, linewidth=0.6)
        axis.line.set_color(MUTED)
        getattr(axes, f"set_{name}label")(f"{name} (m)", labelpad=-6, fontsize=9)
    axes.tick_params(labelsize=8, pad=-2)
    return axes


def _draw(
    axes: Any, voxels: Bool[np.ndarray, "z x y"], colours: Float[np.ndarray, "z x y rgba"], grid: Grid
) -> None:
    if not voxels.any():
        return
    nz, nx, ny = voxels.shape
    x, y, z = np.indices((nx + 1, ny + 1, nz + 1)) * grid.voxel_m
    axes.voxels(
        x, y, z + grid.base_m, voxels.transpose(1, 2, 0), facecolors=colours.transpose(1, 2, 0, 3),
        edgecolor=EDGE, linewidth=0.25, lightsource=LightSource(azdeg=200, altdeg=50),
    )  # fmt: skip


def _classes(
    shape: tuple[int, ...], *parts: tuple[Bool[np.ndarray, "z x y"], str]
) -> Float[np.ndarray, "z x y rgba"]:
    colours = np.zeros((*shape, 4))
    for voxels, colour in parts:
        colours[voxels] = [*(int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)), 1.0]
    return colours


def draw_picture(
    x0_m: Float[np.ndarray, "z x y"],
    walls: Bool[np.ndarray, "z x y"],
    pred: Bool[np.ndarray, "z x y"],
    *,
    title: str = "",
    cut_m: float = CUT_M,
    grid: Grid | None = None,
) -> Figure:
    """Draw truth, X0 below ``cut_m`` and prediction of one volume (z, x, y), with its IOU; axes in metres."""
    grid = grid or Grid()
    walls, pred = np.asarray(walls, bool), np.asarray(pred, bool)
    iou = iou_per_sample(pred[None], walls[None])[0]
    with style():
        figure = Figure(figsize=(13, 4.9), facecolor="white")
        figure.subplots_adjust(left=0.01, right=0.97, top=0.88, bottom=0.13, wspace=0.0)
        truth = _panel(figure, 1, "walls (truth)", walls.shape, grid)
        _draw(truth, walls, _classes(walls.shape, (walls, WALL)), grid)
        value, low = log10_x0(x0_m), colour_range(x0_m)[0]
        scale = Normalize(low, max(float(np.log10(cut_m)), low + 0.1))
        seen = _panel(figure, 2, f"what the muons see: X$_0$ below {1e3 * cut_m:.3g} mm", walls.shape, grid)
        _draw(seen, np.asarray(x0_m) < cut_m, colormaps[X0_COLOURS](scale(value)), grid)
        ticks = [t for t in (*X0_TICKS_M, 0.003, 0.007, cut_m) if low <= np.log10(t) <= np.log10(cut_m)]
        bar_axes = figure.add_axes((0.395, 0.075, 0.2, 0.022))
        bar = figure.colorbar(ScalarMappable(scale, X0_COLOURS), cax=bar_axes, orientation="horizontal")
        bar.set_ticks([float(np.log10(t)) for t in ticks], labels=[f"{t:.3g}" for t in ticks])
        bar.ax.tick_params(labelsize=8, length=2)
        bar.ax.set_xlabel("X$_0$ (m)", fontsize=9, labelpad=1)
        bar.outline.set_visible(False)
        parts = ((pred & walls, WALL), (walls & ~pred, MISSED), (pred & ~walls, ADDED))
        found = _panel(figure, 3, f"prediction: IOU {iou:.3f}", walls.shape, grid)
        _draw(found, pred | walls, _classes(walls.shape, *parts), grid)
        keys = [Patch(facecolor=c, edgecolor=EDGE, linewidth=0.4) for c in (WALL, MISSED, ADDED)]
        figure.legend(
            keys, ["correct", "missed", "added"], loc="lower right", ncols=3, bbox_to_anchor=(0.955, 0.02)
        )
        if title:
            figure.suptitle(title, fontsize=13, x=0.02, ha="left", y=0.975)
    return figure


def write_picture(
    path: Path,
    x0_m: Float[np.ndarray, "z x y"],
    walls: Bool[np.ndarray, "z x y"],
    pred: Bool[np.ndarray, "z x y"],
    *,
    title: str = "",
    cut_m: float = CUT_M,
    grid: Grid | None = None,
) -> None:
    """Write the PNG of :func:`draw_picture`.

    Raises
    ------
    InputError
        if the path cannot be written.
    """
    image = png_bytes(draw_picture(x0_m, walls, pred, title=title, cut_m=cut_m, grid=grid))
    with whole(Path(path)) as temporary:
        temporary.write_bytes(image)
