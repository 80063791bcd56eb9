"""Exported networks for the energy of muons give what their bundles give, of cells and of grids."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cloudchamber.errors import InputError
from cloudchamber.infer.energy_bundle import (
    EnergyBundle,
    EnergyBundleConfig,
    join_networks,
    round_weights,
    save_energy_bundle,
)
from cloudchamber.infer.energy_predict import predict_raw
from cloudchamber.infer.export import ABOUT, export_bundle, write_torch
from cloudchamber.infer.export_energy import EnergyGraph, energy_exportable
from cloudchamber.model.energy_inputs import read_muons
from cloudchamber.model.energy_output import EnergyOutput
from cloudchamber.model.registry import build_network
from cloudchamber.model.sparse.backend import sparse_backend
from cloudchamber.prepare.muon_features import fit_feature_scale, muon_features
from cloudchamber.score.energy_calibration import MedianCalibration
from cloudchamber.train.energy_batches import make_batch
from tests.infer.exports import (
    MOST,
    check_repository,
    check_same,
    muon_inputs,
    open_onnx,
    run_graph,
    run_onnx,
    run_program,
)
from tests.train.muons import GRID, SMALL_PAPER, SMALL_SPARSE, make_muons

LEVELS = (0.15865, 0.5, 0.84135)
LOG = EnergyOutput(levels=LEVELS, scale="log", centre=7.5, width=0.9)
QUANTILES = EnergyOutput(kind="quantiles", levels=LEVELS, scale="log", centre=7.5, width=0.9)
MEDIANS = MedianCalibration(true_gev=(100.0, 1000.0), predicted_gev=(150.0, 900.0))
Options = dict[str, Any]


@torch.no_grad()
def energy_bundle(
    network: str, options: Options, output: EnergyOutput = LOG, copies: int = 1, **config: Any
) -> EnergyBundle:
    """Return untrained networks for toy muons whose normalisations have seen some."""
    events = make_muons(40, 3)
    scale = fit_feature_scale(muon_features(events), "arcsinh")
    batch = make_batch(events, np.arange(len(events)), scale(muon_features(events)))
    torch.manual_seed(4)
    given = {**options, "shape": GRID.shape, "outputs": output.outputs, "features": 28}
    networks = []
    for _ in range(copies):
        made = build_network(network, given)
        with sparse_backend("torch"):
            read_muons(made.train(), *batch[:3])
        round_weights(made)
        networks.append(made.eval())
    joined, name, plain = join_networks(networks, network, given)
    found = EnergyBundleConfig.model_validate({
        "name": "small", "network": name, "options": plain, "losses": (1.0, 3.0)[:copies], "output": output,
        "features": scale, "calibration": None, "deck": None, "intervals": None, "grid": GRID, "n_train": 0,
        **config,
    })  # fmt: skip
    return EnergyBundle(found, joined, "# small\n\nUntrained, for tests.\n")


BUNDLES = {
    "cells": lambda: energy_bundle(
        "energy-sparse", {**SMALL_SPARSE, "cells": "log", "least_mev": 4.0}, copies=2, calibration=MEDIANS
    ),
    "grid": lambda: energy_bundle("energy-paper", SMALL_PAPER, QUANTILES),
}


@pytest.fixture(scope="module", params=list(BUNDLES))
def exported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[EnergyBundle, Path]:
    """Return a bundle and its folder in a repository for Triton."""
    bundle, folder = BUNDLES[request.param](), tmp_path_factory.mktemp(request.param)
    save_energy_bundle(folder / "bundle", bundle)
    export_bundle(folder / "bundle", "triton", folder / "models")
    return bundle, folder / "models" / bundle.config.name


@pytest.mark.parametrize("n", [1, 7])
def test_energies_are_those_of_the_bundle(n: int, exported: tuple[EnergyBundle, Path]) -> None:
    bundle, folder = exported
    events = make_muons(n, 8)
    energy, quantiles = run_onnx(folder / "1" / "model.onnx", muon_inputs(energy_exportable(bundle), events))
    wanted = predict_raw(bundle, events)
    np.testing.assert_allclose(energy, wanted.energy_gev, rtol=MOST)
    ends = np.stack([wanted.low_gev, wanted.middle_gev, wanted.high_gev], axis=1)
    np.testing.assert_allclose(quantiles, ends, rtol=MOST)
    assert n == 1 or np.ptp(energy) > 0.01 * energy.mean()


def test_a_repository_for_triton(exported: tuple[EnergyBundle, Path]) -> None:
    bundle, folder = exported
    model = energy_exportable(bundle)
    found = check_repository(folder, batched=model.batched)
    if model.batched:
        assert found == {
            "cells_gev": [*GRID.shape], "features": [28], "energy_gev": [], "quantiles_gev": [3]
        }  # fmt: skip
        text = (folder / "config.pbtxt").read_text()
        assert "dims: [ 1 ]\n  reshape: { shape: [ ] }\n" in text  # a number each: Triton has no empty shapes
        return
    assert found == {
        "cells_gev": [-1], "coordinates": [-1, 4], "features": [-1, 28], "down_0": [8, -1],
        "neighbours_1": [27, -1], "down_1": [8, -1], "neighbours_2": [27, -1], "energy_gev": [-1],
        "quantiles_gev": [-1, 3],
    }  # fmt: skip
    about = json.loads(open_onnx(folder / "1" / "model.onnx").get_modelmeta().custom_metadata_map[ABOUT])
    assert (about["task"], about["halvings"], about["least_mev"]) == ("energy", 2, 4.0)
    assert about["quantile_levels"] == list(LEVELS)
    assert len(about["features"]) == 28
    assert about["curves"]["calibration"]["predicted_gev"] == [150.0, 900.0]


@pytest.mark.parametrize("name", list(BUNDLES))
def test_programs(name: str, tmp_path: Path) -> None:
    model = energy_exportable(BUNDLES[name]())
    write_torch(model, tmp_path / "model.pt2")
    for n in (2, 5):
        inputs = muon_inputs(model, make_muons(n, 9))
        check_same(model, run_graph(model, inputs), run_program(tmp_path / "model.pt2", inputs))


@pytest.mark.parametrize(("options", "output"), [
    ({"norm": "nominal", "pooling": "flatten", "e_pass": False}, EnergyOutput()),
    ({"excitation": False, "identity": False}, EnergyOutput(kind="density", levels=(0.2, 0.7), scale="log")),
])  # fmt: skip
def test_tables_are_what_cells_are(options: Options, output: EnergyOutput) -> None:
    bundle, events = energy_bundle("energy-sparse", {**SMALL_SPARSE, **options}, output), make_muons(4, 6)
    model = energy_exportable(bundle)
    assert model.outputs == (("energy_gev", "quantiles_gev") if output.levels else ("energy_gev",))
    found, wanted = run_graph(model, muon_inputs(model, events)), predict_raw(bundle, events)
    np.testing.assert_allclose(found[0], wanted.energy_gev, rtol=MOST, atol=1e-6)
    if output.levels:
        np.testing.assert_allclose(found[1][:, 1], wanted.high_gev, rtol=MOST)


def test_muons_without_cells_count_too() -> None:
    bundle, events = energy_bundle("energy-sparse", {**SMALL_SPARSE, "least_mev": 1e9}), make_muons(2, 6)
    model = energy_exportable(bundle)
    found = run_graph(model, muon_inputs(model, events))[0]
    np.testing.assert_allclose(found, predict_raw(bundle, events).energy_gev, rtol=MOST)


@cache
def of_features() -> EnergyBundle:
    return energy_bundle("energy-paper", {**SMALL_PAPER, "cnn": False})


def test_networks_of_features_alone_read_no_cells() -> None:
    bundle, events = of_features(), make_muons(3, 6)
    model = energy_exportable(bundle)
    assert model.inputs == ("features",)
    found = run_graph(model, {"features": muon_features(events)})[0]
    np.testing.assert_allclose(found, predict_raw(bundle, events).energy_gev, rtol=MOST)


@settings(max_examples=30, deadline=None)
@given(values=arrays(np.float32, (1, 28), elements=st.floats(-(2.0**26), 2.0**26, width=32)))
def test_features_are_standardised_as_they_are_in_training(values: np.ndarray) -> None:
    bundle = of_features()
    scale = bundle.config.features
    assert scale is not None
    found = EnergyGraph(bundle).standardised(torch.from_numpy(values))
    np.testing.assert_allclose(found, scale(values), rtol=1e-6, atol=1e-6)


def test_sparse_networks_that_read_no_features_are_refused() -> None:
    bundle = energy_bundle("energy-sparse", SMALL_SPARSE, features=None)
    with pytest.raises(InputError, match="small: expected a sparse network that reads features"):
        energy_exportable(bundle)
