"""The whole number of a pixel in LArSoft's training data: kind of particle, kind of track, vertices.

Bits of nnet::TrainingDataAlg (larrecodnn, PointIdAlg.h): 0 to 11 hold the absolute PDG number (of nuclei only
its lowest 12 bits), 12 to 15 the kind of track, 16 and up flags of vertices.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer, UInt8

from cloudchamber.labels import Activity, VertexFlag

PDG_MASK = 0xFFF
DELTA, MICHEL, PRIMARY_ELECTRON, PRIMARY_MUON = 0x1000, 0x2000, 0x4000, 0x8000
# Others are told neither here nor there: interaction and flavour of a neutrino (0x10000, 0x20000, 0x100000 to
# 0x400000) and "a pi0 begins here" (0x2000000).
VERTEX_BITS = {
    VertexFlag.NEUTRINO_PRIMARY: 0x40000,
    VertexFlag.HADRONIC: 0x1000000,
    VertexFlag.DECAY: 0x4000000,
    VertexFlag.CONVERSION: 0x8000000,
    VertexFlag.ELECTRON_END: 0x10000000,
    VertexFlag.ELASTIC: 0x20000000,
    VertexFlag.INELASTIC: 0x40000000,
}
ELECTRON = 11
LEAST_GEV = 2e-5  # a pixel with less shows nothing


class Truth(NamedTuple):
    """What pixels show: values of Activity, 1 for a Michel electron, sums of VertexFlag."""

    activity: UInt8[np.ndarray, "wire drift"]
    michel: UInt8[np.ndarray, "wire drift"]
    vertex: UInt8[np.ndarray, "wire drift"]


def truth_of(
    pdg: Integer[np.ndarray, "wire drift"], deposit_gev: Float[np.ndarray, "wire drift"] | None
) -> Truth:
    """Return the truth of pixels by the rules of Sulej et al.

    Nothing, if less than 20 keV were deposited (without deposits: if there is no particle); electromagnetic,
    if the particle that deposited most is an electron or positron; a track else. Vertices stand alone: a
    pixel may hold one and yet show nothing.
    """
    particle = pdg & PDG_MASK
    shown = particle != 0 if deposit_gev is None else deposit_gev >= LEAST_GEV
    electron = shown & (particle == ELECTRON)
    activity = np.where(electron, Activity.EM, np.where(shown, Activity.TRACK, Activity.NONE))
    vertex = np.zeros(pdg.shape, np.uint8)
    for flag, bit in VERTEX_BITS.items():
        vertex[(pdg & bit) != 0] |= np.uint8(flag)
    michel = electron & ((pdg & MICHEL) != 0)
    return Truth(activity.astype(np.uint8), michel.astype(np.uint8), vertex)


def number_of(
    truth: Truth, pdg: Integer[np.ndarray, "wire drift"] | None = None
) -> Integer[np.ndarray, "wire drift"]:
    """Return LArSoft's whole number of pixels.

    Parameters
    ----------
    pdg : numbers of the particles; without them tracks are muons. Electromagnetic pixels are electrons
        whatever stands here, as LArSoft counts what a photon left.
    """
    shown = truth.activity != Activity.NONE
    track = np.full(shown.shape, 13) if pdg is None else np.abs(pdg) & PDG_MASK
    track = np.where((track == 0) | (track == ELECTRON), 13, track)
    number = np.where(truth.activity == Activity.EM, ELECTRON, np.where(shown, track, 0)).astype(np.int32)
    number[truth.michel == 1] |= MICHEL
    for flag, bit in VERTEX_BITS.items():
        number[(truth.vertex & flag) != 0] |= np.int32(bit)
    return number
