"""Reading larcv2's image2d trees: dense images of wire planes, or projections of deposits in cm."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
from jaxtyping import Float32, Float64, Int64

from cloudchamber.errors import InputError
from cloudchamber.source.larcv_tree import choose, find_branch, open_root, open_tree, read_jagged, root_damage
from cloudchamber.source.wire_choice import WireChoice, check_pixels, check_span
from cloudchamber.wire_events import WireEvents, WireReadout, join_wire_events

CM, WIRE_TIME = 1, 2  # larcv::DistanceUnit_t; 0 is unknown
_META = "_image_v._meta."
PLANE_LENGTHS = ("_p1.x", "_p2.x", "_p1.y", "_p2.y")


class OpenImages(NamedTuple):
    """An open tree: which image of each entry to read, the images' size and what a pixel is."""

    path: Path
    tree: Any
    number: Int64[np.ndarray, "entry"]
    shape: tuple[int, int]
    readout: WireReadout

    @property
    def entries(self) -> int:
        """Return the number of entries."""
        return len(self.number)


def _meta(tree: Any, path: Path, leaf: str) -> Float64[np.ndarray, "image"]:
    """Return a number of every image, those of an entry together."""
    return read_jagged(tree, path, _META + leaf, 0, int(tree.num_entries))[1].astype(np.float64)


def _readout(
    unit: int, wire_length: float, drift_length: float, path: Path, entry: str, choice: WireChoice
) -> WireReadout:
    """Return what a pixel is, from its lengths in the file's unit."""
    if not (0 < wire_length < np.inf and 0 < drift_length < np.inf):
        raise InputError(path, entry, "pixels with a size", f"{wire_length:g} x {drift_length:g}")
    speed = choice.drift_mm_us or WireReadout.drift_mm_us
    theirs: dict[str, object] = {"unit": "unknown", "drift_mm_us": speed}
    if unit == CM:  # a pixel along the drift counts as one tick, of the time that the drift takes
        return choice.readout(
            **theirs, pitch_mm=10 * wire_length, tick_us=choice.tick_us or 10 * drift_length / speed
        )
    if unit == WIRE_TIME:
        rebin = round(drift_length)
        if abs(rebin - drift_length) > 1e-3 * drift_length or rebin < 1:
            raise InputError(path, entry, "pixels of whole ticks", f"{drift_length:g} ticks")
        of_wires = choice.readout(**theirs, rebin=rebin)
        return replace(of_wires, pitch_mm=of_wires.pitch_mm * wire_length)
    return choice.readout(**theirs, pitch_mm=np.nan, tick_us=np.nan)


@contextmanager
def open_image2d(path: Path, choice: WireChoice) -> Iterator[OpenImages]:
    """Open a file and find the images of a choice.

    Raises
    ------
    InputError
        if it is not a whole ROOT file, there is no such tree or plane, an entry lacks the plane, or the
        images differ in size.
    """
    with open_root(path) as file:
        producer = choose(file, path, "image2d", choice.producer or "auto", "data", only=True)
        if producer is None:
            raise InputError(path, "", "a tree image2d_*_tree", "none of that name")
        tree = open_tree(file, path, "image2d", producer)
        entries, name = int(tree.num_entries), f"image2d_{producer}_tree"
        if entries == 0:
            raise InputError(path, name, "entries", "none")
        offsets, plane = read_jagged(tree, path, f"{_META}_id", 0, entries)
        view = choice.view(sorted({int(each) for each in plane}) or [0], path, f"{name}, planes")
        of_view = np.flatnonzero(plane == view)
        counts = np.bincount(np.searchsorted(offsets, of_view, side="right") - 1, minlength=entries)
        if (counts != 1).any():
            entry = int(np.argmax(counts != 1))
            raise InputError(
                path, f"{name}, entry {entry}", f"one image of plane {view}", str(int(counts[entry]))
            )
        columns, rows = (_meta(tree, path, leaf)[of_view] for leaf in ("_col_count", "_row_count"))
        ends = {leaf: _meta(tree, path, leaf)[of_view] for leaf in PLANE_LENGTHS}
        unit = _meta(tree, path, "_unit")[of_view]
        check_pixels(path, f"{name}, entry 0", int(columns[0]), int(rows[0]))
        lengths = np.stack([ends["_p2.x"] - ends["_p1.x"], ends["_p2.y"] - ends["_p1.y"]], axis=1)
        same = (
            (columns == columns[0]) & (rows == rows[0]) & (unit == unit[0])
            & np.isclose(lengths, lengths[0], rtol=1e-6).all(axis=1)
        )  # fmt: skip
        if not same.all():
            entry = int(np.argmin(same))
            wanted = f"the image of entry 0, {columns[0]:.0f} x {rows[0]:.0f} pixels of its size"
            raise InputError(
                path, f"{name}, entry {entry}", wanted, f"{columns[entry]:.0f} x {rows[entry]:.0f}, or others"
            )
        sizes = float(lengths[0, 0] / columns[0]), float(lengths[0, 1] / rows[0])
        readout = _readout(int(unit[0]), *sizes, path, f"{name}, _meta", choice)
        number = (of_view - offsets[:-1]).astype(np.int64)
        yield OpenImages(path, tree, number, (int(columns[0]), int(rows[0])), readout)


