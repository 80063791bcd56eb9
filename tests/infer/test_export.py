"""Exported models give what their bundles give, on other batches than they were traced with."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from cloudchamber.errors import InputError
from cloudchamber.infer.bundle import Bundle, list_bundles, save_bundle
from cloudchamber.infer.export import ABOUT, export_bundle, write_onnx, write_torch
from cloudchamber.infer.export_graphs import VoxelsGraph, hits_exportable, load_exportable
from cloudchamber.infer.hits_bundle import HitsBundle, load_hits_bundle
from cloudchamber.infer.hits_engines.choose import classify
from cloudchamber.infer.hits_engines.onnx_patches import OnnxHits, classify_onnx
from cloudchamber.infer.predict import predict_probability
from cloudchamber.model.sparse.tables import table_names, tables_of
from cloudchamber.model.voxels_uresnet import SparseUResNet, SparseUResNetConfig
from tests.infer.exports import (
    MOST,
    check_parity,
    check_repository,
    check_same,
    images_for,
    open_onnx,
    run_graph,
    run_onnx,
    run_program,
)
from tests.infer.hits_engines.planes import patch_network, toy_plane
from tests.infer.hits_models import hits_bundle, save_small


@pytest.fixture(scope="module", params=["patch", "plane"])
def repository(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small model in a repository for Triton, beside its bundle."""
    folder = tmp_path_factory.mktemp(request.param)
    export_bundle(save_small(request.param, folder), "triton", folder / "models")
    return folder / "models" / f"small-{request.param}"


def bundle_of(repository: Path) -> Path:
    return repository.parents[1] / repository.name.removeprefix("small-")


def test_hits_in_onnx(repository: Path) -> None:
    path = repository / "1" / "model.onnx"
    check_parity(load_exportable(bundle_of(repository)), path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_inputs()] == ["main_input"]
    assert [each.name for each in session.get_outputs()] == ["em_trk_none_netout", "michel_netout"]
    assert isinstance(session.get_inputs()[0].shape[0], str)  # any batch
    about = json.loads(session.get_modelmeta().custom_metadata_map[ABOUT])
    assert about["task"] == "hits"
    assert about["name"] == repository.name
    assert about["scale"]["scale_adc"] == 5.0


@pytest.mark.parametrize("memory", [1000.0, 0.05])
def test_onnx_runtime_classifies_as_torch_does(memory: float, repository: Path) -> None:
    network, toy = load_hits_bundle(bundle_of(repository)).network, toy_plane(50, 90, 80)
    model = OnnxHits(repository / "1" / "model.onnx")
    found = classify_onnx(model, toy.plane, toy.wire, toy.drift, memory_mib=memory)
    np.testing.assert_allclose(found, classify(network, toy.plane, toy.wire, toy.drift), rtol=0, atol=MOST)
    none = np.empty(0, np.int64)
    assert classify_onnx(model, toy.plane, none, none).shape == (0, 4)


def test_hits_in_torch_export(tmp_path: Path) -> None:
    source, path = save_small("patch", tmp_path), tmp_path / "model.pt2"
    export_bundle(source, "torch", path)
    model, extra = load_exportable(source), {ABOUT: ""}
    inputs = images_for(model, 7)
    check_same(model, run_graph(model, inputs), run_program(path, inputs, extra))
    assert json.loads(extra[ABOUT])["name"] == "small-patch"


def test_a_repository_for_triton(repository: Path) -> None:
    assert check_repository(repository)["em_trk_none_netout"][0] == 3


@pytest.mark.slow
def test_walls_with_their_views(bundle: Bundle, tmp_path: Path) -> None:
    save_bundle(tmp_path / "small", bundle)
    export_bundle(tmp_path / "small", "onnx", tmp_path / "model.onnx")
    maps = np.random.default_rng(1).lognormal(-3, 0.8, (3, 1, 10, 10, 10)).astype(np.float32)
    wanted = predict_probability(
        bundle.network, bundle.config.inputs, maps, symmetries=bundle.config.symmetries
    )
    (found,) = run_onnx(tmp_path / "model.onnx", {"maps": maps})
    np.testing.assert_allclose(found, wanted, rtol=0, atol=MOST)


