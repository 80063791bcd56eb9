"""How close simulated muons in a calorimeter come to tables of their losses, and to another simulation.

Prints, beside what is given, stopping powers by process (a table of kinetic_energy_gev, ionisation,
bremsstrahlung, pair_production, photonuclear and total in MeV cm2/g), mean and quantiles of the loss in the
block (a table of energy_gev, mean, p16, p50, p84, p95 in GeV), figures and profiles of the cells (an HDF5
file of cells: event, iz, ix, iy, energy_gev; true_energy_gev, true_x_mm, true_y_mm, charge of each event;
attributes shape, cell_xy_mm, layer_pbwo4_mm, layer_pitch_mm), and always the lateral containment of
electrons of 10 GeV, whose quoted values are Geant4's. The losses vary so much from muon to muon that means
of some dozens say little: layers are compared by medians, and muons with those of about the same deposit.

    python benchmarks/energy_fidelity.py --dedx dedx.csv --losses loss.csv --cells reference.h5 -o plots
"""

import argparse
import csv
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from cloudchamber.calorimeter_events import MUON, CalorimeterEvents, CalorimeterGrid, join_muons
from cloudchamber.show.energy_validation_plots import (
    plot_cell_spectrum,
    plot_loss_quantiles,
    plot_profile,
    plot_stopping_power,
)
from cloudchamber.show.theme import png_bytes
from cloudchamber.simulate.calorimeter import statistics as of
from cloudchamber.simulate.calorimeter.config import Beam, CalorimeterConfig
from cloudchamber.simulate.calorimeter.event import simulate_muons
from cloudchamber.simulate.calorimeter.losses import stopping_power
from cloudchamber.simulate.calorimeter.muon import lose_energy
from cloudchamber.voxel_events import offsets_of

CONTAINMENT = {
    "column of the cell": 0.326,
    "< 5.7 mm": 0.63,
    "< 10 mm": 0.74,
    "< 19.6 mm": 0.88,
    "< 39.2 mm": 0.97,
}
RINGS_MM = np.array([0, 3.75, 7.5, 11.25, 15, 20, 25, 30, 40, 50, 65])
SPECTRUM_GEV = np.geomspace(1e-4, 1e2, 25)
LAYERS = 5  # in a row of the table of layers
ALIKE = 10  # simulated muons that stand beside each of the reference
DRAWS = 200  # of a bootstrap
Plots = dict[str, Figure]
Statistic = Callable[[np.ndarray], np.ndarray]


