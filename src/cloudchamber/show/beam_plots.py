"""The plots of a score of wire images: who is taken for whom, images, images of events with more beam."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from cloudchamber.labels import BeamLabel
from cloudchamber.score.beam import BeamScore
from cloudchamber.score.published_beam import TIRAMISU
from cloudchamber.show.beam_tables import class_name
from cloudchamber.show.theme import ACCENT, INK, MISSED, MUTED, style
from cloudchamber.show.voxels_plots import new_axes

PAPER, NOT_BEAM, BEAM = "#ffffff", "#6f8fae", "#d55e00"
_COLOURS = (PAPER, NOT_BEAM, BEAM)
_PERCENT = FuncFormatter(lambda value, _: f"{value:g}%")


def plot_classes(score: BeamScore) -> Figure:
    """Draw the IOU of each class but the background with its error, and the published one beside it."""
    classes = score.classes[1:]
    with style():
        figure, axes = new_axes("", "IOU")
        values = [100 * (each.iou.value or 0.0) for each in classes]
        errors = [100 * (each.iou.error or 0.0) for each in classes]
        axes.errorbar(
            np.arange(len(classes)) - 0.1, values, yerr=errors, fmt="o", markersize=8, color=ACCENT,
            elinewidth=1.6, capsize=3,
        )  # fmt: skip
        quoted = [100 * TIRAMISU.iou[BeamLabel.NOT_BEAM], 100 * TIRAMISU.iou[BeamLabel.BEAM]]
        if len(classes) == len(quoted):
            axes.plot(
                np.arange(2) + 0.1, quoted, linestyle="none", marker="D", markersize=6,
                markerfacecolor="none", markeredgecolor=INK,
            )  # fmt: skip
        axes.set_xticks(range(len(classes)), [class_name(each.name) for each in classes])
        if len(classes) > 3:
            axes.tick_params(axis="x", rotation=30)
        axes.set_xlim(-0.5, len(classes) - 0.5)
        axes.set_ylim(max(0, min([*values, *quoted]) - 8), 100.5)
        axes.yaxis.set_major_formatter(_PERCENT)
        handles = [
            Line2D(
                [], [], linestyle="none", marker="o", markersize=8, color=ACCENT, label="here, with error"
            ),
            Line2D(
                [], [], linestyle="none", marker="D", markersize=6, markerfacecolor="none",
                markeredgecolor=INK, label="published",
            ),
        ]  # fmt: skip
        figure.legend(handles=handles, loc="outside upper right", ncols=2, fontsize=9)
    return figure


def plot_image_iou(iou: Float[np.ndarray, "image"], mean: float | None) -> Figure:
    """Draw how many images have which IOU of the beam; NaN is left out."""
    known = iou[np.isfinite(iou)]
    with style():
        figure, axes = new_axes("IOU of the beam in an image", "images per 0.05")
        axes.hist(known, bins=[k / 20 for k in range(21)], color=BEAM, alpha=0.85, rwidth=0.92)
        axes.set(xlim=(0, 1))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        if mean is not None:
            axes.axvline(mean, color=MISSED, linewidth=2, label=f"mean {mean:.3f}")
            axes.legend(loc="upper left", fontsize=9)
    return figure


def plot_by_beam(score: BeamScore) -> Figure:
    """Draw the IOU of beam and not-beam against the number of beam hits of an event.

    Raises
    ------
    ValueError
        if the score has no such bins.
    """
    if not score.by_beam:
        raise ValueError("the score has no bins of beam hits")
    bins = score.by_beam
    with style():
        figure, axes = new_axes("beam hits of the event", "IOU")
        x = np.arange(len(bins))
        for name, offset, colour in (("not_beam_iou", -0.08, NOT_BEAM), ("beam_iou", 0.08, BEAM)):
            estimates = [getattr(each, name) for each in bins]
            axes.errorbar(
                x + offset, [100 * (e.value or 0.0) for e in estimates],
                yerr=[100 * (e.error or 0.0) for e in estimates], fmt="o", color=colour, markersize=6,
                elinewidth=1.4, label=name.removesuffix("_iou").replace("_", " "),
            )  # fmt: skip
        names = [f"{b.low}–{b.high - 1}" if b.high else f"≥ {b.low}" for b in bins]
        axes.set_xticks(x, names)
        axes.yaxis.set_major_formatter(_PERCENT)
        axes.set_ylim(top=101)
        axes.legend(loc="lower right", fontsize=9)
    return figure


def plot_image(
    signal: Float[np.ndarray, "wire drift"],
    truth: UInt8[np.ndarray, "wire drift"],
    predicted: UInt8[np.ndarray, "wire drift"],
    *,
    wires: int,
    time_us: float,
    title: str = "",
) -> Figure:
    """Draw signal, true and predicted classes of an image, drift upwards; species are drawn as beam.

    ``wires`` and ``time_us`` are those of the plane that the image was made of.
    """
    extent = (0.0, float(wires), 0.0, time_us)
    classes = ListedColormap(list(_COLOURS))
    with style():
        figure = Figure(figsize=(9.6, 3.5), layout="constrained")
        panels = figure.subplots(1, 3, sharex=True, sharey=True)
        low, high = np.percentile(signal, [5, 99.7])
        panels[0].imshow(
            np.clip(signal, low, max(high, low + 1)).T, origin="lower", cmap="Greys", aspect="auto",
            extent=extent,
        )  # fmt: skip
        for axes, label in zip(panels[1:], (truth, predicted), strict=True):
            axes.imshow(
                np.minimum(label, BeamLabel.BEAM).T, origin="lower", cmap=classes, vmin=-0.5, vmax=2.5,
                aspect="auto", extent=extent,
            )  # fmt: skip
        for axes, name in zip(panels, ("signal", "truth", "prediction"), strict=True):
            axes.set(xlabel="collection wire", title=name)
            axes.spines[:].set_visible(True)
        panels[0].set_ylabel("drift time (µs)")
        figure.suptitle(title, fontsize=10, color=MUTED)
        handles = [Patch(color=NOT_BEAM, label="not beam"), Patch(color=BEAM, label="beam")]
        panels[2].legend(handles=handles, loc="upper right", fontsize=8, frameon=True)
    return figure


def plot_compare(scores: Mapping[str, BeamScore]) -> Figure:
    """Draw the mean IOU without background of several systems, with errors, and the published one."""
    with style():
        figure, axes = new_axes("mean IOU of beam and not-beam", "", (5.4, 0.6 + 0.34 * (len(scores) + 1)))
        names = list(scores)
        values = [scores[name].mean_iou_without_background for name in names]
        axes.errorbar(
            [100 * (v.value or 0.0) for v in values], range(len(names)),
            xerr=[100 * (v.error or 0.0) for v in values], fmt="o", color=ACCENT, elinewidth=1.4,
        )  # fmt: skip
        axes.axvline(
            100 * TIRAMISU.mean_iou_without_background, color=MUTED, linestyle=(0, (4, 3)),
            label="published, on their simulation",
        )  # fmt: skip
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.xaxis.set_major_formatter(_PERCENT)
        figure.legend(loc="outside upper right", fontsize=9)
    return figure
