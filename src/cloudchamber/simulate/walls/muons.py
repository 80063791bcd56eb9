"""Cosmic muons at the top panel: angles, positions, momenta."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.random import Generator

from cloudchamber.compiled import compiled_fast
from cloudchamber.errors import InputError
from cloudchamber.simulate.random import new_stream, uniform
from cloudchamber.simulate.walls.config import WallsConfig

# Shukla and Sankrith (arXiv:1606.06907): parameters of the sea-level distribution.
EARTH_RADIUS_OVER_HEIGHT = 174.0
SPECTRAL_INDEX = 3.01
ENERGY_SHIFT_GEV = 4.29
DECAY_ENERGY_GEV = 854.0
MUON_MASS_GEV = 0.1056583755  # PDG 2024
_FINE_BINS = 4096
_TRIES = 100_000


class Muons(NamedTuple):
    """Muons on the plane of the highest panel, going down.

    ``position_m`` (muon, 3); ``direction`` (muon, 3), unit vectors with z < 0; ``momentum_gev`` (muon,).
    """

    position_m: Float[np.ndarray, "muon 3"]
    direction: Float[np.ndarray, "muon 3"]
    momentum_gev: Float[np.ndarray, "muon"]


def zenith_density(theta: Float[np.ndarray, "n"], horizontal_flux: bool) -> Float[np.ndarray, "n"]:
    """Return the density of the zenith angle, not normalised.

    Shukla and Sankrith, eq. 10: D^-(n-1) with D = sqrt(R^2 cos^2 + 2 R + 1) - R cos and n - 1 = 2. With
    ``horizontal_flux`` it is multiplied by sin cos: solid angle and the projected area of the panel; the
    challenge of 2022 left that out.
    """
    cos = np.cos(theta)
    radius = EARTH_RADIUS_OVER_HEIGHT
    path = np.sqrt((radius * cos) ** 2 + 2 * radius + 1) - radius * cos
    density: Float[np.ndarray, n] = path**-2.0
    return density * np.sin(theta) * cos if horizontal_flux else density


def sample_momentum(rng: Generator, n: int, least_gev: float) -> Float[np.ndarray, "n"]:
    """Draw momenta in GeV/c above ``least_gev`` from the sea-level spectrum.

    dN/dE ~ (E0 + E)^-n / (1 + E/epsilon) (Shukla and Sankrith, eq. 4), E the total energy: the power law by
    inversion, the last factor by rejection.
    """
    least = np.hypot(least_gev, MUON_MASS_GEV)
    energy = np.empty(0)
    while energy.size < n:
        u = 1.0 - rng.random(n)
        trial = (ENERGY_SHIFT_GEV + least) * u ** (-1 / (SPECTRAL_INDEX - 1)) - ENERGY_SHIFT_GEV
        keep = rng.random(n) < (1 + least / DECAY_ENERGY_GEV) / (1 + trial / DECAY_ENERGY_GEV)
        energy = np.concatenate([energy, trial[keep]])
    momentum: Float[np.ndarray, n] = np.sqrt(energy[:n] ** 2 - MUON_MASS_GEV**2)
    return momentum


@compiled_fast
def _draw(
    stream, cumulative, guide, tangents, width, binned, margin, start_z, base, voxel, layers, side_x, side_y,
    tries, position, direction,
):  # fmt: skip
    """Draw muons until the arrays are full; returns how many of them were found within the tries allowed."""
    for i in range(position.shape[0]):
        found = False
        for _ in range(tries):
            u_theta, stream = uniform(stream)
            u_x, stream = uniform(stream)
            u_y, stream = uniform(stream)
            which = guide[int(u_theta * guide.size)]
            while cumulative[which] <= u_theta:
                which += 1
            tan = tangents[which]
            if not binned:
                u_bin, stream = uniform(stream)
                tan = np.tan((which + u_bin) * width)
            # A direction in azimuth: the angle of a random point in the unit disc (von Neumann).
            disc = 2.0
            while disc > 1 or disc == 0:
                u_1, stream = uniform(stream)
                u_2, stream = uniform(stream)
                across, along = 2 * u_1 - 1, 2 * u_2 - 1
                disc = across * across + along * along
            x = -margin + (side_x + 2 * margin) * u_x
            y = -margin + (side_y + 2 * margin) * u_y
            scale = tan / np.sqrt(disc)
            slope_x, slope_y = across * scale, along * scale
            for layer in range(layers, 0, -1):
                fall = start_z - (base + layer * voxel)
                at_x, at_y = x + slope_x * fall, y + slope_y * fall
                if 0 <= at_x <= side_x and 0 <= at_y <= side_y:
                    found = True
                    break
            if found:
                break
        if not found:
            return i
        position[i, 0], position[i, 1], position[i, 2] = x, y, start_z
        cos = 1 / np.sqrt(1 + tan * tan)
        direction[i, 0], direction[i, 1], direction[i, 2] = slope_x * cos, slope_y * cos, -cos
    return position.shape[0]


def generate_muons(rng: Generator, config: WallsConfig, count: int | None = None) -> Muons:
    """Draw ``count`` muons, or as many as one volume gets.

    A muon whose straight line misses the footprint at the top of every layer is drawn again.

    Raises
    ------
    InputError
        if hardly any muon would hit the volume.
    """
    muons, volume = config.muons, config.volume
    start_z = config.panels.above_m[0]
    bins = muons.theta_bins or _FINE_BINS
    width = np.radians(muons.theta_max_deg) / bins
    centres = (np.arange(bins) + 0.5) * width
    cumulative = np.cumsum(zenith_density(centres, muons.horizontal_flux))
    cumulative /= cumulative[-1]
    guide = np.searchsorted(cumulative, np.arange(4 * bins) / (4 * bins), side="right")
    count = muons.count if count is None else count
    position, direction = np.empty((count, 3)), np.empty((count, 3))
    margin = start_z * np.tan(np.radians(muons.margin_deg))
    found = _draw(
        new_stream(rng), cumulative, guide, np.tan(centres), width, muons.theta_bins is not None, margin,
        start_z, volume.base_m, volume.voxel_m, volume.shape[0], volume.side_x_m,
        volume.side_y_m, _TRIES, position, direction,
    )  # fmt: skip
    if found < count:
        raise InputError("muons", "margin_deg", "muons that hit the volume", f"none in {_TRIES} tries")
    momentum = (
        np.full(count, muons.momentum_gev)
        if muons.momentum_gev is not None
        else sample_momentum(rng, count, muons.least_momentum_gev)
    )
    return Muons(position, direction, momentum)