@torch.no_grad()
def test_tables_are_what_rulebooks_are() -> None:
    torch.manual_seed(0)
    network = SparseUResNet(SparseUResNetConfig(levels=3, filters=4)).eval()
    for name, values in network.named_buffers():
        if "running_mean" in name:
            values.normal_(0, 0.2)
    rng = np.random.default_rng(2)
    places = np.unique(rng.integers(0, 20, (300, 3)), axis=0)
    rng.shuffle(places)
    coordinates = torch.from_numpy(np.concatenate([np.zeros((len(places), 1), np.int64), places], axis=1))
    features = torch.rand(len(places), 1)
    tables = tables_of(coordinates, 3)
    assert tuple(tables) == table_names(3)
    found = VoxelsGraph(network, ())(features, *tables.values())
    np.testing.assert_allclose(found, network(features, coordinates).softmax(dim=1), rtol=0, atol=1e-6)


def test_tables_of_voxels_that_stand_twice_are_refused() -> None:
    with pytest.raises(ValueError, match="once each"):
        tables_of(torch.zeros(2, 4, dtype=torch.int64), 2)


@pytest.mark.parametrize(("kind", "name", "message"), [
    ("tensorflow", "walls/full", "--format: expected one of onnx, torch, triton"),
    ("onnx", "walls/none", "walls/none: expected a bundle"),
])  # fmt: skip
def test_what_cannot_be_exported_is_refused(kind: str, name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        export_bundle(name, kind, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_no_networks_for_hits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        OnnxHits(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"not a network")
    with pytest.raises(InputError, match=r"bad\.onnx: expected a network in ONNX"):
        OnnxHits(tmp_path / "bad.onnx")
    end = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["x"], ["y"])], "other",
        [end("x", onnx.TensorProto.FLOAT, [1])], [end("y", onnx.TensorProto.FLOAT, [1])],
    )  # fmt: skip
    opset = [onnx.helper.make_opsetid("", 18)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=10), tmp_path / "other.onnx")
    with pytest.raises(
        InputError, match="expected main_input, em_trk_none_netout, michel_netout, found x, y"
    ):
        OnnxHits(tmp_path / "other.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("name", list_bundles())
def test_every_bundle_of_the_package(name: str, tmp_path: Path) -> None:
    model = load_exportable(name)
    export_bundle(name, "triton", tmp_path / "triton")
    folder = tmp_path / "triton" / name.replace("/", "_")
    check_repository(folder, batched=model.batched)
    for n in (1, 5):
        check_parity(model, folder / "1" / "model.onnx", n)
    write_torch(model, tmp_path / "model.pt2")
    inputs = images_for(model, 3)
    if model.about["task"] == "hits":  # programs take even sides only, as docs/how-to/export.md says
        inputs = {key: image[:, :, :-1, :-1] for key, image in inputs.items()}
    check_same(model, run_graph(model, inputs), run_program(tmp_path / "model.pt2", inputs))


@pytest.mark.slow
def test_the_published_network_on_10_000_patches(tmp_path: Path) -> None:
    network = patch_network(patch=48, filters=48, hidden=(128, 32))
    assert sum(values.numel() for values in network.parameters()) == 11_900_420
    bundle = hits_bundle("patch")
    model = hits_exportable(HitsBundle(bundle.config, network, ""))
    write_onnx(model, tmp_path / "model.onnx")
    session = open_onnx(tmp_path / "model.onnx")
    for seed in range(100):
        patches = np.random.default_rng(seed).normal(0, 4, (100, 1, 48, 48)).clip(-10, 30).astype(np.float32)
        inputs = {"main_input": patches}
        wanted, found = run_graph(model, inputs), session.run(None, inputs)
        for one, other in zip(wanted, found, strict=True):
            np.testing.assert_allclose(other, one, rtol=0, atol=MOST)
        np.testing.assert_array_equal(found[0].argmax(axis=1), wanted[0].argmax(axis=1))
        np.testing.assert_array_equal(found[1] > 0.5, wanted[1] > 0.5)
