"""Trained models for other programs: ONNX, torch.export, a model repository of Triton."""

import inspect
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from cloudchamber.errors import InputError
from cloudchamber.files import whole
from cloudchamber.infer.export_graphs import load_exportable
from cloudchamber.infer.exportable import Exportable
from cloudchamber.infer.triton_repository import triton_config
from cloudchamber.model.sparse.backend import sparse_backend

Format = Literal["onnx", "torch", "triton"]
ABOUT = "cloudchamber"  # key of what is said of a model, as JSON


def export_bundle(name: str | Path, kind: str, out: Path) -> None:
    """Write a bundle in another format, as a whole.

    Parameters
    ----------
    name : a bundle, a folder or .zip by path or one of the package's by name.
    kind : "onnx": a file for ONNX Runtime; "torch": a file for ``torch.export.load``; "triton": a folder to
        start Triton with.
    out : the file, or the folder, to write.

    Raises
    ------
    InputError
        if there is no such bundle or format, the model cannot be exported or ``out`` cannot be written.
    """
    if kind not in get_args(Format):
        raise InputError("--format", "", f"one of {', '.join(get_args(Format))}", repr(kind))
    model = load_exportable(name)
    with whole(out) as temporary:
        if kind == "onnx":
            write_onnx(model, temporary)
        elif kind == "torch":
            write_torch(model, temporary)
        else:
            write_triton(model, temporary)


def write_onnx(model: Exportable, path: Path) -> None:
    """Write a graph as one file for ONNX Runtime; its metadata say what it is, under the key cloudchamber."""
    with _quiet(), sparse_backend("torch"):
        program: Any = torch.onnx.export(
            model.graph, model.example, input_names=list(model.inputs), output_names=list(model.outputs),
            dynamic_shapes=_shapes(model), dynamo=True, verbose=False, external_data=False,
        )  # fmt: skip
        program.model.metadata_props[ABOUT] = json.dumps(model.about)
        program.save(path, external_data=False)


def write_torch(model: Exportable, path: Path) -> None:
    """Write a graph for ``torch.export.load``; what it is stands in the extra file cloudchamber."""
    with _quiet(), torch.inference_mode(False), torch.no_grad(), sparse_backend("torch"):
        program = torch.export.export(model.graph, model.example, dynamic_shapes=_shapes(model))
        with path.open("wb") as stream:
            torch.export.save(program, stream, extra_files={ABOUT: json.dumps(model.about)})


def write_triton(model: Exportable, folder: Path) -> None:
    """Write a folder to start Triton with: a model, its version 1 in ONNX, and its configuration."""
    name = model.name.replace("/", "_")
    version = folder / name / "1"
    version.mkdir(parents=True)
    write_onnx(model, version / "model.onnx")
    text = triton_config(name, version / "model.onnx", batched=model.batched)
    (folder / name / "config.pbtxt").write_text(text, encoding="utf-8")


def _shapes(model: Exportable) -> Any:
    """Return the free axes in the words of torch.export, for which what ``*name`` takes is one input."""
    named = tuple(dict.fromkeys(axes, torch.export.Dim.DYNAMIC) for axes in model.dynamic)
    kinds = [each.kind for each in inspect.signature(model.graph.forward).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        return named
    alone = kinds.index(inspect.Parameter.VAR_POSITIONAL)
    return (*named[:alone], named[alone:])


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the exporters say of themselves off the screen."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
