"""Electromagnetic showers as spots of energy: Grindhammer and Peters, hep-ex/0001020 (1993/2000).

Their depth follows a gamma distribution whose maximum T and shape alpha fluctuate together from shower to
shower; their distance from the axis follows a core and a tail, both of the form 2 r R^2 / (r^2 + R^2)^2; the
radii and the share of the core change with depth. Numbers without another source are those of the article for
homogeneous media, with depth in radiation lengths and radii in Moliere radii.

The article holds above 1 GeV. Below, the electron itself leaves Ec ln(1 + E/Ec) along X0 ln(1 + E/Ec), and
what it radiates is the rest (Rossi, High-Energy Particles, 1952, approximation B). The mean depth of all goes
as ln(1 + E/Ec) too, and beta stays what it is at 1 GeV, as it is that of photons near the minimum of their
absorption. Across, the electron's own track is a part of the core, and all that follows is turned aside with
it: the radii of the article hold for showers whose first electron goes straight, yet one of 0.1 GeV is
scattered by 0.14 per root of a radiation length (PDG 2024, eq. 34.16, without its logarithm).

The form of the tail falls off as a power of the distance, which photons do not: it ends at ``REACH``, and a
part of its spots are photons near the minimum of their absorption, 1.5 to 8 MeV, that leave the axis at any
angle and fly a mean free path of ``HALO_GRAMS`` on average.

Spots of the core are electrons of up to the critical energy, which end in the cells that they start in; those
of the tail are what low-energy photons give to single electrons far from the axis: from the K edge of
tungsten, below which photons do not leave the cell, to the critical energy, above which electrons radiate.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from cloudchamber.compiled import compiled, compiled_inline
from cloudchamber.simulate.calorimeter.config import CalorimeterConfig, Material
from cloudchamber.simulate.calorimeter.deposit import deposit
from cloudchamber.simulate.random import normal, uniform

# Free parts, set by the lateral containment of electrons of 10 GeV at the centre of a cell: within 2 points
# both as shares of the electron's energy and of what a block 120 mm wide holds, 1% less. They allow shares of
# the halo from 0 to 0.3; the rings beyond 30 mm of the reference muons were looked at when it was chosen.
CORE_SCALE = 0.88  # of the core's radius
CORE_SHARE = 0.85  # of the core's share of the energy
TAIL_SCALE = 0.86  # of the tail's radius
REACH = 4.0  # no spot of that form is farther from the axis, in Moliere radii
HALO_SHARE = 0.3  # of the tail's spots that are photons' in flight
HALO_GRAMS = 23.2  # g/cm2; lead tungstate from 1.5 to 8 MeV absorbs 0.043 cm2/g in the mean (NIST XCOM)

# Scattering of the first electron of a shower below 1 GeV.
SCATTER_GEV = 13.6e-3
SCATTER_MOST = 0.6  # no angle is larger: the electron stops before that

# Sizes of spots, which leave mean profiles as they are: half the critical energy for the core. The least
# of the tail was compared with 0.05 and 0.1 MeV on the cells of the reference muons.
CORE_GEV = 4.8e-3  # mean of a spot of the core
TAIL_LEAST_GEV, TAIL_MOST_GEV = 0.07e-3, 9.6e-3  # spots of the tail, distributed as E^-1.5
TAIL_GEV = np.sqrt(TAIL_LEAST_GEV * TAIL_MOST_GEV)  # their mean
TAIL_SPOTS = 4  # as many are at one depth; together less than a spot of the core
_TAIL_SPAN = 1 - np.sqrt(TAIL_LEAST_GEV / TAIL_MOST_GEV)
TRACK_GEV = 1e-3  # of a spot of an electron's own track
LEAST_ALPHA = 0.3
PHOTON_GEV = 11e-3  # where the mean free path of photons is twice that at high energies
# An electron's own track: rough values from multiple scattering.
DETOUR = 0.7  # depth of an electron's range over its length
WANDER = 0.5  # rms of x and y at the end of the range, over the range
WANDER_LOG = 1.3  # but not over more than this many X0
LEAST_GEV = 1.0  # of the article
_LOG_FIRST, _LOG_STEP, _LOG_COUNT = np.log(1e-3), 0.25, 66  # ln(E/GeV) of the table of radii: to 11 TeV
_TAU_STEP, _TAU_COUNT = 0.05, 120


class Showers(NamedTuple):
    """What showers need of a material, for compiled loops."""

    x0_mm: float
    reach_mm: float
    halo_mm: float
    critical_gev: float
    alpha_slope: float
    mean_low: float  # mean depth below 1 GeV, per ln(1 + E/Ec)
    beta_low: float
    tau_low: float
    core: Float64[np.ndarray, "energy tau"]  # share of the core
    core_mm: Float64[np.ndarray, "energy tau"]
    tail_mm: Float64[np.ndarray, "energy tau"]


def effective(material: Material) -> tuple[float, float]:
    """Return the atomic number and mass of a compound, each weighted by mass."""
    z = np.array(list(material.elements), float)
    mass, count = np.array(list(material.elements.values())).T
    share = mass * count / (mass * count).sum()
    return float(share @ z), float(share @ mass)


def critical_gev(material: Material) -> float:
    """Return the critical energy in the form that the article's formulas take: 2.66 (X0 Z/A)^1.1 MeV."""
    z, a = effective(material)
    return float(2.66e-3 * (material.x0_mm / 10 * material.density_g_cm3 * z / a) ** 1.1)


