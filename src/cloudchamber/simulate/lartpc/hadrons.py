"""What nuclei do to hadrons, in flight and at rest, and what ends a muon or kaon: simple models.

The rates are those of the nuclear interaction length; the products keep within the energy there is, and what
goes into neutrons and into the binding of the nucleus is not seen.
"""

import numpy as np

from cloudchamber.compiled import compiled
from cloudchamber.labels import Process
from cloudchamber.simulate.lartpc.constants import (
    ELECTRON,
    ELECTRON_MEV,
    GAMMA,
    K_PLUS,
    KAON_MEV,
    MU_PLUS,
    MUON_MEV,
    PI_MINUS,
    PI_PLUS,
    PION0_MEV,
    PION_MEV,
    POSITRON,
    PROTON,
)
from cloudchamber.simulate.lartpc.record import flat, isotropic, poisson, push, turned

_DECAY, _CAPTURE = int(Process.DECAY), int(Process.MUON_CAPTURE)
_HADRONIC = int(Process.HADRONIC)
MICHEL_END_MEV = (MUON_MEV**2 + ELECTRON_MEV**2) / (2 * MUON_MEV)  # 52.8 MeV, total energy
MUON_OF_PION_MEV = (PION_MEV - MUON_MEV) ** 2 / (2 * PION_MEV)  # 4.12 MeV, kinetic
MUON_OF_KAON_MEV = (KAON_MEV - MUON_MEV) ** 2 / (2 * KAON_MEV)  # 152.5 MeV, kinetic
PION_OF_KAON_MEV = ((KAON_MEV - PION_MEV) ** 2 - PION0_MEV**2) / (2 * KAON_MEV)  # 108.5 MeV, with a pi0
PION0_OF_KAON_MEV = KAON_MEV - PION_MEV - PION0_MEV - PION_OF_KAON_MEV
KAON_TO_MUON = 0.636  # of positive kaons at rest (PDG 2024); all others are taken to end in two pions
CAPTURED = 0.75  # of negative muons at rest in argon
_CAPTURE_PHOTONS, _STAR_PHOTONS = 0.8, 1.0  # mean numbers of photons that nuclei emit afterwards
_ABSORBED, _EXCHANGED = 0.30, 0.15  # of pion interactions; the rest scatters
_TRANSVERSE_MEV = 250.0  # of a leading particle's momentum after an interaction


@compiled
def michel_energy(record):
    """Return the kinetic energy of a Michel electron in MeV: x^2 (3 - 2x) of x, energy over end point."""
    while True:
        x = flat(record)
        if flat(record) < x * x * (3 - 2 * x):
            return max(x * MICHEL_END_MEV - ELECTRON_MEV, 0.0)


@compiled
def nuclear_photons(record, row, process, mean, x, y, z):
    """Emit photons of nuclear levels, 0.5 to 8 MeV."""
    for _ in range(poisson(record, mean)):
        ux, uy, uz = isotropic(record)
        push(record, GAMMA, row, process, 0.5 + 7.5 * flat(record) ** 2, x, y, z, ux, uy, uz)


@compiled
def evaporate(record, row, mean, scale, budget, x, y, z):
    """Emit protons, isotropically, of exponential spectra; return what is left of ``budget``."""
    for _ in range(poisson(record, mean)):
        energy = -scale * np.log(flat(record)) + 2.0
        if energy + 8.0 > budget:
            break
        ux, uy, uz = isotropic(record)
        push(record, PROTON, row, _HADRONIC, energy, x, y, z, ux, uy, uz)
        budget -= energy + 8.0
    return budget


@compiled
def muon_rests(record, row, positive, x, y, z):
    """Let a muon at rest decay, or its nucleus capture it."""
    if not positive and flat(record) < CAPTURED:
        nuclear_photons(record, row, _CAPTURE, _CAPTURE_PHOTONS, x, y, z)
        return
    ux, uy, uz = isotropic(record)
    kind = POSITRON if positive else ELECTRON
    push(record, kind, row, _DECAY, michel_energy(record), x, y, z, ux, uy, uz)


@compiled
def pion_rests(record, row, positive, x, y, z):
    """Let a pion at rest decay, if it is positive, or break up a nucleus."""
    if positive:
        ux, uy, uz = isotropic(record)
        push(record, MU_PLUS, row, _DECAY, MUON_OF_PION_MEV, x, y, z, ux, uy, uz)
        return
    evaporate(record, row, 0.8, 12.0, PION_MEV, x, y, z)
    nuclear_photons(record, row, _HADRONIC, _STAR_PHOTONS, x, y, z)


@compiled
def neutral_pion(record, row, energy, x, y, z, ux, uy, uz):
    """Let a neutral pion decay into two photons."""
    gamma = 1 + energy / PION0_MEV
    beta = np.sqrt(1 - 1 / (gamma * gamma))
    cosine, azimuth = 2 * flat(record) - 1, 2 * np.pi * flat(record)
    for sign, turn in ((1.0, 0.0), (-1.0, np.pi)):
        c = sign * cosine
        vx, vy, vz = turned(ux, uy, uz, (c + beta) / (1 + beta * c), azimuth + turn)
        k = 0.5 * PION0_MEV * gamma * (1 + beta * c)
        push(record, GAMMA, row, _DECAY, k, x, y, z, vx, vy, vz)


