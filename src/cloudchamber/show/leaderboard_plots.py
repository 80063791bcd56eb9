"""The plots of a leaderboard: who reaches what, and at what cost."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox

from cloudchamber.score.leaderboard import LeaderboardRow
from cloudchamber.show.theme import ACCENT, INK, MISSED, MUTED, style

_WIDTH_INCH = 6.2
_LEAST_MS = 0.001
# Where a label may stand, in points from the edge of its mark, the best place first.
_PLACES = (
    (3, 0), (-3, 0), (0, 7), (0, -7), (1, 6), (1, -6), (-1, 6), (-1, -6),
    (1, 14), (1, -14), (-1, 14), (-1, -14),
)  # fmt: skip


def row_label(row: LeaderboardRow, rows: Sequence[LeaderboardRow]) -> str:
    """Return the name of a row, with what was measured where several rows bear one name."""
    alike = sum(other.name == row.name for other in rows) > 1
    return f"{row.name} ({row.entry})" if alike and row.entry and row.entry != row.name else row.name


def _published(row: LeaderboardRow) -> float:
    return row.published_iou or float("nan")


def plot_ranking(rows: Sequence[LeaderboardRow]) -> Figure:
    """Draw a bar for the IOU measured here, with its error, and a mark for the published one.

    Parameters
    ----------
    rows : in the order of the leaderboard, which is that of the bars from top to bottom.
    """
    y = np.arange(len(rows))
    with style():
        figure = Figure(figsize=(_WIDTH_INCH, 0.9 + 0.32 * len(rows)), layout="constrained")
        axes = figure.add_subplot()
        for k, row in enumerate(rows):
            if row.iou is not None and row.iou.value is not None:
                axes.barh(k, row.iou.value, height=0.62, color=ACCENT, alpha=0.85)
                axes.errorbar(
                    row.iou.value, k, xerr=row.iou.error or 0.0, color=INK, elinewidth=1.4, capsize=3
                )
        axes.plot(
            [_published(row) for row in rows], y, linestyle="none", marker="D", markersize=6,
            markerfacecolor=MISSED, markeredgecolor=INK, markeredgewidth=0.7, clip_on=False, zorder=5,
        )  # fmt: skip
        axes.set(xlim=(0, 1), xlabel="mean IOU", ylim=(len(rows) - 0.5, -0.5))
        axes.set_yticks(y, [row_label(row, rows) for row in rows])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        here = Line2D([], [], color=ACCENT, linewidth=7, alpha=0.85, label="here, with bootstrap error")
        there = Line2D(
            [], [], linestyle="none", marker="D", markerfacecolor=MISSED, markeredgecolor=INK,
            markeredgewidth=0.7, label="published, on the challenge's data",
        )  # fmt: skip
        figure.legend(handles=[here, there], loc="outside upper right", ncols=2, fontsize=9)
    return figure


def _area(parameters: int) -> float:
    """Return the area of a mark in square points: proportional to the cube root, from 10 to 10 million."""
    return 2.2 * float(np.cbrt(max(parameters, 1)))


def plot_cost(rows: Sequence[LeaderboardRow]) -> Figure:
    """Draw the IOU measured here against the time that a volume takes; the area grows with the parameters.

    Rows without a time or an IOU are left out, and those that take less than a microsecond.
    """
    shown = [row for row in rows if row.iou is not None and (row.inference_ms or 0.0) > _LEAST_MS]
    times = np.array([row.inference_ms or 1.0 for row in shown])
    iou = np.array([row.iou.value or 0.0 if row.iou else 0.0 for row in shown])
    error = np.array([row.iou.error or 0.0 if row.iou else 0.0 for row in shown])
    areas = np.array([_area(row.parameters or 1) for row in shown])
    with style():
        figure = Figure(figsize=(_WIDTH_INCH, 4.4), layout="constrained")
        axes = figure.add_subplot()
        axes.set(xscale="log", xlabel="inference time per volume (ms)", ylabel="mean IOU")
        axes.grid()
        axes.set_axisbelow(True)
        axes.errorbar(times, iou, yerr=error, linestyle="none", color=INK, elinewidth=1.2)
        axes.scatter(times, iou, s=areas, color=ACCENT, alpha=0.75, edgecolor=INK, linewidth=0.6, zorder=3)
        if shown:
            axes.set_xlim(times.min() / 3, times.max() * 3)
            axes.set_ylim(max(0.0, iou.min() - 0.06), min(1.0, iou.max() + 0.06))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        sizes = [
            axes.scatter([], [], s=_area(n), color=MUTED, alpha=0.6, label=f"{n:,}")
            for n in (10_000, 100_000, 1_000_000)
        ]
        words = Line2D([], [], linestyle="none", label="parameters:")
        figure.legend(handles=[words, *sizes], loc="outside upper right", ncols=4, fontsize=9)
        figure.draw_without_rendering()
        _label(
            axes, np.column_stack([times, iou]), np.sqrt(areas / np.pi), [row_label(r, rows) for r in shown]
        )
    return figure


def _label(
    axes: Axes,
    points: Float[np.ndarray, "point 2"],
    radii_pt: Float[np.ndarray, "point"],
    labels: list[str],
) -> None:
    """Write a label beside each point where it covers neither points nor labels, if there is such a place."""
    figure = axes.get_figure()
    pixels = 1.0 if figure is None else figure.dpi / 72
    middles = axes.transData.transform(points) if labels else np.empty((0, 2))
    marks = [
        Bbox.from_extents(*(middle - radius * pixels), *(middle + radius * pixels))
        for middle, radius in zip(middles, radii_pt, strict=True)
    ]
    written: list[Bbox] = []
    for k, label in enumerate(labels):
        others = [*marks[:k], *marks[k + 1 :], *written]
        for place in (*_PLACES, _PLACES[0]):
            text = axes.annotate(
                label, tuple(points[k]), xytext=tuple(np.sign(place) * radii_pt[k] + place),
                textcoords="offset points", fontsize=9, zorder=4, va="center",
                ha="left" if place[0] > 0 else "right" if place[0] < 0 else "center",
            )  # fmt: skip
            box = text.get_window_extent()
            inside = axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1
            if inside and not any(box.overlaps(other) for other in others):
                break
            text.remove()
        else:
            axes.add_artist(text)
        written.append(box)
