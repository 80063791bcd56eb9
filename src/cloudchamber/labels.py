"""Classes that images are labelled with."""

from enum import IntEnum


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
