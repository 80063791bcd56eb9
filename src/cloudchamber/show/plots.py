"""The plots of a score: IOU per layer, calibration of probabilities, IOU of all volumes."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cloudchamber.score.bootstrap import Estimate
from cloudchamber.score.walls import WallsScore
from cloudchamber.show.theme import ACCENT, INK, MISSED, MUTED, style

_SIZE_INCH = (4.2, 3.1)


def _axes(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE_INCH, layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    return figure, axes


def _bars(axes: Axes, x: Float[np.ndarray, "point"], estimates: list[Estimate], **how: object) -> None:
    known = [k for k, estimate in enumerate(estimates) if estimate.value is not None]
    axes.errorbar(
        x[known],
        [estimates[k].value or 0.0 for k in known],
        yerr=[estimates[k].error or 0.0 for k in known],
        **{"linestyle": "none", "markersize": 5, "capsize": 0, "elinewidth": 1.4, "clip_on": False, **how},  # type: ignore[arg-type]
    )


def plot_layers(score: WallsScore, *, voxel_m: float = 1.0) -> Figure:
    """Draw the IOU of each layer against the depth of its middle, in metres, with bootstrap errors.

    Filled: volumes in which the layer holds wall, in truth or prediction. Open: all volumes, where the metric
    counts 1 if both are empty.
    """
    with style():
        figure, axes = _axes("depth below the top face (m)", "mean IOU of the layer")
        depth_m = voxel_m * (len(score.layers) - 0.5 - np.array([layer.layer for layer in score.layers]))
        _bars(
            axes, depth_m, [layer.iou for layer in score.layers],
            fmt="o", color=MUTED, markerfacecolor="none", label="all volumes (empty counts 1)",
        )  # fmt: skip
        _bars(
            axes, depth_m, [layer.iou_not_empty for layer in score.layers],
            fmt="o", color=ACCENT, label="volumes with wall there",
        )  # fmt: skip
        axes.set(xlim=(0, voxel_m * len(score.layers)), ylim=(0, 1.04))
        axes.legend(loc="lower left", fontsize=9, handletextpad=0.2, borderaxespad=0.8)
    return figure


def plot_calibration(score: WallsScore) -> Figure:
    """Draw the fraction of wall against the predicted probability, with binomial errors.

    Raises
    ------
    ValueError
        if the score was made without probabilities.
    """
    if score.calibration is None:
        raise ValueError("the score has no calibration curve: it was made without probabilities")
    with style():
        figure, axes = _axes("predicted probability of wall", "fraction of voxels that are wall")
        bins = score.calibration
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="perfect")
        axes.errorbar(
            [b.mean_probability for b in bins], [b.wall_fraction for b in bins], yerr=[b.error for b in bins],
            fmt="o", color=ACCENT, markersize=5, elinewidth=1.4, clip_on=False,
            label="voxels, in bins",
        )  # fmt: skip
        axes.set(xlim=(0, 1), ylim=(0, 1))
        axes.legend(loc="upper left", fontsize=9)
    return figure


def plot_iou(iou: Float[np.ndarray, "sample"], mean: Estimate | None = None) -> Figure:
    """Draw how many volumes reach which IOU, and the mean."""
    with style():
        figure, axes = _axes("IOU of a volume", "volumes per 0.05")
        axes.hist(
            iou, bins=[k / 20 for k in range(21)], color=ACCENT, alpha=0.85, edgecolor="none", rwidth=0.92
        )
        axes.set(xlim=(0, 1))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        if mean is not None and mean.value is not None:
            axes.axvline(mean.value, color=MISSED, linewidth=2)
            right = mean.value > 0.6
            axes.annotate(
                f"mean {mean.text()}", (mean.value, 1), xycoords=("data", "axes fraction"),
                xytext=(-6 if right else 6, -2), textcoords="offset points",
                ha="right" if right else "left", va="top", color=INK,
            )  # fmt: skip
            axes.margins(y=0.18)
    return figure
