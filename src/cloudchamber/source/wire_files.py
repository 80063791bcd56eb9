"""Files of wire readouts, whoever wrote them: which kind one is, and one way to read them all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from cloudchamber.errors import InputError
from cloudchamber.source.hdf5 import open_hdf5, read_attributes
from cloudchamber.source.labelled_frames import (
    count_labelled_frames,
    is_labelled_frames,
    iterate_labelled_frames,
)
from cloudchamber.source.larcv_image2d import count_image2d, iterate_image2d
from cloudchamber.source.larcv_tree import MAGIC, open_root, producers
from cloudchamber.source.point_id import count_point_id, histogram_names, iterate_point_id
from cloudchamber.source.wire_choice import WireChoice, check_span
from cloudchamber.source.wire_frames import ZIP, count_wire_frames, iterate_wire_frames
from cloudchamber.source.wires import find_wire_events, iterate_wire_events, load_wire_events
from cloudchamber.wire_events import WireEvents, join_wire_events

WireKind = Literal["ours", "histograms", "image2d", "labelled frames", "frames"]
HDF5 = b"\x89HDF"


def _start(path: Path) -> bytes:
    if not path.is_file():
        return b""
    try:
        with path.open("rb") as stream:
            return stream.read(4)
    except OSError:
        return b""


def wire_kind(path: Path) -> WireKind | None:
    """Return what kind of file of wire readouts this is, None if of none.

    Raises
    ------
    InputError
        if it is HDF5 or ROOT, but cut off or damaged.
    """
    start = _start(path)
    if start.startswith(ZIP) and path.suffix == ".npz":
        return "frames"
    if start == MAGIC:
        with open_root(path) as file:
            if producers(file, path, "image2d"):
                return "image2d"
            return "histograms" if histogram_names(file, path) else None
    if start == HDF5:
        with open_hdf5(path) as file:
            if read_attributes(file, path).get("task") == "wires":
                return "ours"
            return "labelled frames" if is_labelled_frames(file, path) else None
    return None


def _known(path: Path) -> WireKind:
    kind = wire_kind(path)
    if kind is None:
        if not path.exists():
            raise InputError(path, "", "a file of wire readouts", "no such file")
        wanted = (
            "a file of wire readouts (ours; ROOT with PointIdTrainingData's histograms or an image2d tree; "
            "labelled frames; .npz with a frame)"
        )
        raise InputError(path, "", wanted, "another kind of file")
    return kind


def count_wire_file(path: Path, choice: WireChoice | None = None) -> int:
    """Return the number of events that ``iterate_wire_file`` would read.

    Raises
    ------
    InputError
        if it is of no known kind, cut off or damaged.
    """
    kind = _known(path)
    if kind == "ours":
        with open_hdf5(path) as file:
            return len(find_wire_events(file, path))
    if kind == "histograms":
        return count_point_id(path, choice)
    if kind == "image2d":
        return count_image2d(path, choice)
    return count_labelled_frames(path) if kind == "labelled frames" else count_wire_frames(path)


def iterate_wire_file(
    path: Path,
    choice: WireChoice | None = None,
    *,
    truth: bool | None = None,
    start: int = 0,
    stop: int | None = None,
) -> Iterator[WireEvents]:
    """Read any file of wire readouts event by event; memory stays flat.

    Raises
    ------
    InputError
        as ``open_wire_file`` does, when the faulty event is reached.
    """
    kind = _known(path)
    if truth and kind in ("image2d", "frames"):
        raise InputError(path, "", "a file with truth", "one without")
    if kind == "ours":
        if choice not in (None, WireChoice()):
            raise InputError(path, "", "a file of others, where there is a choice", "one of ours")
        yield from _iterate_ours(path, truth, start, stop)
    elif kind == "histograms":
        yield from iterate_point_id(path, choice, truth=truth, start=start, stop=stop)
    elif kind == "image2d":
        yield from iterate_image2d(path, choice, start=start, stop=stop)
    elif kind == "labelled frames":
        yield from iterate_labelled_frames(path, choice, truth=truth, start=start, stop=stop)
    else:
        yield from iterate_wire_frames(path, choice, start=start, stop=stop)


def _iterate_ours(path: Path, truth: bool | None, start: int, stop: int | None) -> Iterator[WireEvents]:
    if (start, stop) == (0, None):
        yield from iterate_wire_events(path, 1, truth=truth)
        return
    with open_hdf5(path) as file:
        opened = find_wire_events(file, path, truth)
        first, end = check_span(path, len(opened), start, stop)
        for event in range(first, end):
            yield load_wire_events(opened, event, event + 1)


def open_wire_file(
    path: Path,
    choice: WireChoice | None = None,
    *,
    truth: bool | None = None,
    start: int = 0,
    stop: int | None = None,
) -> WireEvents:
    """Read events ``start`` to ``stop`` of any file of wire readouts: ours or one of those of others.

    Parameters
    ----------
    choice : what to read of a file of others.
    truth : True: there must be truth; False: it is not read; None: it is read where it is.

    Raises
    ------
    InputError
        if it is of no known kind, cut off or damaged, what it holds does not fit, or there are no events of
        these numbers.
    """
    return join_wire_events(list(iterate_wire_file(path, choice, truth=truth, start=start, stop=stop)))
