"""What tests of exported networks share: inputs, ONNX Runtime, and the comparison with torch."""

import re
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from cloudchamber.calorimeter_events import CalorimeterEvents, CalorimeterGrid
from cloudchamber.infer.export_energy import cell_inputs
from cloudchamber.infer.exportable import Exportable
from cloudchamber.model.sparse.backend import sparse_backend
from cloudchamber.model.sparse.tables import tables_of
from cloudchamber.prepare.muon_features import muon_features
from cloudchamber.train.energy_batches import make_batch
from tests.train.beam import toy_wire_events
from tests.train.muons import make_muons

MOST = 1e-5  # difference of a probability, or share of an energy
Arrays = dict[str, np.ndarray]


def open_onnx(path: Path) -> onnxruntime.InferenceSession:
    """Return a session on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run_onnx(path: Path, inputs: Arrays) -> list[np.ndarray]:
    """Return all outputs of a file."""
    found: list[np.ndarray] = open_onnx(path).run(None, inputs)
    return found


@torch.no_grad()
def run_graph(model: Exportable, inputs: Arrays) -> list[np.ndarray]:
    """Return all outputs of the graph that was exported."""
    with sparse_backend("torch"):
        made = model.graph(*(torch.from_numpy(inputs[name]) for name in model.inputs))
    return [each.numpy() for each in (made if isinstance(made, tuple) else (made,))]


@torch.no_grad()
def run_program(path: Path, inputs: Arrays, extra: dict[str, str] | None = None) -> list[np.ndarray]:
    """Return all outputs of a torch.export program, which gets its inputs in order."""
    program = torch.export.load(path, extra_files=extra).module()
    made = program(*(torch.from_numpy(value) for value in inputs.values()))
    return [each.numpy() for each in (made if isinstance(made, tuple) else (made,))]


def muon_inputs(model: Exportable, events: CalorimeterEvents) -> Arrays:
    """Return what a network for energies reads of muons."""
    about, features = model.about, muon_features(events)
    if about["reads"] == "grid":
        found = {"cells_gev": events.dense(), "features": features}
        return {name: found[name] for name in model.inputs}
    batch = make_batch(events, np.arange(len(events)), features)
    read = cell_inputs(*batch[:3], about["halvings"], about["least_mev"])
    return {name: value.numpy() for name, value in read.items()}


def images_for(model: Exportable, n: int, seed: int = 0) -> Arrays:
    """Return inputs of another batch, and another size of planes or sparse events, than the example's."""
    rng, task = np.random.default_rng(seed), model.about.get("task")
    if task == "energy":
        grid = model.about["grid"]
        shape = CalorimeterGrid(tuple(grid["shape"]), grid["layer_mm"], grid["cell_mm"])
        return muon_inputs(model, make_muons(n, seed, shape))
    if task == "voxels":
        levels = model.about["levels"]
        walk = np.cumsum(rng.integers(-1, 2, (60 * n, 3)), axis=0)  # a track: voxels with neighbours
        places = np.unique(np.abs(walk), axis=0)
        rng.shuffle(places)
        coordinates = np.concatenate([np.zeros((len(places), 1), np.int64), places], axis=1)
        tables = tables_of(torch.from_numpy(coordinates), levels)
        features = rng.uniform(0.5, 1.5, (len(coordinates), model.example[0].shape[1])).astype(np.float32)
        return {"features": features, **{name: table.numpy() for name, table in tables.items()}}
    shape_of = [n, *model.example[0].shape[1:]]
    for axis in set(model.dynamic[0]) - {0}:
        shape_of[axis] += 7
    if task == "beam":
        values = toy_wire_events(n, seed, (shape_of[1], shape_of[2])).signal()
    else:
        values = rng.lognormal(-3, 0.8, shape_of) if task == "walls" else rng.normal(0, 4, shape_of)
    found = {model.inputs[0]: values.astype(np.float32)}
    if "place" in model.inputs:
        found["place"] = np.sort(rng.uniform(-1, 1, (n, 4)).astype(np.float32), axis=1)
    return found


def check_same(model: Exportable, wanted: list[np.ndarray], found: list[np.ndarray]) -> None:
    """Make sure that outputs agree and that no class has changed."""
    task = model.about.get("task")
    assert len(wanted) == len(found) == len(model.outputs)
    for one, other in zip(wanted, found, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(other, one, rtol=MOST if task == "energy" else 0, atol=MOST)
    if task in ("beam", "hits", "voxels") and wanted[0].shape[1] > 1:
        np.testing.assert_array_equal(found[0].argmax(axis=1), wanted[0].argmax(axis=1))


def check_parity(model: Exportable, path: Path, n: int = 5) -> None:
    """Make sure that a file gives what the graph gives."""
    inputs = images_for(model, n)
    check_same(model, run_graph(model, inputs), run_onnx(path, inputs))


def _blocks(text: str, kind: str) -> list[tuple[str, str, list[int]]]:
    pattern = rf'{kind} {{\s+name: "(\w+)"\s+data_type: (\w+)\s+dims: \[ ([-\d, ]+) \]\s+(reshape: .+\s+)?}}'
    return [
        (name, data, [] if alone else list(map(int, dims.split(","))))
        for name, data, dims, alone in re.findall(pattern, text)
    ]


def check_repository(folder: Path, *, batched: bool = True) -> dict[str, list[int]]:
    """Make sure that Triton is told what ONNX Runtime reads; return the lengths of all ends, -1 if free."""
    assert {path.name for path in folder.iterdir()} == {"1", "config.pbtxt"}
    text = (folder / "config.pbtxt").read_text()
    session = open_onnx(folder / "1" / "model.onnx")
    kinds = {"tensor(float)": "TYPE_FP32", "tensor(int64)": "TYPE_INT64"}
    found = {}
    for kind, ends in (("input", session.get_inputs()), ("output", session.get_outputs())):
        wanted = [
            (end.name, kinds[end.type], [d if isinstance(d, int) else -1 for d in end.shape[int(batched) :]])
            for end in ends
        ]
        assert _blocks(text, kind) == wanted
        found.update({name: lengths for name, _, lengths in wanted})
    assert f'name: "{folder.name}"' in text
    assert re.search(r"max_batch_size: [1-9]" if batched else r"max_batch_size: 0\n", text)
    return found
