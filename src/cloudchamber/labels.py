"""Classes that images are labelled with."""

from enum import IntEnum, IntFlag


class WallLabel(IntEnum):
    """What a voxel of a buried volume is made of (MODE challenge, 2022)."""

    SOIL = 0
    WALL = 1


class VoxelLabel(IntEnum):
    """What deposited the energy of a voxel (Domine and Terao, arXiv:1903.05663): the five types of larcv."""

    HIP = 0
    MIP = 1
    SHOWER = 2
    DELTA = 3
    MICHEL = 4


class Process(IntEnum):
    """What created a particle; electrons take their label from it. Geant4's names stand in ``source``."""

    UNKNOWN = 0
    PRIMARY = 1
    IONISATION = 2  # knocked on by a muon or hadron: a delta ray
    MOLLER = 3  # knocked on by an electron or positron
    BREMSSTRAHLUNG = 4
    CONVERSION = 5
    COMPTON = 6
    PHOTOELECTRIC = 7
    ANNIHILATION = 8
    DECAY = 9
    MUON_CAPTURE = 10
    NEUTRON_CAPTURE = 11
    HADRONIC = 12


class BeamLabel(IntEnum):
    """Where the charge of a pixel comes from (Timilsina, ProtoDUNE, 2018); the halo is not beam."""

    BACKGROUND = 0
    NOT_BEAM = 1
    BEAM = 2


class BeamSpecies(IntEnum):
    """What left the charge of a pixel, what belongs to the beam apart by kind (Timilsina's outlook)."""

    BACKGROUND = 0
    NOT_BEAM = 1
    ELECTRON = 2  # electrons, positrons, photons: showers, delta rays, Michel electrons
    MUON = 3
    PION = 4
    KAON = 5
    PROTON = 6
    OTHER = 7


class Origin(IntEnum):
    """What brought a particle, or its ancestor, into a LArTPC at the surface."""

    UNKNOWN = 0
    COSMIC = 1
    HALO = 2
    BEAM = 3
    NEUTRINO = 4


class Activity(IntEnum):
    """What a pixel shows (Sulej et al.): nothing, a track or an electromagnetic shower."""

    NONE = 0
    TRACK = 1
    EM = 2


class VertexFlag(IntFlag):
    """Kinds of points of interest that a pixel may hold, several at once (Sulej et al.)."""

    HADRONIC = 1
    DECAY = 2
    CONVERSION = 4
    NEUTRINO_PRIMARY = 8
    ELECTRON_END = 16
    ELASTIC = 32
    INELASTIC = 64
