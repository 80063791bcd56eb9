"""The plots of a score of muon energies: resolution, predictions, bias, intervals, the ablation."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogFormatter

from cloudchamber.errors import InputError
from cloudchamber.score.bootstrap import Estimate
from cloudchamber.score.energy import EnergyBin, EnergyScore, tracker_resolution
from cloudchamber.score.energy_calibration import DeckCalibration, MedianCalibration
from cloudchamber.score.energy_intervals import LEVEL
from cloudchamber.score.published_energy import ABLATIONS
from cloudchamber.show.theme import ACCENT, INK, MUTED, style
from cloudchamber.show.voxels_plots import new_axes

CALORIMETER, TRACKER, COMBINED = ACCENT, MUTED, "#d55e00"
_PERCENT = FuncFormatter(lambda value, _: f"{value:g}%")
_TEV = FuncFormatter(lambda value, _: f"{value:g}")
_DASHED = (0, (4, 3))

Energies = Float[np.ndarray, "muon"]


def _percents(estimates: Sequence[Estimate]) -> Float[np.ndarray, "2 bin"]:
    """Return values and errors in per cent; NaN for a value that there is none of."""
    rows = [
        (np.nan if each.value is None else 100 * each.value, 100 * (each.error or 0.0)) for each in estimates
    ]
    return np.array(rows, np.float64).reshape(-1, 2).T


def _bins(score: EnergyScore) -> tuple[EnergyBin, ...]:
    bins = (*score.bins, *score.beyond)
    if not bins:
        raise InputError("plot", "score", "two muons or more in some bin of energy", "none")
    return bins


def _middles_tev(bins: Sequence[EnergyBin]) -> Float[np.ndarray, "bin"]:
    return np.array([(each.low_gev + each.high_gev) / 2000 for each in bins])


def _mark_end(axes: Axes, high_tev: float) -> None:
    """Mark where the bins of MI end, if the axis goes on."""
    if high_tev > 4.01:
        axes.axvline(4, color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)))
        axes.annotate(
            "MI up to here", (4, 0), xycoords=("data", "axes fraction"), xytext=(-3, 4), fontsize=8,
            textcoords="offset points", ha="right", va="bottom", rotation=90, color=MUTED,
        )  # fmt: skip


def plot_resolution(score: EnergyScore, top: float = 0.8) -> Figure:
    """Draw the fractional resolution of calorimeter, tracker and both against the true energy, with bands.

    Parameters
    ----------
    score : its bins up to 8 TeV.
    top : the highest resolution that is shown.

    Raises
    ------
    InputError
        if no bin has muons.
    """
    bins = _bins(score)
    at = _middles_tev(bins)
    end = bins[-1].high_gev / 1000
    with style():
        figure, axes = new_axes("true energy (TeV)", "fractional resolution", (5.2, 3.6))
        for name, colour, estimates in (
            ("calorimeter", CALORIMETER, [each.resolution for each in bins]),
            ("both together", COMBINED, [each.combined for each in bins]),
        ):
            values, errors = _percents(estimates)
            axes.plot(at, values, color=colour, linewidth=1.6, marker="o", markersize=3.5, label=name)
            axes.fill_between(at, values - errors, values + errors, color=colour, alpha=0.25, linewidth=0)
        line = np.array([0.0, end])
        axes.plot(
            line, 100 * tracker_resolution(1000 * line), color=TRACKER, linewidth=1.4, linestyle=_DASHED,
            label="tracker, 20% × E / TeV",
        )  # fmt: skip
        highest = float(np.nanmax(_percents([each.resolution for each in bins])[0])) * 1.15
        axes.set(xlim=(0, end), ylim=(0, min(100 * top, max(highest, 30.0))))
        _mark_end(axes, end)
        axes.yaxis.set_major_formatter(_PERCENT)
        axes.xaxis.set_major_formatter(_TEV)
        figure.legend(loc="outside upper left", ncols=3, fontsize=9, columnspacing=1.2, handlelength=1.8)
    return figure


def plot_predictions(
    true_gev: Energies,
    predicted_gev: Energies,
    calibration: DeckCalibration | MedianCalibration | None = None,
    *,
    corrected: bool = False,
) -> Figure:
    """Draw how many muons have which prediction at which true energy, and the calibration's curve.

    Parameters
    ----------
    true_gev, predicted_gev : in GeV.
    calibration : whose curve is drawn over predictions that it has not corrected.
    corrected : whether the predictions are corrected; it names the axis.
    """
    high = float(np.ceil(true_gev.max() / 1000)) * 1.0
    top = float(max(high, min(np.percentile(predicted_gev, 99.5) / 1000 * 1.1, 1.6 * high)))
    cells = 60
    with style():
        name = "corrected prediction (TeV)" if corrected else "prediction (TeV)"
        figure, axes = new_axes("true energy (TeV)", name, (4.6, 4.0))
        axes.grid(visible=False)
        counts, x, y = np.histogram2d(
            true_gev / 1000, predicted_gev / 1000, bins=cells, range=[[0, high], [0, top]]
        )
        shown = axes.pcolormesh(
            x, y, np.ma.masked_equal(counts.T, 0), norm=LogNorm(1, max(counts.max(), 2)),
            cmap=ListedColormap(colormaps["Blues"](np.linspace(0.2, 1, 64))), rasterized=True,
        )  # fmt: skip
        line = np.linspace(0, high, 400)
        axes.plot(line, line, color=INK, linewidth=1, linestyle=_DASHED, label="prediction = truth")
        if calibration is not None and not corrected:
            at = np.linspace(max(50.0, float(true_gev.min())), 1000 * high, 400)
            axes.plot(
                at / 1000,
                calibration.predicted(at) / 1000,
                color=COMBINED,
                linewidth=1.6,
                label="calibration",
            )
        bar = figure.colorbar(shown, ax=axes, label="muons per cell", pad=0.02, aspect=30)
        bar.ax.yaxis.set_major_formatter(_TEV)
        bar.ax.yaxis.set_minor_formatter(LogFormatter())
        bar.outline.set_visible(False)
        axes.set(xlim=(0, high), ylim=(0, top))
        figure.legend(loc="outside upper left", ncols=2, fontsize=9)
    return figure


def plot_bias(scores: Mapping[str, EnergyScore], band: float = 0.02, limit: float = 0.15) -> Figure:
    """Draw the median bias against the true energy, one set of points for each score, and a band about 0.

    Parameters
    ----------
    scores : by the name that stands in the legend, such as "as predicted" and "corrected".
    band : half its height, as a share of the energy.
    limit : where the axis ends; what lies beyond is marked there with an arrow.

    Raises
    ------
    InputError
        if no bin of a score has muons, or there is no score.
    """
    if not scores:
        raise InputError("plot", "scores", "one score or more", "none")
    colours = [CALORIMETER, COMBINED, MUTED, "#009e73"]
    with style():
        figure, axes = new_axes("true energy (TeV)", "median bias", (5.2, 3.3))
        axes.axhspan(-100 * band, 100 * band, color=MUTED, alpha=0.18, linewidth=0, label=f"±{100 * band:g}%")
        axes.axhline(0, color=MUTED, linewidth=0.8)
        end, reach = 0.0, 300 * band
        for k, (name, score) in enumerate(scores.items()):
            bins = _bins(score)
            values, errors = _percents([each.bias for each in bins])
            widths = np.array([(each.high_gev - each.low_gev) / 2000 for each in bins])
            at, beyond = _middles_tev(bins), np.abs(values) > 100 * limit
            axes.errorbar(
                at[~beyond], values[~beyond], xerr=widths[~beyond], yerr=errors[~beyond], label=name,
                fmt="osDP"[k % 4], color=colours[k % 4], markersize=4, elinewidth=1.1,
            )  # fmt: skip
            for marker, side in (("^", values > 0), ("v", values < 0)):
                edge = np.full(np.count_nonzero(beyond & side), 97 * limit * (1 if marker == "^" else -1))
                axes.plot(
                    at[beyond & side], edge, linestyle="none", marker=marker, color=colours[k % 4],
                    markersize=5, markerfacecolor="none",
                )  # fmt: skip
            reach = max(reach, float(np.max(np.abs(values) + errors)))
            end = max(end, bins[-1].high_gev / 1000)
        reach = min(1.1 * reach, 100 * limit)
        axes.set(xlim=(0, end), ylim=(-reach, reach))
        _mark_end(axes, end)
        axes.yaxis.set_major_formatter(_PERCENT)
        axes.xaxis.set_major_formatter(_TEV)
        figure.legend(loc="outside upper left", ncols=3, fontsize=9)
    return figure


def plot_coverage(score: EnergyScore, wanted: float = LEVEL, tolerance: float = 0.03) -> Figure:
    """Draw how often the intervals hold the truth in each fifth of the muons, by true and predicted energy.

    Raises
    ------
    InputError
        if the score has no intervals.
    """
    if not score.coverage:
        raise InputError("plot", "score", "a score of intervals", "none")
    with style():
        figure, axes = new_axes("energy (TeV)", "intervals that hold the truth", (5.2, 3.3))
        axes.axhspan(
            100 * (wanted - tolerance), 100 * (wanted + tolerance), color=MUTED, alpha=0.18, linewidth=0,
            label=f"{100 * wanted:.0f} ± {100 * tolerance:.0f}%",
        )  # fmt: skip
        axes.axhline(100 * wanted, color=MUTED, linewidth=0.8)
        lows, highs = [], []
        for bins, name, colour, marker in (
            (score.coverage[1:], "by true energy", CALORIMETER, "o"),
            (score.coverage_by_prediction[1:], "by predicted energy", COMBINED, "s"),
        ):
            if not bins:
                continue
            values, errors = _percents([each.coverage for each in bins])
            edges = np.array([(each.low_gev, each.high_gev) for each in bins]).T / 1000
            edges = np.clip(edges, 0, score.coverage[0].high_gev / 1000)
            centre = edges.mean(axis=0)
            axes.errorbar(
                centre, values, xerr=np.abs(edges - centre), yerr=errors, fmt=marker, color=colour,
                markersize=4.5, elinewidth=1.2, label=name,
                markerfacecolor=colour if marker == "o" else "white",
            )  # fmt: skip
            lows.append(np.nanmin(values - errors))
            highs.append(np.nanmax(values + errors))
        axes.set_ylim(min(55.0, min(lows) - 3), max(82.0, max(highs) + 3))
        axes.set_xlim(0, 1.02 * score.coverage[0].high_gev / 1000)
        axes.yaxis.set_major_formatter(_PERCENT)
        axes.xaxis.set_major_formatter(_TEV)
        figure.legend(loc="outside upper left", ncols=3, fontsize=9, columnspacing=1.2)
    return figure


def plot_ablation(ours: Mapping[str, Estimate], others: Mapping[str, Estimate] | None = None) -> Figure:
    """Draw MI of the default network and of each ablation, as published and as measured here.

    Parameters
    ----------
    ours : MI in per cent, by the key of :data:`cloudchamber.score.published_energy.ABLATIONS`.
    others : MI of what has no published figure, by name, beneath.
    """
    rows = [(row.name, row.mi, ours.get(row.key)) for row in ABLATIONS]
    rows += [(name, Estimate(value=None, error=None), mi) for name, mi in (others or {}).items()]
    with style():
        figure, axes = new_axes("mean improvement over the tracker, MI", "", (5.2, 0.7 + 0.34 * len(rows)))
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        for shift, column, colour, marker, name in (
            (-0.13, 1, MUTED, "D", "published"),
            (0.13, 2, CALORIMETER, "o", "here"),
        ):
            found = [(k, row[column]) for k, row in enumerate(rows)]
            points = [
                (k + shift, each.value, each.error or 0.0)
                for k, each in found
                if isinstance(each, Estimate) and each.value is not None
            ]
            if points:
                y, x, error = np.array(points).T
                axes.errorbar(
                    x, y, xerr=error, fmt=marker, color=colour, markersize=5, elinewidth=1.4, label=name
                )
        axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.xaxis.set_major_formatter(_PERCENT)
        figure.legend(loc="outside upper right", ncols=2, fontsize=9)
    return figure
