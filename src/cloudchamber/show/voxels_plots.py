"""The plots of a score of voxels: who is taken for whom, where tracks end, how showers score."""

import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from cloudchamber.labels import VoxelLabel
from cloudchamber.score.bootstrap import Estimate
from cloudchamber.score.voxels import VoxelsScore
from cloudchamber.score.voxels_parts import ShowerScores
from cloudchamber.show.theme import ACCENT, INK, MUTED, style
from cloudchamber.show.voxels_theme import CLASSES

_SIZE_INCH = (4.2, 3.1)
_ON_DARK, _ON_LIGHT = "#ffffff", "#1f2328"  # on the cells of a picture, which no page recolours
_PERCENT = FuncFormatter(lambda value, _: f"{value:g}%")


def new_axes(x_label: str, y_label: str, size_inch: tuple[float, float] = _SIZE_INCH) -> tuple[Figure, Axes]:
    """Return a figure with one set of axes in it, with a grid along y."""
    figure = Figure(figsize=size_inch, layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    return figure, axes


def _errors(estimates: list[Estimate]) -> tuple[list[float], list[float]]:
    """Return values and errors in percent; NaN where there is no value."""
    values = [float("nan") if e.value is None else 100 * e.value for e in estimates]
    return values, [100 * (e.error or 0.0) for e in estimates]


def plot_confusion(score: VoxelsScore) -> Figure:
    """Draw the share of the voxels of each true class, a row, that is found as each class, a column."""
    counts = np.array(score.confusion, dtype=np.float64)
    of_row = np.divide(counts, counts.sum(axis=1, keepdims=True), out=np.zeros_like(counts), where=counts > 0)
    names = [CLASSES[each.label].name for each in score.classes]
    with style():
        figure = Figure(figsize=(4.2, 3.7), layout="constrained")
        axes = figure.add_subplot()
        axes.imshow(of_row, cmap="Blues", vmin=0, vmax=1, aspect="equal")
        for i, row in enumerate(of_row):
            for j, share in enumerate(row):
                text = (
                    "–" if not counts[i, j] else f"{100 * share:.2g}" if share < 0.1 else f"{100 * share:.1f}"
                )
                axes.text(
                    j,
                    i,
                    text,
                    ha="center",
                    va="center",
                    fontsize=10,
                    color=_ON_DARK if share > 0.5 else _ON_LIGHT,
                )
        axes.set_xticks(range(len(names)), [name.replace(" ", "\n") for name in names])
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel="found as", ylabel="true class")
        axes.set_title("% of the voxels of a true class")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    return figure


def plot_track_ends(score: VoxelsScore) -> Figure:
    """Draw the accuracy of HIP and MIP voxels against the distance to the end of their particle.

    Raises
    ------
    ValueError
        if the score has no such bins: the particles were not known.
    """
    if not score.by_track_end:
        raise ValueError("the score has no bins of distance: it was made without particles")
    bins = score.by_track_end
    with style():
        figure, axes = new_axes("distance to the particle's end (voxels)", "accuracy, HIP and MIP voxels")
        values, errors = _errors([each.accuracy for each in bins])
        low = np.array([each.low_voxels for each in bins])
        high = np.array(
            [2 * each.low_voxels if each.high_voxels is None else each.high_voxels for each in bins]
        )
        middle = np.sqrt(np.maximum(low, 1) * high)
        axes.set_xscale("log")
        axes.errorbar(
            middle, values, yerr=errors, xerr=[middle - np.maximum(low, 1), high - middle], fmt="o",
            color=ACCENT, markersize=4.5, elinewidth=1.2, capsize=0, clip_on=False,
        )  # fmt: skip
        axes.set_ylim(min(np.min(np.array(values) - errors) - 0.5, 99), 100)
        axes.set_axisbelow(False)
        axes.set_xlim(left=0.95)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_major_formatter(_PERCENT)
    return figure


def plot_shower_scores(scores: ShowerScores, least_voxels: int = 20) -> Figure:
    """Draw the mean shower score of an event's true shower voxels, and its spread within the event.

    Parameters
    ----------
    scores : of :func:`cloudchamber.score.voxels_parts.shower_scores`.
    least_voxels : events with fewer true shower voxels are left out.
    """
    chosen = scores.n_voxels >= least_voxels
    with style():
        figure, axes = new_axes("shower score of true shower voxels", "events per 0.02")
        bins = [k / 50 for k in range(51)]
        axes.hist(
            np.clip(scores.mean[chosen], 0, 1), bins=bins, color=CLASSES[VoxelLabel.SHOWER].light, alpha=0.75,
            label="mean in an event",
        )  # fmt: skip
        axes.hist(
            np.clip(scores.spread[chosen], 0, 1), bins=bins, histtype="step", linewidth=1.4, color=INK,
            linestyle=(0, (4, 2)), label="standard deviation in an event",
        )  # fmt: skip
        axes.set(xlim=(0, 1), yscale="log", ylim=(0.7, None))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.legend(loc="upper center", fontsize=9)
    return figure


