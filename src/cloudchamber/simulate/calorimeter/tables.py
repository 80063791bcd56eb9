"""Tables of the losses of muons, from which compiled loops draw.

Losses above ``soft`` are drawn one by one, by all four processes. Those above the cut of the configuration,
``max(least_loss_mev, least_loss_share * kinetic energy)``, become secondaries; between ``soft`` and the cut
they are deposited where they happen. Below ``soft`` the loss is its mean, with Gaussian fluctuations.
``soft`` is where about one collision with electrons happens between two rows of deposits, and a tenth of the
least cut at most: thus the fluctuations hold whatever the cut is. In 1.98 m of lead tungstate a muon makes 16
losses above 10 MeV at 100 GeV and 36 at 8 TeV, so few that a cut which grows with the energy saves nothing.

At each energy of a table the number of losses above q is stored at values of q that are dense near the
largest; between two of them losses are uniform in ln q. The mean loss below ``soft`` to electrons is the
total one less the mean of what is drawn, so that the mean loss is Bethe's.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from cloudchamber.simulate.calorimeter.bethe import ionisation, knock_on, largest_transfer
from cloudchamber.simulate.calorimeter.config import CalorimeterConfig
from cloudchamber.simulate.calorimeter.constants import HALF_K, MUON, elements, z_over_a
from cloudchamber.simulate.calorimeter.losses import PROCESSES, SPECTRA, mean_radiated
from cloudchamber.simulate.calorimeter.radiative import largest_radiated

_LEAST_GEV = 0.02  # of the tables; a muon of less has a range of 3 mm of lead tungstate
_NODES_PER_DECADE = 12
_QUANTILES = 129
_HIGHLAND_GEV, _HIGHLAND_LOG = 13.6e-3, 0.038  # PDG 2024, eq. 34.16
_SECONDARIES = 4096


class MuonTables(NamedTuple):
    """What ``cross_block`` needs to know; energies in GeV, thickness in g/cm2."""

    log_least: float  # natural logarithm of the first kinetic energy
    nodes_per_log: float
    soft_gev: float
    rate: Float[np.ndarray, "node 4"]  # losses above soft per g/cm2, by process
    tail: Float[np.ndarray, "4 node quantile"]  # share of them above q, from 1 to 0
    place: Float[np.ndarray, " quantile"]  # of q, as ln(q / soft) / ln(largest / soft)
    log_span: Float[np.ndarray, "node 4"]  # ln(largest / soft)
    mean: Float[np.ndarray, "node 4"]  # loss below soft per g/cm2
    variance: Float[np.ndarray, " node"]  # of the loss below soft, GeV2 per g/cm2
    least_loss_gev: float
    least_loss_share: float
    grams_per_mm: float
    layers: int
    rows: int  # of deposits in a layer
    layer_mm: float
    gap_mm: float
    bend_per_mm: float  # radians per mm at 1 GeV
    scatter2_per_mm: float  # projected angle squared per mm at p beta = 1 GeV


def rows_per_layer(config: CalorimeterConfig) -> int:
    """Return the rows of deposits in a layer: 2, and more for tilted muons, one per half cell across."""
    across = config.layer_mm * np.tan(1e-3 * config.beam.angle_mrad)
    return max(2, int(np.ceil(2 * across / config.cell_mm)))


def buffers(
    config: CalorimeterConfig,
) -> tuple[Float[np.ndarray, "step 4"], Float[np.ndarray, "secondary 8"]]:
    """Return empty arrays for the deposits and the secondaries of one muon.

    If a muon should make more secondaries than there are rows, the rest is deposited where it is made.
    """
    return np.zeros((config.shape[0] * rows_per_layer(config), 4)), np.zeros((_SECONDARIES, 8))


def _largest(config: CalorimeterConfig, kinetic: Float[np.ndarray, " node"]) -> Float[np.ndarray, "node 4"]:
    """Return the largest losses by process."""
    lightest = min(z for z, _, _ in elements(config.material))
    radiated = largest_radiated(lightest, kinetic)
    return np.stack([largest_transfer(kinetic), radiated, radiated, kinetic - MUON], axis=1)


@cache
def muon_tables(config: CalorimeterConfig) -> MuonTables:
    """Return the tables of a configuration; built once."""
    material, rows = config.material, rows_per_layer(config)
    grams_per_mm = 0.1 * material.density_g_cm3
    collisions = HALF_K * z_over_a(material) * grams_per_mm * config.layer_mm / rows
    soft = min(max(collisions, 1e-5), 1e-4 * config.least_loss_mev)
    most = max(config.beam.energy_gev[1], *config.beam.fixed_gev, 1.0) * 1.01
    count = int(np.ceil(np.log10(most / _LEAST_GEV) * _NODES_PER_DECADE)) + 1
    kinetic = np.geomspace(_LEAST_GEV, most, count)
    top = np.maximum(_largest(config, kinetic), soft * (1 + 1e-9))
    log_span = np.log(top / soft)
    place = 1 - (1 - np.linspace(0, 1, _QUANTILES)) ** 2
    rate, mean = np.zeros((count, 4)), np.zeros((count, 4))
    tail = np.zeros((4, count, _QUANTILES))
    for row, process in enumerate(PROCESSES):
        if process == "photonuclear" and not config.photonuclear:
            continue
        spectrum = SPECTRA.get(process, knock_on)
        q = soft * np.exp(log_span[:, row, None] * place)
        middle = np.sqrt(q[:, 1:] * q[:, :-1])
        width = np.diff(np.log(q), axis=1)
        ends, halves = spectrum(material, kinetic[:, None], q), spectrum(material, kinetic[:, None], middle)
        counts = width * (ends[:, 1:] + 4 * halves + ends[:, :-1]) / 6
        drawn = (counts * np.diff(q, axis=1) / width).sum(axis=1)
        rate[:, row] = counts.sum(axis=1)
        above = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1] / np.maximum(rate[:, row, None], 1e-300)
        tail[row, :, :-1] = above
        if process == "ionisation":
            mean[:, row] = ionisation(material, kinetic) - drawn
        else:
            mean[:, row] = mean_radiated(material, kinetic, process, np.full(count, soft))
    variance = HALF_K * z_over_a(material) * np.minimum(soft, top[:, 0]) * (kinetic + MUON) ** 2
    variance /= kinetic * (kinetic + 2 * MUON)
    depth = config.shape[0] * config.layer_mm / material.x0_mm
    highland = _HIGHLAND_GEV * (1 + _HIGHLAND_LOG * np.log(max(depth, 1e-3)))
    return MuonTables(
        np.log(_LEAST_GEV), (count - 1) / np.log(most / _LEAST_GEV), soft, rate, tail, place, log_span, mean,
        variance, 1e-3 * config.least_loss_mev, config.least_loss_share, grams_per_mm, config.shape[0], rows,
        config.layer_mm, config.gap_mm, 0.299792458e-3 * config.field_t, highland**2 / material.x0_mm,
    )  # fmt: skip
