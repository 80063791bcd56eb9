"""Stopping power of muons by process."""

import numpy as np
from jaxtyping import Float

from cloudchamber.simulate.calorimeter.bethe import ionisation
from cloudchamber.simulate.calorimeter.config import Material
from cloudchamber.simulate.calorimeter.constants import MUON
from cloudchamber.simulate.calorimeter.photonuclear import photonuclear
from cloudchamber.simulate.calorimeter.radiative import bremsstrahlung, pair_production

SPECTRA = {"bremsstrahlung": bremsstrahlung, "pair": pair_production, "photonuclear": photonuclear}
PROCESSES = ("ionisation", *SPECTRA)


def stopping_power(
    material: Material, kinetic_gev: Float[np.ndarray, " n"]
) -> dict[str, Float[np.ndarray, " n"]]:
    """Return the mean loss of muons by each of ``PROCESSES``, and the ``total``, in MeV cm2/g."""
    kinetic = np.atleast_1d(np.asarray(kinetic_gev, np.float64))
    losses = {"ionisation": 1e3 * ionisation(material, kinetic)}
    for name in SPECTRA:
        losses[name] = 1e3 * mean_radiated(material, kinetic, name, np.full(len(kinetic), np.inf))
    losses["total"] = sum(losses.values(), np.zeros(len(kinetic)))
    return losses


def mean_radiated(
    material: Material, kinetic_gev: Float[np.ndarray, " n"], process: str, below_gev: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Return the mean loss in GeV cm2/g to radiated energies below a cut, by Gauss and Legendre in ln q."""
    nodes, weights = np.polynomial.legendre.leggauss(16)
    top = np.minimum(below_gev, kinetic_gev + MUON)
    edges = np.log([1e-8, 1e-5, 1e-3, 1e-2, 0.1, 0.3, 0.6, 0.85, 0.95, 0.985, 0.995, 1.0])
    log_q = 0.5 * (edges[:-1, None] + edges[1:, None] + (edges[1:] - edges[:-1])[:, None] * nodes).ravel()
    weight = (0.5 * (edges[1:] - edges[:-1])[:, None] * weights).ravel()
    q = top[:, None] * np.exp(log_q)
    mean: Float[np.ndarray, " n"] = (SPECTRA[process](material, kinetic_gev[:, None], q) * q * weight).sum(
        axis=1
    )
    return mean
