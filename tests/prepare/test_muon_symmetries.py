"""Reflections of muons: what they do to cells, truth and features."""

import numpy as np
import pytest

from cloudchamber.calorimeter_events import MUON, CalorimeterEvents, CalorimeterGrid, from_dense
from cloudchamber.prepare.muon_features import FEATURES, muon_features
from cloudchamber.prepare.muon_symmetries import (
    REFLECTIONS,
    reflect_muons,
    reflect_positions,
    reflected_features,
)

GRID = CalorimeterGrid((6, 8, 10), 40.0, 4.0)


def muons(n: int = 7) -> CalorimeterEvents:
    rng = np.random.default_rng(4)
    grids = rng.gamma(0.1, 0.5, (n, *GRID.shape)) * (rng.random((n, *GRID.shape)) < 0.3)
    truth = np.zeros(n, MUON)
    truth["energy_gev"], truth["charge"] = 1000.0, rng.choice([-1, 1], n)
    truth["x_mm"], truth["y_mm"] = rng.uniform(-9, 9, (2, n))
    return from_dense(GRID, grids.astype(np.float32), truth)


@pytest.mark.parametrize("number", range(4))
def test_grids_are_turned_over(number: int) -> None:
    events = muons()
    turned = reflect_muons(events, number)
    in_x, in_y = REFLECTIONS[number]
    axes = tuple(axis for axis, done in ((2, in_x), (3, in_y)) if done)
    np.testing.assert_array_equal(turned.dense(), np.flip(events.dense(), axes))
    truth, before = turned.muons, events.muons
    assert truth is not None
    assert before is not None
    np.testing.assert_array_equal(truth["x_mm"], before["x_mm"] * (-1 if in_x else 1))
    np.testing.assert_array_equal(truth["y_mm"], before["y_mm"] * (-1 if in_y else 1))
    np.testing.assert_array_equal(truth["charge"], before["charge"] * (-1 if in_x else 1))
    _, nx, ny = GRID.shape
    iz, ix, iy = turned.position.T.astype(np.int64)
    key = turned.event_of_cell() * 10_000 + (iz * nx + ix) * ny + iy
    assert (np.diff(key) > 0).all()
    twice = reflect_muons(turned, number)
    np.testing.assert_array_equal(twice.position, events.position)
    np.testing.assert_array_equal(twice.energy_gev, events.energy_gev)


def test_a_reflection_of_its_own_for_every_cell() -> None:
    position = np.array([[5, 1, 2]] * 4, np.int16)
    turned = reflect_positions(position, GRID, np.arange(4))
    assert turned.tolist() == [[5, 1, 2], [5, 1, 7], [5, 6, 2], [5, 6, 7]]
    assert turned.dtype == np.int16


def test_features_after_reflections() -> None:
    """Moments change their sign, what comes in an order of cells may change, extents change nothing."""
    events = muons()
    features = reflected_features(events)
    assert features.shape == (4, 7, 28)
    np.testing.assert_array_equal(features[0], muon_features(events))
    np.testing.assert_array_equal(features[3], muon_features(reflect_muons(events, 3)))
    names = [feature.name for feature in FEATURES]
    signs = np.ones((4, 28))
    for number, (in_x, in_y) in enumerate(REFLECTIONS):
        signs[number, names.index("moment_x")] = -1 if in_x else 1
        signs[number, names.index("moment_y")] = -1 if in_y else 1
    same = [k for k, name in enumerate(names) if name not in ("second_box",)]
    np.testing.assert_allclose(
        features[..., same], (signs[:, None] * features[0])[..., same], rtol=1e-3, atol=1e-4
    )
    assert reflected_features(events, 1).shape == (1, 7, 28)


def test_blocks_of_muons_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    events = muons()
    whole = reflected_features(events)
    monkeypatch.setattr("cloudchamber.prepare.muon_symmetries._BLOCK", 3)
    np.testing.assert_array_equal(reflected_features(events), whole)


def test_muons_without_truth_have_no_features() -> None:
    events = muons()
    bare = CalorimeterEvents(events.grid, events.cell_offsets, events.position, events.energy_gev)
    assert reflect_muons(bare, 2).muons is None
    with pytest.raises(ValueError, match="without truth"):
        reflected_features(bare)
