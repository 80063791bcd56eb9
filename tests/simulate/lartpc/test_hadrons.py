"""Ends of muons and pions, and interactions: spectra, rates and balances."""

import numpy as np
import pytest
from scipy.stats import kstest

from cloudchamber.labels import Process
from cloudchamber.simulate.lartpc.constants import (
    GAMMA,
    K_MINUS,
    K_PLUS,
    KAON_MEV,
    MASS_MEV,
    MU_MINUS,
    MU_PLUS,
    PI_MINUS,
    PI_PLUS,
    PION0_MEV,
    PROTON,
)
from cloudchamber.simulate.lartpc.hadrons import (
    KAON_TO_MUON,
    MICHEL_END_MEV,
    kaon_interacts,
    kaon_rests,
    michel_energy,
    muon_rests,
    neutral_pion,
    pion_interacts,
    pion_rests,
    proton_interacts,
)
from cloudchamber.simulate.lartpc.record import (
    KIND,
    LABEL,
    MICHEL,
    N_ROWS,
    N_STACK,
    PROCESS,
    SHOWER,
    Record,
    new_record,
    push,
)


def empty(capacity: int = 1 << 16) -> Record:
    return new_record(np.uint64(5), 64, 3.0, 100.0, True, capacity)


def with_parent(kind: int, kinetic_mev: float) -> Record:
    record = empty()
    push(record, kind, -1, int(Process.PRIMARY), kinetic_mev, 96.0, 96.0, 96.0, 0.0, 0.0, 1.0)
    record.counts[N_STACK] = 0
    return record


def test_michel_spectrum() -> None:
    """x^2 (3 - 2x) has the distribution x^3 (2 - x); the mass of the electron is taken off."""
    record = empty()
    energy = np.array([michel_energy(record) for _ in range(20_000)])
    x = (energy + 0.511) / MICHEL_END_MEV
    assert kstest(x, lambda v: np.clip(v, 0, 1) ** 3 * (2 - np.clip(v, 0, 1))).pvalue > 0.01
    assert energy.max() < MICHEL_END_MEV - 0.5
    assert pytest.approx(52.83, abs=0.01) == MICHEL_END_MEV


def test_negative_muons_are_captured_three_times_in_four() -> None:
    record = with_parent(MU_MINUS, 100.0)
    count = 4000
    for _ in range(count):
        muon_rests(record, 0, False, 96.0, 96.0, 96.0)
    rows = record.rows[1 : record.counts[N_ROWS]]
    michels = rows[:, LABEL] == MICHEL
    assert michels.sum() / count == pytest.approx(0.25, abs=0.03)
    assert (rows[michels, PROCESS] == Process.DECAY).all()
    others = rows[~michels]
    assert (others[:, KIND] == GAMMA).all()
    assert (others[:, PROCESS] == Process.MUON_CAPTURE).all()
    assert (others[:, LABEL] == SHOWER).all()


def test_positive_muons_always_decay_and_positive_pions_become_muons() -> None:
    record = with_parent(MU_PLUS, 100.0)
    for _ in range(200):
        muon_rests(record, 0, True, 96.0, 96.0, 96.0)
    assert (record.rows[1:201, LABEL] == MICHEL).all()
    pion_rests(record, 0, True, 96.0, 96.0, 96.0)
    assert record.rows[201, KIND] == MU_PLUS
    assert record.kinetics[201, 0] == pytest.approx(4.12, abs=0.01)


def test_neutral_pion_keeps_four_momentum() -> None:
    record = with_parent(PI_PLUS, 500.0)
    kinetic = 300.0
    p = np.sqrt(kinetic * (kinetic + 2 * PION0_MEV))
    for _ in range(50):
        start = record.counts[N_ROWS]
        neutral_pion(record, 0, kinetic, 96.0, 96.0, 96.0, 0.6, 0.0, 0.8)
        energy, momentum = record.kinetics[start : start + 2, 0], record.kinetics[start : start + 2, 1:4]
        assert energy.sum() == pytest.approx(kinetic + PION0_MEV)
        assert momentum.sum(axis=0) == pytest.approx([0.6 * p, 0, 0.8 * p], abs=1e-6 * p)


