"""Reading the ROOT histograms of LArSoft's PointIdTrainingData: signal, deposit and truth of wire planes."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped

from cloudchamber.errors import InputError
from cloudchamber.source.larcv_tree import open_root, root_damage
from cloudchamber.source.point_id_flags import truth_of
from cloudchamber.source.wire_choice import WireChoice, check_pixels, check_span
from cloudchamber.wire_events import WireEvents, join_wire_events

NAME = re.compile(r"(?:.*/)?raw_event_(\d+)_run_(\d+)_subrun_(\d+)_tpc_(\d+)_view_(\d+)_(raw|deposit|pdg)")
REBIN = 6  # ticks of a pixel, DownscaleFactor of the job that wrote the file


class PlaneNumber(NamedTuple):
    """Which image a histogram is of; they are read in this order."""

    run: int
    subrun: int
    event: int
    tpc: int
    view: int


class OpenPointId(NamedTuple):
    """An open file: its images as names of histograms by their kind, and the frame that holds all."""

    path: Path
    file: Any
    images: Mapping[PlaneNumber, Mapping[str, str]]
    numbers: list[PlaneNumber]
    choice: WireChoice


class Histogram(NamedTuple):
    """The bins of a histogram and the wire and drift bin of the first; LArSoft may crop images."""

    values: Shaped[np.ndarray, "wire drift"]
    wire: int
    drift: int


def histogram_names(file: Any, path: Path) -> dict[PlaneNumber, dict[str, str]]:
    """Return the histograms of a file, by image and then by kind (raw, deposit, pdg).

    Raises
    ------
    InputError
        if the list of what is in the file is damaged.
    """
    found: dict[PlaneNumber, dict[str, str]] = {}
    with root_damage(path, "", "a list of histograms"):
        for key in file.keys(recursive=True, cycle=False):
            match = NAME.fullmatch(str(key))
            if match:
                event, run, subrun, tpc, view = (int(match[k]) for k in range(1, 6))
                found.setdefault(PlaneNumber(run, subrun, event, tpc, view), {})[match[6]] = str(key)
    return found


@contextmanager
def open_point_id(path: Path, choice: WireChoice) -> Iterator[OpenPointId]:
    """Open a file and find the images of a choice.

    Raises
    ------
    InputError
        if it is not a whole ROOT file, there are no such histograms, or none of the plane or TPC chosen.
    """
    with open_root(path) as file:
        images = histogram_names(file, path)
        raw = [number for number, kinds in images.items() if "raw" in kinds]
        if not raw:
            wanted = "histograms raw_event_E_run_R_subrun_S_tpc_T_view_V_raw"
            raise InputError(path, "", wanted, "none of these names")
        view = choice.view(sorted({number.view for number in raw}), path, "histograms")
        there = {number.tpc for number in raw if number.view == view}
        if choice.tpc is not None and choice.tpc not in there:
            raise InputError(
                path, "histograms", f"TPC {choice.tpc}", f"TPCs {', '.join(map(str, sorted(there)))}"
            )
        numbers = sorted(
            number for number in raw
            if number.view == view and choice.tpc in (None, number.tpc)
        )  # fmt: skip
        yield OpenPointId(path, file, images, numbers, choice)


def read_histogram(opened: OpenPointId, name: str) -> Histogram:
    """Read a histogram.

    Raises
    ------
    InputError
        if it is damaged, has no two axes, its bins are not single wires and drift bins, or a value is not
        finite.
    """
    path = opened.path
    with root_damage(path, name, "a histogram with two axes"):
        found = opened.file[name]
        values = np.asarray(found.values(flow=False))
        edges = [np.asarray(found.axis(axis).edges()) for axis in ("x", "y")]
    if values.ndim != 2 or values.dtype.kind not in "iuf":
        raise InputError(path, name, "a histogram with two axes", f"{values.ndim} axes of {values.dtype}")
    first = []
    for axis, edge in zip(("wires", "drift bins"), edges, strict=True):
        if not np.allclose(np.diff(edge), 1.0) or edge[0] < 0 or edge[0] != np.round(edge[0]):
            found_text = f"bins of {edge[1] - edge[0]:g} from {edge[0]:g}"
            raise InputError(path, f"{name}, axis of {axis}", "bins of 1 from a whole number", found_text)
        first.append(int(edge[0]))
    check_pixels(path, name, len(edges[0]) - 1 + first[0], len(edges[1]) - 1 + first[1])
    if not np.isfinite(values).all():
        wire, drift = (int(k) for k in np.argwhere(~np.isfinite(values))[0])
        entry = f"{name}, wire {wire + first[0]}, drift {drift + first[1]}"
        raise InputError(path, entry, "finite numbers", str(values[wire, drift]))
    return Histogram(values, first[0], first[1])


def frame_of(opened: OpenPointId) -> tuple[int, int]:
    """Return how many wires and drift bins hold all images of the file, cropped ones at their place.

    Raises
    ------
    InputError
        if a histogram is damaged, or the frame has too many pixels.
    """
    wires = drifts = 0
    for number in opened.numbers:
        found = read_histogram(opened, opened.images[number]["raw"])
        wires = max(wires, found.wire + found.values.shape[0])
        drifts = max(drifts, found.drift + found.values.shape[1])
    check_pixels(opened.path, "histograms, together", wires, drifts)
    return wires, drifts


def _image(
    opened: OpenPointId, number: PlaneNumber, frame: tuple[int, int], truth: bool | None
) -> WireEvents:
    names = opened.images[number]
    read = {"raw": read_histogram(opened, names["raw"])}
    if truth is not False:
        read |= {kind: read_histogram(opened, names[kind]) for kind in ("deposit", "pdg") if kind in names}
    if truth and "pdg" not in read:
        raise InputError(opened.path, names["raw"], "a histogram ..._pdg beside it", "none")
    first = read["raw"]
    for kind, found in read.items():
        if (found.wire, found.drift, found.values.shape) != (first.wire, first.drift, first.values.shape):
            wanted = f"the axes of {names['raw']}"
            raise InputError(opened.path, names[kind], wanted, f"{found.values.shape} bins, or others")

    def placed(values: Shaped[np.ndarray, "wire drift"]) -> Shaped[np.ndarray, "1 wire drift"]:
        image = np.zeros((1, *frame), values.dtype)
        wires, drifts = values.shape
        image[0, first.wire : first.wire + wires, first.drift : first.drift + drifts] = values
        return image

    choice = opened.choice
    readout = choice.readout(rebin=choice.rebin or REBIN, unit="adc")
    events = WireEvents(readout, placed(first.values.astype(np.float32)))
    if "pdg" not in read:
        return events
    deposit = read["deposit"].values if "deposit" in read else None
    shown = truth_of(read["pdg"].values.astype(np.int64), deposit)
    return WireEvents(
        readout, events.code, activity=placed(shown.activity), michel=placed(shown.michel),
        vertex=placed(shown.vertex),
    )  # fmt: skip


def count_point_id(path: Path, choice: WireChoice | None = None) -> int:
    """Return the number of images that ``iterate_point_id`` would read.

    Raises
    ------
    InputError
        as ``open_point_id`` does.
    """
    with open_point_id(path, choice or WireChoice()) as opened:
        return len(opened.numbers)


def iterate_point_id(
    path: Path,
    choice: WireChoice | None = None,
    *,
    truth: bool | None = None,
    start: int = 0,
    stop: int | None = None,
) -> Iterator[WireEvents]:
    """Read images one by one; memory stays flat.

    Raises
    ------
    InputError
        as ``read_point_id`` does, when the faulty image is reached.
    """
    with open_point_id(path, choice or WireChoice()) as opened:
        first, end = check_span(path, len(opened.numbers), start, stop)
        frame = frame_of(opened)
        for number in opened.numbers[first:end]:
            yield _image(opened, number, frame, truth)


def read_point_id(
    path: Path,
    choice: WireChoice | None = None,
    *,
    truth: bool | None = None,
    start: int = 0,
    stop: int | None = None,
) -> WireEvents:
    """Read the images of one plane; neither ROOT nor LArSoft is needed.

    Every TPC of an event is an image of its own; they come in the order of run, subrun, event and TPC.
    Cropped images stand at their place in a frame that holds all of the file, zero around them. The signal
    is what LArSoft's data provider gives, called ADC; truth follows the rules of ``truth_of``.

    Parameters
    ----------
    truth : True: every image must have its histogram pdg; False: no truth is read; None: where it is.

    Raises
    ------
    InputError
        that names the histogram: the file is not ROOT, cut off or damaged; histograms are missing, differ in
        their axes, or hold values that are not finite; or there are no images of these numbers.
    """
    return join_wire_events(list(iterate_point_id(path, choice, truth=truth, start=start, stop=stop)))
