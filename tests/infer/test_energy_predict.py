"""What networks say of muons: copies, batches, reflections, rulers, files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.calorimeter_events import CalorimeterGrid, from_dense
from cloudchamber.errors import InputError
from cloudchamber.infer.energy_bundle import EnergyBundle
from cloudchamber.infer.energy_predict import (
    FIXED_SHARE,
    MOST_CELLS,
    finish_energies,
    muon_batches,
    predict_energy_file,
    predict_muons,
    predict_raw,
    with_fixed_ruler,
)
from cloudchamber.model.energy_output import EnergyOutput
from cloudchamber.prepare.muon_features import muon_features
from cloudchamber.prepare.muon_symmetries import reflect_muons
from cloudchamber.score.energy_calibration import MedianCalibration
from cloudchamber.score.energy_intervals import IntervalCalibration
from cloudchamber.source.energy import write_muons
from cloudchamber.source.energy_predictions import read_energy_predictions
from tests.infer.energy import UNSCALED, BySide, side_bundle, side_sums
from tests.train.muons import GRID, make_muons

MUONS = make_muons(11, 3)
DOUBLE = MedianCalibration(true_gev=(1.0, 20_000.0), predicted_gev=(2.0, 40_000.0))
LIMITS = IntervalCalibration(energy_gev=(1000.0,), lower=(-1.0,), upper=(1.0,), range_gev=(1.0, 1e5))


def calibrated(bundle: EnergyBundle) -> EnergyBundle:
    curves = {"calibration": DOUBLE, "intervals": LIMITS}
    return replace(bundle, config=bundle.config.model_copy(update=curves))


def test_copies_count_by_the_inverse_of_their_losses() -> None:
    found = predict_raw(side_bundle(BySide(1.0), BySide(3.0), losses=(1.0, 3.0)), MUONS)
    np.testing.assert_allclose(found.energy_gev, 1.5 * side_sums(MUONS), rtol=1e-5)


@pytest.mark.parametrize(("most_cells", "most_muons"), [(1, 99), (1000, 99), (10**6, 4)])
def test_batches_do_not_matter(most_cells: int, most_muons: int) -> None:
    bundle = side_bundle(BySide(1.0), features=UNSCALED)
    found = predict_raw(bundle, MUONS, most_cells=most_cells, most_muons=most_muons)
    np.testing.assert_allclose(found, predict_raw(bundle, MUONS), rtol=1e-6)
    sizes = [len(batch) for batch in muon_batches(MUONS, most_cells, most_muons)]
    assert sum(sizes) == len(MUONS)
    assert max(sizes) <= most_muons
    cells = [len(batch.energy_gev) for batch in muon_batches(MUONS, most_cells, most_muons)]
    assert all(n <= most_cells or size == 1 for n, size in zip(cells, sizes, strict=True))


@pytest.mark.parametrize("of_bundle", [True, False])
def test_views_are_the_mean_of_four_reflections(of_bundle: bool) -> None:
    bundle = side_bundle(BySide(1.0), features=UNSCALED, symmetries=of_bundle)
    found = predict_raw(bundle, MUONS, symmetries=None if of_bundle else True).energy_gev
    views = [reflect_muons(MUONS, number) for number in range(4)]
    wanted = np.mean([side_sums(view) + muon_features(view)[:, 22] for view in views], axis=0)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-3)
    # A sum over ix and its mirror image is known without any reflection.
    energy = np.bincount(MUONS.event_of_cell(), MUONS.energy_gev)
    np.testing.assert_allclose(found, energy * (1 + (GRID.shape[1] - 1) / 2), rtol=1e-4, atol=1e-2)
    assert not np.allclose(found, predict_raw(bundle, MUONS, symmetries=False).energy_gev, rtol=1e-3)


def test_quantiles_are_the_ruler() -> None:
    output = EnergyOutput(kind="quantiles", levels=(0.16, 0.5, 0.84))
    found = predict_raw(side_bundle(BySide(3.0, 2.0, 1.0), output=output), MUONS)  # in the wrong order
    wanted = side_sums(MUONS) * np.array([[2.0], [2.0], [1.0], [3.0]])
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_without_quantiles_a_share_is_the_ruler() -> None:
    found = predict_raw(side_bundle(BySide(1.0)), MUONS)
    np.testing.assert_allclose(found.middle_gev, np.maximum(found.energy_gev, 1.0))
    np.testing.assert_allclose(found.high_gev - found.low_gev, 2 * FIXED_SHARE * found.middle_gev)


def test_predictions_are_corrected_and_intervals_follow_the_ruler() -> None:
    found = predict_muons(calibrated(side_bundle(BySide(1.0))), MUONS)
    np.testing.assert_allclose(found.energy_gev, found.raw_gev / 2, rtol=1e-6)
    assert found.low_gev is not None
    assert found.high_gev is not None
    np.testing.assert_allclose(found.low_gev, (1 - FIXED_SHARE) * found.raw_gev, rtol=1e-3)
    np.testing.assert_allclose(found.high_gev, (1 + FIXED_SHARE) * found.raw_gev, rtol=1e-3)


def test_a_flat_end_of_the_curve_sends_no_prediction_far_away() -> None:
    flat = MedianCalibration(true_gev=(50.0, 100.0, 200.0), predicted_gev=(10.0, 20.0, 20.0001))
    raw = with_fixed_ruler(np.array([-100.0, 0.0, 15.0, 30.0]))
    found = finish_energies(raw, flat, None).energy_gev
    np.testing.assert_allclose(found, [25.0, 25.0, 75.0, 400.0])


def test_nothing_is_corrected_without_curves() -> None:
    found = predict_muons(side_bundle(BySide(1.0)), MUONS)
    np.testing.assert_array_equal(found.energy_gev, found.raw_gev)
    assert found.low_gev is None
    assert found.high_gev is None


@pytest.mark.parametrize(
    "grid", [CalorimeterGrid((12, 10, 8), 40.0, 4.0), CalorimeterGrid(GRID.shape, 41.0, 4.0)]
)
def test_another_grid_is_refused(grid: CalorimeterGrid) -> None:
    events = from_dense(grid, np.ones((1, *grid.shape), np.float32))
    with pytest.raises(InputError, match="grid: expected 12 x 8 x 10 cells"):
        predict_raw(side_bundle(BySide(1.0)), events)


def test_features_need_the_entry_and_cells_do_not() -> None:
    events = replace(MUONS, muons=None)
    found = predict_raw(side_bundle(BySide(1.0)), events).energy_gev
    np.testing.assert_allclose(found, side_sums(MUONS), rtol=1e-5)
    with pytest.raises(InputError, match="entry points"):
        predict_raw(side_bundle(BySide(1.0), features=UNSCALED), events)


def test_a_file_holds_what_memory_does(tmp_path: Path) -> None:
    source, target = tmp_path / "muons.h5", tmp_path / "out.h5"
    write_muons(source, len(MUONS), iter([MUONS]), {})
    bundle = calibrated(side_bundle(BySide(1.0), features=UNSCALED))
    assert predict_energy_file(bundle, source, target, symmetries=True) == len(MUONS)
    wanted, found = predict_muons(bundle, MUONS, symmetries=True), read_energy_predictions(target)
    np.testing.assert_allclose(found.energy_gev, wanted.energy_gev, rtol=1e-6)
    np.testing.assert_allclose(found.raw_gev, wanted.raw_gev, rtol=1e-6)
    assert found.low_gev is not None
    assert wanted.low_gev is not None
    np.testing.assert_allclose(found.low_gev, wanted.low_gev, rtol=1e-6)
    assert found.attributes["model"] == "test"
    assert found.attributes["card"] == "For tests."
    with pytest.raises(InputError, match="another file than the input"):
        predict_energy_file(bundle, source, source)


def test_muons_beyond_a_batch_are_batches_of_their_own() -> None:
    assert [len(batch) for batch in muon_batches(MUONS, 1)] == [1] * len(MUONS)
    assert [len(batch) for batch in muon_batches(MUONS, MOST_CELLS)] == [len(MUONS)]
