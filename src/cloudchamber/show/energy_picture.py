"""A still picture of one muon in a calorimeter: its energy along the depth, and the cells from two sides."""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from cloudchamber.calorimeter_events import CalorimeterEvents, CalorimeterGrid
from cloudchamber.errors import InputError
from cloudchamber.files import whole
from cloudchamber.show.theme import MUTED, png_bytes, style

LEAST_MEV = 1.0  # the colour of this and of less
ENTRY = "#0072b2"
_COLOURS = "magma_r"


def energy_text(energy_gev: float) -> str:
    """Return an energy in GeV or, from 1000 GeV on, in TeV, with three digits."""
    return f"{energy_gev / 1000:.3g} TeV" if energy_gev >= 999.5 else f"{energy_gev:.3g} GeV"


def muon_text(
    event: CalorimeterEvents,
    predicted_gev: float | None = None,
    interval_gev: tuple[float, float] | None = None,
) -> str:
    """Return what is known of one muon in a line: true energy, prediction, energy in the cells."""
    parts = []
    muon = None if event.muons is None else event.muons[0]
    if muon is not None:
        sign = {1: "μ⁺", -1: "μ⁻"}.get(int(muon["charge"]), "muon")
        parts.append(f"{sign} of {energy_text(float(muon['energy_gev']))}")
    if predicted_gev is not None:
        text = f"predicted {energy_text(predicted_gev)}"
        if interval_gev is not None:
            text += f" (68%: {' to '.join(energy_text(end) for end in interval_gev)})"
        parts.append(text)
    parts.append(
        f"{energy_text(float(event.energy_gev.sum(dtype=np.float64)))} in {len(event.energy_gev):,} cells"
    )
    return " · ".join(parts)


def cell_edges_mm(grid: CalorimeterGrid) -> tuple[Float[np.ndarray, "edge"], ...]:
    """Return the edges of the cells along z, x and y; a layer reaches half a pitch to either side."""
    z = (np.arange(grid.shape[0] + 1) - 0.5) * grid.layer_mm
    across = ((np.arange(n + 1) - n / 2) * grid.cell_mm for n in grid.shape[1:])
    return z, *across


def _projections(event: CalorimeterEvents) -> tuple[Float[np.ndarray, "z x"], Float[np.ndarray, "z y"]]:
    """Return the energy in MeV summed along y and along x."""
    nz, nx, ny = event.grid.shape
    iz, ix, iy = event.position.astype(np.int64).T
    energy = 1000.0 * event.energy_gev.astype(np.float64)
    first = np.bincount(iz * nx + ix, energy, minlength=nz * nx).reshape(nz, nx)
    second = np.bincount(iz * ny + iy, energy, minlength=nz * ny).reshape(nz, ny)
    return first, second


def _entry(axes: Axes, at_mm: float, start_mm: float) -> None:
    """Mark where the muon comes in."""
    axes.plot(
        start_mm,
        at_mm,
        marker=">",
        markersize=9,
        color=ENTRY,
        markeredgecolor="white",
        clip_on=False,
        zorder=5,
    )


def draw_muon(
    event: CalorimeterEvents,
    predicted_gev: float | None = None,
    interval_gev: tuple[float, float] | None = None,
    *,
    title: str = "",
) -> Figure:
    """Draw one muon: the energy of each layer above, the cells projected onto x-z and y-z beneath.

    Parameters
    ----------
    event : one muon; its truth stands in the title if it is known.
    predicted_gev, interval_gev : of a network, stand in the title too.
    title : put before these.

    Raises
    ------
    InputError
        if there is not exactly one muon.
    """
    if len(event) != 1:
        raise InputError("picture of a muon", "events", "one muon", str(len(event)))
    z, *across = cell_edges_mm(event.grid)
    sides = _projections(event)
    layers = sides[0].sum(axis=1)
    highest = max(float(max(side.max(initial=0.0) for side in sides)), 10 * LEAST_MEV)
    scale = LogNorm(LEAST_MEV, highest, clip=True)
    text = muon_text(event, predicted_gev, interval_gev)
    with style():
        figure = Figure(figsize=(10, 6.2), layout="constrained", facecolor="white")
        panels = figure.subplots(3, 1, sharex=True, height_ratios=(1.1, 2, 2))
        top: Axes = panels[0]
        top.stairs(np.maximum(layers, 1e-9), z, fill=True, color=MUTED, alpha=0.55, baseline=1e-9)
        lit = layers[layers > 0]
        low = float(lit.min()) / 2 if len(lit) else LEAST_MEV
        top.set(yscale="log", ylim=(low, 2 * max(float(layers.max(initial=0.0)), 2 * low)))
        top.set_ylabel("energy in\na layer (MeV)")
        top.grid(axis="y")
        top.set_axisbelow(True)
        for axes, side, edges, name, place in zip(
            panels[1:], sides, across, "xy", ("x_mm", "y_mm"), strict=True
        ):
            axes.pcolormesh(
                z, edges, np.ma.masked_less_equal(side.T, 0), norm=scale, cmap=_COLOURS, rasterized=True
            )
            axes.set(ylabel=f"{name} (mm)", ylim=(edges[0], edges[-1]))
            for spine in ("top", "right"):
                axes.spines[spine].set_visible(True)
            if event.muons is not None:
                _entry(axes, float(event.muons[0][place]), float(z[0]))
        panels[2].set(xlabel="z, along the muon (mm)", xlim=(z[0], z[-1]))
        bar = figure.colorbar(
            ScalarMappable(scale, _COLOURS), ax=list(panels[1:]), pad=0.01, aspect=32, extend="min",
            label="energy summed along the line of sight (MeV)",
        )  # fmt: skip
        bar.outline.set_visible(False)
        figure.suptitle(
            f"{title} · {text}" if title else text, fontsize=12, x=0.01, ha="left", parse_math=False
        )
    return figure


def write_energy_picture(
    path: Path,
    event: CalorimeterEvents,
    predicted_gev: float | None = None,
    interval_gev: tuple[float, float] | None = None,
    *,
    title: str = "",
) -> None:
    """Write the PNG of :func:`draw_muon`.

    Raises
    ------
    InputError
        if the path cannot be written, or there is not exactly one muon.
    """
    image = png_bytes(draw_muon(event, predicted_gev, interval_gev, title=title))
    with whole(Path(path)) as temporary:
        temporary.write_bytes(image)
