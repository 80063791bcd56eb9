"""Constants of the losses of muons; energies in GeV, areas in cm2.

Sources: Particle Data Group, Review of Particle Physics (2024); radiation logarithms: Kelner, Kokoulin and
Petrukhin, Phys. At. Nucl. 62, 1894 (1999), from Hartree-Fock form factors.
"""

from collections.abc import Iterator

import numpy as np

from cloudchamber.simulate.calorimeter.config import Material

ELECTRON, MUON = 0.51099895e-3, 0.1056583755
PION, NUCLEON = 0.1349768, 0.9389187
ALPHA = 1 / 137.035999
AVOGADRO = 6.02214076e23
RADIUS_CM = 2.8179403e-13  # classical radius of the electron
HBAR_C2 = 0.3893794e-27  # GeV2 cm2
HALF_K = 2 * np.pi * AVOGADRO * RADIUS_CM**2 * ELECTRON  # 2 pi N r_e^2 m_e c^2, GeV cm2/mol
ROOT_E = np.exp(0.5)

_LOGARITHM = {
    1: 202.4, 2: 151.9, 3: 159.9, 4: 172.3, 5: 177.9, 6: 178.3, 7: 176.6, 8: 173.4, 9: 170.0, 10: 165.8,
    11: 165.8, 12: 167.1, 13: 169.1, 14: 170.8, 15: 172.2, 16: 173.4, 17: 174.3, 18: 174.8, 19: 175.1,
    20: 175.6, 21: 176.2, 22: 176.8, 26: 175.8, 29: 173.1, 32: 173.0, 35: 173.5, 42: 175.9, 50: 177.4,
    53: 178.6, 74: 177.6, 82: 178.0, 92: 179.8,
}  # fmt: skip


def radiation_logarithm(z: int) -> float:
    """Return the radiation logarithm B of an element; between the published ones, by interpolation."""
    return float(np.interp(z, list(_LOGARITHM), list(_LOGARITHM.values())))


def inelastic_logarithm(z: int) -> float:
    """Return B' of an element, the radiation logarithm of its electrons."""
    return 446.0 if z == 1 else 1429.0


def elements(material: Material) -> Iterator[tuple[int, float, float]]:
    """Yield atomic number, atomic mass and share of the mass of each element."""
    total = sum(mass * atoms for mass, atoms in material.elements.values())
    for z, (mass, atoms) in material.elements.items():
        yield z, mass, mass * atoms / total


def z_over_a(material: Material) -> float:
    """Return the electrons per unit of atomic mass, mol/g."""
    return sum(share * z / mass for z, mass, share in elements(material))
