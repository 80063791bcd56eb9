"""Spectra of the photons and of the electron pairs that muons radiate."""

import numpy as np
from jaxtyping import Float

from cloudchamber.simulate.calorimeter.config import Material
from cloudchamber.simulate.calorimeter.constants import (
    ALPHA,
    AVOGADRO,
    ELECTRON,
    MUON,
    RADIUS_CM,
    ROOT_E,
    elements,
    inelastic_logarithm,
    radiation_logarithm,
)

_RATIO = MUON / ELECTRON
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)  # over the asymmetry of a pair


def largest_radiated(z: int, kinetic_gev: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Return the most energy that a muon can radiate at a nucleus, in GeV.

    Groom et al. (2001), section 4: the nucleus is not a point, E' > 3/4 sqrt(e) m Z^(1/3).
    """
    most: Float[np.ndarray, "*n"] = kinetic_gev + MUON * (1 - 0.75 * ROOT_E * np.cbrt(z))
    return most


def bremsstrahlung(
    material: Material, kinetic_gev: Float[np.ndarray, "*#n"], photon_gev: Float[np.ndarray, "*#n"]
) -> Float[np.ndarray, "*n"]:
    """Return dN/d(ln k) of bremsstrahlung photons of an energy k, per g/cm2.

    Kelner, Kokoulin and Petrukhin, preprint MEPhI 024-95 (1995) and Phys. At. Nucl. 60, 576 (1997): screened
    nuclei of finite size, their excitation, and atomic electrons.
    """
    total = kinetic_gev + MUON
    rate = np.zeros(np.broadcast_shapes(np.shape(kinetic_gev), np.shape(photon_gev)))
    for z, mass, share in elements(material):
        allowed = photon_gev < largest_radiated(z, kinetic_gev)
        v = np.where(allowed, photon_gev / total, 0.5)
        delta = MUON**2 * v / (2 * total * (1 - v))
        size, screening = 1.54 * mass**0.27, radiation_logarithm(z) / np.cbrt(z)
        phi = np.log(MUON / delta) - 0.5 - np.log1p(ELECTRON / (delta * ROOT_E * screening))
        nuclear = np.log(size / (1 + delta * (size * ROOT_E - 2) / MUON))
        phi -= nuclear * (1 - 1 / z) if z > 1 else nuclear
        limit = ELECTRON * kinetic_gev / (total - np.sqrt(total**2 - MUON**2) + ELECTRON)
        atomic = np.log(MUON / delta / (delta * MUON / ELECTRON**2 + ROOT_E))
        atomic -= np.log1p(ELECTRON * np.cbrt(z) ** 2 / (delta * ROOT_E * inelastic_logarithm(z)))
        phi += np.where(photon_gev < limit, np.maximum(atomic, 0), 0) / z
        each = ALPHA * (2 * z * RADIUS_CM / _RATIO) ** 2 * (4 / 3 * (1 - v) + v**2) * np.maximum(phi, 0)
        rate += np.where(allowed, AVOGADRO / mass * share * each, 0)
    return rate


def pair_production(
    material: Material, kinetic_gev: Float[np.ndarray, "*#n"], pair_gev: Float[np.ndarray, "*#n"]
) -> Float[np.ndarray, "*n"]:
    """Return dN/d(ln q) of electron pairs of an energy q, per g/cm2.

    Kokoulin and Petrukhin, Proc. 12th Int. Conf. Cosmic Rays, Hobart (1971) vol. 6, 2436, integrated over the
    asymmetry of the pair; pairs at atomic electrons after Kelner, Phys. At. Nucl. 61, 448 (1998).
    """
    total = kinetic_gev + MUON
    rate = np.zeros(np.broadcast_shapes(np.shape(kinetic_gev), np.shape(pair_gev)))
    for z, mass, share in elements(material):
        allowed = (pair_gev > 4 * ELECTRON) & (pair_gev < largest_radiated(z, kinetic_gev))
        allowed = allowed & (total * (total - pair_gev) > 6 * MUON**2)
        v = np.where(allowed, pair_gev / total, 0.5)
        each = _pair_shape(z, total, v) * _electrons(z, total)
        rate += np.where(
            allowed, AVOGADRO / mass * share * 4 / (3 * np.pi) * (ALPHA * RADIUS_CM) ** 2 * each, 0
        )
    return rate


def _electrons(z: int, total_gev: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Return Z (Z + zeta), zeta the atomic electrons' share (Kelner 1998)."""
    g1, g2 = (4.4e-5, 4.8e-5) if z == 1 else (1.95e-5, 5.3e-5)
    gamma, cube = total_gev / MUON, np.cbrt(z)
    above = 0.073 * np.log(gamma / (1 + g1 * cube**2 * gamma)) - 0.26
    below = 0.058 * np.log(gamma / (1 + g2 * cube * gamma)) - 0.14
    zeta = np.where((above > 0) & (below > 0), above / np.where(below > 0, below, 1), 0)
    return z * (z + zeta)


def _pair_shape(
    z: int, total_gev: Float[np.ndarray, "*#n"], v: Float[np.ndarray, "*#n"]
) -> Float[np.ndarray, "*n"]:
    """Return (1 - v) times the integral of Phi_e + (m_e/m)^2 Phi_mu over the asymmetry rho from 0 up.

    In the variable ln(1 - rho), whose upper end is 0 and whose lower end is that of the largest rho.
    """
    energy, share = total_gev[..., None], v[..., None]
    edge = np.sqrt(np.maximum(1 - 4 * ELECTRON / (energy * share), 0))
    edge = edge * np.maximum(1 - 6 * MUON**2 / (energy**2 * (1 - share)), 0)
    low = np.log1p(-edge)
    rest = np.exp(low * (1 - _NODES) / 2)  # 1 - rho
    r2 = (1 - rest) ** 2
    one = rest * (2 - rest)  # 1 - rho^2
    cube, screening = np.cbrt(z), radiation_logarithm(z) / np.cbrt(z)
    beta = share**2 / (2 * (1 - share))
    xi = (_RATIO * share / 2) ** 2 * one / (1 - share)
    root = np.log1p(1 / xi)
    y_e = (5 - r2 + 4 * beta * (1 + r2)) / (
        2 * (1 + 3 * beta) * np.log(3 + 1 / xi) - r2 - 2 * beta * (2 - r2)
    )
    y_mu = (4 + r2 + 3 * beta * (1 + r2)) / ((1 + r2) * (1.5 + 2 * beta) * np.log(3 + xi) + 1 - 1.5 * r2)
    field = 2 * ELECTRON * ROOT_E * screening * (1 + xi) / (energy * share * one)
    size = (1.5 * cube / _RATIO) ** 2 * (1 + xi) * (1 + y_e)
    l_e = np.log(screening * np.sqrt((1 + xi) * (1 + y_e)) / (1 + field * (1 + y_e))) - np.log1p(size) / 2
    l_mu = np.log(screening * _RATIO / (1.5 * cube) / (1 + field * (1 + y_mu)))
    with np.errstate(over="ignore"):
        b_e = ((2 + r2) * (1 + beta) + xi * (3 + r2)) * root + (one - beta) / (1 + xi) - (3 + r2)
    b_e = np.where(xi > 1e6, (1.5 - r2 / 2 + beta * (1 + r2)) / xi, b_e)  # its limit, free of cancellation
    b_mu = ((1 + r2) * (1 + 1.5 * beta) - (1 + 2 * beta) * one / xi) * np.log1p(xi)
    b_mu += xi * (one - beta) / (1 + xi) + (1 + 2 * beta) * one
    shape = b_e * np.maximum(l_e, 0) + np.maximum(b_mu, 0) * np.maximum(l_mu, 0) / _RATIO**2
    integral = (shape * rest * _WEIGHTS).sum(axis=-1) * -low[..., 0] / 2
    result: Float[np.ndarray, "*n"] = (1 - v) * integral
    return result