@pytest.mark.parametrize("kinetic_mev", [50.0, 300.0, 2000.0])
@pytest.mark.parametrize("kind", [PI_PLUS, PI_MINUS, PROTON])
def test_no_interaction_makes_energy(kind: int, kinetic_mev: float) -> None:
    """Kinetic energies, and masses of new pions and photons, stay within what came in."""
    for seed in range(200):
        record = new_record(np.uint64(seed), 64, 3.0, 100.0, True, 1 << 12)
        push(record, kind, -1, int(Process.PRIMARY), kinetic_mev, 96.0, 96.0, 96.0, 0.0, 0.0, 1.0)
        if kind == PROTON:
            proton_interacts(record, 0, kinetic_mev, 96.0, 96.0, 96.0, 0.0, 0.0, 1.0)
        else:
            pion_interacts(record, 0, kind, kinetic_mev, 96.0, 96.0, 96.0, 0.0, 0.0, 1.0)
        rows = slice(1, int(record.counts[N_ROWS]))
        kinds = record.rows[rows, KIND]
        nuclear = (record.rows[rows, PROCESS] == Process.HADRONIC) & (kinds == GAMMA)  # from the nucleus
        mass = np.where(kinds == PROTON, 0.0, MASS_MEV[kinds])
        out = (record.kinetics[rows, 0] + mass)[~nuclear].sum()
        assert out <= kinetic_mev + (0.0 if kind == PROTON else MASS_MEV[kind]) + 1e-6


def test_positive_kaons_at_rest_keep_their_mass() -> None:
    """A muon of 152.5 MeV in 63.6%, else a pion of 108.5 MeV and two photons that have the rest."""
    count, muons = 4000, 0
    for seed in range(count):
        record = new_record(np.uint64(seed), 64, 3.0, 100.0, True, 1 << 12)
        push(record, K_PLUS, -1, int(Process.PRIMARY), 1.0, 96.0, 96.0, 96.0, 0.0, 0.0, 1.0)
        kaon_rests(record, 0, True, 96.0, 96.0, 96.0)
        rows, energy = record.rows[1 : record.counts[N_ROWS]], record.kinetics[1 : record.counts[N_ROWS], 0]
        assert (rows[:, PROCESS] == Process.DECAY).all()
        if rows[0, KIND] == MU_PLUS:
            muons += 1
            assert energy[0] == pytest.approx(152.5, abs=0.05)
            assert len(rows) == 1
        else:
            assert rows[:, KIND].tolist() == [PI_PLUS, GAMMA, GAMMA]
            assert energy[0] == pytest.approx(108.545, abs=0.05)
            assert energy.sum() + MASS_MEV[PI_PLUS] == pytest.approx(KAON_MEV, abs=1e-6)
    assert muons / count == pytest.approx(KAON_TO_MUON, abs=0.025)


@pytest.mark.parametrize("kind", [K_MINUS, K_PLUS])
def test_kaons_that_interact_make_no_energy(kind: int) -> None:
    alike = 0
    for seed in range(400):
        record = new_record(np.uint64(seed), 64, 3.0, 100.0, True, 1 << 12)
        push(record, kind, -1, int(Process.PRIMARY), 3000.0, 96.0, 96.0, 96.0, 0.0, 0.0, 1.0)
        kaon_interacts(record, 0, kind, 3000.0, 96.0, 96.0, 96.0, 0.0, 0.0, 1.0)
        n = record.counts[N_ROWS]
        kinds, energy = record.rows[1:n, KIND], record.kinetics[1:n, 0]
        nuclear = (kinds == GAMMA) & (energy < 8.5)  # levels of the nucleus are on top
        assert energy[~nuclear].sum() < 3000.0 + KAON_MEV
        alike += kind in kinds
    assert alike == 400 if kind == K_PLUS else 240 < alike < 320
