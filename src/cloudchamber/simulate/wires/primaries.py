"""Which particles a readout starts with, when they come and what brought them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.random import Generator

from cloudchamber.labels import Origin
from cloudchamber.simulate.lartpc.constants import (
    ELECTRON,
    K_MINUS,
    K_PLUS,
    MASS_MEV,
    MU_MINUS,
    MU_PLUS,
    PI_MINUS,
    PI_PLUS,
    POSITRON,
    PROTON,
)
from cloudchamber.simulate.lartpc.primaries import Primaries, entry_point
from cloudchamber.simulate.walls.muons import sample_momentum
from cloudchamber.simulate.wires.config import BEAM_SHARES, Beam, Species, WiresConfig
from cloudchamber.simulate.wires.geometry import Layout

KINDS: dict[Species, tuple[int, int]] = {  # negative, positive
    "pi": (PI_MINUS, PI_PLUS), "e": (ELECTRON, POSITRON), "p": (PROTON, PROTON), "K": (K_MINUS, K_PLUS),
    "mu": (MU_MINUS, MU_PLUS),
}  # fmt: skip
LOSS_MEV_MM = 0.22  # of a muon on its way to the volume that is followed
LEAST_MEV = 5.0


class WirePrimaries(NamedTuple):
    """Particles at their start, in the frame of the box that they are followed in."""

    particles: Primaries
    tick: Float[np.ndarray, "particle"]  # when they come: charge at the wires at that time arrives then
    origin: Int[np.ndarray, "particle"]


def shares_at(momentum_gev: float) -> dict[Species, float]:
    """Return the composition of the beam at a momentum, between published ones by straight lines."""
    at = np.array(list(BEAM_SHARES))
    return {
        name: float(np.interp(momentum_gev, at, [shares[name] for shares in BEAM_SHARES.values()]))
        for name in KINDS
    }


def _kinetic(momentum_mev: float, kind: int) -> float:
    return float(np.hypot(momentum_mev, MASS_MEV[kind]) - MASS_MEV[kind])


def _along_beam(rng: Generator, beam: Beam, spread_mrad: float) -> Float[np.ndarray, "3"]:
    spread = 1e-3 * spread_mrad * rng.standard_normal(2)
    slopes = np.tan(np.radians([beam.angle_xz_deg, beam.angle_yz_deg]) + spread)
    direction = np.array([slopes[0], slopes[1], 1.0])
    return np.asarray(direction / np.linalg.norm(direction))


def beam_particles(rng: Generator, beam: Beam) -> list[tuple[int, float, np.ndarray, np.ndarray, float]]:
    """Draw the particles of the beam: kind, kinetic energy, place in the detector, direction, tick."""
    found = []
    for _ in range(beam.count):
        low, high = beam.momentum_gev
        momentum = low + (high - low) * rng.random()
        shares = shares_at(momentum) if beam.shares is None else beam.shares
        names = list(shares)
        weights = np.array([shares[name] for name in names])
        name = names[int(rng.choice(len(names), p=weights / weights.sum()))]
        kind = KINDS[name][int(rng.random() < beam.positive)]
        middle = _along_beam(rng, beam, 0.0)
        direction = _along_beam(rng, beam, beam.spread_mrad)
        through = np.array(beam.through_mm)
        place = through + middle * (beam.start_mm - through[2]) / middle[2]
        place[:2] += beam.spread_mm * rng.standard_normal(2)
        found.append((kind, _kinetic(1e3 * momentum, kind), place, direction, beam.tick))
    return found


def readout_ticks(config: WiresConfig) -> tuple[float, float]:
    """Return the first and the last tick at which a particle may come and leave charge in the readout."""
    longest = config.geometry.drift_mm / config.drift.velocity_mm_us / config.electronics.tick_us
    return -longest, float(config.electronics.ticks)


def halo_muons(rng: Generator, config: WiresConfig) -> list[tuple[int, float, np.ndarray, np.ndarray, float]]:
    """Draw muons of the halo, on the front face of both drift volumes."""
    halo, geometry, found = config.halo, config.geometry, []
    for _ in range(int(rng.integers(halo.count[0], halo.count[1] + 1))):
        kind = MU_PLUS if rng.random() < 0.5 else MU_MINUS
        low, high = halo.momentum_gev
        momentum = 1e3 * (low + (high - low) * rng.random())
        x = geometry.drift_mm * (2 * rng.random() - 1)
        place = np.array([x, geometry.height_mm * rng.random(), config.beam.start_mm])
        tick = config.electronics.ticks * rng.random()
        direction = _along_beam(rng, config.beam, halo.spread_mrad)
        found.append((kind, _kinetic(momentum, kind), place, direction, tick))
    return found


def cosmic_muons(
    rng: Generator, config: WiresConfig
) -> list[tuple[int, float, np.ndarray, np.ndarray, float]]:
    """Draw cosmic muons where they enter the two drift volumes.

    The zenith angle has the density cos^2 per solid angle, momenta are those at sea level (Shukla and
    Sankrith, arXiv:1606.06907); lines of a direction are uniform over a disk across it, and those that miss
    the detector are drawn again.
    """
    geometry, cosmics = config.geometry, config.cosmics
    size = np.array(
        [2 * geometry.drift_mm, geometry.height_mm, geometry.apas * geometry.face_wires * geometry.pitch_mm]
    )
    corner = np.array([-geometry.drift_mm, 0.0, 0.0])
    count = int(rng.integers(cosmics.count[0], cosmics.count[1] + 1))
    momentum = 1e3 * sample_momentum(rng, count, cosmics.least_gev) if count else np.zeros(0)
    first, last = readout_ticks(config)
    found = []
    for i in range(count):
        kind = MU_PLUS if rng.random() < cosmics.positive else MU_MINUS
        entry = None
        while entry is None:
            cosine, azimuth = rng.random() ** (1 / 3), 2 * np.pi * rng.random()
            sine = np.sqrt(1 - cosine**2)
            u = np.array([sine * np.cos(azimuth), -cosine, sine * np.sin(azimuth)])
            across = np.cross(u, [1.0, 0.0, 0.0] if abs(u[0]) < 0.9 else [0.0, 0.0, 1.0])
            across /= np.linalg.norm(across)
            radius, turn = 0.5 * np.linalg.norm(size) * np.sqrt(rng.random()), 2 * np.pi * rng.random()
            aim = radius * (np.cos(turn) * across + np.sin(turn) * np.cross(u, across))
            entry = entry_point(0.5 * size + aim, u, size)
        tick = first + (last - first) * rng.random()
        found.append((kind, _kinetic(float(momentum[i]), kind), corner + entry, u, tick))
    return found


def draw_wire_primaries(rng: Generator, config: WiresConfig, layout: Layout) -> WirePrimaries:
    """Draw the particles of a readout: beam, halo, cosmic muons; of the latter those that meet the box.

    Halo and cosmic muons start where they enter the box, with the energy that is left to them there.
    """
    drawn = [(*each, Origin.BEAM) for each in beam_particles(rng, config.beam)]
    drawn += [(*each, Origin.HALO) for each in halo_muons(rng, config)]
    drawn += [(*each, Origin.COSMIC) for each in cosmic_muons(rng, config)]
    corner, size = np.array(layout.origin_mm), np.array(layout.size_mm)
    kept = []
    for kind, kinetic, place, direction, tick, origin in drawn:
        start, energy = place - corner, kinetic
        if origin != Origin.BEAM:
            entry = entry_point(start, direction, size)
            if entry is None or (energy := kinetic - LOSS_MEV_MM * _path(start, entry)) < LEAST_MEV:
                continue
            start = entry
        kept.append((kind, energy, start, direction, tick, int(origin)))
    columns = [np.array(column) for column in zip(*kept, strict=True)] if kept else []
    if not columns:
        columns = [
            np.zeros(0, int), np.zeros(0), np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0), np.zeros(0, int)
        ]  # fmt: skip
    kinds, energies, places, directions, ticks, origins = columns
    return WirePrimaries(Primaries(kinds, energies, places, directions), ticks, origins)


def _path(start: Float[np.ndarray, "3"], entry: Float[np.ndarray, "3"]) -> float:
    return float(np.linalg.norm(entry - start))
