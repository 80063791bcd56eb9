"""Collisions of muons with electrons: their mean loss, and the spectrum of knock-on electrons."""

import numpy as np
from jaxtyping import Float

from cloudchamber.simulate.calorimeter.config import Material
from cloudchamber.simulate.calorimeter.constants import ALPHA, ELECTRON, HALF_K, MUON, z_over_a

_LN10 = np.log(10.0)


def largest_transfer(kinetic_gev: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Return the most that a muon can give to an electron, in GeV (PDG 2024, eq. 34.4)."""
    gamma, ratio = 1 + kinetic_gev / MUON, ELECTRON / MUON
    most: Float[np.ndarray, "*n"] = 2 * ELECTRON * (gamma**2 - 1) / (1 + 2 * gamma * ratio + ratio**2)
    return most


def density_effect(material: Material, kinetic_gev: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Return delta of Bethe's formula in Sternheimer's parametrisation (PDG 2024, eq. 34.7)."""
    effect = material.density_effect
    ratio = kinetic_gev / MUON
    x = 0.5 * np.log10(ratio * (ratio + 2))
    delta = 2 * _LN10 * x - effect.c + effect.a * np.maximum(effect.x1 - x, 0) ** effect.k
    low = effect.delta0 * 10 ** (2 * (x - effect.x0))
    return np.where(x < effect.x0, low, np.maximum(delta, 0))


def ionisation(material: Material, kinetic_gev: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Return the mean loss to electrons in GeV cm2/g.

    Bethe's formula with the spin of the muon, the density effect, and the photons that the struck electron
    radiates: Groom, Mokhov and Striganov, At. Data Nucl. Data Tables 78, 183 (2001), eqs. 3 to 6.
    """
    total = kinetic_gev + MUON
    p2 = kinetic_gev * (kinetic_gev + 2 * MUON)
    beta2, top = p2 / total**2, largest_transfer(kinetic_gev)
    logarithm = np.log(2 * ELECTRON * p2 / MUON**2 * top / (material.excitation_ev * 1e-9) ** 2)
    bracket = logarithm / 2 - beta2 - density_effect(material, kinetic_gev) / 2 + (top / total) ** 2 / 8
    radiated = np.log(2 * top / ELECTRON)
    radiative = ALPHA / (4 * np.pi) * (np.log(2 * total / MUON) - radiated / 3) * radiated**2
    loss: Float[np.ndarray, "*n"] = 2 * HALF_K * z_over_a(material) * (bracket / beta2 + radiative)
    return loss


def knock_on(
    material: Material, kinetic_gev: Float[np.ndarray, "*#n"], transfer_gev: Float[np.ndarray, "*#n"]
) -> Float[np.ndarray, "*n"]:
    """Return dN/d(ln T) of electrons knocked on with an energy T, per g/cm2.

    The spectrum of a particle of spin 1/2 (PDG 2024, eq. 34.8, and Rossi's term in T^2), corrected for
    radiation: Kelner, Kokoulin and Petrukhin, Phys. At. Nucl. 60, 576 (1997).
    """
    total = kinetic_gev + MUON
    beta2 = kinetic_gev * (kinetic_gev + 2 * MUON) / total**2
    top = largest_transfer(kinetic_gev)
    t = np.minimum(transfer_gev, top)
    shape = 1 - beta2 * t / top + 0.5 * (t / total) ** 2
    radiated = np.log1p(2 * t / ELECTRON)
    radiative = 1 + ALPHA / (2 * np.pi) * radiated * (np.log(4 * total * (total - t) / MUON**2) - radiated)
    rate = HALF_K * z_over_a(material) / beta2 / t * shape * radiative
    return np.where(transfer_gev < top, np.maximum(rate, 0), 0.0)
