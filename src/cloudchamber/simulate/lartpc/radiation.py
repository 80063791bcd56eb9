"""Bremsstrahlung, pairs, Compton scattering and the photoelectric effect in argon."""

import numpy as np

from cloudchamber.compiled import compiled
from cloudchamber.simulate.lartpc.constants import (
    ELECTRON_MEV,
    ELECTRONS_PER_MM3,
    GRAMS_PER_MM,
    RADIUS2_MM2,
    Z,
)
from cloudchamber.simulate.lartpc.record import flat

_LOG_Z3 = np.log(Z) / 3
_COMPLETE = 20.867 / 4 - _LOG_Z3  # the first screening function of no momentum transfer
_SCREENING_MEV = 136 * ELECTRON_MEV / Z ** (1 / 3)


@compiled
def screened(delta):
    """Return both screening functions of Butcher and Messel (Nucl. Phys. 20 (1960) 15), less ln(Z)/3."""
    if delta > 1:
        first = 21.12 - 4.184 * np.log(delta + 0.952)
        second = first
    else:
        first = 20.867 - delta * (3.242 - 0.625 * delta)
        second = 20.209 - delta * (1.930 + 0.086 * delta)
    return max(first / 4 - _LOG_Z3, 0.0) / _COMPLETE, max(second / 4 - _LOG_Z3, 0.0) / _COMPLETE


@compiled
def bremsstrahlung_shape(total, k):
    """Return k times the photons of energy k per radiation length from an electron of a total energy in MeV.

    Bethe and Heitler with screening (Koch and Motz, Rev. Mod. Phys. 31 (1959) 920, formula 3BS), in units
    of the radiation length: 4/3 - 4y/3 + y^2 where screening is complete.
    """
    y, left = k / total, total - k
    if left <= ELECTRON_MEV:
        return 0.0
    first, second = screened(_SCREENING_MEV * k / (total * left))
    return (1 + (1 - y) ** 2) * first - (2 / 3) * (1 - y) * second


@compiled
def pair_shape(k, share):
    """Return the pairs per radiation length and unit of ``share``, the electron's part of the energy k."""
    first, second = screened(_SCREENING_MEV / (k * share * (1 - share)))
    return (share**2 + (1 - share) ** 2) * first + (2 / 3) * share * (1 - share) * second


@compiled
def compton_per_mm(k):
    """Return the Compton scatterings per mm of a photon of energy k in MeV (Klein and Nishina)."""
    a = k / ELECTRON_MEV
    b = 1 + 2 * a
    log = np.log(b)
    value = (1 + a) / a**2 * (2 * (1 + a) / b - log / a) + log / (2 * a) - (1 + 3 * a) / b**2
    return 2 * np.pi * RADIUS2_MM2 * ELECTRONS_PER_MM3 * value


@compiled
def compton_ratio(record, k):
    """Return the energy of a photon after a Compton scattering over that before."""
    a = k / ELECTRON_MEV
    least = 1 / (1 + 2 * a)
    log, square = -np.log(least), 0.5 * (1 - least * least)
    while True:
        if flat(record) * (log + square) < log:
            ratio = np.exp(-log * flat(record))
        else:
            ratio = np.sqrt(least * least + (1 - least * least) * flat(record))
        t = (1 - ratio) / (a * ratio)
        if flat(record) <= 1 - ratio * t * (2 - t) / (1 + ratio * ratio):
            return ratio


@compiled
def photoelectric_per_mm(k):
    """Return the photoelectric absorptions per mm of a photon of energy k in MeV.

    A power law through the values of Elam, Ravel and Sieber (Radiat. Phys. Chem. 63 (2002) 121), which it
    meets to 5% from 0.03 to 0.3 MeV; above, absorption is below 2% of Compton scattering.
    """
    return GRAMS_PER_MM * 0.0556 * (k / 0.1) ** -3.15


@compiled
def emission_cosine(record, total):
    """Return the cosine of the angle theta of bremsstrahlung, or of an electron of a pair.

    The density in u = theta E / m is u / (1 + u^2)^2: the leading term of Koch and Motz (1959), formula 2BS.
    """
    u = flat(record)
    angle = ELECTRON_MEV / total * np.sqrt(u / (1 - u))
    return np.cos(min(angle, np.pi))
