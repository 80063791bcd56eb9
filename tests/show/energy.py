"""Muons to show: scored toy predictions, and a muon with a shower in a small grid."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from cloudchamber.calorimeter_events import MUON, CalorimeterEvents, CalorimeterGrid, from_dense
from cloudchamber.score.energy import EnergyScore, score_energy
from cloudchamber.score.energy_calibration import MedianCalibration, fit_median_calibration

GRID = CalorimeterGrid((10, 8, 6), 40.0, 5.0)


class Scored(NamedTuple):
    true_gev: Float[np.ndarray, "muon"]
    predicted_gev: Float[np.ndarray, "muon"]
    calibration: MedianCalibration
    raw: EnergyScore
    score: EnergyScore


def scored_muons(n: int = 3000) -> Scored:
    """Return muons whose predictions are 10% low, of 30% resolution, with intervals of that width."""
    rng = np.random.default_rng(8)
    truth = rng.uniform(50, 8000, n)
    predicted = 0.9 * truth * rng.normal(1, 0.3, n)
    calibration = fit_median_calibration(truth, predicted)
    corrected = calibration.corrected(predicted)
    score = score_energy(truth, corrected, 0.7 * corrected, 1.4 * corrected, resamples=10)
    return Scored(truth, predicted, calibration, score_energy(truth, predicted, resamples=10), score)


def toy_muon(energy_gev: float = 1500.0, truth: bool = True) -> CalorimeterEvents:
    """Return a muon along cell (ix, iy) = (5, 2) with 50 MeV a layer and a shower of 8.05 GeV in layer 4."""
    grid = np.zeros((1, *GRID.shape), np.float32)
    grid[0, :, 5, 2] = 0.05
    grid[0, 4, 5, 2] += 6.0
    grid[0, 4, 4, 2] = grid[0, 4, 6, 2] = 1.0
    grid[0, 9, 0, 5] = 0.002
    muons = np.zeros(1, MUON)
    muons["energy_gev"], muons["charge"], muons["x_mm"], muons["y_mm"] = energy_gev, -1, 7.0, -3.0
    return from_dense(GRID, grid, muons if truth else None)
