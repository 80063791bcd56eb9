"""Plots that hold a simulation of muons in a calorimeter against tables and against another simulation."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from cloudchamber.show.theme import ACCENT, INK, MUTED, style
from cloudchamber.show.voxels_plots import new_axes

# hues of Okabe and Ito (2008)
PROCESSES = {
    "ionisation": "#0072b2",
    "bremsstrahlung": "#009e73",
    "pair_production": "#d55e00",
    "photonuclear": "#cc79a7",
    "total": INK,
}
QUANTILES = {"p16": "#56b4e9", "p50": "#0072b2", "mean": "#d55e00", "p84": "#009e73", "p95": "#cc79a7"}
_PLAIN = FuncFormatter(lambda value, _: f"{value:g}")
_PERCENT = FuncFormatter(lambda value, _: f"{value:+g}%" if value else "0")

Line = Float[np.ndarray, "point"]


def _energy_text(value: float, _: object) -> str:
    return f"{value / 1000:g} TeV" if value >= 1000 else f"{value:g} GeV"


def _with_ratio(y_label: str, ratio_label: str) -> tuple[Figure, Axes, Axes]:
    """Return a figure with a plot above and one of ratios beneath, on one energy axis in GeV."""
    figure = Figure(figsize=(5.2, 4.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.4))
    upper.set(ylabel=y_label, xscale="log", yscale="log")
    lower.set(xlabel="muon kinetic energy", ylabel=ratio_label)
    lower.xaxis.set_major_formatter(FuncFormatter(_energy_text))
    lower.yaxis.set_major_formatter(_PERCENT)
    upper.yaxis.set_major_formatter(_PLAIN)
    for axes in (upper, lower):
        axes.grid(axis="y")
        axes.set_axisbelow(True)
    lower.axhline(0, color=MUTED, linewidth=0.8)
    return figure, upper, lower


def _band(axes: Axes, percent: float) -> None:
    axes.axhspan(-percent, percent, color=MUTED, alpha=0.18, linewidth=0)


def _limit(axes: Axes, offs: list[Line], band: float) -> None:
    """Show all deviations, but no more than ±10 bands, and never less than two."""
    finite = np.abs(np.concatenate([off[np.isfinite(off)] for off in offs] or [np.zeros(1)]))
    high = min(max(2 * band, 1.15 * float(finite.max(initial=0.0))), 10 * band)
    axes.set_ylim(-high, high)


def plot_stopping_power(
    energy_gev: Line,
    ours: Mapping[str, Line],
    reference: Mapping[str, Line],
    *,
    source: str = "table",
    tolerance: float = 0.03,
) -> Figure:
    """Draw the stopping power by process against energy, ours as lines, a table as points; ratios below.

    Parameters
    ----------
    energy_gev : kinetic energies of the table.
    ours, reference : MeV cm2/g at these energies, by the names of ``PROCESSES``.
    source : what to call the table in the legend.
    tolerance : half the height of the grey band of the ratios, as a share.
    """
    with style():
        figure, upper, lower = _with_ratio("stopping power (MeV cm$^2$/g)", "here / table − 1")
        _band(lower, 100 * tolerance)
        offs = []
        for name, colour in PROCESSES.items():
            if name not in ours or name not in reference:
                continue
            upper.plot(energy_gev, ours[name], color=colour, linewidth=2.0 if name == "total" else 1.4)
            upper.plot(
                energy_gev, reference[name], color=colour, linestyle="none", marker="o", markersize=4,
                markerfacecolor="white",
            )  # fmt: skip
            off = 100 * (ours[name] / reference[name] - 1)
            offs.append(off[energy_gev >= 10])
            lower.plot(energy_gev, off, color=colour, marker="o", markersize=2.5, linewidth=1.2)
        _limit(lower, offs, 100 * tolerance)
        total = reference.get("total")
        if total is not None:
            upper.set_ylim(float(total.min()) / 300, float(total.max()) * 1.5)
        keys = [
            Line2D([], [], color=colour, linewidth=2, label=name.replace("_", " "))
            for name, colour in PROCESSES.items()
            if name in ours
        ]
        keys.append(
            Line2D([], [], color=MUTED, linestyle="none", marker="o", markerfacecolor="white", label=source)
        )
        figure.legend(handles=keys, loc="outside upper left", ncols=3, fontsize=9, columnspacing=1.2)
    return figure


def plot_loss_quantiles(
    energy_gev: Line,
    ours: Mapping[str, Line],
    errors: Mapping[str, Line],
    reference: Mapping[str, Line],
    *,
    source: str = "table",
    tolerance: float = 0.05,
) -> Figure:
    """Draw mean and quantiles of the energy lost in the block against energy, with errors; ratios below.

    Parameters
    ----------
    energy_gev : kinetic energies of the table.
    ours, errors, reference : GeV at these energies, by the names of ``QUANTILES``.
    source : what to call the table in the legend.
    tolerance : half the height of the grey band of the ratios, as a share.
    """
    names = [name for name in QUANTILES if name in ours and name in reference]
    with style():
        figure, upper, lower = _with_ratio("energy lost in the block (GeV)", "here / table − 1")
        _band(lower, 100 * tolerance)
        offs = []
        for k, name in enumerate(names):
            colour, at = QUANTILES[name], energy_gev * 1.03 ** (k - (len(names) - 1) / 2)
            upper.errorbar(
                energy_gev, ours[name], yerr=errors[name], color=colour, fmt="o", markersize=4, elinewidth=1.2
            )
            upper.plot(energy_gev, reference[name], color=colour, linewidth=1.2)
            off = 100 * (ours[name] / reference[name] - 1)
            offs.append(off)
            lower.errorbar(
                at, off, yerr=100 * errors[name] / reference[name], color=colour, fmt="o", markersize=3.5,
                elinewidth=1.1,
            )  # fmt: skip
        _limit(lower, offs, 100 * tolerance)
        lower.set_xticks(energy_gev, [_energy_text(float(each), None) for each in energy_gev])
        lower.minorticks_off()
        words = {"mean": "mean", **{f"p{k}": f"{k}%" for k in (16, 50, 84, 95)}}
        keys = [
            Line2D([], [], color=QUANTILES[name], marker="o", markersize=4, label=words[name])
            for name in names
        ]
        keys.append(Line2D([], [], color=MUTED, linestyle="none", marker="o", markersize=4, label="here"))
        keys.append(Line2D([], [], color=MUTED, linewidth=1.2, label=source))
        figure.legend(handles=keys, loc="outside upper left", ncols=4, fontsize=9, columnspacing=1.2)
    return figure


def plot_profile(
    at: Line,
    ours: Line,
    ours_error: Line,
    reference: Line,
    reference_error: Line,
    *,
    x_label: str = "depth (mm)",
    y_label: str = "mean energy in a layer (GeV)",
    source: str = "Geant4",
    log: bool = False,
) -> Figure:
    """Draw a profile, such as the mean energy by layer or by distance from the axis, and the reference's.

    Parameters
    ----------
    at : the middles of the bins, in the unit of ``x_label``.
    ours, ours_error, reference, reference_error : of each bin, in the unit of ``y_label``.
    source : what to call the reference in the legend.
    log : whether the values have a logarithmic axis.
    """
    with style():
        figure, axes = new_axes(x_label, y_label, (5.2, 3.4))
        floor = np.min(reference[reference > 0], initial=np.inf) / 10 if log else -np.inf
        axes.fill_between(
            at, np.maximum(reference - reference_error, floor), reference + reference_error, step="mid",
            color=MUTED, alpha=0.35, linewidth=0, label=f"{source}, with error",
        )  # fmt: skip
        axes.step(at, reference, where="mid", color=MUTED, linewidth=1.2)
        axes.errorbar(
            at, ours, yerr=ours_error, fmt="o", color=ACCENT, markersize=3.2, elinewidth=1.1, label="here"
        )
        if log:
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        axes.xaxis.set_major_formatter(_PLAIN)
        figure.legend(loc="outside upper right", ncols=2, fontsize=9)
    return figure


def plot_cell_spectrum(
    edges_gev: Float[np.ndarray, "edge"],
    ours: Mapping[str, Float[np.ndarray, "bin"]],
    reference: Mapping[str, Float[np.ndarray, "bin"]],
    *,
    source: str = "Geant4",
    marks_gev: tuple[float, ...] = (0.01, 0.1),
) -> Figure:
    """Draw how many cells a muon has in bins of their energy, and the reference's; both axes logarithmic.

    Parameters
    ----------
    edges_gev : of the bins.
    ours, reference : mean counts for each muon, by the name of the sample, such as "1 TeV".
    source : what to call the reference in the legend.
    marks_gev : energies at which the features are cut.
    """
    colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"]
    middles = np.sqrt(edges_gev[1:] * edges_gev[:-1])
    with style():
        figure, axes = new_axes("energy in a cell (GeV)", "cells in a bin, for each muon", (5.2, 3.4))
        for mark in marks_gev:
            axes.axvline(mark, color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)))
        keys = []
        for k, name in enumerate(ours):
            colour = colours[k % len(colours)]
            axes.plot(middles, ours[name], color=colour, linestyle="none", marker="o", markersize=3.5)
            if name in reference:
                axes.stairs(reference[name], edges_gev, color=colour, linewidth=1.3)
            keys.append(Line2D([], [], color=colour, linewidth=5, label=name))
        keys.append(Line2D([], [], color=MUTED, linestyle="none", marker="o", markersize=4, label="here"))
        keys.append(Line2D([], [], color=MUTED, linewidth=1.3, label=source))
        counts = np.concatenate([*ours.values(), *reference.values()])
        lowest = np.min(counts[counts > 0], initial=1.0)
        axes.set(
            xscale="log", yscale="log", xlim=(edges_gev[0], edges_gev[-1]),
            ylim=(max(lowest / 2, counts.max() / 1e6), 2 * counts.max()),
        )  # fmt: skip
        figure.legend(handles=keys, loc="outside upper right", ncols=4, fontsize=9, columnspacing=1.2)
    return figure
