"""How fast muons come at sea level, and so how long a scan takes."""

from functools import cache

import numpy as np
from numpy.random import default_rng
from pydantic import Field
from scipy.integrate import quad

from cloudchamber.simulate.walls.config import Frozen, Muons, Volume, WallsConfig
from cloudchamber.simulate.walls.muons import (
    DECAY_ENERGY_GEV,
    ENERGY_SHIFT_GEV,
    MUON_MASS_GEV,
    SPECTRAL_INDEX,
    zenith_density,
)

VERTICAL_HZ = 70.0
"""Muons above 1 GeV/c per m^2, s and sr from the vertical (PDG review 2024, section 30.3.1)."""
_TRIES = 200_000
_BINS = 4096


class MuonRate(Frozen):
    """Muons that come upon a set-up: what ``muons.count`` counts, per second."""

    flux_hz_per_m2: float = Field(description="through a horizontal plane, within theta_max")
    area_m2: float = Field(description="of the start area, on the plane of the highest panel")
    reaching: float = Field(description="share of those through the start area whose line meets the volume")

    @property
    def hz(self) -> float:
        """Muons per second that head for the volume."""
        return self.flux_hz_per_m2 * self.area_m2 * self.reaching

    def seconds(self, count: int) -> float:
        """Return how long ``count`` muons take."""
        return count / self.hz


@cache
def share_above(momentum_gev: float) -> float:
    """Return the vertical muons above a momentum over those above 1 GeV/c (Shukla and Sankrith, eq. 4)."""

    def above(least_gev: float) -> float:
        def density(energy: float) -> float:
            return float((ENERGY_SHIFT_GEV + energy) ** -SPECTRAL_INDEX / (1 + energy / DECAY_ENERGY_GEV))

        return float(quad(density, np.hypot(least_gev, MUON_MASS_GEV), np.inf)[0])

    return above(momentum_gev) / above(1.0)


def muon_rate(config: WallsConfig) -> MuonRate:
    """Return how fast muons come upon a set-up at sea level.

    The zenith angle has the density that the simulation draws from (Shukla and Sankrith, eq. 10), through a
    horizontal plane and scaled to 70 per m^2, s and sr from the vertical above 1 GeV/c. Of a spectrum those
    above ``least_momentum_gev`` count; of muons of one momentum all above that momentum, as if each had it.
    The share that meets the volume is that of straight lines, as in the simulation, good to a part in 500.
    """
    anyhow = config.muons.model_copy(update={"count": 1})
    return _rate(anyhow, config.volume, config.panels.above_m[0])


@cache
def _rate(muons: Muons, volume: Volume, start: float) -> MuonRate:
    width = np.radians(muons.theta_max_deg) / _BINS
    theta = (np.arange(_BINS) + 0.5) * width
    through_plane = zenith_density(theta, horizontal_flux=True)
    vertical = float(zenith_density(np.zeros(1), horizontal_flux=False)[0])
    least = muons.least_momentum_gev if muons.momentum_gev is None else muons.momentum_gev
    flux = 2 * np.pi * VERTICAL_HZ * share_above(least) * float(through_plane.sum()) * width / vertical
    margin = start * np.tan(np.radians(muons.margin_deg))
    rng = default_rng(0)
    drawn = np.tan(rng.choice(theta, _TRIES, p=through_plane / through_plane.sum()))
    azimuth = rng.uniform(0, 2 * np.pi, _TRIES)
    sides = (volume.side_x_m, volume.side_y_m)
    from_x, from_y = (rng.uniform(-margin, side + margin, _TRIES) for side in sides)
    meets = np.zeros(_TRIES, dtype=bool)
    for layer in range(1, volume.shape[0] + 1):
        away = drawn * (start - volume.base_m - layer * volume.voxel_m)
        x, y = from_x + away * np.cos(azimuth), from_y + away * np.sin(azimuth)
        meets |= (x >= 0) & (x <= sides[0]) & (y >= 0) & (y <= sides[1])
    area = (sides[0] + 2 * margin) * (sides[1] + 2 * margin)
    return MuonRate(flux_hz_per_m2=float(flux), area_m2=float(area), reaching=float(meets.mean()))
