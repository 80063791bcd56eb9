"""The plots of a score of hits: ROC curves, distributions of scores, efficiencies in bins."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from cloudchamber.score.bootstrap import Estimate
from cloudchamber.score.hits import EfficiencyBin
from cloudchamber.score.roc import RocCurve
from cloudchamber.show.hits_tables import area_text
from cloudchamber.show.theme import ACCENT, INK, MUTED, style
from cloudchamber.show.voxels_plots import new_axes

EM, TRACK, MICHEL = "#e69f00", "#0072b2", "#cc79a7"
_LINES = (ACCENT, "#e69f00", "#009e73", "#cc79a7", "#56b4e9", MUTED)
_LEAST = 1e-4


def plot_roc(curves: Mapping[str, RocCurve], selected: str, others: str) -> Figure:
    """Draw which share of the others is selected, on a logarithmic axis, against the efficiency.

    Curves of scores that are all alike, as of a head that a network does not have, are left out.
    """
    curves = {name: curve for name, curve in curves.items() if area_text(curve) != "–"}
    with style():
        figure, axes = new_axes(f"efficiency for {selected}", f"share of {others} selected")
        for k, (name, curve) in enumerate(curves.items()):
            mistag = np.maximum(curve.mistag, _LEAST)
            dashes = "-" if k < len(_LINES) else "--"
            axes.plot(
                curve.efficiency, mistag, dashes, color=_LINES[k % len(_LINES)],
                label=f"{name}: {area_text(curve)}",
            )  # fmt: skip
        axes.set(yscale="log", xlim=(0, 1), ylim=(_LEAST, 1))
        if curves:
            axes.legend(title="area under the curve", loc="upper left", fontsize=9, title_fontsize=9)
    return figure


def plot_distribution(
    scores: Mapping[str, Float[np.ndarray, "hit"]], x_label: str, *, bins: int = 40, of: str = "hits"
) -> Figure:
    """Draw the shares of hits, or of others, by score, a line for each set, on a logarithmic axis."""
    colours = {"track": TRACK, "em": EM, "Michel": MICHEL}
    edges = np.linspace(0, 1, bins + 1)
    with style():
        figure, axes = new_axes(x_label, f"share of the {of}")
        for k, (name, values) in enumerate(scores.items()):
            shares = np.histogram(values, edges)[0] / max(1, len(values))
            axes.stairs(shares, edges, color=colours.get(name, _LINES[k % len(_LINES)]), label=name)
        axes.set(yscale="log", xlim=(0, 1), ylim=(1e-5, 1))
        axes.legend(fontsize=9)
    return figure


def _values(estimates: Sequence[Estimate]) -> tuple[list[float], list[float]]:
    values = [float("nan") if each.value is None else 100 * each.value for each in estimates]
    return values, [100 * (each.error or 0.0) for each in estimates]


def plot_bins(bins: Sequence[EfficiencyBin], x_label: str) -> Figure:
    """Draw the efficiency of the three selections in bins, with errors."""
    names = [f"≥ {each.low:g}" if each.high is None else f"{each.low:g}–{each.high:g}" for each in bins]
    with style():
        figure, axes = new_axes(x_label, "efficiency (%)", (4.6, 3.1))
        kinds = (("em", EM, "o"), ("track", TRACK, "s"), ("michel", MICHEL, "^"))
        for shift, (kind, colour, marker) in zip((-0.12, 0.0, 0.12), kinds, strict=True):
            values, errors = _values([getattr(each, kind) for each in bins])
            label = {"em": "EM-like", "track": "track-like", "michel": "Michel-like"}[kind]
            axes.errorbar(
                np.arange(len(bins)) + shift, values, errors, fmt=marker, color=colour, markersize=4,
                linewidth=1, label=label,
            )  # fmt: skip
        axes.set_xticks(range(len(bins)), names, rotation=30, ha="right", color=INK)
        axes.set_ylim(0, 103)
        axes.legend(fontsize=9, loc="lower right")
    return figure
