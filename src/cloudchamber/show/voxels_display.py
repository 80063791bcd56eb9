"""A page with sparse events in 3D: truth and prediction side by side, voxel by voxel."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from markupsafe import Markup

from cloudchamber.errors import InputError
from cloudchamber.files import write_text
from cloudchamber.show.page import render_page
from cloudchamber.show.voxels_data import chosen_classes, page_data
from cloudchamber.show.voxels_theme import CLASSES
from cloudchamber.voxel_events import VoxelEvents

SCRIPTS = ("data", "camera", "frame", "painters", "panel", "controls", "page")


def template_text(name: str) -> Markup:
    """Return a style or a script of the package's templates, as it stands."""
    return Markup((files("cloudchamber.show") / "templates" / name).read_text(encoding="utf-8"))


def write_voxels_display(
    path: Path,
    events: VoxelEvents,
    *,
    predicted: UInt8[np.ndarray, "voxel"] | None = None,
    probability: Float[np.ndarray, "voxel class"] | None = None,
    title: str = "Sparse LArTPC events",
    names: Sequence[str] = (),
    facts: Mapping[str, str] | None = None,
) -> None:
    """Write one self-contained HTML page that needs no network: about 30 bytes a voxel and 60 kB.

    Parameters
    ----------
    path : where the page goes.
    events : what is shown, one event at a time; truth and particles where there are any.
    predicted : predicted class of every voxel of ``events``, by default the most probable one.
    probability : of every class; the score of a voxel is that of its predicted class.
    names : of the events, by default "event 0" and so on.
    facts : what the reader should know of the data and the model, name and sentence; plain text.

    Raises
    ------
    InputError
        if the path cannot be written, there is no event, or arrays do not fit the events.
    """
    if len(events) == 0:
        raise InputError("display of voxels", "events", "at least one event", "none")
    if names and len(names) != len(events):
        raise InputError("display of voxels", "names", f"{len(events)} names", str(len(names)))
    predicted, score = chosen_classes(events, predicted, probability)
    nx, ny, nz = events.shape
    counted = {"truth": events.label is not None, "predicted": predicted is not None}
    counted["both"] = all(counted.values())
    page = render_page(
        "voxels_page.html",
        title=title,
        image=f"{nx} × {ny} × {nz} voxels (x, y, z) of {events.voxel_mm:g} mm",
        facts=dict(facts or {}),
        truth=counted["truth"],
        predicted=counted["predicted"],
        score=score is not None,
        several=len(events) > 1,
        classes=[{"number": int(label), **style._asdict()} for label, style in CLASSES.items()],
        counted=[name for name, there in counted.items() if there],
        data=page_data(events, predicted, score, names or [f"event {k}" for k in range(len(events))]),
        voxels_css=template_text("voxels_style.css"),
        scripts=[template_text(f"voxels_{name}.js") for name in SCRIPTS],
    )
    write_text(Path(path), page)
