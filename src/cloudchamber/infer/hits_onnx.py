"""Scores of hits from an exported network; without torch."""

from pathlib import Path

from pydantic import ValidationError

from cloudchamber.errors import InputError
from cloudchamber.infer.hits_engines.onnx_patches import OnnxHits, classify_onnx
from cloudchamber.infer.hits_predict import HitsScorer
from cloudchamber.prepare.hit_images import HitScale


def scorer_of_onnx(path: Path, *, threads: int = 1, memory_mib: float = 1536.0) -> HitsScorer:
    """Return what scores hits with a network that ``cloudchamber export`` wrote in ONNX.

    Raises
    ------
    InputError
        if the file is none of ONNX, or not such a network.
    """
    model = OnnxHits(path, threads)
    try:
        scale = HitScale.model_validate(model.about["scale"])
        return HitsScorer(
            str(model.about["name"]), str(model.about["card"]), scale, float(model.about["pitch_mm"]),
            float(model.about["drift_mm"]), "onnxruntime",
            lambda plane, wire, drift: classify_onnx(model, plane, wire, drift, memory_mib=memory_mib),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise InputError(
            path, "metadata", "what cloudchamber export says of a network", repr(error)
        ) from error
