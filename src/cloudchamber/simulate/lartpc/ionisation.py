"""Energy loss by collisions with electrons: the mean of soft ones, the spectra of hard ones."""

import numpy as np

from cloudchamber.compiled import compiled
from cloudchamber.simulate.lartpc.constants import (
    ELECTRON_MEV,
    EXCITATION_MEV,
    HALF_K_MEV_MM,
    STERNHEIMER_A,
    STERNHEIMER_C,
    STERNHEIMER_M,
    STERNHEIMER_X0,
    STERNHEIMER_X1,
    X0_MM,
)
from cloudchamber.simulate.lartpc.record import flat

HIGHLAND_MEV = 13.6
_LN10 = np.log(10.0)


@compiled
def density_effect(beta_gamma2):
    """Return delta of Bethe's formula, in Sternheimer's parametrisation (PDG 2024, eq. 34.7)."""
    x = 0.5 * np.log(beta_gamma2) / _LN10
    if x < STERNHEIMER_X0:
        return 0.0
    delta = 2 * _LN10 * x - STERNHEIMER_C
    if x < STERNHEIMER_X1:
        delta += STERNHEIMER_A * (STERNHEIMER_X1 - x) ** STERNHEIMER_M
    return max(delta, 0.0)


@compiled
def largest_transfer(energy, mass):
    """Return the most that a heavy particle can give to an electron, in MeV (PDG 2024, eq. 34.4)."""
    gamma, ratio = 1 + energy / mass, ELECTRON_MEV / mass
    return 2 * ELECTRON_MEV * (gamma * gamma - 1) / (1 + 2 * gamma * ratio + ratio * ratio)


@compiled
def soft_loss(energy, mass, cut):
    """Return the loss in MeV per mm of a heavy particle to collisions below ``cut`` (PDG 2024, eq. 34.10)."""
    gamma = 1 + energy / mass
    beta_gamma2 = gamma * gamma - 1
    beta2 = beta_gamma2 / (gamma * gamma)
    top = largest_transfer(energy, mass)
    cut = min(cut, top)
    logarithm = np.log(2 * ELECTRON_MEV * beta_gamma2 * cut / EXCITATION_MEV**2)
    bracket = logarithm - beta2 * (1 + cut / top) - density_effect(beta_gamma2)
    return HALF_K_MEV_MM / beta2 * max(bracket, 0.5)


@compiled
def electron_soft_loss(energy, cut, positron):
    """Return the loss in MeV per mm of an electron or positron to collisions below ``cut``.

    Restricted stopping powers of Berger and Seltzer, NBSIR 82-2550 (1982), from the cross-sections of Moller
    and Bhabha (Rohrlich and Carlson, Phys. Rev. 93 (1954) 38).
    """
    tau = energy / ELECTRON_MEV
    gamma = tau + 1
    beta_gamma2 = tau * (tau + 2)
    beta2 = beta_gamma2 / (gamma * gamma)
    d = min(cut, energy if positron else 0.5 * energy) / ELECTRON_MEV
    if positron:
        y = 1 / (gamma + 1)
        d2, d3, d4 = d * d / 2, d**3 / 3, d**4 / 4
        inner = 3 * d2 + y * (d - d3 + y * (d2 - tau * d3 + d4))
        f = np.log(tau * d) - beta2 * (tau + 2 * d - y * inner) / tau
    else:
        f = -1 - beta2 + np.log((tau - d) * d) + tau / (tau - d)
        f += (0.5 * d * d + (2 * tau + 1) * np.log(1 - d / tau)) / (gamma * gamma)
    logarithm = np.log(2 * (tau + 2) / (EXCITATION_MEV / ELECTRON_MEV) ** 2)
    return HALF_K_MEV_MM / beta2 * max(logarithm + f - density_effect(beta_gamma2), 0.5)


@compiled
def moller(energy, transfer):
    """Return T^2 times the spectrum of Moller transfers T, relative to its Rutherford limit."""
    gamma, e = 1 + energy / ELECTRON_MEV, transfer / energy
    g2 = gamma * gamma
    mixed = (2 * gamma - 1) / g2
    rest = e / (1 - e)
    return 1 - mixed * e * (1 + rest) + e * e * (gamma - 1) ** 2 / g2 + rest * rest


@compiled
def bhabha(energy, transfer):
    """Return T^2 times the spectrum of Bhabha transfers T, relative to its Rutherford limit."""
    gamma, e = 1 + energy / ELECTRON_MEV, transfer / energy
    beta2, y = 1 - 1 / (gamma * gamma), 1 / (gamma + 1)
    w = 1 - 2 * y
    b1, b2, b3, b4 = 2 - y * y, w * (3 + y * y), w * w + w**3, w**3
    return 1 + beta2 * e * (-b1 + e * (b2 + e * (-b3 + e * b4)))


@compiled
def transfer_between(record, low, high):
    """Return a transfer from the spectrum 1/T^2 between two energies."""
    return low / (1 - flat(record) * (1 - low / high))


@compiled
def highland(length, energy, mass):
    """Return the projected angle of multiple scattering over a length (PDG 2024, eq. 34.16).

    The logarithm is taken at one radiation length, whatever the step, so that the angles of successive steps
    add up in quadrature: exact over 14 cm, 10% too large over 1.4 cm.
    """
    p_beta = energy * (energy + 2 * mass) / (energy + mass)
    return HIGHLAND_MEV / p_beta * np.sqrt(length / X0_MM)
