"""The curves of a plan: mean IOU against what is varied, with bootstrap errors."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator
from numpy.typing import ArrayLike

from cloudchamber.score.planning import Curve, Plan, PlanPoint, Scan, scan_time_text
from cloudchamber.show.theme import ACCENT, MISSED, style
from cloudchamber.simulate.walls.config import CHALLENGE

_SIZE_INCH = (4.6, 3.5)
_MOST_TICKS = 6
_LOOKS = {True: (ACCENT, "o"), False: (MISSED, "s")}  # by whether it is the challenge's physics
_LINES = ("-", (0, (4, 2)), (0, (1, 1.5)))


def number_text(value: float) -> str:
    """Return a number as an axis shows it: 0.05, 10, 100k."""
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def _draw(axes: Axes, curve: Curve, line: str | tuple[int, tuple[float, ...]], label: str) -> None:
    """Draw one curve: filled marks where the set-up is the setting's own, open ones where it is changed."""
    known = [point for point in curve.points if point.iou.value is not None]
    colour, marker = _LOOKS[curve.setting == CHALLENGE]
    axes.plot(
        [point.x for point in known], [point.iou.value or 0.0 for point in known],
        linestyle=line, linewidth=1.2, color=colour,
    )  # fmt: skip
    for changed in (False, True):
        some = [point for point in known if point.changed == changed]
        if some:
            axes.errorbar(
                [point.x for point in some],
                [point.iou.value or 0.0 for point in some],
                yerr=[point.iou.error or 0.0 for point in some],
                linestyle="none", marker=marker, markersize=6, color=colour, elinewidth=1.4, capsize=2.5,
                markerfacecolor="none" if changed else colour, clip_on=False,
            )  # fmt: skip
    axes.plot([], [], linestyle=line, linewidth=1.2, color=colour, marker=marker, markersize=5, label=label)


def _time_axis(axes: Axes, plan: Plan, counts: list[float]) -> None:
    """Add the scanning time of the most physical setting there is, above an axis of muons."""
    rate = plan.rates[-1]

    def to_seconds(muons: ArrayLike) -> ArrayLike:
        return np.asarray(muons) / rate.hz

    def to_muons(seconds: ArrayLike) -> ArrayLike:
        return np.asarray(seconds) * rate.hz

    above = axes.secondary_xaxis("top", functions=(to_seconds, to_muons))
    above.set_xlabel(f"scanning time at sea level ({rate.setting})")
    first, last = min(counts) / rate.hz, max(counts) / rate.hz
    ticks = [t for t in 10.0 ** np.arange(-6, 8) if first * 0.99 <= t <= last * 1.01]
    above.xaxis.set_major_locator(FixedLocator(ticks))
    above.xaxis.set_minor_locator(NullLocator())
    above.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: scan_time_text(seconds)))
    above.spines["top"].set_visible(True)


def _name_ticks(axes: Axes, points: list[PlanPoint]) -> None:
    names = {point.x: point.label.replace(", ", ",\n") for point in points}
    axes.set_xticks(list(names), list(names.values()), fontsize=9)
    axes.set_xlim(min(names) - 0.5, max(names) + 0.5)
    axes.tick_params(axis="x", length=0)


def plot_scan(plan: Plan, scan: Scan) -> Figure:
    """Draw mean IOU against what one scan varies: a curve for each physics setting and bundle.

    Blue circles are the challenge's physics, orange squares the full physics, open where more than the
    exposure is changed; further bundles of a setting have broken lines. Over an axis of muons stands the
    scanning time at sea level.
    """
    curves = plan.curves(scan.name)
    points = [point for curve in curves for point in curve.points]
    with style():
        figure = Figure(figsize=_SIZE_INCH, layout="constrained")
        axes = figure.add_subplot()
        seen: dict[str, int] = {}
        for curve in curves:
            place = seen.setdefault(curve.setting, 0)
            seen[curve.setting] += 1
            several = len({each.bundle for each in curves if each.setting == curve.setting}) > 1
            label = f"{curve.setting}, {curve.bundle}" if several else curve.setting
            _draw(axes, curve, "none" if scan.scale == "names" else _LINES[place % len(_LINES)], label)
        axes.set(xlabel=scan.axis, ylabel="mean IOU", ylim=(0, 1))
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        if scan.scale == "names":
            _name_ticks(axes, points)
            axes.set_xlabel("")
        else:
            ticks = sorted({point.x for point in points})
            if scan.scale == "log":
                axes.set_xscale("log")
                axes.xaxis.set_minor_formatter(NullFormatter())
            crowded = scan.scale == "linear" and len(ticks) > _MOST_TICKS
            axes.xaxis.set_major_locator(MaxNLocator(_MOST_TICKS) if crowded else FixedLocator(ticks))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number_text(value)))
        if scan.name == "exposure" and plan.rates:
            _time_axis(axes, plan, [point.x for point in points])
        if len(curves) > 1:
            axes.legend(loc="best", fontsize=9)
    return figure
