"""Hadronic showers of photonuclear losses as spots of energy, broader than electromagnetic ones.

A part of the energy goes to neutral pions at once, 1 - E^(k - 1) on average with k = 0.82 and E in GeV
(Gabriel et al., Nucl. Instrum. Methods A 338, 336 (1994)), and makes an electromagnetic shower. The rest is
deposited by hadrons at depths of a gamma distribution in interaction lengths (Bock, Hansl-Kozanecka and Shah,
Nucl. Instrum. Methods 186, 533 (1981)), less what frees nucleons or leaves as neutrons and neutrinos, 30% of
it on average (Wigmans, Calorimetry, 2nd ed., section 2.3). Across, spots follow 2 r R^2 / (r^2 + R^2)^2, the
form of Grindhammer, Rudowicz and Peters (Nucl. Instrum. Methods A 290, 469 (1990)). Their median R grows with
depth; about 95% of the hadrons' energy is then within one interaction length of the axis.
"""

from typing import NamedTuple

import numpy as np

from cloudchamber.compiled import compiled
from cloudchamber.simulate.calorimeter.config import CalorimeterConfig
from cloudchamber.simulate.calorimeter.deposit import deposit
from cloudchamber.simulate.calorimeter.showers import across, azimuth, electromagnetic_shower, gamma_number
from cloudchamber.simulate.random import normal, uniform

PION_GEV = 1.0  # scale of the neutral pions' share
PION_POWER = -0.18
PION_SPREAD = 0.25  # of the neutral pions' share, relative to its square root, at 1 GeV and above
LOST_SHARE, LOST_SPREAD = 0.3, 0.1  # of the hadrons' energy
ALPHA, ALPHA_SLOPE = 0.6165, 0.3183  # of the gamma distribution, with ln(E/GeV)
BETA, BETA_SLOPE = 0.9099, -0.0237  # per interaction length
LEAST_ALPHA, LEAST_BETA = 0.3, 0.5
RADIUS, RADIUS_SLOPE = 0.06, 0.12  # median distance in interaction lengths, and its growth with depth
REACH = 2.0  # no spot is farther from the axis, in interaction lengths
SPOT_GEV = 5e-3  # of the order of what a slow proton or a pion in one cell deposits


class Hadrons(NamedTuple):
    """What hadronic showers need of a material, for compiled loops."""

    interaction_mm: float


def hadrons_of(config: CalorimeterConfig) -> Hadrons:
    """Return the constants of hadronic showers in the material of a configuration."""
    return Hadrons(config.material.interaction_mm)


@compiled
def shares(state, energy):
    """Return the shares of neutral pions, of what hadrons deposit, and of what is lost; they add up to 1."""
    pions = 0.0
    if energy > PION_GEV:
        mean = 1 - (energy / PION_GEV) ** PION_POWER
        change, state = normal(state)
        pions = min(max(mean + PION_SPREAD * np.sqrt(mean * (1 - mean)) * change, 0.0), 1.0)
    change, state = normal(state)
    lost = (1 - pions) * min(max(LOST_SHARE + LOST_SPREAD * change, 0.0), 1.0)
    return state, pions, 1 - pions - lost, lost


@compiled
def hadronic_shower(state, cells, block, showers, hadrons, energy, depth, x, y, uz, ux, uy):
    """Put a hadronic shower of an energy in GeV, begun at a place with a direction, into the cells."""
    state, pions, seen, _ = shares(state, energy)
    if pions > 0:
        state = electromagnetic_shower(state, cells, block, showers, pions * energy, depth, x, y, uz, ux, uy)
    log_energy = np.log(energy)
    alpha = max(ALPHA + ALPHA_SLOPE * log_energy, LEAST_ALPHA)
    beta = max(BETA + BETA_SLOPE * log_energy, LEAST_BETA)
    ax, ay, az, bx, by, bz = across(ux, uy, uz)
    count = max(int(seen * energy / SPOT_GEV + 0.5), 1)
    left = seen * energy
    for number in range(count):
        u, state = uniform(state)
        part = left if number == count - 1 else left * (1 - u ** (1 / (count - 1 - number)))
        left -= part
        t, state = gamma_number(state, alpha)
        t /= beta
        radius = RADIUS + RADIUS_SLOPE * t
        u, state = uniform(state)
        u *= REACH**2 / (REACH**2 + radius * radius)
        r = radius * np.sqrt(u / (1 - u)) * hadrons.interaction_mm
        cosine, sine, state = azimuth(state)
        a, b, along = r * cosine, r * sine, t * hadrons.interaction_mm
        deposit(
            cells, block, part, depth + along * uz + a * az + b * bz,
            x + along * ux + a * ax + b * bx, y + along * uy + a * ay + b * by,
        )  # fmt: skip
    return state
