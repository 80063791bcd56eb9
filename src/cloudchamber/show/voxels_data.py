"""What a page needs of sparse events, compactly: arrays as base64, particles as a table."""

import base64
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped, UInt8
from markupsafe import Markup

from cloudchamber.errors import InputError
from cloudchamber.labels import VoxelLabel
from cloudchamber.show.page import safe_json
from cloudchamber.show.pdg import particle_name
from cloudchamber.show.voxels_theme import CLASSES, RIGHT, WRONG, process_name, ramp
from cloudchamber.voxel_events import VoxelEvents

PRIMARIES = 6


def encoded(values: Shaped[np.ndarray, "..."]) -> dict[str, str]:
    """Return an array as the name of its typed array in JavaScript and its little-endian bytes in base64."""
    names = {"u1": "Uint8Array", "u2": "Uint16Array", "u4": "Uint32Array", "i4": "Int32Array"}
    names["f4"] = "Float32Array"
    data = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return {"type": names[data.dtype.str[1:]], "base64": base64.b64encode(data.tobytes()).decode()}


def _number(value: float) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) else None


def particle_rows(particles: Shaped[np.ndarray, "particle"]) -> list[list[Any]]:
    """Return name, kinetic energy in MeV (None if unknown), creating process, parent's name of particles."""
    pdg = [particle_name(int(number)) for number in particles["pdg"]]
    rows: list[list[Any]] = []
    for name, row in zip(pdg, particles, strict=True):
        parent = int(row["parent"])
        of = pdg[parent] if 0 <= parent < len(pdg) else None
        rows.append([name, _number(float(row["kinetic_mev"])), process_name(int(row["process"])), of])
    return rows


def _primaries(rows: list[list[Any]]) -> str:
    found = [f"{name} {kinetic:.4g} MeV" if kinetic is not None else name
             for name, kinetic, _, parent in rows if parent is None]  # fmt: skip
    more = f" and {len(found) - PRIMARIES} more" if len(found) > PRIMARIES else ""
    return ", ".join(found[:PRIMARIES]) + more


def check_classes(name: str, values: Shaped[np.ndarray, "..."] | None, voxels: int) -> None:
    """Make sure that there is one class for each voxel.

    Raises
    ------
    InputError
        if there are more or fewer, or one is no value of ``VoxelLabel``.
    """
    if values is None:
        return
    if values.shape != (voxels,):
        raise InputError("display of voxels", name, f"an array of shape ({voxels},)", str(values.shape))
    if values.size and int(values.max()) >= len(VoxelLabel):
        wanted = f"classes 0 to {len(VoxelLabel) - 1}"
        raise InputError("display of voxels", name, wanted, str(values.max()))


def chosen_classes(
    events: VoxelEvents,
    predicted: UInt8[np.ndarray, "voxel"] | None,
    probability: Float[np.ndarray, "voxel class"] | None,
) -> tuple[UInt8[np.ndarray, "voxel"] | None, Float[np.ndarray, "voxel"] | None]:
    """Return the predicted class of each voxel, by default the most probable, and its probability: its score.

    Raises
    ------
    InputError
        if labels, predictions or probabilities do not fit the events.
    """
    voxels = len(events.energy_mev)
    check_classes("label", events.label, voxels)
    if probability is not None:
        wanted = (voxels, len(VoxelLabel))
        if probability.shape != wanted:
            raise InputError("display of voxels", "probability", f"shape {wanted}", str(probability.shape))
        if predicted is None:
            predicted = probability.argmax(axis=1).astype(np.uint8)
    check_classes("predicted", predicted, voxels)
    if predicted is None or probability is None:
        return predicted, None
    return predicted, probability[np.arange(voxels), predicted].astype(np.float32)


def _event(
    name: str,
    event: VoxelEvents,
    predicted: UInt8[np.ndarray, "voxel"] | None,
    score: Float[np.ndarray, "voxel"] | None,
) -> dict[str, Any]:
    facts = [f"{len(event.energy_mev):,} voxels", f"{event.energy_mev.sum(dtype=np.float64):,.1f} MeV in all"]
    low, high = event.position.min(initial=0), event.position.max(initial=0)
    small = low >= 0 and high <= np.iinfo(np.uint16).max
    found: dict[str, Any] = {
        "name": name,
        "position": encoded(event.position.astype(np.uint16 if small else np.int32)),
        "energy": encoded(event.energy_mev.astype(np.float32)),
    }
    for key, values in (("truth", event.label), ("predicted", predicted)):
        if values is not None:
            found[key] = encoded(values.astype(np.uint8))
    if score is not None:
        found["score"] = encoded(score)
    if event.label is not None and predicted is not None and len(predicted):
        facts.append(f"non-zero accuracy {100 * np.mean(event.label == predicted):.2f}%")
    if event.particles is not None:
        rows = particle_rows(event.particles)
        if event.particle is not None:
            used, place = np.unique(np.append(event.particle, -1), return_inverse=True)
            found["particle"] = encoded((place[:-1] - 1).astype(np.int32))
            found["particles"] = [rows[row] if row < len(rows) else ["unknown", None, "unknown", None]
                                  for row in used[1:]]  # fmt: skip
        if primaries := _primaries(rows):
            facts.append(f"primaries: {primaries}")
    return found | {"facts": " · ".join(facts)}


def page_data(
    events: VoxelEvents,
    predicted: UInt8[np.ndarray, "voxel"] | None,
    score: Float[np.ndarray, "voxel"] | None,
    names: Sequence[str],
) -> Markup:
    """Return all that the page draws as JSON that may stand in a ``<script>`` element."""
    parts = []
    for number, event in enumerate(events):
        where = events.voxels_of(number)
        parts.append(
            _event(
                names[number],
                event,
                None if predicted is None else predicted[where],
                None if score is None else score[where],
            )
        )
    data = {
        "shape": list(events.shape),
        "voxelCm": events.voxel_mm / 10,
        "classes": [style._asdict() for style in CLASSES.values()],
        "verdicts": [RIGHT, WRONG],
        "ramp": ramp(),
        "events": parts,
    }
    return safe_json(json.dumps(data, allow_nan=False, separators=(",", ":")))
