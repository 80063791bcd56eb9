"""What a page needs of one wire plane, compactly: layers as deflated bytes, row by row along the wires."""

import base64
import json
import math
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Shaped, UInt8
from markupsafe import Markup

from cloudchamber.labels import Activity, Origin, VertexFlag
from cloudchamber.show.page import safe_json
from cloudchamber.show.pdg import particle_name
from cloudchamber.show.voxels_theme import process_name, ramp
from cloudchamber.show.wires_theme import (
    ACTIVITY_CLASSES,
    BEAM_CLASSES,
    FRAME_CLASSES,
    UNITS,
    VERDICTS,
    VERTEX_STYLES,
    PixelStyle,
    signal_name,
)
from cloudchamber.source.wire_predictions import NOT_PREDICTED, WirePredictions
from cloudchamber.wire_events import WireEvents

CODES = 32767
_TYPES = {
    "u1": "Uint8Array",
    "i2": "Int16Array",
    "u2": "Uint16Array",
    "i4": "Int32Array",
    "f4": "Float32Array",
}
_HIDDEN = PixelStyle("not predicted", "", "", "")


class Layer(NamedTuple):
    """A map of classes: values are numbers of ``classes``, of which the first ``hidden`` are not drawn."""

    key: str
    name: str
    classes: Sequence[PixelStyle]
    values: UInt8[np.ndarray, "wire drift"]
    hidden: int = 1


def deflated(values: Shaped[np.ndarray, "..."]) -> dict[str, Any]:
    """Return an array as bytes for the page: all lowest bytes, then the next ones, deflated, in base64."""
    data = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    planes = data.reshape(-1).view(np.uint8).reshape(-1, data.dtype.itemsize).T
    packed = zlib.compress(np.ascontiguousarray(planes).tobytes(), 6)
    return {
        "type": _TYPES[data.dtype.str[1:]], "length": data.size, "base64": base64.b64encode(packed).decode()
    }  # fmt: skip


def codes_of(event: WireEvents) -> tuple[Shaped[np.ndarray, "wire drift"], float, float]:
    """Return whole numbers for the signal, with zero and step: the file's own where it has such.

    Other signals are rounded to 1/32767 of the largest.
    """
    code, readout = event.code[0], event.readout
    if code.dtype == np.uint8 or code.dtype == np.int16:
        return code, readout.zero, readout.step
    signal = event.signal()[0]
    step = float(np.abs(signal).max(initial=0)) / CODES or 1.0
    return np.rint(signal / np.float32(step)).astype(np.int16), 0.0, step


