"""The exported networks in ONNX Runtime: patches or whole planes, without torch."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from jaxtyping import Float32, Shaped

from cloudchamber.errors import InputError
from cloudchamber.infer.hits_engines.parts import Reach, run_parts
from cloudchamber.infer.hits_engines.places import check_plane, cut_patches, find_places, padded

BATCH = 64  # patches; more are no faster
MAIN_INPUT, CLASSES, MICHEL = "main_input", "em_trk_none_netout", "michel_netout"
ABOUT = "cloudchamber"  # key of what the exporter says of a model, as JSON


class OnnxHits:
    """An exported network for hits.

    Parameters
    ----------
    path : the .onnx file.
    threads : that ONNX Runtime computes with.

    Raises
    ------
    InputError
        if the file is none of ONNX, or of a network for something else.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        if not path.is_file():
            raise InputError(path, "", "an exported network (.onnx)", "no such file")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        try:
            self.session: Any = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime has a dozen kinds, none of which it documents
            raise InputError(path, "", "a network in ONNX", str(error).splitlines()[0]) from error
        text = self.session.get_modelmeta().custom_metadata_map.get(ABOUT, "{}")
        self.about: dict[str, Any] = json.loads(text)
        names = [each.name for each in self.session.get_inputs()]
        names += [each.name for each in self.session.get_outputs()]
        wanted = [MAIN_INPUT, CLASSES, MICHEL]
        if names != wanted or self.about.get("task") != "hits":
            raise InputError(path, "inputs and outputs", ", ".join(wanted), ", ".join(names))
        shape = self.session.get_inputs()[0].shape
        self.side = int(shape[2]) if isinstance(shape[2], int) else None  # None: it reads planes

    def __call__(self, images: Float32[np.ndarray, "n 1 wire drift"]) -> Float32[np.ndarray, "n 4 ..."]:
        """Return the scores (track, em, none, michel) on axis 1."""
        classes, michel = self.session.run([CLASSES, MICHEL], {MAIN_INPUT: images})
        return np.concatenate([classes, michel], axis=1)


def classify_onnx(
    model: OnnxHits,
    plane: Shaped[np.ndarray, "wire drift"],
    hits_wire: Shaped[np.ndarray, "hit"],
    hits_drift: Shaped[np.ndarray, "hit"],
    *,
    memory_mib: float = 1536.0,
) -> Float32[np.ndarray, "hit 4"]:
    """Return what each hit is, as :func:`cloudchamber.infer.hits_engines.choose.classify` does.

    Raises
    ------
    InputError
        if plane or hits make no sense.
    """
    image = check_plane(plane)
    places = find_places((image.shape[0], image.shape[1]), hits_wire, hits_drift)
    if not len(places):
        return np.empty((0, 4), np.float32)
    if model.side is None:
        reach = Reach(model.about["reach"], model.about["fold"], model.about["pixel_bytes"])
        scores = run_parts(lambda part: model(part)[0], image, places, reach, memory_mib)
        return np.asarray(scores[places.of_hit])
    around = padded(image, model.side)
    out = np.empty((len(places), 4), np.float32)
    for start in range(0, len(places), BATCH):
        some = slice(start, min(start + BATCH, len(places)))
        out[some] = model(cut_patches(around, places.wire[some], places.drift[some], model.side))
    return np.asarray(out[places.of_hit])
