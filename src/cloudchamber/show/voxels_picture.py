"""A still picture of one sparse event: truth, prediction and energy side by side."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.errors import InputError
from cloudchamber.files import whole
from cloudchamber.show.theme import GRID, MUTED, png_bytes, style
from cloudchamber.show.voxels_data import check_classes
from cloudchamber.show.voxels_theme import CLASSES, ENERGY_COLOURS
from cloudchamber.voxel_events import VoxelEvents

_COLOURS = np.array([to_rgb(shown.light) for shown in CLASSES.values()])
_TICKS_MEV = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
_AXES = ("z", "x", "y")  # beam to the right, drift to the back, y up


def _panel(figure: Figure, place: tuple[int, int], title: str, box_cm: Float[np.ndarray, "end axis"]) -> Any:
    axes: Any = figure.add_subplot(1, place[1], place[0], projection="3d")
    for name, (low, high), shown in zip("xyz", box_cm.T, _AXES, strict=True):
        getattr(axes, f"set_{name}lim")(low, high)
        getattr(axes, f"set_{name}label")(f"{shown} (cm)", labelpad=-2, fontsize=9)
        axis = getattr(axes, f"{name}axis")
        axis.set_pane_color((1, 1, 1, 0))
        axis.line.set_color(MUTED)
        axis._axinfo["grid"].update(color=GRID, linewidth=0.6)
    axes.set_box_aspect(box_cm[1] - box_cm[0], zoom=1.12)
    axes.set_title(title, loc="center", pad=0, fontsize=11)
    axes.view_init(elev=20, azim=-62)
    axes.tick_params(labelsize=8, pad=-1)
    axes.locator_params(nbins=5)
    return axes


def _box(place_cm: Float[np.ndarray, "voxel axis"], largest_cm: float) -> Float[np.ndarray, "end axis"]:
    """Return the corners of a box about the voxels, none of its sides shorter than a third of the longest."""
    if not len(place_cm):
        return np.array([np.zeros(3), np.full(3, largest_cm)])
    low, high = place_cm.min(axis=0), place_cm.max(axis=0)
    sides = np.maximum(high - low, max((high - low).max() / 3, 1.0)) * 1.04
    return np.array([low + high - sides, low + high + sides]) / 2


def _energy_limits(energy_mev: Float[np.ndarray, "voxel"]) -> tuple[float, float]:
    """Return where the logarithmic scale begins and ends: 1st and 99th percentile of energies above zero."""
    above = energy_mev[energy_mev > 0]
    low, high = np.percentile(above, [1, 99]) if len(above) else (0.1, 1.0)
    return float(low), float(max(high, 1.01 * low))


def draw_voxels(
    event: VoxelEvents,
    predicted: UInt8[np.ndarray, "voxel"] | None = None,
    *,
    energy: bool = True,
    title: str = "",
    size_pt2: float = 1.2,
) -> Figure:
    """Draw one event: truth and prediction by class, the energy on a logarithmic scale in MeV; axes in cm.

    Parameters
    ----------
    event : one event; its truth is drawn if it has any.
    predicted : class of every voxel.
    energy : whether energies are drawn too; they are, where there is neither truth nor prediction.
    size_pt2 : area of a voxel's mark in square points.

    Raises
    ------
    InputError
        if there is not exactly one event, or the classes do not fit its voxels.
    """
    if len(event) != 1:
        raise InputError("picture of voxels", "events", "one event", str(len(event)))
    for name, classes in (("label", event.label), ("predicted", predicted)):
        check_classes(name, classes, len(event.energy_mev))
    place_cm = (event.position[:, [2, 0, 1]] + 0.5) * event.voxel_mm / 10
    box_cm = _box(place_cm, max(event.shape) * event.voxel_mm / 10)
    shown: list[tuple[str, Any]] = []
    if event.label is not None:
        shown.append((f"truth: {len(event.label):,} voxels", _COLOURS[event.label]))
    if predicted is not None:
        text = "prediction"
        if event.label is not None and len(predicted):
            text += f": {100 * np.mean(predicted == event.label):.1f}% of the voxels right"
        shown.append((text, _COLOURS[predicted]))
    by_class = len(shown)
    low, high = _energy_limits(event.energy_mev)
    scale = LogNorm(low, high, clip=True)
    if energy or not shown:
        shown.append(("energy", colormaps[ENERGY_COLOURS].reversed()(scale(event.energy_mev))))
    with style():
        figure = Figure(figsize=(4.5 * len(shown), 4.7), facecolor="white")
        figure.subplots_adjust(left=0.0, right=0.97, top=0.88, bottom=0.15, wspace=0.06)
        for k, (text, colours) in enumerate(shown):
            axes = _panel(figure, (k + 1, len(shown)), text, box_cm)
            axes.scatter(*place_cm.T, c=colours, s=size_pt2, marker="s", linewidths=0, depthshade=False)
        if by_class:
            keys = [
                Line2D([], [], marker="s", linestyle="", color=each.light, label=each.name, markersize=7)
                for each in CLASSES.values()
            ]
            middle = by_class / len(shown) / 2
            figure.legend(handles=keys, loc="lower center", bbox_to_anchor=(middle, 0.015), ncols=len(keys),
                          columnspacing=1.2, handletextpad=0.2)  # fmt: skip
        if len(shown) > by_class:
            width = 1 / len(shown)
            place = figure.add_axes((1 - 0.8 * width, 0.07, 0.6 * width, 0.02))
            mappable = ScalarMappable(scale, colormaps[ENERGY_COLOURS].reversed())
            ticks = [tick for tick in _TICKS_MEV if low <= tick <= high]
            bar: Any = figure.colorbar(mappable, cax=place, orientation="horizontal", extend="both")
            bar.minorticks_off()
            bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
            bar.ax.tick_params(labelsize=8, length=2)
            bar.ax.set_xlabel("energy in a voxel (MeV)", fontsize=9, labelpad=1)
            bar.outline.set_visible(False)
        if title:
            figure.suptitle(title, fontsize=13, x=0.02, ha="left", y=0.975, parse_math=False)
    return figure


def write_voxels_picture(
    path: Path,
    event: VoxelEvents,
    predicted: UInt8[np.ndarray, "voxel"] | None = None,
    *,
    energy: bool = True,
    title: str = "",
    size_pt2: float = 1.2,
) -> None:
    """Write the PNG of :func:`draw_voxels`.

    Raises
    ------
    InputError
        if the path cannot be written, there is not exactly one event, or the classes do not fit its voxels.
    """
    image = png_bytes(draw_voxels(event, predicted, energy=energy, title=title, size_pt2=size_pt2))
    with whole(Path(path)) as temporary:
        temporary.write_bytes(image)
