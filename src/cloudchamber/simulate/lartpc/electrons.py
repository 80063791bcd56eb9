"""Electrons and positrons on their way: collisions, bremsstrahlung, scattering, annihilation at rest."""

import numpy as np

from cloudchamber.compiled import compiled
from cloudchamber.labels import Process
from cloudchamber.simulate.lartpc.constants import (
    DELTA_CUT,
    ELECTRON,
    ELECTRON_MEV,
    ELECTRON_STOP,
    GAMMA,
    HALF_K_MEV_MM,
    PHOTON_CUT,
    POSITRON,
    X0_MM,
)
from cloudchamber.simulate.lartpc.ionisation import (
    bhabha,
    electron_soft_loss,
    highland,
    moller,
    transfer_between,
)
from cloudchamber.simulate.lartpc.radiation import bremsstrahlung_shape, emission_cosine
from cloudchamber.simulate.lartpc.record import (
    deposit,
    finish,
    flat,
    gauss,
    is_gone,
    isotropic,
    push,
    scattered,
    turned,
)

_MOLLER, _BREMSSTRAHLUNG = int(Process.MOLLER), int(Process.BREMSSTRAHLUNG)
_ANNIHILATION = int(Process.ANNIHILATION)
_LONGEST_MM, _LARGEST_ANGLE, _LARGEST_LOSS = 1.0, 0.4, 0.1
_HARD = 0.03  # collisions of electrons above it are drawn one by one
_MOLLER_BOUND = 2.25  # of the Moller spectrum over 1/T^2, at half the energy


@compiled
def collide(record, row, positron, energy, x, y, z, ux, uy, uz):
    """Draw a collision above the soft ones; return the energy and the direction after it."""
    top = energy if positron else 0.5 * energy
    t = transfer_between(record, _HARD, top)
    shape = bhabha(energy, t) if positron else moller(energy, t)
    if flat(record) * _MOLLER_BOUND > shape:
        return energy, ux, uy, uz
    if t < DELTA_CUT:
        deposit(record, row, t, x, y, z)
        return energy - t, ux, uy, uz
    p2, q2 = energy * (energy + 2 * ELECTRON_MEV), t * (t + 2 * ELECTRON_MEV)
    cosine = min(1.0, t * (energy + 2 * ELECTRON_MEV) / np.sqrt(p2 * q2))
    azimuth = 2 * np.pi * flat(record)
    vx, vy, vz = turned(ux, uy, uz, cosine, azimuth)
    push(record, ELECTRON, row, _MOLLER, t, x, y, z, vx, vy, vz)
    left = energy - t
    if left > 1e-3:
        p, q = np.sqrt(p2), np.sqrt(q2)
        rx, ry, rz = p * ux - q * vx, p * uy - q * vy, p * uz - q * vz
        norm = np.sqrt(rx * rx + ry * ry + rz * rz)
        if norm > 1e-9:
            ux, uy, uz = rx / norm, ry / norm, rz / norm
    return left, ux, uy, uz


@compiled
def radiate(record, row, energy, x, y, z, ux, uy, uz):
    """Draw a photon of bremsstrahlung above the cut; return the energy left."""
    k = PHOTON_CUT * (energy / PHOTON_CUT) ** flat(record)
    total = energy + ELECTRON_MEV
    if flat(record) * 4 / 3 > bremsstrahlung_shape(total, k):
        return energy
    vx, vy, vz = turned(ux, uy, uz, emission_cosine(record, total), 2 * np.pi * flat(record))
    push(record, GAMMA, row, _BREMSSTRAHLUNG, k, x, y, z, vx, vy, vz)
    return energy - k


@compiled
def annihilate(record, row, x, y, z):
    """Turn a positron at rest into two photons."""
    ux, uy, uz = isotropic(record)
    push(record, GAMMA, row, _ANNIHILATION, ELECTRON_MEV, x, y, z, ux, uy, uz)
    push(record, GAMMA, row, _ANNIHILATION, ELECTRON_MEV, x, y, z, -ux, -uy, -uz)


@compiled
def follow_electron(record, row, kind, energy, x, y, z, ux, uy, uz):
    """Follow an electron or positron until it stops or leaves."""
    positron = kind == POSITRON
    while energy > ELECTRON_STOP:
        gamma = 1 + energy / ELECTRON_MEV
        beta2 = 1 - 1 / (gamma * gamma)
        top = energy if positron else 0.5 * energy
        loss = electron_soft_loss(energy, _HARD, positron)
        collisions = max(0.0, _MOLLER_BOUND * HALF_K_MEV_MM / beta2 * (1 / _HARD - 1 / top))
        photons = 0.0
        if energy > PHOTON_CUT:
            photons = 4 / 3 / X0_MM * np.log(energy / PHOTON_CUT)
        soft = min(PHOTON_CUT, energy)
        loss += soft / X0_MM * bremsstrahlung_shape(energy + ELECTRON_MEV, 0.5 * soft)
        step = min(_LONGEST_MM, _LARGEST_LOSS * energy / loss)
        step = min(step, (_LARGEST_ANGLE / highland(1.0, energy, ELECTRON_MEV)) ** 2)
        free = -np.log(flat(record)) / (collisions + photons + 1e-12)
        meets = free < step
        step = min(step, free)
        spread = np.sqrt(HALF_K_MEV_MM / beta2 * _HARD * step)
        lost = min(max(loss * step + spread * gauss(record), 0.0), energy)
        deposit(record, row, lost, x + 0.5 * step * ux, y + 0.5 * step * uy, z + 0.5 * step * uz, step)
        energy -= lost
        x, y, z = x + step * ux, y + step * uy, z + step * uz
        if is_gone(record, x, y, z):
            finish(record, row, x, y, z)
            return
        if energy <= ELECTRON_STOP:
            break
        ux, uy, uz = scattered(record, ux, uy, uz, highland(step, energy, ELECTRON_MEV))
        if meets:
            if flat(record) * (collisions + photons) < photons:
                if energy > PHOTON_CUT:
                    energy = radiate(record, row, energy, x, y, z, ux, uy, uz)
            elif (energy if positron else 0.5 * energy) > _HARD:
                energy, ux, uy, uz = collide(record, row, positron, energy, x, y, z, ux, uy, uz)
    deposit(record, row, energy, x, y, z)
    finish(record, row, x, y, z)
    if positron:
        annihilate(record, row, x, y, z)
