"""Muons prepared for a training: soft cells go, features of all cells stay."""

import numpy as np
import pytest

from cloudchamber.prepare.muon_features import muon_features
from cloudchamber.prepare.muon_symmetries import reflect_muons
from cloudchamber.prepare.muon_tables import hard_cells, prepare_muons
from tests.train.muons import make_muons

LEAST_MEV = 10.0


def test_only_cells_above_the_limit_stay() -> None:
    muons = make_muons(5, 3)
    kept = hard_cells(muons, LEAST_MEV)
    for before, after in zip(muons, kept, strict=True):
        hard = before.energy_gev >= np.float32(1e-3 * LEAST_MEV)
        assert np.array_equal(after.energy_gev, before.energy_gev[hard])
        assert np.array_equal(after.position, before.position[hard])
    assert 0 < len(kept.energy_gev) < len(muons.energy_gev)
    assert hard_cells(muons, 0.0) is muons


def test_blocks_give_what_the_whole_gives_and_features_see_all_cells() -> None:
    muons = make_muons(7, 4)
    blocks = [muons.chosen(0, 3), muons.chosen(3, 7)]
    found = prepare_muons(blocks, reflections=2, least_mev=LEAST_MEV)
    whole = prepare_muons([muons], reflections=2, least_mev=LEAST_MEV)
    assert np.array_equal(found.events.energy_gev, whole.events.energy_gev)
    assert np.array_equal(found.events.cell_offsets, hard_cells(muons, LEAST_MEV).cell_offsets)
    assert np.array_equal(found.features[0], muon_features(muons))
    assert np.array_equal(found.features[1], muon_features(reflect_muons(muons, 1)))


def test_no_features_no_entry_points_needed() -> None:
    muons = make_muons(3, 5)
    if muons.muons is None:
        pytest.fail("the muons have no truth")
    muons.muons["x_mm"] = np.nan
    assert prepare_muons([muons], features=False).features.shape == (1, 3, 0)
    with pytest.raises(ValueError, match="entry point"):
        prepare_muons([muons])
