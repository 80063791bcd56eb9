"""Toy muons that train in seconds: a track, and showers along it whose energy grows with that of the muon."""

import numpy as np

from cloudchamber.calorimeter_events import MUON, CalorimeterEvents, CalorimeterGrid, from_dense
from cloudchamber.train.energy_recipe import EnergyRecipe

GRID = CalorimeterGrid((12, 8, 10), 40.0, 4.0)


def make_muons(n: int, seed: int, grid: CalorimeterGrid = GRID) -> CalorimeterEvents:
    """Return muons of 50 to 8000 GeV, flat, that come in along z."""
    rng = np.random.default_rng(seed)
    nz, nx, ny = grid.shape
    muons = np.zeros(n, MUON)
    muons["energy_gev"], muons["charge"] = rng.uniform(50, 8000, n), rng.choice([-1, 1], n)
    grids = np.zeros((n, *grid.shape), np.float32)
    for muon, cells in zip(muons, grids, strict=True):
        ix, iy = rng.integers(2, nx - 2), rng.integers(2, ny - 2)
        muon["x_mm"] = (ix - (nx - 1) / 2 + rng.uniform(-0.4, 0.4)) * grid.cell_mm
        muon["y_mm"] = (iy - (ny - 1) / 2 + rng.uniform(-0.4, 0.4)) * grid.cell_mm
        cells[:, ix, iy] = rng.gamma(8, 0.01, nz)
        for _ in range(4):
            iz = rng.integers(1, nz - 1)
            shower = muon["energy_gev"] / 2000 * rng.gamma(6, 1 / 6)
            cells[iz - 1 : iz + 2, ix - 1 : ix + 2, iy - 1 : iy + 2] += shower / 40
            cells[iz, ix, iy] += shower / 3
            cells[iz, rng.integers(nx), rng.integers(ny)] += 0.003
    muons["deposit_gev"] = grids.sum(axis=(1, 2, 3))
    return from_dense(grid, grids, muons)


SMALL_SPARSE = {"widths": [4, 6], "blocks": [1, 1], "hidden": [12]}
SMALL_PAPER = {"filters": 4, "stages": 2, "blocks": 1, "hidden": [12]}


def make_energy_recipe(
    model: dict[str, object] | None = None, output: dict[str, object] | None = None, **training: object
) -> EnergyRecipe:
    """Return a recipe for toy muons; the default network is a small sparse one."""
    return EnergyRecipe.model_validate(
        {
            "name": "small",
            "task": "energy",
            "about": "Toys.",
            "data": {"train": {"n": 96, "seed": 1}, "validation": {"n": 48, "seed": 2}},
            "model": model or {"name": "energy-sparse", "options": SMALL_SPARSE},
            "output": output or {},
            "training": {"epochs": 3, "batch": 16, "steps": None, **training},
        }
    )
