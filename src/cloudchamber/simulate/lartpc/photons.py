"""Photons: where they interact and what comes out."""

import numpy as np

from cloudchamber.compiled import compiled
from cloudchamber.labels import Process
from cloudchamber.simulate.lartpc.constants import (
    ELECTRON,
    ELECTRON_MEV,
    PHOTON_STOP,
    POSITRON,
    X0_MM,
)
from cloudchamber.simulate.lartpc.radiation import (
    compton_per_mm,
    compton_ratio,
    emission_cosine,
    pair_shape,
    photoelectric_per_mm,
)
from cloudchamber.simulate.lartpc.record import deposit, finish, flat, is_gone, push, turned

_CONVERSION, _COMPTON = int(Process.CONVERSION), int(Process.COMPTON)
_PHOTOELECTRIC = int(Process.PHOTOELECTRIC)


@compiled
def convert(record, row, k, x, y, z, ux, uy, uz):
    """Draw a conversion into a pair; return whether it took place."""
    least = ELECTRON_MEV / k
    share = least + (1 - 2 * least) * flat(record)
    if flat(record) > pair_shape(k, share):
        return False
    azimuth = 2 * np.pi * flat(record)
    for kind, total, turn in ((ELECTRON, share * k, 0.0), (POSITRON, (1 - share) * k, np.pi)):
        vx, vy, vz = turned(ux, uy, uz, emission_cosine(record, total), azimuth + turn)
        push(record, kind, row, _CONVERSION, total - ELECTRON_MEV, x, y, z, vx, vy, vz)
    return True


@compiled
def scatter_photon(record, row, k, x, y, z, ux, uy, uz):
    """Scatter a photon off an electron; return its energy and direction."""
    ratio = compton_ratio(record, k)
    t = (1 - ratio) * ELECTRON_MEV / (k * ratio)
    vx, vy, vz = turned(ux, uy, uz, 1 - t, 2 * np.pi * flat(record))
    after = ratio * k
    recoil = k - after
    px, py, pz = k * ux - after * vx, k * uy - after * vy, k * uz - after * vz
    p = np.sqrt(px * px + py * py + pz * pz)
    if p > 0:
        push(record, ELECTRON, row, _COMPTON, recoil, x, y, z, px / p, py / p, pz / p)
    return after, vx, vy, vz


@compiled
def follow_photon(record, row, k, x, y, z, ux, uy, uz):
    """Follow a photon until it is absorbed or leaves."""
    while k > PHOTON_STOP:
        pairs = max(0.0, 1 - 2 * ELECTRON_MEV / k) / X0_MM
        scatterings, absorptions = compton_per_mm(k), photoelectric_per_mm(k)
        total = pairs + scatterings + absorptions
        step = -np.log(flat(record)) / total
        x, y, z = x + step * ux, y + step * uy, z + step * uz
        if is_gone(record, x, y, z):
            finish(record, row, x, y, z)
            return
        which = flat(record) * total
        if which < pairs:
            if convert(record, row, k, x, y, z, ux, uy, uz):
                k = 0.0
                break
        elif which < pairs + scatterings:
            k, ux, uy, uz = scatter_photon(record, row, k, x, y, z, ux, uy, uz)
        else:
            push(record, ELECTRON, row, _PHOTOELECTRIC, k, x, y, z, ux, uy, uz)
            k = 0.0
            break
    deposit(record, row, k, x, y, z)
    finish(record, row, x, y, z)
