"""Recombination, and how long muons at rest live."""

import numpy as np
import pytest

from cloudchamber.simulate.lartpc.constants import MU_PLUS, PROTON
from cloudchamber.simulate.lartpc.event import follow_in
from cloudchamber.simulate.wires.config import Drift, WiresConfig
from cloudchamber.simulate.wires.geometry import layout_of
from cloudchamber.simulate.wires.ionise import ionise, recombination
from tests.simulate.wires.conftest import _aim

BETA = 0.212 / (1.396 * 0.5)


def test_the_modified_box_by_hand() -> None:
    x = BETA * 2.1
    assert recombination(2.1, 0.93, BETA) == pytest.approx(np.log(0.93 + x) / x)
    assert recombination(2.1, 0.93, BETA) == pytest.approx(0.705, abs=0.01)
    shares = [recombination(each, 0.93, BETA) for each in (1.7, 5.0, 20.0, 100.0)]
    assert (np.diff(shares) < 0).all()
    assert recombination(0.01, 0.93, BETA) == recombination(1.0, 0.93, BETA)


def test_muons_lose_a_third_and_slow_protons_most(small: WiresConfig) -> None:
    box = layout_of(small).box
    shares = []
    for kind, energy in ((MU_PLUS, 400.0), (PROTON, 60.0)):
        primaries = _aim(kind, energy, [(400.0, 500.0, 50.0)] * 20)
        deposits = ionise(follow_in(primaries.particles, np.uint64(1), box), Drift())
        own = deposits.row < 20
        charge = deposits.electrons[own].sum(dtype=float)
        shares.append(charge * 23.6e-6 / deposits.energy_mev[own].sum())
    assert shares[0] == pytest.approx(0.70, abs=0.02)
    assert 0.25 < shares[1] < 0.5


def test_muons_at_rest_decay_later(small: WiresConfig) -> None:
    box = layout_of(small).box
    primaries = _aim(MU_PLUS, 30.0, [(400.0, 500.0, 200.0)] * 3000)
    record = follow_in(primaries.particles, np.uint64(1), box)
    deposits = ionise(record, Drift())
    assert (deposits.late_us[:3000] == 0).all()
    rows = record.rows[: len(deposits.root)]
    late = deposits.late_us[(rows[:, 1] >= 0) & (rows[:, 1] < 3000) & (rows[:, 2] == 9)]
    assert len(late) == 3000
    assert late.mean() == pytest.approx(2.197, rel=0.06)
    assert (deposits.late_us >= 0).all()