def _pixels(opened: OpenImages, entry: int) -> Float32[np.ndarray, "wire drift"]:
    """Read the image of an entry; larcv numbers pixels column by column, each from its first row."""
    tree, path = opened.tree, opened.path
    branch = find_branch(tree, path, "_image_v._img")
    where, shape = f"{tree.name}, branch _img, entry {entry}", opened.shape
    with root_damage(path, where, "pixels that can be read"):
        images = branch.array(entry_start=entry, entry_stop=entry + 1, library="ak")[0]
        pixels = np.asarray(ak.to_numpy(images[int(opened.number[entry])]), np.float32)
    if pixels.size != shape[0] * shape[1]:
        raise InputError(path, where, f"{shape[0]} x {shape[1]} pixels", str(pixels.size))
    if not np.isfinite(pixels).all():
        column, row = divmod(int(np.argmin(np.isfinite(pixels))), shape[1])
        raise InputError(path, f"{where}, column {column}, row {row}", "finite numbers", "another")
    return pixels.reshape(shape)


def count_image2d(path: Path, choice: WireChoice | None = None) -> int:
    """Return the number of entries.

    Raises
    ------
    InputError
        as ``open_image2d`` does.
    """
    with open_image2d(path, choice or WireChoice()) as opened:
        return opened.entries


def iterate_image2d(
    path: Path, choice: WireChoice | None = None, *, start: int = 0, stop: int | None = None
) -> Iterator[WireEvents]:
    """Read entries one by one; memory stays flat.

    Raises
    ------
    InputError
        as ``read_image2d`` does, when the faulty entry is reached.
    """
    with open_image2d(path, choice or WireChoice()) as opened:
        first, end = check_span(path, opened.entries, start, stop)
        for entry in range(first, end):
            yield WireEvents(opened.readout, _pixels(opened, entry)[None])


def read_image2d(
    path: Path, choice: WireChoice | None = None, *, start: int = 0, stop: int | None = None
) -> WireEvents:
    """Read one plane of an image2d tree of larcv2; neither ROOT nor larcv is needed.

    Columns (x) are wires and rows (y) go along the drift, as larcv has it for wire planes. Of images in
    wires and ticks a pixel may span several of either; of images in cm a pixel along the drift is given the
    time that the drift takes, so that lengths in mm are right. The signal's unit is not in the file.

    Raises
    ------
    InputError
        that names tree and entry: the file is not ROOT, cut off or damaged; tree, plane or pixels are
        missing; images differ in size; a pixel is not finite; or there are no entries of these numbers.
    """
    return join_wire_events(list(iterate_image2d(path, choice, start=start, stop=stop)))