def radial(z: float, log_energy: Float64[np.ndarray, "..."], tau: Float64[np.ndarray, "..."]) -> np.ndarray:
    """Return the share of the core, its radius and the tail's in Moliere radii; ``tau`` is depth over T."""
    core = 0.0251 + 0.00319 * log_energy + (0.1162 - 0.000381 * z) * tau
    growth = 0.3585 + 0.0421 * log_energy
    tail = (0.659 - 0.00309 * z) * (np.exp(-2.59 * (tau - 0.645)) + np.exp(growth * (tau - 0.645)))
    argument = (0.401 + 0.00187 * z - tau) / (1.313 - 0.0686 * log_energy)
    share = (2.632 - 0.00094 * z) * np.exp(argument - np.exp(argument))
    return np.stack([np.clip(share, 0, 1), np.maximum(core, 1e-3), tail])


@cache
def showers_of(config: CalorimeterConfig) -> Showers:
    """Return the tables of showers in the material of a configuration."""
    material = config.material
    z, _ = effective(material)
    log_energy = _LOG_FIRST + _LOG_STEP * np.arange(_LOG_COUNT)
    share, core, tail = radial(z, log_energy[:, None], _TAU_STEP * np.arange(_TAU_COUNT))
    least_y = LEAST_GEV / critical_gev(material)
    maximum, alpha = np.log(least_y) - 0.812, 0.81 + (0.458 + 2.26 / z) * np.log(least_y)
    core_mm = CORE_SCALE * material.moliere_mm * core
    halo_mm = 10 * HALO_GRAMS / material.density_g_cm3
    return Showers(
        material.x0_mm, REACH * material.moliere_mm, halo_mm, critical_gev(material), 0.458 + 2.26 / z,
        maximum * alpha / (alpha - 1) / np.log1p(least_y),
        (alpha - 1) / maximum, alpha / (alpha - 1), CORE_SHARE * share, core_mm,
        TAIL_SCALE * material.moliere_mm * tail,
    )  # fmt: skip


