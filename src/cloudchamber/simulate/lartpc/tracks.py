"""Muons and charged hadrons on their way: ionisation, delta electrons, scattering, interactions, stopping."""

import numpy as np

from cloudchamber.compiled import compiled
from cloudchamber.labels import Process
from cloudchamber.simulate.lartpc.constants import (
    DELTA_CUT,
    ELECTRON,
    ELECTRON_MEV,
    HALF_K_MEV_MM,
    INTERACTION_MM,
    K_PLUS,
    MASS_MEV,
    MU_MINUS,
    MU_PLUS,
    PI_MINUS,
    PI_PLUS,
    POSITRON,
    PROTON,
    SOFT_CUT,
)
from cloudchamber.simulate.lartpc.electrons import follow_electron
from cloudchamber.simulate.lartpc.hadrons import (
    kaon_interacts,
    kaon_rests,
    muon_rests,
    pion_interacts,
    pion_rests,
    proton_interacts,
)
from cloudchamber.simulate.lartpc.ionisation import (
    highland,
    largest_transfer,
    soft_loss,
    transfer_between,
)
from cloudchamber.simulate.lartpc.photons import follow_photon
from cloudchamber.simulate.lartpc.record import (
    FULL,
    KIND,
    N_STACK,
    deposit,
    finish,
    flat,
    gauss,
    is_gone,
    poisson,
    push,
    scattered,
    turned,
)

_IONISATION = int(Process.IONISATION)
_LONGEST_MM, _LARGEST_LOSS = 1.0, 0.05
_REST_MM = 0.5  # energy over loss per mm, twice the residual range, where a track ends
_LEAST_MEV = 15.0  # to interact with a nucleus


@compiled
def hard_collisions(record, row, energy, mass, step, x, y, z, ux, uy, uz):
    """Draw the collisions above the soft ones over a step that ends at a place; return what they took.

    Their spectrum is (1 - beta^2 T / T_max) / T^2 (PDG 2024, eq. 34.8).
    """
    top = largest_transfer(energy, mass)
    if top <= SOFT_CUT:
        return 0.0
    total = energy + mass
    p2 = energy * (energy + 2 * mass)
    beta2 = p2 / (total * total)
    taken = 0.0
    for _ in range(poisson(record, HALF_K_MEV_MM / beta2 * step * (1 / SOFT_CUT - 1 / top))):
        t = transfer_between(record, SOFT_CUT, top)
        if flat(record) * top < beta2 * t or taken + t >= energy:
            continue
        taken += t
        back = flat(record) * step
        a, b, c = x - back * ux, y - back * uy, z - back * uz
        if t < DELTA_CUT:
            deposit(record, row, t, a, b, c)
        else:
            cosine = t * (total + ELECTRON_MEV) / np.sqrt(p2 * t * (t + 2 * ELECTRON_MEV))
            vx, vy, vz = turned(ux, uy, uz, min(cosine, 1.0), 2 * np.pi * flat(record))
            push(record, ELECTRON, row, _IONISATION, t, a, b, c, vx, vy, vz)
    return taken


@compiled
def follow_track(record, row, kind, energy, x, y, z, ux, uy, uz):
    """Follow a muon, pion, kaon or proton until it stops, interacts or leaves."""
    mass = MASS_MEV[kind]
    strong = kind >= PI_MINUS
    while True:
        loss = soft_loss(energy, mass, SOFT_CUT)
        if energy < _REST_MM * loss:
            break
        step = min(_LONGEST_MM, _LARGEST_LOSS * energy / loss)
        interacts = False
        if strong and energy > _LEAST_MEV:
            free = -INTERACTION_MM * np.log(flat(record))
            interacts = free < step
            step = min(step, free)
        loss = soft_loss(energy - 0.5 * loss * step, mass, SOFT_CUT)
        beta2 = energy * (energy + 2 * mass) / (energy + mass) ** 2
        spread = np.sqrt(HALF_K_MEV_MM / beta2 * SOFT_CUT * step)
        lost = min(max(loss * step + spread * gauss(record), 0.0), energy)
        deposit(record, row, lost, x + 0.5 * step * ux, y + 0.5 * step * uy, z + 0.5 * step * uz, step)
        x, y, z = x + step * ux, y + step * uy, z + step * uz
        lost += hard_collisions(record, row, energy - lost, mass, step, x, y, z, ux, uy, uz)
        energy -= lost
        if is_gone(record, x, y, z):
            finish(record, row, x, y, z)
            return
        if energy < 1e-3:
            break
        if interacts:
            finish(record, row, x, y, z)
            if kind == PROTON:
                proton_interacts(record, row, energy, x, y, z, ux, uy, uz)
            elif kind > PROTON:
                kaon_interacts(record, row, kind, energy, x, y, z, ux, uy, uz)
            else:
                pion_interacts(record, row, kind, energy, x, y, z, ux, uy, uz)
            return
        ux, uy, uz = scattered(record, ux, uy, uz, highland(step, energy, mass))
    deposit(record, row, energy, x, y, z)
    finish(record, row, x, y, z)
    if kind in (PI_MINUS, PI_PLUS):
        pion_rests(record, row, kind == PI_PLUS, x, y, z)
    elif kind > PROTON:
        kaon_rests(record, row, kind == K_PLUS, x, y, z)
    elif kind in (MU_MINUS, MU_PLUS):
        muon_rests(record, row, kind == MU_PLUS, x, y, z)


@compiled
def follow_all(record):
    """Follow all particles on the stack, and those they make, until none is left or the record is full."""
    while record.counts[N_STACK] > 0 and record.counts[FULL] == 0:
        top = record.counts[N_STACK] - 1
        record.counts[N_STACK] = top
        row = record.waiting[top]
        kind = record.rows[row, KIND]
        w = record.stack[top]
        energy, x, y, z, ux, uy, uz = w[0], w[1], w[2], w[3], w[4], w[5], w[6]
        if kind == 0:
            follow_photon(record, row, energy, x, y, z, ux, uy, uz)
        elif kind <= POSITRON:
            follow_electron(record, row, kind, energy, x, y, z, ux, uy, uz)
        else:
            follow_track(record, row, kind, energy, x, y, z, ux, uy, uz)
