"""From deposits of energy to electrons that escape recombination."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from cloudchamber.compiled import compiled
from cloudchamber.labels import Process
from cloudchamber.simulate.lartpc.constants import DENSITY_G_CM3, MU_MINUS, MU_PLUS, POSITRON
from cloudchamber.simulate.lartpc.record import (
    KIND,
    N_DEPOSITS,
    N_ROWS,
    PARENT,
    PROCESS,
    Record,
    flat,
)
from cloudchamber.simulate.wires.config import Drift

RUN_MM = 4.8
_LEAST, _MOST_ELECTRON, _MOST_HEAVY = 1.0, 8.0, 100.0  # MeV/cm
MUON_LIFETIME_US = {True: 2.197, False: 0.54}  # free, and bound in argon (Suzuki et al., PRC 35 (1987) 2212)
_FREE_US, _BOUND_US = MUON_LIFETIME_US[True], MUON_LIFETIME_US[False]
_DECAY = int(Process.DECAY)


class Deposits(NamedTuple):
    """Deposits of one readout and what their particles are."""

    key: Int[np.ndarray, "deposit"]  # cell, k * nx + i
    row: Int[np.ndarray, "deposit"]
    energy_mev: Float[np.ndarray, "deposit"]
    electrons: Float[np.ndarray, "deposit"]
    root: Int[np.ndarray, "row"]  # number of the primary
    late_us: Float[np.ndarray, "row"]  # after the primary came


@compiled
def recombination(de_dx, alpha, beta_rho_field):
    """Return the share of electrons that escape: the modified box model.

    ArgoNeuT, JINST 8 (2013) P08005: ln(alpha + x) / x with x = beta dE/dx / (density field), dE/dx in MeV/cm.
    Below 1 MeV/cm, out of the range it was fitted to, it is that of 1 MeV/cm.
    """
    x = beta_rho_field * max(de_dx, _LEAST)
    return np.log(alpha + x) / x


@compiled
def _escape(row, kind, energy, length, alpha, beta_rho_field, per_mev):
    """Return electrons of deposits, dE/dx taken over runs of a particle's path about a wire pitch long.

    The model was fitted to dE/dx over the path across a wire. What is left without a path, or nearly, has
    the dE/dx of electrons of 50 keV, or of protons of 5 MeV.
    """
    n = len(row)
    electrons = np.empty(n, np.float32)
    i = 0
    while i < n:
        end, path = i, 0.0
        while end < n and row[end] == row[i]:
            path += length[end]
            end += 1
        run = path / max(1.0, np.floor(path / RUN_MM))
        most = 0.1 * (_MOST_ELECTRON if kind[row[i]] <= POSITRON else _MOST_HEAVY)
        while i < end:
            j, e, s = i, 0.0, 0.0
            while j < end and (s < run - 1e-6 or j == i):
                e += energy[j]
                s += length[j]
                j += 1
            while j < end and length[j] == 0:  # the end of a track, and electrons knocked on, have no path
                e += energy[j]
                j += 1
            share = recombination(10 * e / max(s, e / most), alpha, beta_rho_field)
            for k in range(i, j):
                electrons[k] = energy[k] * share * per_mev
            i = j
    return electrons


@compiled
def _descend(record, root, late_us):
    """Write the number of the primary of each row, and draw the decay times of muons at rest."""
    rows = record.rows
    for row in range(record.counts[N_ROWS]):
        parent = rows[row, PARENT]
        if parent < 0:
            root[row], late_us[row] = row, 0.0
            continue
        root[row], late_us[row] = root[parent], late_us[parent]
        kind = rows[parent, KIND]
        if rows[row, PROCESS] == _DECAY and (kind in (MU_MINUS, MU_PLUS)):
            late_us[row] -= (_FREE_US if kind == MU_PLUS else _BOUND_US) * np.log(flat(record))


def ionise(record: Record, drift: Drift) -> Deposits:
    """Return the electrons of a record of particles, with their primaries and times."""
    used, n_rows = slice(0, int(record.counts[N_DEPOSITS])), int(record.counts[N_ROWS])
    root, late_us = np.empty(n_rows, np.int64), np.empty(n_rows)
    _descend(record, root, late_us)
    row, energy = record.owner[used], record.energy[used]
    electrons = _escape(
        row, record.rows[:n_rows, KIND].copy(), energy, record.length[used], drift.box_alpha,
        drift.box_beta / (DENSITY_G_CM3 * drift.field_kv_cm), 1e6 / drift.pair_ev,
    )  # fmt: skip
    return Deposits(record.key[used], row, energy, electrons, root, late_us)