@compiled
def leading(record, mass, energy, ux, uy, uz):
    """Return the direction of a leading particle: an exponential transverse momentum squared."""
    p = np.sqrt(energy * (energy + 2 * mass))
    sine2 = min(1.0, -np.log(flat(record)) * (_TRANSVERSE_MEV / (p + 1.0)) ** 2)
    cosine = np.sqrt(1 - sine2) if sine2 < 1 else 2 * flat(record) - 1
    return turned(ux, uy, uz, cosine, 2 * np.pi * flat(record))


@compiled
def new_pions(record, row, budget, x, y, z, ux, uy, uz):
    """Produce a pion of any charge now and then where the energy allows; return what is left."""
    while budget > 400.0 and flat(record) < 0.5:
        energy = (budget - PION_MEV) * (0.1 + 0.5 * flat(record))
        budget -= energy + PION_MEV
        vx, vy, vz = leading(record, PION_MEV, energy, ux, uy, uz)
        charge = 3 * flat(record)
        if charge < 1:
            neutral_pion(record, row, energy, x, y, z, vx, vy, vz)
        else:
            kind = PI_PLUS if charge < 2 else PI_MINUS
            push(record, kind, row, _HADRONIC, energy, x, y, z, vx, vy, vz)
    return budget


@compiled
def pion_interacts(record, row, kind, energy, x, y, z, ux, uy, uz):
    """Let a pion be absorbed, change its charge or scatter off a nucleus."""
    which = flat(record)
    if which < _ABSORBED:
        evaporate(record, row, 2.0, 30.0 + 0.15 * energy, energy + PION_MEV, x, y, z)
    else:
        kept = energy * (0.3 + 0.65 * flat(record))
        vx, vy, vz = leading(record, PION_MEV, kept, ux, uy, uz)
        if which < _ABSORBED + _EXCHANGED:
            neutral_pion(record, row, kept, x, y, z, vx, vy, vz)
        else:
            push(record, kind, row, _HADRONIC, kept, x, y, z, vx, vy, vz)
        left = new_pions(record, row, energy - kept, x, y, z, ux, uy, uz)
        evaporate(record, row, 1.0, 15.0 + 0.2 * left, left, x, y, z)
    nuclear_photons(record, row, _HADRONIC, _STAR_PHOTONS, x, y, z)


@compiled
def kaon_rests(record, row, positive, x, y, z):
    """Let a kaon at rest decay, if it is positive, or break up a nucleus, which leaves a pion."""
    ux, uy, uz = isotropic(record)
    if not positive:
        push(record, PI_MINUS, row, _HADRONIC, 30.0 + 70.0 * flat(record), x, y, z, ux, uy, uz)
        evaporate(record, row, 0.8, 12.0, PION_MEV, x, y, z)
        nuclear_photons(record, row, _HADRONIC, _STAR_PHOTONS, x, y, z)
    elif flat(record) < KAON_TO_MUON:
        push(record, MU_PLUS, row, _DECAY, MUON_OF_KAON_MEV, x, y, z, ux, uy, uz)
    else:
        push(record, PI_PLUS, row, _DECAY, PION_OF_KAON_MEV, x, y, z, ux, uy, uz)
        neutral_pion(record, row, PION0_OF_KAON_MEV, x, y, z, -ux, -uy, -uz)


@compiled
def kaon_interacts(record, row, kind, energy, x, y, z, ux, uy, uz):
    """Let a kaon scatter off a nucleus as a pion does; negative ones may end in it instead."""
    if kind != K_PLUS and flat(record) < _ABSORBED:
        left = new_pions(record, row, energy + KAON_MEV, x, y, z, ux, uy, uz)
        evaporate(record, row, 2.0, 15.0 + 0.2 * left, left, x, y, z)
    else:
        kept = energy * (0.3 + 0.65 * flat(record))
        vx, vy, vz = leading(record, KAON_MEV, kept, ux, uy, uz)
        push(record, kind, row, _HADRONIC, kept, x, y, z, vx, vy, vz)
        left = new_pions(record, row, energy - kept, x, y, z, ux, uy, uz)
        evaporate(record, row, 1.0, 15.0 + 0.2 * left, left, x, y, z)
    nuclear_photons(record, row, _HADRONIC, _STAR_PHOTONS, x, y, z)


@compiled
def proton_interacts(record, row, energy, x, y, z, ux, uy, uz):
    """Let a proton knock others out of a nucleus; half of the time a neutron goes on in its place."""
    kept = energy * (0.2 + 0.7 * flat(record))
    if flat(record) < 0.5:
        vx, vy, vz = leading(record, 938.3, kept, ux, uy, uz)
        push(record, PROTON, row, _HADRONIC, kept, x, y, z, vx, vy, vz)
    left = new_pions(record, row, energy - kept, x, y, z, ux, uy, uz)
    evaporate(record, row, 1.5, 15.0 + 0.2 * left, left, x, y, z)
    nuclear_photons(record, row, _HADRONIC, _STAR_PHOTONS, x, y, z)