@compiled
def longitudinal(state, showers, energy):
    """Return alpha and the mean depth in radiation lengths of one shower, and what turns t/<t> into tau."""
    y = energy / showers.critical_gev
    log_y = np.log(y)
    spread_t = 1 / max(-1.4 + 1.26 * log_y, 2.5)
    spread_alpha = 1 / max(-0.58 + 0.86 * log_y, 2.5)
    together = 0.705 - 0.023 * max(log_y, 0.0)
    first, state = normal(state)
    second, state = normal(state)
    first *= np.sqrt((1 + together) / 2)
    second *= np.sqrt((1 - together) / 2)
    change_t = np.exp(spread_t * (first + second))
    change_alpha = np.exp(spread_alpha * (first - second))
    if energy < LEAST_GEV:
        mean = showers.mean_low * np.log1p(y)
        return state, showers.beta_low * mean * change_alpha, mean * change_t, showers.tau_low
    mean_alpha = 0.81 + showers.alpha_slope * log_y
    alpha = max(mean_alpha * change_alpha, 1.2)
    maximum = (log_y - 0.812) * change_t
    return state, alpha, maximum * alpha / (alpha - 1), mean_alpha / (mean_alpha - 1)


@compiled_inline
def gamma_number(state, shape):
    """Return a number of the gamma distribution of scale 1: Marsaglia and Tsang, ACM TOMS 26, 363 (2000)."""
    raised = shape + (1.0 if shape < 1 else 0.0)
    d = raised - 1 / 3
    c = 1 / np.sqrt(9 * d)
    v = 0.0
    while True:
        x, state = normal(state)
        v = 1 + c * x
        if v <= 0:
            continue
        v = v * v * v
        u, state = uniform(state)
        square = x * x
        if u < 1 - 0.0331 * square * square or np.log(u) < 0.5 * square + d * (1 - v + np.log(v)):
            break
    value = d * v
    if shape < 1:
        u, state = uniform(state)
        value *= (1 - u) ** (1 / shape)
    return value, state


@compiled_inline
def azimuth(state):
    """Return cosine and sine of a uniform angle, from a point in the unit circle."""
    while True:
        a, state = uniform(state)
        b, state = uniform(state)
        a, b = 2 * a - 1, 2 * b - 1
        square = a * a + b * b
        if 0 < square <= 1:
            length = 1 / np.sqrt(square)
            return a * length, b * length, state


@compiled_inline
def across(ux, uy, uz):
    """Return two unit vectors (x, y, z) at right angles to a direction and to each other."""
    sign = 1.0 if uz >= 0 else -1.0
    a = -1 / (sign + uz)
    b = ux * uy * a
    return 1 + sign * ux * ux * a, sign * b, -sign * ux, b, sign + uy * uy * a, -uy


@compiled
def electron_track(cells, block, showers, energy, left, depth, x, y, frame, a, b):
    """Put what an electron of less than 1 GeV leaves by itself, ``left`` in GeV, into the cells.

    It wanders off its direction by Gaussian numbers ``a`` and ``b``.
    """
    ux, uy, uz, ax, ay, az, bx, by, bz = frame
    y_log = np.log1p(energy / showers.critical_gev)
    wander = WANDER * showers.x0_mm * min(y_log, WANDER_LOG)
    count = int(left / TRACK_GEV) + 1
    for number in range(count):
        f = (number + 0.5) / count
        along = f * DETOUR * showers.x0_mm * y_log
        aside = wander * f * np.sqrt(f)
        deposit(
            cells, block, left / count, depth + along * uz + aside * (a * az + b * bz),
            x + along * ux + aside * (a * ax + b * bx), y + along * uy + aside * (a * ay + b * by),
        )  # fmt: skip


