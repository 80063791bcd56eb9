"""Spectrum of the energy that muons give to hadrons in inelastic scattering at nuclei."""

import numpy as np
from jaxtyping import Float

from cloudchamber.simulate.calorimeter.config import Material
from cloudchamber.simulate.calorimeter.constants import (
    ALPHA,
    AVOGADRO,
    HBAR_C2,
    MUON,
    NUCLEON,
    PION,
    elements,
)

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)  # over ln Q^2
LEAST_GEV = PION + PION**2 / (2 * NUCLEON)  # to make a pion


def proton_structure(x: Float[np.ndarray, "*n"], q2_gev2: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Return the structure function F2 of the proton.

    The fit ALLM97: Abramowicz and Levy, hep-ph/9712415 (in its corrected version of 2004).
    """
    w2 = q2_gev2 * (1 / x - 1)  # W^2 - M^2
    scale = 0.06527
    t = np.log(np.log((q2_gev2 + 0.52544) / scale) / np.log(0.52544 / scale))
    x_p, x_r = ((q2_gev2 + m2) / (q2_gev2 + m2 + w2) for m2 in (49.457, 0.15052))
    c_p = 0.28067 + (0.28067 - 0.22291) * (1 / (1 + t**2.1979) - 1)
    a_p = -0.0808 + (-0.0808 + 0.44812) * (1 / (1 + t**1.1709) - 1)
    b_p = 0.36292 + 1.8917 * t**1.8439
    c_r, a_r, b_r = 0.80107 + 0.97307 * t**3.4942, 0.584 + 0.37888 * t**2.6063, 0.01147 + 3.7582 * t**0.49338
    pomeron = c_p * x_p**a_p * (1 - x) ** b_p
    reggeon = c_r * x_r**a_r * (1 - x) ** b_r
    f2: Float[np.ndarray, "*n"] = q2_gev2 / (q2_gev2 + 0.31985) * (pomeron + reggeon)
    return f2


def photonuclear(
    material: Material, kinetic_gev: Float[np.ndarray, "*#n"], hadrons_gev: Float[np.ndarray, "*#n"]
) -> Float[np.ndarray, "*n"]:
    """Return dN/d(ln q) of inelastic collisions that give an energy q to hadrons, per g/cm2.

    Dutta, Reno, Sarcevic and Seckel, Phys. Rev. D 63, 094020 (2001), eqs. 3.4 to 3.11, over the virtuality
    Q^2: the structure function of the proton, neutrons and shadowing in nuclei.
    """
    total = kinetic_gev + MUON
    most = kinetic_gev - MUON
    allowed = (hadrons_gev > LEAST_GEV) & (hadrons_gev < most)
    q = np.where(allowed, hadrons_gev, 0.5 * np.maximum(most, 0.1))
    y = q / np.maximum(total, q + MUON)
    low = MUON**2 * y**2 / (1 - y)
    high = np.maximum(2 * NUCLEON * (q - LEAST_GEV), low)
    span = np.log(high / low)
    q2 = low[..., None] * np.exp(span[..., None] * (_NODES + 1) / 2)
    x = np.minimum(q2 / (2 * NUCLEON * q[..., None]), 1 - 1e-12)
    share, energy2 = y[..., None], (np.ones_like(q) * total)[..., None] ** 2
    bracket = 1 - share + 0.5 * (1 - 2 * MUON**2 / q2) * (share**2 + q2 / energy2) - q2 / (4 * energy2)
    common = 4 * np.pi * ALPHA**2 * HBAR_C2 * proton_structure(x, q2) / q2 * np.maximum(bracket, 0)
    common = common * _WEIGHTS * span[..., None] / 2
    neutron = 1 + x * (-1.85 + x * (2.45 + x * (-2.35 + x)))  # over the proton
    power = np.where(x < 0.04, np.maximum(0.069 * np.log10(x) + 0.097, -0.1), 0.0)
    rate = np.zeros(q.shape)
    for z, mass, part in elements(material):
        shadow = mass**power if z > 1 else 1.0
        rate += AVOGADRO / mass * part * (common * shadow * (z + (mass - z) * neutron)).sum(axis=-1)
    return np.where(allowed, rate, 0)
