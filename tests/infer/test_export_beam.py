"""Exported networks for beam and cosmics give what their bundles give of images of any sides."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cloudchamber.infer.beam_bundle import BeamBundle, load_beam_bundle, save_beam_bundle
from cloudchamber.infer.beam_predict import predict_images
from cloudchamber.infer.export import ABOUT, export_bundle, write_torch
from cloudchamber.infer.export_beam import beam_exportable
from cloudchamber.model.registry import build_network
from cloudchamber.prepare.beam_images import BeamImages
from tests.infer.exports import (
    MOST,
    check_repository,
    check_same,
    open_onnx,
    run_graph,
    run_onnx,
    run_program,
)
from tests.infer.test_beam_predict import bundle_of
from tests.train.beam import toy_images

PLACE = (-0.5, 1.0, -1.0, 0.25)
TIRAMISU: dict[str, object] = {"inputs": 3, "filters": 6, "blocks": [1, 1], "bottleneck": 2, "growth": 4}


def tiramisu() -> BeamBundle:
    """Return an untrained bundle of a small Tiramisu."""
    small = bundle_of()
    network = build_network("beam-tiramisu", TIRAMISU).eval()
    config = small.config.model_copy(update={"network": "beam-tiramisu", "options": TIRAMISU})
    return BeamBundle(config, network, small.card)


BUNDLES = {"small": bundle_of, "learned": lambda: bundle_of(downsampling="learned"), "tiramisu": tiramisu}


@pytest.fixture(scope="module", params=list(BUNDLES))
def exported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[BeamBundle, Path]:
    """Return a bundle and its folder in a repository for Triton."""
    bundle, folder = BUNDLES[request.param](), tmp_path_factory.mktemp(request.param)
    save_beam_bundle(folder / "bundle", bundle)
    export_bundle(folder / "bundle", "triton", folder / "models")
    return load_beam_bundle(folder / "bundle"), folder / "models" / bundle.config.name


def inputs_of(images: BeamImages, place: tuple[float, ...] = PLACE) -> dict[str, np.ndarray]:
    return {
        "signal": images.signal(slice(None)),
        "place": np.tile(np.array(place, np.float32), (len(images), 1)),
    }


@pytest.mark.parametrize(("n", "wires", "drifts"), [(3, 24, 29), (1, 32, 17), (2, 5, 3)])
def test_probabilities_are_those_of_the_bundle(
    n: int, wires: int, drifts: int, exported: tuple[BeamBundle, Path]
) -> None:
    bundle, folder = exported
    fine = bundle.config.images.read
    images = toy_images(n, 5, wires=wires, drifts=drifts, downsampling="learned" if fine > 1 else "maximum")
    assert images.code.shape == (n, wires * fine, drifts * fine)
    label, probability = predict_images(bundle, images, PLACE)
    (found,) = run_onnx(folder / "1" / "model.onnx", inputs_of(images))
    np.testing.assert_allclose(found, probability, rtol=0, atol=MOST)
    np.testing.assert_array_equal(found.argmax(axis=1), label)


def test_a_repository_for_triton(exported: tuple[BeamBundle, Path]) -> None:
    bundle, folder = exported
    assert check_repository(folder) == {"signal": [-1, -1], "place": [4], "probability": [3, -1, -1]}
    about = json.loads(open_onnx(folder / "1" / "model.onnx").get_modelmeta().custom_metadata_map[ABOUT])
    assert about["task"] == "beam"
    assert about["classes"] == ["background", "not_beam", "beam"]
    assert about["unit"] == "adc"
    assert about["stride"] == bundle.network.stride


@pytest.mark.parametrize("name", ["small", "tiramisu"])
def test_programs_take_images_of_more_than_one_stride(name: str, tmp_path: Path) -> None:
    bundle = BUNDLES[name]()
    model = beam_exportable(bundle)
    write_torch(model, tmp_path / "model.pt2")
    stride = int(bundle.network.stride)  # type: ignore[arg-type]
    for n, wires, drifts in ((1, stride + 1, 4 * stride), (3, 3 * stride, 2 * stride + 3)):
        inputs = inputs_of(toy_images(n, 6, wires=wires, drifts=drifts))
        check_same(model, run_graph(model, inputs), run_program(tmp_path / "model.pt2", inputs))
    with pytest.raises(AssertionError, match="Guard failed"):
        run_program(tmp_path / "model.pt2", inputs_of(toy_images(1, 6, wires=stride, drifts=stride)))


def test_networks_without_places_read_the_signal_alone() -> None:
    bundle = bundle_of()
    config = bundle.config.model_copy(
        update={"inputs": bundle.config.inputs.model_copy(update={"coordinates": False})}
    )
    options = {**bundle.config.options, "inputs": 1}
    network = build_network("beam-small", options).eval()
    model = beam_exportable(replace(bundle, config=config, network=network))
    assert model.inputs == ("signal",)
    images = toy_images(2, 7, wires=9, drifts=33)
    with torch.no_grad():
        (found,) = run_graph(model, {"signal": images.signal(slice(None))})
    wanted = predict_images(BeamBundle(config, network, ""), images)[1]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=MOST)
