"""A page with muons in a calorimeter in 3D: cells coloured by their energy, above a threshold."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from cloudchamber.calorimeter_events import CalorimeterEvents
from cloudchamber.errors import InputError
from cloudchamber.files import write_text
from cloudchamber.score.energy_calibration import Energies
from cloudchamber.show.energy_picture import muon_text
from cloudchamber.show.page import render_page, safe_json
from cloudchamber.show.voxels_data import encoded
from cloudchamber.show.voxels_display import SCRIPTS, template_text
from cloudchamber.show.voxels_theme import ramp

HIDDEN_BELOW_MEV = 10.0  # the halo that the page leaves out at first
COLOURS_FROM_MEV = 1.0


def _event(name: str, event: CalorimeterEvents, text: str) -> dict[str, Any]:
    highest = 1000 * float(event.energy_gev.max(initial=0))
    return {
        "name": name,
        "position": encoded(event.position[:, [1, 2, 0]].astype(np.uint16)),  # x, y, z
        "energy": encoded(np.float32(1000) * event.energy_gev),
        "range": [COLOURS_FROM_MEV, max(highest, 10 * COLOURS_FROM_MEV)],
        "facts": text,
    }


def _slider(energy_mev: Float[np.ndarray, "cell"]) -> float:
    """Return where the slider, logarithmic from the least to the highest energy, hides the halo."""
    low, high = (
        np.log(max(each, 1e-3)) for each in (energy_mev.min(initial=np.inf), energy_mev.max(initial=0))
    )
    if not low < np.log(HIDDEN_BELOW_MEV) < high:
        return 0.0
    return float((np.log(HIDDEN_BELOW_MEV) - low) / (high - low))


def write_energy_display(
    path: Path,
    events: CalorimeterEvents,
    *,
    predicted_gev: Energies | None = None,
    interval_gev: Float[np.ndarray, "event 2"] | None = None,
    title: str = "Muons in a calorimeter",
    names: Sequence[str] = (),
    facts: Mapping[str, str] | None = None,
) -> None:
    """Write one self-contained HTML page that needs no network: about 14 bytes a cell and 60 kB.

    Cells are drawn as cubes, so that a block much longer than wide can be seen whole; the axes are in cm.

    Parameters
    ----------
    path : where the page goes.
    events : what is shown, one muon at a time, with its truth if it is known.
    predicted_gev, interval_gev : of a network, for each muon.
    names : of the muons, by default "muon 0" and so on.
    facts : what the reader should know of the data and the model, name and sentence; plain text.

    Raises
    ------
    InputError
        if the path cannot be written, there is no muon, or there is not one name or number for each.
    """
    count = len(events)
    if count == 0:
        raise InputError("display of muons", "events", "at least one muon", "none")
    for entry, given in (("names", names or None), ("predicted", predicted_gev), ("interval", interval_gev)):
        if given is not None and len(given) != count:
            raise InputError("display of muons", entry, f"one for each of {count} muons", str(len(given)))
    parts = []
    for number, event in enumerate(events):
        ends = (
            None if interval_gev is None else (float(interval_gev[number, 0]), float(interval_gev[number, 1]))
        )
        text = muon_text(event, None if predicted_gev is None else float(predicted_gev[number]), ends)
        parts.append(_event(names[number] if names else f"muon {number}", event, text))
    nz, nx, ny = events.grid.shape
    cell, layer = events.grid.cell_mm / 10, events.grid.layer_mm / 10
    data = {
        "shape": [nx, ny, nz],
        "cellCm": [cell, cell, layer],
        "originCm": [-nx / 2 * cell, -ny / 2 * cell, -layer / 2],
        "noun": "cell",
        "classes": [],
        "verdicts": [],
        "ramp": ramp(),
        "events": parts,
    }
    page = render_page(
        "energy_page.html",
        title=title,
        image=(
            f"{nx} × {ny} × {nz} cells (x, y, z), {events.grid.cell_mm:g} mm wide, one every "
            f"{events.grid.layer_mm:g} mm of depth"
        ),
        facts=dict(facts or {}),
        several=count > 1,
        start=f"{_slider(1000 * events.energy_gev[events.cells_of(0)]):.3f}",
        data=safe_json(json.dumps(data, allow_nan=False, separators=(",", ":"))),
        voxels_css=template_text("voxels_style.css"),
        scripts=[template_text(f"voxels_{name}.js") for name in SCRIPTS],
    )
    write_text(Path(path), page)
