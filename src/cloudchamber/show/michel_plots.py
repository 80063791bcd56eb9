"""The plots of the Michel chain: the spectrum of the electrons, the sizes of their clusters."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from cloudchamber.labels import VoxelLabel
from cloudchamber.score.michel import Michels
from cloudchamber.score.michel_energy import MichelSpectrum
from cloudchamber.score.michel_spectrum import END_POINT_MEV, expected_counts
from cloudchamber.show.theme import ACCENT, INK, MUTED, WALL, style
from cloudchamber.show.voxels_plots import new_axes
from cloudchamber.show.voxels_theme import CLASSES

_COLOUR = CLASSES[VoxelLabel.MICHEL].light


def plot_michel_spectrum(spectrum: MichelSpectrum) -> Figure:
    """Draw the energy of the candidates over that of the true clusters, and the electrons' kinetic energy.

    Points bear the square root of the count. Lines: the fits of the end point.
    """
    edges = np.array(spectrum.edges_mev)
    middle = (edges[1:] + edges[:-1]) / 2
    with style():
        width = edges[1] - edges[0]
        figure, axes = new_axes("energy (MeV)", f"electrons per {width:g} MeV", (5.4, 3.6))
        axes.stairs(
            spectrum.deposited, edges, fill=True, color=WALL, alpha=0.55, label="deposited: true clusters"
        )
        axes.stairs(spectrum.kinetic, edges, color=MUTED, linewidth=1.3, label="kinetic: true electrons")
        counts = np.array(spectrum.reconstructed)
        axes.errorbar(
            middle[counts > 0], counts[counts > 0], yerr=np.sqrt(counts[counts > 0]), fmt="o", color=_COLOUR,
            markersize=4, elinewidth=1.2, label="reconstructed: candidates",
        )  # fmt: skip
        fits = (
            (spectrum.reconstructed_fit, _COLOUR, "fit, reconstructed"),
            (spectrum.kinetic_fit, ACCENT, "fit, kinetic"),
        )
        for fit, colour, name in fits:
            if fit is not None:
                fine = np.linspace(*fit.window_mev, 141)
                per_bin = expected_counts(fit, fine) * width / (fine[1] - fine[0])
                label = f"{name}: {fit.end_point_mev:.1f} ± {fit.error_mev:.1f} MeV"
                axes.plot((fine[1:] + fine[:-1]) / 2, per_bin, color=colour, linewidth=1.5, label=label)
        axes.axvline(END_POINT_MEV, color=INK, linewidth=0.9, linestyle=(0, (3, 3)))
        axes.set_xlim(0, 80)
        axes.set_ylim(bottom=0)
        axes.margins(y=0.25)
        figure.legend(loc="outside upper left", ncols=2, fontsize=8, columnspacing=1.2)
    return figure


def plot_cluster_sizes(michels: Michels) -> Figure:
    """Draw the voxels of each matched candidate against those of the true cluster matched."""
    matched = michels.predicted.matched
    true = michels.true.n_voxels[michels.predicted.true[matched]]
    found = michels.predicted.n_voxels[matched]
    with style():
        figure, axes = new_axes("voxels of the true cluster", "voxels of the candidate", (4.2, 3.6))
        most = 1.25 * max(true.max(initial=10), found.max(initial=10))
        axes.plot([4, most], [4, most], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        alpha = float(np.clip(30 / np.sqrt(max(len(true), 1)), 0.15, 0.8))
        axes.scatter(true, found, s=12, color=_COLOUR, alpha=alpha, linewidths=0, rasterized=len(true) > 3000)
        axes.set(xscale="log", yscale="log", xlim=(4, most), ylim=(4, most), aspect="equal")
        axes.grid(axis="x")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(FuncFormatter(lambda *_: ""))
        axes.set_title(f"{len(true):,} matched candidates")
    return figure