def read_table(path: Path) -> dict[str, np.ndarray]:
    """Return the columns of a table, whose lines of comments start with ``#``."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def read_cells(path: Path) -> tuple[CalorimeterEvents, CalorimeterConfig]:
    """Return the muons of another simulation, and a configuration of ours of the same block."""
    with h5py.File(path) as file:
        about = dict(file.attrs)
        columns = {name: np.asarray(file[name]) for name in file}
    nz, nx, ny = (int(side) for side in about["shape"])
    layer, pitch, cell = (float(about[f"{name}_mm"]) for name in ("layer_pbwo4", "layer_pitch", "cell_xy"))
    position = np.stack([columns[name] for name in ("iz", "ix", "iy")], axis=1).astype(np.int16)
    order = np.lexsort((*position.T[::-1], columns["event"]))
    muons = np.zeros(len(columns["charge"]), MUON)
    for name in ("energy_gev", "x_mm", "y_mm"):
        muons[name] = columns[f"true_{name}"]
    muons["charge"] = columns["charge"]
    counts = np.bincount(columns["event"], minlength=len(muons))
    grid = CalorimeterGrid((nz, nx, ny), pitch, cell)
    events = CalorimeterEvents(
        grid, offsets_of(counts), position[order], columns["energy_gev"][order].astype(np.float32), muons
    )
    config = CalorimeterConfig(
        shape=grid.shape, layer_mm=layer, gap_mm=pitch - layer, cell_mm=cell, photonuclear=False
    )
    return events, config


def bootstrap(values: np.ndarray, statistic: Statistic) -> np.ndarray:
    """Return the error of a statistic over the first axis."""
    rng = np.random.default_rng(0)
    again = [statistic(values[rng.integers(len(values), size=len(values))]) for _ in range(DRAWS)]
    return np.asarray(np.std(again, axis=0))


def table_of(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name, justify="left" if name == columns[0] else "right")
    return table


def off(ours: float, reference: float) -> str:
    return f"{ours / reference - 1:+.1%}" if reference else "-"


def energy_text(energy_gev: float) -> str:
    return f"{energy_gev / 1000:g} TeV" if energy_gev >= 1000 else f"{energy_gev:g} GeV"


def report_stopping_power(path: Path, console: Console) -> Plots:
    reference = read_table(path)
    energy = reference.pop("kinetic_energy_gev")
    ours = stopping_power(CalorimeterConfig().material, energy)
    ours["pair_production"] = ours.pop("pair")
    table = table_of("stopping power in MeV cm2/g: ours, and how far off the table", ("energy", *reference))
    for k, each in enumerate(energy):
        cells = (f"{ours[name][k]:.4g} ({off(ours[name][k], reference[name][k])})" for name in reference)
        table.add_row(energy_text(each), *cells)
    console.print(table)
    high = energy >= 10
    for name, values in reference.items():
        farthest = np.abs(ours[name] / values - 1)[high].max()
        console.print(f"{name}: within {farthest:.1%} from 10 GeV up (bar 3%)")
    return {"stopping_power": plot_stopping_power(energy, ours, reference, source=path.stem)}


def report_losses(path: Path, muons: int, seed: int, console: Console) -> Plots:
    reference = read_table(path)
    energy = reference.pop("energy_gev")
    config = CalorimeterConfig(beam=Beam(fixed_gev=tuple(energy.tolist())))
    names = tuple(reference)
    ours, errors = np.zeros((len(energy), len(names))), np.zeros((len(energy), len(names)))

    def figures(lost: np.ndarray) -> np.ndarray:
        shares = [float(name[1:]) / 100 for name in names if name != "mean"]
        quantiles = iter(np.quantile(lost, shares))
        return np.array([lost.mean() if name == "mean" else next(quantiles) for name in names])

    for k, each in enumerate(energy):
        lost = lose_energy(config, np.full(muons, each), seed + k).sum(axis=1)
        ours[k], errors[k] = figures(lost), bootstrap(lost, figures)
    title = f"energy lost in the block in GeV, {muons} muons each: ours, how far off the table, error of ours"
    table = table_of(title, ("energy", *names))
    for k, each in enumerate(energy):
        cells = (
            f"{ours[k, i]:.4g} ({off(ours[k, i], reference[name][k])} ± {errors[k, i] / ours[k, i]:.1%})"
            for i, name in enumerate(names)
        )
        table.add_row(energy_text(each), *cells)
    console.print(table)
    by_name = {name: ours[:, i] for i, name in enumerate(names)}
    spread = {name: errors[:, i] for i, name in enumerate(names)}
    return {"losses": plot_loss_quantiles(energy, by_name, spread, reference, source=path.stem)}


def mean(values: np.ndarray) -> np.ndarray:
    return np.asarray(values.mean(axis=0))


def median(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.median(values, axis=0))


def weighted(values: np.ndarray) -> np.ndarray:
    """Return the share of a sum, from parts and wholes in columns."""
    return np.asarray(values[:, 0].sum() / values[:, 1].sum())


FIGURES: dict[str, tuple[Callable[[CalorimeterEvents], np.ndarray], Statistic]] = {
    "cells above 0.1 GeV, median": (of.high_cells, median),
    "cells with energy, median": (lambda events: np.diff(events.cell_offsets), median),
    "energy deposited (GeV), median": (of.deposits, median),
    "share in cells up to 10 MeV, mean of muons": (of.low_shares, mean),
    "the same of the energy of all muons": (
        lambda events: np.stack([of.low_shares(events) * of.deposits(events), of.deposits(events)], axis=1),
        weighted,
    ),
}


def add_profile(
    table: Table, names: list[str], ours: np.ndarray, reference: np.ndarray, statistic: Statistic
) -> None:
    """Add a row for each bin of a profile; values by muon and bin."""
    found, wanted, error = statistic(ours), statistic(reference), bootstrap(reference, statistic)
    for k, name in enumerate(names):
        pull = (found[k] - wanted[k]) / max(error[k], 1e-12)
        share = f"{error[k] / wanted[k]:.1%}" if wanted[k] else "-"
        numbers = (f"{found[k]:.4g}", f"{wanted[k]:.4g}", off(found[k], wanted[k]), share, f"{pull:+.1f}")
        table.add_row(name, *numbers)


def draw_profile(
    at: np.ndarray, ours: np.ndarray, reference: np.ndarray, statistic: Statistic, source: str, **labels: Any
) -> Figure:
    """Draw a profile; that of ours with the error of as many muons as the reference has."""
    errors = bootstrap(ours, statistic) * np.sqrt(ALIKE)
    wanted, their_errors = statistic(reference), bootstrap(reference, statistic)
    return plot_profile(at, statistic(ours), errors, wanted, their_errors, source=source, **labels)


def figures_table(name: str, ours: CalorimeterEvents, theirs: CalorimeterEvents, alike: np.ndarray) -> Table:
    columns = ("", "ours", "reference", "off", "error", "ours, alike", "off")
    table = table_of(f"{name}: {len(ours)} muons, {len(theirs)} of the reference", columns)
    for label, (values_of, statistic) in FIGURES.items():
        values, wanted = values_of(ours), values_of(theirs)
        found, there, same = (float(statistic(each)) for each in (values, wanted, values[alike]))
        error = float(np.hypot(bootstrap(values, statistic), bootstrap(wanted, statistic))) / there
        numbers = (f"{found:.4g}", f"{there:.4g}", off(found, there), f"{error:.1%}", f"{same:.4g}")
        table.add_row(label, *numbers, off(same, there))
    return table


def report_cells(path: Path, muons: int, seed: int, console: Console) -> Plots:
    reference, config = read_cells(path)
    plots, spectra, their_spectra = Plots(), {}, {}
    energies = np.zeros(0) if reference.muons is None else reference.muons["energy_gev"]
    nz, columns = config.shape[0], ("", "ours", "reference", "off", "error of the reference", "in errors")
    console.print(f"Ours, alike: {ALIKE} muons of ours for each of the reference, of about its deposit.")
    for energy in np.unique(energies).tolist():
        name = energy_text(energy)
        numbers = np.flatnonzero(energies == energy).tolist()
        theirs = join_muons([reference.chosen(k, k + 1) for k in numbers])
        chosen = config.model_copy(update={"beam": Beam(fixed_gev=(energy,))})
        ours = simulate_muons(seed, range(muons), chosen)
        alike = of.alike(of.deposits(theirs), of.deposits(ours), ALIKE)
        console.print(figures_table(name, ours, theirs, alike))
        layers, their_layers = of.layer_profile(ours)[alike], of.layer_profile(theirs)
        starts = np.arange(0, nz, LAYERS)
        sums, their_sums = (np.add.reduceat(each, starts, axis=1) for each in (layers, their_layers))
        table = table_of(f"{name}, alike: energy in layers (GeV), median", columns)
        rows = [f"{start} to {min(start + LAYERS, nz) - 1}" for start in starts.tolist()]
        add_profile(table, rows, sums, their_sums, median)
        console.print(table)
        shares, their_shares = (
            of.radial_profile(each, RINGS_MM) / of.deposits(each)[:, None] for each in (ours, theirs)
        )
        shares = shares[alike]
        table = table_of(f"{name}, alike: share in rings (mm) about the entry, mean", columns)
        rows = [f"{low:g} to {high:g}" for low, high in pairwise(RINGS_MM.tolist())]
        add_profile(table, rows, shares, their_shares, mean)
        console.print(table)
        tag = name.replace(" ", "_")
        plots[f"rings_{tag}"] = draw_profile(
            (RINGS_MM[1:] + RINGS_MM[:-1]) / 2, shares, their_shares, mean, path.stem,
            x_label="distance from the entry (mm)", y_label="share of a muon's energy", log=True,
        )  # fmt: skip
        plots[f"layers_{tag}"] = draw_profile(
            np.arange(nz) * ours.grid.layer_mm, layers, their_layers, median, path.stem,
            y_label="median energy in a layer (GeV)",
        )  # fmt: skip
        spectra[name], their_spectra[name] = (of.cell_spectrum(each, SPECTRUM_GEV) for each in (ours, theirs))
    plots["cells"] = plot_cell_spectrum(SPECTRUM_GEV, spectra, their_spectra, source=path.stem)
    return plots


def report_electrons(electrons: int, seed: int, console: Console) -> None:
    config = CalorimeterConfig(shape=(50, 41, 41), gap_mm=0.0)
    found = of.electron_containment(config, 10.0, electrons, seed)
    table = table_of(
        f"energy of {electrons} electrons of 10 GeV at a cell centre", ("within", "ours", "Geant4", "off")
    )
    for (name, quoted), share in zip(CONTAINMENT.items(), found, strict=True):
        table.add_row(name, f"{share:.1%}", f"{quoted:.1%}", f"{100 * (share - quoted):+.1f} points")
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dedx", type=Path, help="table of stopping powers (CSV)")
    parser.add_argument("--losses", type=Path, help="table of losses in the block (CSV)")
    parser.add_argument("--cells", type=Path, help="cells of another simulation (HDF5)")
    parser.add_argument("--n", type=int, default=20_000, help="muons at each energy of --losses")
    parser.add_argument("--muons", type=int, default=1000, help="muons at each energy of --cells")
    parser.add_argument("--electrons", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, help="folder for plots")
    chosen = parser.parse_args()
    console, plots = Console(width=130), Plots()
    if chosen.dedx:
        plots |= report_stopping_power(chosen.dedx, console)
    if chosen.losses:
        plots |= report_losses(chosen.losses, chosen.n, chosen.seed, console)
    if chosen.cells:
        plots |= report_cells(chosen.cells, chosen.muons, chosen.seed, console)
    report_electrons(chosen.electrons, chosen.seed, console)
    if chosen.output:
        chosen.output.mkdir(parents=True, exist_ok=True)
        for name, figure in plots.items():
            (chosen.output / f"{name}.png").write_bytes(png_bytes(figure))
        console.print(f"{len(plots)} plots in {chosen.output}")


if __name__ == "__main__":
    main()
