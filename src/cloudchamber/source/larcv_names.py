"""What larcv and Geant4 call things: names of creating processes, masses, and the classes that follow."""

import re
from functools import cache

from particle import InvalidParticle, Particle, ParticleNotFound

from cloudchamber.labels import Process, VoxelLabel

ELECTRON, MUON, PHOTON, PROTON = 11, 13, 22, 2212
# Names that Geant4's processes bear (Physics Reference Manual and source, GetProcessName), without case.
_NAMES = {
    "primary": Process.PRIMARY,
    "muioni": Process.IONISATION,
    "hioni": Process.IONISATION,
    "ionioni": Process.IONISATION,
    "eioni": Process.MOLLER,
    "ebrem": Process.BREMSSTRAHLUNG,
    "mubrems": Process.BREMSSTRAHLUNG,
    "hbrems": Process.BREMSSTRAHLUNG,
    "conv": Process.CONVERSION,
    "mupairprod": Process.CONVERSION,
    "hpairprod": Process.CONVERSION,
    "epairprod": Process.CONVERSION,
    "compt": Process.COMPTON,
    "phot": Process.PHOTOELECTRIC,
    "annihil": Process.ANNIHILATION,
    "decay": Process.DECAY,
    "decaywithspin": Process.DECAY,
    "muminuscaptureatrest": Process.MUON_CAPTURE,
    "muoncaptureatrest": Process.MUON_CAPTURE,
    "ncapture": Process.NEUTRON_CAPTURE,
    "neutroncapture": Process.NEUTRON_CAPTURE,
    "radioactivedecay": Process.HADRONIC,
}
_HADRONIC = re.compile(r".*(inelastic|elastic|nuclear|captureatrest|absorptionatrest|hadronic)")
# Geant4's numbers, "type::subtype": G4EmProcessSubType, G4HadronicProcessType, G4DecayProcessType.
_NUMBERS = {
    (2, 2): Process.IONISATION, (2, 3): Process.BREMSSTRAHLUNG, (2, 4): Process.CONVERSION,
    (2, 5): Process.ANNIHILATION, (2, 12): Process.PHOTOELECTRIC, (2, 13): Process.COMPTON,
    (2, 14): Process.CONVERSION, (4, 111): Process.HADRONIC, (4, 121): Process.HADRONIC,
    (4, 131): Process.NEUTRON_CAPTURE, (4, 151): Process.HADRONIC, (4, 152): Process.MUON_CAPTURE,
    (6, 201): Process.DECAY, (6, 202): Process.DECAY, (6, 210): Process.HADRONIC,
}  # fmt: skip
_WRITTEN = {
    Process.UNKNOWN: "unknown", Process.PRIMARY: "primary", Process.IONISATION: "hIoni",
    Process.MOLLER: "eIoni", Process.BREMSSTRAHLUNG: "eBrem", Process.CONVERSION: "conv",
    Process.COMPTON: "compt", Process.PHOTOELECTRIC: "phot", Process.ANNIHILATION: "annihil",
    Process.DECAY: "Decay", Process.MUON_CAPTURE: "muMinusCaptureAtRest",
    Process.NEUTRON_CAPTURE: "nCapture", Process.HADRONIC: "hadronic",
}  # fmt: skip


def process_of(name: str, parent_pdg: int = 0) -> Process:
    """Return the process behind a name of Geant4's, such as ``muIoni``, or its numbers, such as ``2::2``.

    Parameters
    ----------
    parent_pdg : tells knocked-on electrons of electrons and positrons from others where the name does not.
    """
    numbers = re.fullmatch(r"(\d+)::(\d+)", name.strip())
    if numbers:
        process = _NUMBERS.get((int(numbers[1]), int(numbers[2])), Process.UNKNOWN)
        electron = abs(parent_pdg) == ELECTRON
        return Process.MOLLER if process == Process.IONISATION and electron else process
    key = name.strip().casefold()
    if key in _NAMES:
        return _NAMES[key]
    return Process.HADRONIC if _HADRONIC.fullmatch(key) else Process.UNKNOWN


def process_name(process: int, parent_pdg: int = 0) -> str:
    """Return a name for a process that ``process_of`` and Geant4's users know."""
    if process == Process.IONISATION and abs(parent_pdg) == MUON:
        return "muIoni"
    return _WRITTEN[Process(process)]


def label_of(pdg: int, process: int) -> VoxelLabel:
    """Return the class of what a particle deposits.

    Source: the code published with Domine and Terao, arXiv:1903.05663: protons are HIP, photons showers, all
    else but electrons and positrons MIP; those are deltas from the ionisation of a muon or hadron, Michel
    electrons from a decay or a muon's capture at rest, and showers from all other processes.
    """
    if pdg == PROTON:
        return VoxelLabel.HIP
    if pdg == PHOTON:
        return VoxelLabel.SHOWER
    if abs(pdg) != ELECTRON:
        return VoxelLabel.MIP
    if process == Process.IONISATION:
        return VoxelLabel.DELTA
    if process in (Process.DECAY, Process.MUON_CAPTURE):
        return VoxelLabel.MICHEL
    return VoxelLabel.SHOWER


@cache
def mass_mev(pdg: int) -> float:
    """Return the mass of a particle in MeV as the Particle Data Group has it, NaN if it has none."""
    try:
        mass = Particle.from_pdgid(pdg).mass
    except (ParticleNotFound, InvalidParticle):
        return float("nan")
    return float("nan") if mass is None else float(mass)