@compiled
def electromagnetic_shower(state, cells, block, showers, energy, depth, x, y, uz, ux, uy):
    """Put a shower of an energy in GeV, from an electron at a place with a direction, into the cells."""
    ax, ay, az, bx, by, bz = across(ux, uy, uz)
    state, alpha, mean, to_tau = longitudinal(state, showers, energy)
    left, angle, to_a, to_b = energy, 0.0, 0.0, 0.0
    if energy < LEAST_GEV:
        angle = min(SCATTER_GEV / energy, SCATTER_MOST) / np.sqrt(3)
        to_a, state = normal(state)
        to_b, state = normal(state)
        y_log = np.log1p(energy / showers.critical_gev)
        track = showers.critical_gev * y_log
        left -= track
        mean = max(mean - 0.5 * DETOUR * y_log * track / energy, 0.0) * energy / left
        alpha = max(showers.beta_low * mean, LEAST_ALPHA)
        if left < TAIL_GEV:
            u, state = uniform(state)
            photon = min(TAIL_GEV, energy)
            left = photon if u * photon < left else 0.0
            track = energy - left
        frame = (ux, uy, uz, ax, ay, az, bx, by, bz)
        electron_track(cells, block, showers, energy, track, depth, x, y, frame, to_a, to_b)
    radiated = left / energy
    scale_mm = mean / alpha * showers.x0_mm
    to_bin = to_tau / alpha / _TAU_STEP
    row = int((np.log(energy) - _LOG_FIRST) / _LOG_STEP + 0.5)
    row = min(max(row, 0), _LOG_COUNT - 1)
    reach2 = showers.reach_mm**2
    while left > 0:
        t, state = gamma_number(state, alpha)
        column = min(int(t * to_bin + 0.5), _TAU_COUNT - 1)
        along = t * scale_mm
        aside = angle * along * np.sqrt(min(along / showers.x0_mm, 1.0))
        core = max(showers.core[row, column] - 1 + radiated, 0.0) / radiated
        u, state = uniform(state)
        if u < core * (TAIL_SPOTS * TAIL_GEV / CORE_GEV):
            spots, radius = 1, showers.core_mm[row, column]
        elif u < core:
            continue
        else:
            spots, radius = TAIL_SPOTS, showers.tail_mm[row, column]
        for _ in range(spots):
            u, state = uniform(state)
            part = 2 * u * CORE_GEV if spots == 1 else TAIL_LEAST_GEV / (1 - u * _TAIL_SPAN) ** 2
            part = min(part, left)
            left -= part
            u, state = uniform(state)
            v = 1.0
            if spots > 1:
                v, state = uniform(state)
            if v < HALO_SHARE:
                polar = v / HALO_SHARE
                r = -np.log(1 - u) * showers.halo_mm * np.sqrt(1 - polar * polar)
            else:
                u *= reach2 / (reach2 + radius * radius)
                r = radius * np.sqrt(u / (1 - u))
            cosine, sine, state = azimuth(state)
            a, b = r * cosine + aside * to_a, r * sine + aside * to_b
            deposit(
                cells, block, part, depth + along * uz + a * az + b * bz,
                x + along * ux + a * ax + b * bx, y + along * uy + a * ay + b * by,
            )  # fmt: skip
    return state


@compiled
def pair_shower(state, cells, block, showers, energy, depth, x, y, uz, ux, uy):
    """Put the showers of an electron and a positron, which share an energy at random, into the cells."""
    u, state = uniform(state)
    state = electromagnetic_shower(state, cells, block, showers, u * energy, depth, x, y, uz, ux, uy)
    return electromagnetic_shower(state, cells, block, showers, (1 - u) * energy, depth, x, y, uz, ux, uy)


@compiled
def photon_shower(state, cells, block, showers, energy, depth, x, y, uz, ux, uy):
    """Put the shower of a photon into the cells: a pair, where it converts.

    The mean free path is 9/7 radiation lengths, and longer at low energies, as tables of the attenuation of
    photons in lead have it (NIST XCOM): twice that at 11 MeV, 2.5 times below 7 MeV.
    """
    longer = 1 + min((PHOTON_GEV / energy) ** 0.8, 1.5)
    u, state = uniform(state)
    path = -np.log(1 - u) * 9 / 7 * longer * showers.x0_mm
    return pair_shower(
        state, cells, block, showers, energy, depth + path * uz, x + path * ux, y + path * uy, uz, ux, uy
    )
