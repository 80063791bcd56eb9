"""Muons from beam to cells: determinism, balance of energy, switches."""

import numpy as np
import pytest

from cloudchamber.simulate.calorimeter import CalorimeterConfig, simulate_muon, simulate_muons
from cloudchamber.simulate.calorimeter.config import Beam
from cloudchamber.simulate.calorimeter.event import draw_muon, muon_rng

PAPER = CalorimeterConfig()
LOSSES = ["ionisation_gev", "bremsstrahlung_gev", "pair_gev", "photonuclear_gev"]


def test_a_muon_depends_on_seed_and_index_alone() -> None:
    together = simulate_muons(3, [5, 2, 7], PAPER)
    alone = simulate_muon(3, 2, PAPER)
    assert together.muons is not None
    assert alone.muons is not None
    second = together.chosen(1, 2)
    np.testing.assert_array_equal(alone.position, second.position)
    np.testing.assert_array_equal(alone.energy_gev, second.energy_gev)
    assert alone.muons[0] == together.muons[1]
    others = (simulate_muon(4, 2, PAPER), simulate_muon(3, 3, PAPER))
    assert all(other.energy_gev.sum() != alone.energy_gev.sum() for other in others)


def test_cells_are_sorted_in_the_grid_and_hold_the_deposit() -> None:
    events = simulate_muons(1, range(20), PAPER)
    assert events.muons is not None
    assert events.grid.layer_mm == pytest.approx(40.64)
    assert events.grid.shape == PAPER.shape
    for event in events:
        assert event.muons is not None
        number = np.ravel_multi_index(tuple(event.position.T.astype(int)), PAPER.shape)
        assert (np.diff(number) > 0).all()
        assert (event.energy_gev > 0).all()
        assert event.energy_gev.sum() == pytest.approx(event.muons["deposit_gev"][0], rel=1e-4)
        lost = sum(event.muons[name][0] for name in LOSSES)
        assert event.muons["deposit_gev"][0] <= lost * (1 + 1e-5)


def test_all_that_is_lost_is_in_cells_of_a_block_that_holds_the_showers() -> None:
    """Muons of 1 GeV stop in 0.8 m of lead tungstate; a spot at the front may fall outside."""
    config = CalorimeterConfig(cell_mm=100.0, photonuclear=False, beam=Beam(fixed_gev=(1.0,)))
    events = simulate_muons(2, range(20), config)
    assert events.muons is not None
    np.testing.assert_allclose(events.muons["deposit_gev"], 1, rtol=0.01)
    np.testing.assert_allclose(sum(events.muons[name] for name in LOSSES), 1, rtol=1e-5)


def test_photonuclear_losses_can_be_switched_off() -> None:
    beam = Beam(fixed_gev=(300.0,))
    for on in (True, False):  # a few muons in a hundred make hadrons
        events = simulate_muons(1, range(300), CalorimeterConfig(photonuclear=on, beam=beam))
        assert events.muons is not None
        assert (events.muons["photonuclear_gev"].sum() > 0) == on


def test_beam() -> None:
    beam = Beam(energy_gev=(100.0, 300.0), half_width_mm=5.0, angle_mrad=100.0, positive=0.25)
    drawn = np.array([draw_muon(muon_rng(1, index), index, beam) for index in range(2000)])
    energy, charge, x, y, ux, uy = drawn.T
    for values, low, high in ((energy, 100, 300), (x, -5, 5), (y, -5, 5)):
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high
        assert values.mean() == pytest.approx((low + high) / 2, abs=4 * (high - low) / np.sqrt(12 * 2000))
    assert (charge > 0).mean() == pytest.approx(0.25, abs=0.04)
    np.testing.assert_allclose(np.hypot(ux, uy), np.sin(0.1))
    assert abs(ux.mean()) < 4 * 0.1 / np.sqrt(4000)


def test_fixed_energies_come_in_turn() -> None:
    config = CalorimeterConfig(shape=(2, 32, 32), beam=Beam(fixed_gev=(100.0, 500.0, 900.0)))
    events = simulate_muons(1, range(4), config)
    assert events.muons is not None
    np.testing.assert_array_equal(events.muons["energy_gev"], [100, 500, 900, 100])


def test_a_muon_leaves_a_track_along_its_column() -> None:
    """One of 100 GeV without angle goes on within a cell or two, bent by 2 T: 0.3 B L^2 / (2 p) = 12 mm."""
    beam = Beam(fixed_gev=(100.0,), half_width_mm=0.0, positive=1.0)
    event = simulate_muon(11, 0, CalorimeterConfig(beam=beam))
    dense = event.dense()[0]
    assert (dense.sum(axis=(1, 2)) > 0.02).all()  # 0.05 GeV a layer
    place = (np.arange(32) - 15.5) * 3.75
    first, last = (part.sum(axis=(0, 2)) @ place / part.sum() for part in (dense[:5], dense[-5:]))
    assert last - first == pytest.approx(-11, abs=3)


def test_no_muons_are_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        simulate_muons(1, [], PAPER)
