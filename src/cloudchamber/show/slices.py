"""One volume layer by layer: truth, radiation length, probability and prediction as small multiples."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cloudchamber.show.theme import ADDED, MISSED, MUTED, WALL, X0_COLOURS, X0_TICKS_M, style
from cloudchamber.show.volumes import Grid, colour_range, log10_x0

_PANEL_INCH = 1.0
_BARS: dict[str, tuple[float, ...]] = {
    "X0": tuple(float(np.log10(tick)) for tick in X0_TICKS_M),
    "probability": (0.0, 0.5, 1.0),
}


def _rows(
    x0_m: Float[np.ndarray, "z x y"],
    walls: Bool[np.ndarray, "z x y"] | None,
    preds: Bool[np.ndarray, "z x y"] | None,
    probability: Float[np.ndarray, "z x y"] | None,
) -> list[tuple[str, np.ndarray, dict[str, Any]]]:
    """Return of each row: its name, what it shows, and how it is coloured."""
    low, high = colour_range(x0_m)
    rows: list[tuple[str, np.ndarray, dict[str, Any]]] = []
    if walls is not None:
        rows.append(("truth", np.ma.masked_equal(np.asarray(walls, int), 0), _classes(WALL)))
    rows.append(("X0", log10_x0(x0_m), {"cmap": X0_COLOURS, "vmin": low, "vmax": high}))
    if probability is not None:
        rows.append(("probability", np.asarray(probability), {"cmap": "cividis", "vmin": 0, "vmax": 1}))
    if preds is not None and walls is not None:
        pred, wall = np.asarray(preds, bool), np.asarray(walls, bool)
        kind = (pred & wall) * 1 + (wall & ~pred) * 2 + (pred & ~wall) * 3
        rows.append(("prediction", np.ma.masked_equal(kind, 0), _classes(WALL, MISSED, ADDED)))
    elif preds is not None:
        rows.append(("prediction", np.ma.masked_equal(np.asarray(preds, int), 0), _classes(WALL)))
    return rows


def _classes(*colours: str) -> dict[str, Any]:
    return {"cmap": ListedColormap(list(colours)), "vmin": 0.5, "vmax": len(colours) + 0.5}


def plot_slices(
    x0_m: Float[np.ndarray, "z x y"],
    walls: Bool[np.ndarray, "z x y"] | None = None,
    preds: Bool[np.ndarray, "z x y"] | None = None,
    probability: Float[np.ndarray, "z x y"] | None = None,
    *,
    grid: Grid | None = None,
) -> Figure:
    """Draw every layer of a volume, the highest first; x to the right, y up, both in metres.

    Parameters
    ----------
    x0_m : radiation lengths in metres (z, x, y), z = 0 the deepest layer.
    walls, preds, probability : truth, prediction and probability of wall, where there are any.
    """
    grid = grid or Grid()
    rows = _rows(x0_m, walls, preds, probability)
    nz, nx, ny = x0_m.shape
    side_x_m, side_y_m = nx * grid.voxel_m, ny * grid.voxel_m
    pitch_m = 1.08 * side_x_m
    left_inch, bar_inch, head_inch = 0.95, 0.75, 0.5
    width_inch = left_inch + _PANEL_INCH * nz + bar_inch
    row_inch = _PANEL_INCH * side_y_m / side_x_m
    height_inch = head_inch + row_inch * len(rows)
    with style():
        figure = Figure(figsize=(width_inch, height_inch))
        for row, (name, values, how) in enumerate(rows):
            bottom = 1 - (head_inch + row_inch * (row + 1)) / height_inch
            across = _PANEL_INCH * nz / width_inch
            axes = figure.add_axes((left_inch / width_inch, bottom, across, row_inch / height_inch))
            axes.set_axis_off()
            for column in range(nz):
                start_m = column * pitch_m
                extent = (start_m, start_m + side_x_m, 0.0, side_y_m)
                image = axes.imshow(values[nz - 1 - column].T, origin="lower", extent=extent, **how)
                axes.add_patch(
                    Rectangle((start_m, 0), side_x_m, side_y_m, fill=False, edgecolor=MUTED, linewidth=0.5)
                )
                if row == 0:
                    title = f"{column * grid.voxel_m:g}–{(column + 1) * grid.voxel_m:g} m"
                    axes.text(
                        start_m + side_x_m / 2, 1.04 * side_y_m, title, ha="center", va="bottom", fontsize=9
                    )
            axes.set(xlim=(-0.02 * side_x_m, nz * pitch_m), ylim=(-0.04 * side_y_m, 1.04 * side_y_m))
            axes.text(-0.12 * side_x_m, side_y_m / 2, name, ha="right", va="center")
            if name in _BARS:
                place = (1 - 0.95 * bar_inch / width_inch, bottom + 0.1 * row_inch / height_inch,
                         0.1 / width_inch, 0.8 * row_inch / height_inch)  # fmt: skip
                _colour_bar(figure, image, place, _BARS[name])
        figure.text(
            0.95 * left_inch / width_inch, 1 - 0.16 / height_inch, "depth", ha="right", va="top", color=MUTED
        )
        note = f"each square {side_x_m:g} m × {side_y_m:g} m, x to the right, y up; depth below the top face"
        figure.text(left_inch / width_inch, 1 - 0.02 / height_inch, note, va="top", fontsize=8.5, color=MUTED)
    return figure


def _colour_bar(
    figure: Figure, image: Any, place: tuple[float, float, float, float], ticks: Sequence[float]
) -> None:
    """Draw a colour bar."""
    bar = figure.colorbar(image, cax=figure.add_axes(place))
    low, high = image.get_clim()
    shown = [tick for tick in ticks if low <= tick <= high]
    labels = [f"{10**tick:.3g} m" if ticks is _BARS["X0"] else f"{tick:g}" for tick in shown]
    bar.set_ticks(shown, labels=labels)
    bar.ax.tick_params(labelsize=7, length=2, pad=1.5)
    bar.outline.set_visible(False)
