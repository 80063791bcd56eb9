"""Liquid argon, and the particles that cross it; energies in MeV, lengths in mm.

Sources: Particle Data Group, Review of Particle Physics (2024) and its tables of atomic and nuclear
properties; Sternheimer's parameters and the excitation energy as in Groom, Mokhov and Striganov, At. Data
Nucl. Data Tables 78 (2001) 183.
"""

import numpy as np

DENSITY_G_CM3 = 1.396
Z, Z_OVER_A = 18.0, 0.45059
EXCITATION_MEV = 188.0e-6
STERNHEIMER_A, STERNHEIMER_M = 0.19559, 3.0  # liquid argon
STERNHEIMER_X0, STERNHEIMER_X1, STERNHEIMER_C = 0.2, 3.0, 5.2146
X0_MM = 140.0  # radiation length
INTERACTION_MM = 840.0  # nuclear interaction length, of protons and of pions alike
BINDING_MEV = 3.2e-3  # K shell of argon
GRAMS_PER_MM = 0.1 * DENSITY_G_CM3  # g/cm2 in a millimetre

ELECTRON_MEV, MUON_MEV = 0.51099895, 105.6583755
PION_MEV, PION0_MEV, PROTON_MEV, KAON_MEV = 139.57039, 134.9768, 938.27208816, 493.677
# 2 pi N r_e^2 m_e c^2 Z/A: half of the K of Bethe's formula, per mm of argon.
HALF_K_MEV_MM = 0.5 * 0.307075 * Z_OVER_A * GRAMS_PER_MM
RADIUS2_MM2 = (2.8179403e-12) ** 2  # classical radius of the electron, squared
ELECTRONS_PER_MM3 = 6.02214076e23 * DENSITY_G_CM3 * 1e-3 * Z_OVER_A

# Kinds of particles in the compiled loops; the PDG's codes and masses by kind.
GAMMA, ELECTRON, POSITRON, MU_MINUS, MU_PLUS, PI_MINUS, PI_PLUS, PROTON, K_MINUS, K_PLUS = range(10)
PDG = np.array([22, 11, -11, 13, -13, -211, 211, 2212, -321, 321], dtype=np.int32)
MASS_MEV = np.array(
    [0.0, ELECTRON_MEV, ELECTRON_MEV, MUON_MEV, MUON_MEV, PION_MEV, PION_MEV, PROTON_MEV, KAON_MEV, KAON_MEV]
)  # fmt: skip

PHOTON_CUT = 0.3  # bremsstrahlung below it is a continuous loss
DELTA_CUT = 0.3  # electrons knocked on above it are followed, below it they deposit where they are
SOFT_CUT = 0.01  # collisions below it are a mean loss with Gaussian fluctuations
ELECTRON_STOP = 0.1  # electrons below it, 0.14 mm of range, deposit where they are
PHOTON_STOP = 0.03  # photons below it likewise: 0.3 cm of path at most
