"""Prediction of muon energies, in batches of bounded memory, in memory or from file to file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import nn

from cloudchamber.calorimeter_events import CalorimeterEvents, CalorimeterGrid
from cloudchamber.errors import InputError
from cloudchamber.infer.bundle import about_card
from cloudchamber.infer.energy_bundle import EnergyBundle, EnergyBundleConfig
from cloudchamber.infer.predict import device_of
from cloudchamber.model.energy_inputs import read_muons
from cloudchamber.prepare.muon_features import muon_features
from cloudchamber.prepare.muon_symmetries import REFLECTIONS, reflect_muons
from cloudchamber.progress import progress
from cloudchamber.score.energy_calibration import DeckCalibration, Energies, MedianCalibration
from cloudchamber.score.energy_ensemble import average_models
from cloudchamber.score.energy_intervals import LEAST_GEV, IntervalCalibration
from cloudchamber.source.energy import calorimeter_attributes, find_muons, iterate_muons
from cloudchamber.source.energy_predictions import write_energy_predictions
from cloudchamber.source.hdf5 import open_hdf5
from cloudchamber.train.energy_batches import make_batch

MOST_CELLS, MOST_MUONS = 400_000, 256  # in a batch; a muon with more cells is a batch of its own
FIXED_SHARE = 0.3  # of the prediction, to either side, where a network gives no quantiles


class RawEnergies(NamedTuple):
    """What the networks say of each muon, in GeV: its energy, and the ruler of its interval."""

    energy_gev: Float64[np.ndarray, "event"]
    middle_gev: Float64[np.ndarray, "event"]
    low_gev: Float64[np.ndarray, "event"]
    high_gev: Float64[np.ndarray, "event"]


class PredictedEnergies(NamedTuple):
    """Energies in GeV, as the networks give them and corrected; the ends of the intervals if there are."""

    raw_gev: Float64[np.ndarray, "event"]
    energy_gev: Float64[np.ndarray, "event"]
    low_gev: Float64[np.ndarray, "event"] | None
    high_gev: Float64[np.ndarray, "event"] | None


def with_fixed_ruler(energy_gev: Energies) -> RawEnergies:
    """Return predictions without quantiles, a fixed share of each to either side as the ruler."""
    middle = np.maximum(energy_gev, LEAST_GEV)
    return RawEnergies(energy_gev, middle, (1 - FIXED_SHARE) * middle, (1 + FIXED_SHARE) * middle)


def muon_batches(
    events: CalorimeterEvents, most_cells: int = MOST_CELLS, most_muons: int = MOST_MUONS
) -> Iterator[CalorimeterEvents]:
    """Yield runs of muons with at most so many cells together, or single muons that have more."""
    start = 0
    while start < len(events):
        limit = events.cell_offsets[start] + most_cells
        stop = int(np.searchsorted(events.cell_offsets, limit, side="right")) - 1
        stop = min(max(stop, start + 1), start + most_muons, len(events))
        yield events.chosen(start, stop)
        start = stop


def check_grid(config: EnergyBundleConfig, grid: CalorimeterGrid) -> None:
    """Make sure that cells are those that the network was trained on.

    Raises
    ------
    InputError
        if there are others.
    """
    found, wanted = ((each.layer_mm, each.cell_mm) for each in (grid, config.grid))
    if grid.shape != config.grid.shape or not np.allclose(found, wanted, rtol=1e-3, atol=0):
        texts = [
            f"{' x '.join(map(str, each.shape))} cells (z, x, y) of {each.layer_mm:g} mm depth and "
            f"{each.cell_mm:g} mm width"
            for each in (config.grid, grid)
        ]
        raise InputError("grid", "", texts[0], texts[1])


def _features(config: EnergyBundleConfig, events: CalorimeterEvents) -> Float[np.ndarray, "event feature"]:
    if config.features is None:
        return np.empty((len(events), 0), np.float32)
    try:
        return config.features(muon_features(events))
    except ValueError as error:
        raise InputError("muons", "x_mm, y_mm", "muons of known entry points", str(error)) from error


def _ruled(
    config: EnergyBundleConfig, network: nn.Module, some: CalorimeterEvents
) -> Float64[np.ndarray, "4 event"]:
    """Return the four rows of :class:`RawEnergies` from one network."""
    device = device_of(network)
    batch = make_batch(some, np.arange(len(some)), _features(config, some))
    out = read_muons(network, *(part.to(device) for part in batch[:3])).float()
    energy = config.output.energy(out)
    levels = config.output.levels
    if not (len(levels) > 1 and levels[0] < 0.5 < levels[-1]):
        return np.stack(with_fixed_ruler(energy.cpu().numpy().astype(np.float64)))
    quantiles = config.output.quantiles(out)
    middle = quantiles[:, levels.index(0.5)] if 0.5 in levels else energy
    rows = torch.stack([energy, middle, quantiles[:, 0], quantiles[:, -1]])
    return np.asarray(rows.cpu().numpy(), np.float64)


@torch.inference_mode()
def predict_raw(
    bundle: EnergyBundle,
    events: CalorimeterEvents,
    *,
    symmetries: bool | None = None,
    most_cells: int = MOST_CELLS,
    most_muons: int = MOST_MUONS,
) -> RawEnergies:
    """Return what the networks say, before it is corrected: the mean over copies, weighted by 1 / loss.

    ``symmetries``: the mean over the four reflections in x and y; unless said, as the bundle says.

    Raises
    ------
    InputError
        if the cells are others than the network was trained on, or it reads features and it is not known
        where a muon enters.
    """
    config = bundle.config
    check_grid(config, events.grid)
    views = len(REFLECTIONS) if (config.symmetries if symmetries is None else symmetries) else 1
    parts = [np.empty((4, 0))]
    for some in muon_batches(events, most_cells, most_muons):
        total = np.zeros((4, len(some)))
        for view in range(views):
            seen = reflect_muons(some, view) if view else some
            each = np.stack([_ruled(config, network, seen) for network in bundle.networks])
            total += average_models(each, config.losses)
        parts.append(total / views)
    return RawEnergies(*np.concatenate(parts, axis=1))


def finish_energies(
    raw: RawEnergies,
    calibration: DeckCalibration | MedianCalibration | None,
    intervals: IntervalCalibration | None,
) -> PredictedEnergies:
    """Return predictions corrected, and their intervals, as far as the model has been calibrated.

    Where the median prediction hardly rises, its curve would send a prediction beyond its end anywhere: no
    corrected energy is less than half the least true energy of the curve, or more than twice the largest.
    """
    energy: Energies = raw.energy_gev
    if calibration is not None:
        energy = calibration.corrected(energy)
    if isinstance(calibration, MedianCalibration):
        energy = np.clip(energy, calibration.true_gev[0] / 2, 2 * calibration.true_gev[-1])
    low = high = None
    if intervals is not None and len(energy):
        low, high = intervals.calibrated(raw.middle_gev, raw.low_gev, raw.high_gev)
    return PredictedEnergies(raw.energy_gev, energy, low, high)


def predict_muons(
    bundle: EnergyBundle, events: CalorimeterEvents, *, symmetries: bool | None = None
) -> PredictedEnergies:
    """Return the energy of each muon, raw and corrected, and its interval; see :func:`predict_raw`."""
    raw = predict_raw(bundle, events, symmetries=symmetries)
    return finish_energies(raw, bundle.config.calibration, bundle.config.intervals)


def curves_text(config: EnergyBundleConfig) -> str:
    """Return the curves that correct predictions as JSON, to go with them."""
    curves = {"calibration": config.calibration, "deck": config.deck}
    return json.dumps({key: curve.model_dump(mode="json") for key, curve in curves.items() if curve})


def predict_energy_file(
    bundle: EnergyBundle, source: Path, target: Path, *, symmetries: bool | None = None
) -> int:
    """Predict every muon of ``source`` and write ``target`` as a whole; ``symmetries`` as in predict_raw.

    ``target`` holds corrected and raw energies, the ends of the intervals, the bundle's name and its curves.

    Returns
    -------
    The number of muons.

    Raises
    ------
    InputError
        if the source is no data set of muons or does not fit the network, or the target cannot be written.
    """
    if target.exists() and target.samefile(source):
        raise InputError(target, "", "another file than the input", "the same")
    config = bundle.config
    with open_hdf5(source) as file:
        opened = find_muons(file, source)
        n, grid = len(opened), opened.grid
    check_grid(config, grid)
    parts = []
    with progress("predicting", n, "muons") as advance:
        for block in iterate_muons(source):
            parts.append(predict_muons(bundle, block, symmetries=symmetries))
            advance(len(block))
    raw, energy = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    ends = [(part.low_gev, part.high_gev) for part in parts]
    known = [(low, high) for low, high in ends if low is not None and high is not None]
    interval = None
    if len(known) == len(parts):
        interval = (np.concatenate([low for low, _ in known]), np.concatenate([high for _, high in known]))
    attributes = {
        **calorimeter_attributes(grid), "model": config.name, "card": about_card(bundle.card),
        "source": source.name, "curves": curves_text(config), "n_train": config.n_train,
        "symmetries": int(config.symmetries if symmetries is None else symmetries),
    }  # fmt: skip
    write_energy_predictions(target, energy, raw, interval, attributes)
    return n
