"""Figures of muons, on cells that are put there by hand."""

import numpy as np
import pytest

from cloudchamber.calorimeter_events import MUON, CalorimeterEvents, CalorimeterGrid
from cloudchamber.simulate.calorimeter import CalorimeterConfig, summarise
from cloudchamber.simulate.calorimeter.statistics import (
    alike,
    cell_spectrum,
    deposits,
    electron_containment,
    high_cells,
    layer_profile,
    low_shares,
    radial_profile,
)

GRID = CalorimeterGrid((2, 4, 4), 10.0, 2.0)
PLACES = [(0, 0, 0), (1, 2, 1), (1, 3, 3), (0, 1, 1)]
ENERGY = [0.01, 0.5, 0.49, 2.0]


def _two() -> CalorimeterEvents:
    """Return two muons of three cells and one, which entered at (1, -1) mm, the centre of cell (2, 1)."""
    muons = np.zeros(2, MUON)
    muons["x_mm"], muons["y_mm"] = 1, -1
    return CalorimeterEvents(
        GRID, np.array([0, 3, 4]), np.array(PLACES, np.int16), np.array(ENERGY, np.float32), muons
    )


def test_figures() -> None:
    events = _two()
    np.testing.assert_allclose(deposits(events), [1, 2], rtol=1e-6)
    np.testing.assert_array_equal(high_cells(events), [2, 1])
    np.testing.assert_allclose(low_shares(events), [0.01, 0], rtol=1e-6)
    np.testing.assert_allclose(layer_profile(events), np.array([[0.01, 0.99], [2, 0]]), rtol=1e-6)
    figures = summarise(events)
    assert figures["muons"] == 2
    assert figures["high_cells_median"] == 1.5
    assert figures["lit_cells_median"] == 2
    assert figures["low_share"] == pytest.approx(0.01 / 3)
    assert figures["low_share_median"] == pytest.approx(0.005)
    assert figures["deposit_gev_mean"] == figures["deposit_gev_median"] == pytest.approx(1.5)


def test_rings_are_about_the_entry() -> None:
    found = radial_profile(_two(), np.array([0.0, 1.0, 3.0, 4.3]))
    # Cells are 0, sqrt(20) and sqrt(20) mm away, the last two beyond the last ring; and 2 mm.
    np.testing.assert_allclose(found, np.array([[0.5, 0, 0], [0, 2, 0]]), rtol=1e-6)
    nameless = CalorimeterEvents(GRID, np.array([0, 0]), np.zeros((0, 3), np.int16), np.zeros(0, np.float32))
    with pytest.raises(ValueError, match="truth"):
        radial_profile(nameless, np.array([0.0, 1.0]))


def test_spectrum_of_cells() -> None:
    np.testing.assert_allclose(cell_spectrum(_two(), np.array([0.001, 0.1, 1, 10])), [0.5, 1, 0.5])


def test_alike() -> None:
    chosen = alike(np.array([1.0, 10.0]), np.array([9.0, 0.5, 1.1, 12.0, 1000.0]), 2)
    assert [set(each) for each in chosen.reshape(2, 2).tolist()] == [{1, 2}, {0, 3}]
    with pytest.raises(ValueError, match="to choose from"):
        alike(np.array([1.0]), np.array([1.0]), 2)


def test_containment_of_all_radii_is_what_the_block_holds() -> None:
    config = CalorimeterConfig(shape=(40, 5, 7), cell_mm=30.0)
    column, near, far = electron_containment(config, 5.0, 50, 1, (31.0, 1e3))
    assert 0.8 < column < near < far <= 1
    again = electron_containment(config, 5.0, 50, 1, (31.0, 1e3))
    np.testing.assert_array_equal(again, [column, near, far])
