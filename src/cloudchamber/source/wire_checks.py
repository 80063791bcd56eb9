"""What must hold for images of wires, their particles and hits, whatever file they come from."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from cloudchamber.errors import InputError
from cloudchamber.labels import Activity, BeamLabel, Origin, VertexFlag
from cloudchamber.source.ragged import Place, refuse_row
from cloudchamber.wire_events import WireEvents

LARGEST = {
    "beam": len(BeamLabel) - 1,
    "activity": len(Activity) - 1,
    "michel": 1,
    "vertex": int(sum(VertexFlag)),
}
_WHAT = {
    "beam": "a value of BeamLabel, 0 to 2",
    "activity": "a value of Activity, 0 to 2",
    "michel": "0 or 1",
    "vertex": f"a sum of vertex flags, 0 to {LARGEST['vertex']}",
}


def refuse_pixel(
    bad: Bool[np.ndarray, "event wire drift"],
    values: np.ndarray,
    path: Path,
    name: str,
    start: int,
    expected: str,
) -> None:
    """Raise an ``InputError`` that names event (counted from ``start``), wire and drift bin of a fault."""
    if bad.any():
        event, wire, drift = (int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))
        entry = f"{name}, event {start + event}, wire {wire}, drift {drift}"
        raise InputError(path, entry, expected, str(values[event, wire, drift]))


def check_planes(planes: Mapping[str, np.ndarray | None], path: Path, start: int) -> None:
    """Check that signals are finite and labels exist; for ``particle`` see ``check_particles``.

    Raises
    ------
    InputError
        that names image, event (counted from ``start``), wire and drift bin of the first fault.
    """
    code = planes.get("code")
    if code is not None and code.dtype.kind == "f" and not np.isfinite(code.sum(dtype=np.float64)):
        refuse_pixel(~np.isfinite(code), code, path, "code", start, "finite signals")
    for name, largest in LARGEST.items():
        values = planes.get(name)
        if values is not None and (values.min() < 0 or values.max() > largest):
            refuse_pixel((values < 0) | (values > largest), values, path, name, start, _WHAT[name])


def check_particles(events: WireEvents, path: Path, start: int) -> None:
    """Check the particles, and that a pixel's particle is one of its event.

    Raises
    ------
    InputError
        that names table, event and particle, or event, wire and drift bin.
    """
    offsets, rows = events.particle_offsets, events.particles
    if offsets is None or rows is None:
        return
    counts, where = np.diff(offsets), Place(path, "particles, parent", start, "particle")
    number = np.arange(len(rows)) - np.repeat(offsets[:-1], counts)
    parent = rows["parent"]
    refuse_row((parent < -1) | (parent >= number), offsets, where, "an earlier row, or -1", parent)
    where = where._replace(name="particles, origin")
    refuse_row(rows["origin"] >= len(Origin), offsets, where, "a value of Origin, 0 to 4", rows["origin"])
    if events.particle is not None:
        bad = (events.particle < -1) | (events.particle >= counts[:, None, None])
        expected = "a row of the event's particles, or -1"
        refuse_pixel(bad, events.particle, path, "particle", start, expected)


def check_hits(events: WireEvents, path: Path, start: int) -> None:
    """Check that hits lie in the image and are finite.

    Raises
    ------
    InputError
        that names event (counted from ``start``) and hit.
    """
    offsets, hits = events.hit_offsets, events.hits
    if offsets is None or hits is None:
        return
    place = Place(path, "hits, wire", start, "hit")
    bad = (hits["wire"] < 0) | (hits["wire"] >= events.wires)
    refuse_row(bad, offsets, place, f"a wire, 0 to {events.wires - 1}", hits["wire"])
    ticks = events.drifts * events.readout.rebin
    tick = hits["peak_tick"]
    bad = ~((tick >= 0) & (tick < ticks))
    refuse_row(bad, offsets, place._replace(name="hits, peak_tick"), f"a tick from 0 to below {ticks}", tick)
    bad = ~((hits["rms_ticks"] >= 0) & np.isfinite(hits["rms_ticks"]))
    where = place._replace(name="hits, rms_ticks")
    refuse_row(bad, offsets, where, "a width from 0 ticks up", hits["rms_ticks"])
    for name in ("peak", "sum"):
        where = place._replace(name=f"hits, {name}")
        refuse_row(~np.isfinite(hits[name]), offsets, where, "a finite number", hits[name])
