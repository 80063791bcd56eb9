"""Scores of hits from a bundle, with any of the engines."""

import tempfile
from pathlib import Path
from typing import get_args

from cloudchamber.errors import InputError
from cloudchamber.infer.bundle import about_card
from cloudchamber.infer.export import write_onnx
from cloudchamber.infer.export_graphs import load_exportable
from cloudchamber.infer.hits_bundle import load_hits_bundle
from cloudchamber.infer.hits_engines.choose import MEMORY_MIB, Engine, classify
from cloudchamber.infer.hits_onnx import scorer_of_onnx
from cloudchamber.infer.hits_predict import HitsScorer


def scorer_of_bundle(
    name: str | Path, *, engine: str = "auto", threads: int = 1, memory_mib: float = MEMORY_MIB
) -> HitsScorer:
    """Return what scores hits with a bundle for patches or for planes.

    With ``engine`` "onnxruntime" the network is exported first, to a file that is gone at once.

    Raises
    ------
    InputError
        if there is no such bundle or engine, or its network says other things of hits.
    """
    engines = (*get_args(Engine), "onnxruntime")
    if engine not in engines:
        raise InputError("--engine", "", f"one of {', '.join(engines)}", repr(engine))
    bundle = load_hits_bundle(name)
    config = bundle.config
    if bundle.reads not in ("patch", "plane"):
        raise InputError(
            name, "network", "one that tells track, em, none and Michel electrons", config.network
        )
    if engine == "onnxruntime":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            write_onnx(load_exportable(name), path)
            return scorer_of_onnx(path, threads=threads, memory_mib=memory_mib)
    return HitsScorer(
        config.name, about_card(bundle.card), config.scale, config.pitch_mm, config.drift_mm, engine,
        lambda plane, wire, drift: classify(
            bundle.network, plane, wire, drift, engine=engine, threads=threads, memory_mib=memory_mib
        ),
    )  # fmt: skip