def signal_range(signal: Float32[np.ndarray, "wire drift"]) -> tuple[float, float]:
    """Return where the colours begin and end: three widths of the noise; what 1 in 100 lit pixels exceed."""
    sample = signal[:: max(1, signal.shape[0] // 400)]
    noise = 1.4826 * float(np.median(np.abs(sample)))
    lit = signal[signal > 5 * noise] if noise > 0 else signal[signal > 0]
    high = float(np.percentile(lit, 99)) if len(lit) else float(signal.max(initial=0))
    return 3 * noise, max(high, 6 * noise) or 1.0


def activity_classes(
    activity: UInt8[np.ndarray, "wire drift"], michel: UInt8[np.ndarray, "wire drift"] | None
) -> UInt8[np.ndarray, "wire drift"]:
    """Return numbers of ``ACTIVITY_CLASSES``: Michel electrons are a class of their own."""
    if michel is None:
        return activity
    return np.where((michel > 0) & (activity != Activity.NONE), 3, activity).astype(np.uint8)


def truth_layers(event: WireEvents, frame_labels: UInt8[np.ndarray, "wire drift"] | None) -> list[Layer]:
    """Return what an event says of its pixels."""
    found = []
    if event.beam is not None:
        found.append(Layer("beam", "truth: beam", BEAM_CLASSES, event.beam[0]))
    if event.activity is not None:
        values = activity_classes(event.activity[0], None if event.michel is None else event.michel[0])
        found.append(Layer("activity", "truth: track or EM", ACTIVITY_CLASSES, values))
    if frame_labels is not None:
        rank = np.argsort(np.array(list(FRAME_CLASSES))).astype(np.uint8)
        found.append(Layer("labels", "the file's classes", tuple(FRAME_CLASSES.values()), rank[frame_labels]))
    return found


def prediction_layers(event: WireEvents, predicted: WirePredictions) -> list[Layer]:
    """Return the predicted classes, and where there is truth, right and wrong ones."""
    label = predicted.label[0]
    classes: Sequence[PixelStyle] = BEAM_CLASSES
    truth = event.beam
    if predicted.task == "hits":
        michel = None if predicted.michel is None else (predicted.michel[0] >= 128).astype(np.uint8)
        known = np.where(label == NOT_PREDICTED, 0, label).astype(np.uint8)
        shown = np.where(label == NOT_PREDICTED, label, activity_classes(known, michel))
        classes, truth = ACTIVITY_CLASSES, event.activity
    else:
        shown = label
    values = np.where(shown == NOT_PREDICTED, 0, shown + 1).astype(np.uint8)
    found = [Layer("predicted", "prediction", (_HIDDEN, *classes), values, hidden=2)]
    if truth is not None:
        verdict = np.where(label == truth[0], 1, 2).astype(np.uint8)
        verdict[((truth[0] == 0) & (label == 0)) | (label == NOT_PREDICTED)] = 0
        found.append(Layer("verdict", "right or wrong", VERDICTS, verdict))
    return found


def class_counts(layers: Sequence[Layer]) -> list[dict[str, Any]]:
    """Return rows of the page's table: pixels of each class in truth, prediction and both, and their IOU."""
    named = {layer.key: layer for layer in layers}
    predicted = named.get("predicted")
    rows: list[dict[str, Any]] = []
    for key in ("beam", "activity", "labels"):
        layer = named.get(key)
        if layer is None:
            continue
        paired = predicted if predicted is not None and predicted.classes[1:] == layer.classes else None
        for number, style in enumerate(layer.classes):
            truth = layer.values == number
            row: dict[str, Any] = {"layer": layer.name, "key": key, "number": number, **style._asdict()}
            row["truth"] = int(truth.sum())
            if paired is not None:
                guess = paired.values == number + 1
                row["predicted"], row["both"] = int(guess.sum()), int((truth & guess).sum())
                union = row["truth"] + row["predicted"] - row["both"]
                row["iou"] = 100 * row["both"] / union if union else None
            rows.append(row)
    if predicted is not None and not any("predicted" in row for row in rows):
        for number, style in enumerate(predicted.classes[1:]):
            count = int((predicted.values == number + 1).sum())
            row = {"layer": predicted.name, "key": "predicted", "number": number + 1, **style._asdict()}
            rows.append(row | {"predicted": count})
    return rows


def _number(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None


def particle_lines(event: WireEvents) -> list[str]:
    """Return a line for each particle: name, momentum or energy, process, origin, number in the file."""
    found: list[str] = []
    if event.particles is None:
        return found
    for row in event.particles:
        parts = [particle_name(int(row["pdg"])) if row["pdg"] else "particle of unknown kind"]
        kinetic = _number(float(row["kinetic_mev"]))
        if kinetic is not None:
            parts.append(f"kinetic energy {kinetic:g} MeV")
        if row["process"]:
            parts.append(process_name(int(row["process"])))
        if row["origin"]:
            parts.append(f"from {Origin(int(row['origin'])).name.lower()}")
        parts.append(f"number {row['track_id']}")
        found.append(", ".join(parts))
    return found


def vertex_marks(event: WireEvents) -> dict[str, Any] | None:
    """Return pixels that hold a point of interest: their wires, drift bins and flags."""
    if event.vertex is None:
        return None
    wire, drift = np.nonzero(event.vertex[0])
    return {
        "wire": deflated(wire.astype(np.uint16)), "drift": deflated(drift.astype(np.uint16)),
        "flags": deflated(event.vertex[0][wire, drift]),
    }  # fmt: skip


def hit_marks(event: WireEvents) -> dict[str, Any] | None:
    """Return hits: wires, ticks of their peaks, widths in ticks."""
    if event.hits is None or not len(event.hits):
        return None
    hits = event.hits
    return {
        "wire": deflated(hits["wire"].astype(np.uint16)), "tick": deflated(hits["peak_tick"].copy()),
        "rms": deflated(hits["rms_ticks"].copy()),
    }  # fmt: skip


def _layer_json(layer: Layer) -> dict[str, Any]:
    return {
        "key": layer.key, "name": layer.name, "hidden": layer.hidden,
        "classes": [style._asdict() for style in layer.classes], "values": deflated(layer.values.T),
    }  # fmt: skip


def page_data(event: WireEvents, layers: Sequence[Layer], predicted: WirePredictions | None) -> Markup:
    """Return all that the page draws as JSON that may stand in a ``<script>`` element."""
    readout = event.readout
    code, zero, step = codes_of(event)
    low, high = signal_range(event.signal()[0])
    data: dict[str, Any] = {
        "wires": event.wires, "drifts": event.drifts,
        "rebin": readout.rebin, "tickUs": _number(readout.tick_us), "pitchMm": _number(readout.pitch_mm),
        "driftMmUs": _number(readout.drift_mm_us),
        "signal": deflated(code.T), "zero": zero, "step": step, "unit": UNITS[readout.unit],
        "signalName": signal_name(readout.unit, readout.rebin), "low": low, "high": high,
        "ramp": ramp(64), "layers": [_layer_json(layer) for layer in layers],
        "vertices": vertex_marks(event), "hits": hit_marks(event),
        "vertexKinds": [{"flag": int(flag), **style._asdict()} for flag, style in VERTEX_STYLES.items()],
    }  # fmt: skip
    if event.particle is not None and event.particles is not None:
        used, place = np.unique(np.append(event.particle[0].ravel(), -1), return_inverse=True)
        lines = particle_lines(event)
        rows = place[:-1].reshape(event.particle[0].shape)
        small = len(used) <= 2**16
        data["particle"] = deflated(rows.T.astype(np.uint16 if small else np.int32))
        data["particles"] = [lines[row] for row in used[1:]]
    if predicted is not None and predicted.probability is not None:
        data["probability"] = deflated(predicted.probability[0].T)
    return safe_json(json.dumps(data, allow_nan=False, separators=(",", ":")))


def vertex_counts(event: WireEvents) -> str:
    """Return how many pixels hold each kind of point of interest, in words."""
    if event.vertex is None:
        return ""
    lit = event.vertex[0][event.vertex[0] > 0]
    counts = ((VERTEX_STYLES[flag].name, int(((lit & flag) != 0).sum())) for flag in VertexFlag)
    return ", ".join(f"{count} {name}" for name, count in counts if count)
