"""From a recipe to a bundle for energies, and the bundle as files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cloudchamber.errors import InputError
from cloudchamber.infer.bundle import list_bundles, load_bundle, task_of_bundle
from cloudchamber.infer.energy_bundle import EnergyBundle, load_energy_bundle, save_energy_bundle
from cloudchamber.infer.energy_finish import FinishedEnergy, fit_curves, train_energy_recipe
from cloudchamber.infer.energy_predict import RawEnergies, predict_muons, predict_raw
from cloudchamber.score.energy import score_energy
from tests.infer.energy import true_energies
from tests.train.muons import SMALL_PAPER, make_energy_recipe, make_muons

TRAIN, VALIDATION, FEW = make_muons(192, 1), make_muons(480, 2), make_muons(20, 3)
QUANTILES: dict[str, object] = {"kind": "quantiles", "levels": [0.15865, 0.5, 0.84135], "scale": "log"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> FinishedEnergy:
    """Two copies with quantiles, trained on toys."""
    recipe = make_energy_recipe(output=QUANTILES, epochs=6)
    recipe = recipe.model_copy(update={"copies": 2})
    return train_energy_recipe(recipe, tmp_path_factory.mktemp("run"), TRAIN, VALIDATION, threads=1)


def test_one_half_calibrates_and_the_other_scores(finished: FinishedEnergy) -> None:
    config = finished.bundle.config
    raw = predict_raw(finished.bundle, VALIDATION)
    truth = true_energies(VALIDATION)
    both = np.concatenate([truth, true_energies(TRAIN)])
    ends = float(both.min()), float(both.max())
    curves = fit_curves(truth[::2], RawEnergies(*(column[::2] for column in raw)), ends)
    assert (config.calibration, config.deck, config.intervals) == tuple(curves)
    assert None not in curves
    found = predict_muons(finished.bundle, VALIDATION)
    if found.low_gev is None or found.high_gev is None:
        raise ValueError("a bundle with quantiles gives intervals")
    rest = (truth, found.energy_gev, found.low_gev, found.high_gev)
    assert finished.score == score_energy(*(column[1::2] for column in rest))
    assert finished.deck == score_energy(truth[1::2], found.raw_gev[1::2], calibration=config.deck)


def test_what_is_learned_from_toys_is_better_than_nothing(finished: FinishedEnergy) -> None:
    # The toys' showers are as good as a calorimeter of 20%; a few seconds find most of it.
    assert finished.score.mi is not None
    assert finished.score.mi.value is not None
    assert finished.score.mi.value > 12
    assert finished.score.coverage[0].coverage.value == pytest.approx(0.6827, abs=0.13)  # 3 sigma of 240


def test_the_card_has_the_figures(finished: FinishedEnergy) -> None:
    card = finished.bundle.card
    assert f"**Validation MI** {finished.score.mi.text(2)} %" in card
    assert "2 times energy-sparse" in card
    assert "for 6 epochs" in card
    assert "the median prediction, the published curve, intervals" in card
    assert "on 240\n  muons" in card


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_a_bundle_predicts_the_same_after_it_was_stored(
    finished: FinishedEnergy, tmp_path: Path, name: str
) -> None:
    save_energy_bundle(tmp_path / name, finished.bundle)
    loaded = load_energy_bundle(tmp_path / name)
    assert loaded.config == finished.bundle.config
    assert loaded.card == finished.bundle.card
    assert len(loaded.networks) == 2
    for found, wanted in zip(predict_muons(loaded, FEW), predict_muons(finished.bundle, FEW), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert task_of_bundle(tmp_path / name) == "energy"
    with pytest.raises(InputError, match="a model for walls"):
        load_bundle(tmp_path / name)


def test_running_sums_beyond_half_precision_are_stored(tmp_path: Path, finished: FinishedEnergy) -> None:
    sums = {
        name: value for name, value in finished.bundle.network.named_buffers() if name.endswith("squares")
    }
    first = next(iter(sums.values()))
    kept = first.clone()
    with torch.no_grad():
        first.fill_(1e7)
    save_energy_bundle(tmp_path / "bundle", finished.bundle)
    first.copy_(kept)
    loaded = load_energy_bundle(tmp_path / "bundle")
    again = dict(loaded.network.named_buffers())
    assert (again[next(iter(sums))] == 1e7).all()


def test_copies_and_losses_must_be_as_many(tmp_path: Path, finished: FinishedEnergy) -> None:
    config = finished.bundle.config.model_copy(update={"losses": (1.0,)})
    save_energy_bundle(tmp_path / "bundle", EnergyBundle(config, finished.bundle.network, "card"))
    with pytest.raises(InputError, match="2 losses, one for each network"):
        load_energy_bundle(tmp_path / "bundle")


def test_few_muons_make_a_bundle_without_curves(tmp_path: Path) -> None:
    recipe = make_energy_recipe({"name": "energy-paper", "options": SMALL_PAPER}, epochs=1)
    done = train_energy_recipe(recipe, tmp_path, FEW, FEW, threads=1)
    config = done.bundle.config
    assert config.calibration is None
    assert config.intervals is None
    assert "for want of muons or of a rise" in done.bundle.card
    save_energy_bundle(tmp_path / "bundle", done.bundle)
    assert load_energy_bundle(tmp_path / "bundle").config == config
    found = predict_muons(done.bundle, FEW)
    np.testing.assert_array_equal(found.energy_gev, found.raw_gev)


def test_the_loss_of_a_density_may_be_negative(tmp_path: Path) -> None:
    recipe = make_energy_recipe(output={"kind": "density", "levels": [0.16, 0.84], "scale": "log"}, epochs=1)
    done = train_energy_recipe(recipe, tmp_path, FEW, FEW, threads=1)
    assert done.bundle.config.losses[0] > 0


def test_muons_without_truth_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="validation: muons: expected muons of known energy"):
        train_energy_recipe(make_energy_recipe(), tmp_path, TRAIN, replace(FEW, muons=None))


@pytest.mark.parametrize("name", list_bundles("energy"))
def test_energy_bundles_of_the_package(name: str) -> None:
    loaded = load_energy_bundle(name)
    assert loaded.config.name == name
    for word in ("Trained on", "Validation MI", "Calibrated", "Limits", "cloudchamber's simulation"):
        assert word in loaded.card
    assert task_of_bundle(name) == "energy"
    with pytest.raises(InputError, match="a model for walls"):
        load_bundle(name)
