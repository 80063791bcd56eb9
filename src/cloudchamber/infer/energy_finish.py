"""From a recipe for muon energies to a bundle: train, calibrate and score on validation muons."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from cloudchamber.calorimeter_events import CalorimeterEvents
from cloudchamber.errors import InputError
from cloudchamber.infer.energy_bundle import EnergyBundle, EnergyBundleConfig, join_networks, round_weights
from cloudchamber.infer.energy_card import write_energy_card
from cloudchamber.infer.energy_predict import RawEnergies, finish_energies, predict_raw
from cloudchamber.prepare.muon_tables import PreparedMuons
from cloudchamber.score.energy import EnergyScore, score_energy
from cloudchamber.score.energy_calibration import (
    DeckCalibration,
    Energies,
    MedianCalibration,
    fit_deck_calibration,
    fit_median_calibration,
)
from cloudchamber.score.energy_intervals import IntervalCalibration, fit_intervals
from cloudchamber.train.energy_recipe import EnergyRecipe
from cloudchamber.train.energy_run import TrainedEnergy, train_energy_copies

Fitted = TypeVar("Fitted")


class Curves(NamedTuple):
    """What is fitted to muons that did not train the network; none where there were too few, or no rise."""

    calibration: MedianCalibration | None
    deck: DeckCalibration | None
    intervals: IntervalCalibration | None


@dataclass(frozen=True)
class FinishedEnergy:
    """A trained model, and its score on the half of the validation muons that did not calibrate it."""

    bundle: EnergyBundle
    score: EnergyScore
    deck: EnergyScore | None  # corrected by the published curve
    seconds: float


def _fit(fit: Callable[[], Fitted]) -> Fitted | None:
    try:
        return fit()
    except InputError:
        return None


def fit_curves(true_gev: Energies, raw: RawEnergies, range_gev: tuple[float, float] | None = None) -> Curves:
    """Fit the curves that correct predictions, and the limits of intervals, as far as the muons allow it."""
    return Curves(
        _fit(lambda: fit_median_calibration(true_gev, raw.energy_gev)),
        _fit(lambda: fit_deck_calibration(true_gev, raw.energy_gev)),
        _fit(lambda: fit_intervals(true_gev, *raw[1:], range_gev=range_gev)),
    )


def positive_loss(trained: TrainedEnergy) -> float:
    """Return a run's loss as the ensemble weighs it: of a density, the inverse of its geometric mean."""
    return math.exp(trained.loss) if trained.output.kind == "density" else trained.loss


def train_energy_recipe(
    recipe: EnergyRecipe,
    folder: Path,
    train: CalorimeterEvents | PreparedMuons,
    validation: CalorimeterEvents,
    *,
    threads: int | None = None,
    budget: str | None = None,
) -> FinishedEnergy:
    """Train what a recipe asks for, in a folder; what is done there already is not done again.

    Every other muon of the validation set calibrates the predictions and the intervals; the rest scores them.

    Raises
    ------
    InputError
        if the folder holds a run of another recipe, or a damaged checkpoint, or muons come without truth.
    """
    truth = _truth(validation, "validation")
    trained = train.events if isinstance(train, PreparedMuons) else train
    ends = np.concatenate([truth, _truth(trained, "training")])
    copies = train_energy_copies(recipe, train, validation, folder, threads=threads)
    first = copies[0]
    network, name, options = join_networks(
        [each.network for each in copies], recipe.model.name, first.options
    )
    round_weights(network)
    config = EnergyBundleConfig(
        name=recipe.name, network=name, options=options,
        losses=tuple(positive_loss(each) for each in copies), output=first.output, features=first.scale,
        calibration=None, deck=None, intervals=None, grid=trained.grid, n_train=len(trained),
    )  # fmt: skip
    raw = predict_raw(EnergyBundle(config, network, ""), validation)
    fit, test = slice(0, None, 2), slice(1, None, 2)
    curves = fit_curves(truth[fit], _chosen(raw, fit), (float(ends.min()), float(ends.max())))
    config = config.model_copy(update=curves._asdict())
    found = finish_energies(_chosen(raw, test), curves.calibration, curves.intervals)
    score = score_energy(truth[test], found.energy_gev, found.low_gev, found.high_gev)
    deck = None if curves.deck is None else score_energy(truth[test], found.raw_gev, calibration=curves.deck)
    seconds = sum(each.seconds for each in copies)
    card = write_energy_card(
        recipe,
        EnergyBundle(config, network, ""),
        score,
        deck,
        fit_n=len(truth[fit]),
        epochs=max(len(each.metrics) for each in copies),
        seconds=seconds,
        budget=budget,
    )
    return FinishedEnergy(EnergyBundle(config, network, card), score, deck, seconds)


def _truth(events: CalorimeterEvents, name: str) -> Energies:
    found = np.zeros(1) if events.muons is None else events.muons["energy_gev"].astype(np.float64)
    if not (found > 0).all():
        raise InputError(name, "muons", "muons of known energy", "some of which it is not known")
    return found


def _chosen(raw: RawEnergies, rows: slice) -> RawEnergies:
    return RawEnergies(*(column[rows] for column in raw))