def plot_class_shares(truth: UInt8[np.ndarray, "voxel"], predicted: UInt8[np.ndarray, "voxel"]) -> Figure:
    """Draw which share of all voxels is of each class, in truth and as predicted."""
    n = len(VoxelLabel)
    shares = [100 * np.bincount(label, minlength=n) / max(len(label), 1) for label in (truth, predicted)]
    colours = [CLASSES[label].light for label in VoxelLabel]
    with style():
        figure, axes = new_axes("", "share of the voxels")
        x = np.arange(n)
        axes.bar(x - 0.19, shares[0], width=0.36, color=colours, label="true")
        axes.bar(
            x + 0.19, shares[1], width=0.36, facecolor="none", edgecolor=colours, linewidth=1.5, hatch="////",
            label="predicted",
        )  # fmt: skip
        for offset, values in ((-0.19, shares[0]), (0.19, shares[1])):
            for k, value in enumerate(values):
                if value > 0:
                    axes.annotate(
                        f"{value:.2g}" if value < 10 else f"{value:.0f}", (k + offset, value), xytext=(0, 2),
                        textcoords="offset points", ha="center", fontsize=7.5, color=INK,
                    )  # fmt: skip
        axes.set_yscale("log")
        axes.set_xticks(x, [CLASSES[label].name for label in VoxelLabel])
        axes.tick_params(axis="x", length=0)
        axes.yaxis.set_major_formatter(_PERCENT)
        axes.margins(y=0.15)
        axes.set_title("left: true, right, hatched: predicted")
    return figure


def plot_reliability(score: VoxelsScore) -> Figure:
    """Draw the accuracy of voxels against their highest probability.

    Raises
    ------
    ValueError
        if the score was made without probabilities.
    """
    if not score.reliability:
        raise ValueError("the score has no reliability curve: it was made without probabilities")
    bins = score.reliability
    with style():
        figure, axes = new_axes("highest probability of a voxel", "share of voxels that are right")
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="perfect")
        values, errors = _errors([each.accuracy for each in bins])
        axes.errorbar(
            [each.mean_probability for each in bins], np.array(values) / 100, yerr=np.array(errors) / 100,
            fmt="o", color=ACCENT, markersize=5, elinewidth=1.4, clip_on=False, label="voxels, in bins",
        )  # fmt: skip
        axes.set(xlim=(0.2, 1), ylim=(0, 1))
        axes.legend(loc="upper left", fontsize=9)
    return figure


def plot_class_accuracies(score: VoxelsScore, published: dict[VoxelLabel, float], name: str) -> Figure:
    """Draw the accuracy of each class, with its error, and the published one as a diamond beside it.

    Parameters
    ----------
    published, name : one of :data:`cloudchamber.score.published_voxels.ACCURACIES`, and what to call it.
    """
    with style():
        figure, axes = new_axes("", "accuracy")
        values, errors = _errors([each.accuracy for each in score.classes])
        theirs = [100 * published[each.label] for each in score.classes]
        for k, each in enumerate(score.classes):
            axes.errorbar(
                k - 0.12, values[k], yerr=errors[k], fmt="o", markersize=8, color=CLASSES[each.label].light,
                elinewidth=1.6, capsize=3,
            )  # fmt: skip
        axes.plot(
            np.arange(len(theirs)) + 0.12, theirs, linestyle="none", marker="D", markersize=6,
            markerfacecolor="none", markeredgecolor=INK, label=name,
        )  # fmt: skip
        axes.set_xticks(range(len(theirs)), [CLASSES[each.label].name for each in score.classes])
        axes.tick_params(axis="x", length=0)
        axes.set_xlim(-0.5, len(theirs) - 0.5)
        axes.set_ylim(np.nanmin([*values, *theirs]) - 3, 101)
        axes.yaxis.set_major_formatter(_PERCENT)
        ours = Line2D(
            [], [], linestyle="none", marker="o", markersize=8, color=MUTED, label="here, with error"
        )
        figure.legend(handles=[ours, axes.lines[-1]], loc="outside upper right", ncols=2, fontsize=9)
    return figure
