"""Reading frames of wires from NumPy's .npz, as Wire-Cell's tools write them: signal by wire and tick."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Shaped

from cloudchamber.errors import InputError
from cloudchamber.source.wire_choice import WireChoice, check_pixels, check_span
from cloudchamber.wire_events import WireEvents, WireReadout, join_wire_events

FRAME = "frame"
ZIP = b"PK"
DAMAGE = (
    OSError, ValueError, KeyError, EOFError, MemoryError, RuntimeError, SyntaxError, TypeError, OverflowError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@contextmanager
def _damage(path: Path, entry: str, expected: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except DAMAGE as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(path, entry, expected, f"a damaged or foreign one ({reason})") from error


@contextmanager
def open_frames(path: Path) -> Iterator[Any]:
    """Open an .npz file; arrays of Python objects (pickles) are refused.

    Raises
    ------
    InputError
        if there is no such file, or it is no whole .npz.
    """
    if not path.is_file():
        raise InputError(path, "", "an .npz file", "a folder" if path.is_dir() else "no such file")
    try:
        stream = path.open("rb")
    except OSError as error:
        raise InputError(path, "", "an .npz file", error.strerror or str(error)) from error
    with stream:
        with _damage(path, "", "an .npz file"):
            start = stream.read(4)
            if not start.startswith(ZIP):
                raise InputError(path, "", "an .npz file", f"another kind of file (it starts with {start!r})")
            stream.seek(0)
            archive = np.load(stream, allow_pickle=False)
        with archive:
            yield archive


def frame_names(archive: Any) -> list[str]:
    """Return the names of the frames in an open file: ``frame``, or Wire-Cell's ``frame_TAG_NUMBER``."""
    return sorted(name for name in archive.files if name == FRAME or name.startswith(f"{FRAME}_"))


def _check_size(path: Path, archive: Any, name: str) -> None:
    """Refuse to unpack what is larger than any frame."""
    with _damage(path, name, "an array in it"):
        size = archive.zip.getinfo(f"{name}.npy").file_size
    if size > 2**32:
        raise InputError(path, name, "at most 4 GiB", f"{size} bytes")


def _read(path: Path, archive: Any, name: str) -> Shaped[np.ndarray, "wire tick"]:
    _check_size(path, archive, name)
    wanted = "numbers with the axes (wire, tick)"
    with _damage(path, name, wanted):
        values = archive[name]
    if values.ndim != 2 or values.dtype.kind not in "iuf":
        raise InputError(path, name, wanted, f"the shape {values.shape} of {values.dtype}")
    check_pixels(path, name, *values.shape)
    if not np.isfinite(values).all():
        wire, tick = (int(k) for k in np.argwhere(~np.isfinite(values))[0])
        raise InputError(path, f"{name}, wire {wire}, tick {tick}", "finite numbers", str(values[wire, tick]))
    return np.asarray(values)


def rebinned(signal: Shaped[np.ndarray, "wire tick"], rebin: int) -> Float32[np.ndarray, "wire drift"]:
    """Return the mean signal of every ``rebin`` ticks; there is none beyond the last, so charge is kept."""
    wires, ticks = signal.shape
    drifts = -(-ticks // rebin)
    padded = np.zeros((wires, drifts * rebin), np.float32)
    padded[:, :ticks] = signal
    mean: Float32[np.ndarray, "wire drift"] = padded.reshape(wires, drifts, rebin).mean(axis=2)
    return mean


def _tick_us(path: Path, archive: Any, name: str) -> float:
    """Return the length of a tick in us: Wire-Cell's tickinfo has start in ns, tick in ns, first tick."""
    info = name.replace(FRAME, "tickinfo", 1)
    if info not in archive.files:
        return WireReadout.tick_us
    _check_size(path, archive, info)
    with _damage(path, info, "three numbers"):
        tick_us = float(np.asarray(archive[info], np.float64).ravel()[1]) / 1000
    if not 0 < tick_us < 1000:
        raise InputError(path, info, "a tick in ns above 0", f"{1000 * tick_us:g}")
    return tick_us


def _load(path: Path, archive: Any, name: str, choice: WireChoice) -> WireEvents:
    signal = _read(path, archive, name)
    whole = signal.dtype.kind in "iu"
    rebin = choice.rebin or 1
    readout = choice.readout(
        rebin=rebin, unit="adc" if whole else "electrons", tick_us=_tick_us(path, archive, name)
    )
    if (
        whole
        and rebin == 1
        and np.iinfo(np.int16).min <= signal.min()
        and signal.max() <= np.iinfo(np.int16).max
    ):
        return WireEvents(readout, signal.astype(np.int16)[None])
    return WireEvents(readout, rebinned(signal, rebin)[None])


def count_wire_frames(path: Path) -> int:
    """Return the number of frames.

    Raises
    ------
    InputError
        if it is not such a file.
    """
    with open_frames(path) as archive:
        return len(_names(path, archive))


def _names(path: Path, archive: Any) -> list[str]:
    names = frame_names(archive)
    if not names:
        found = ", ".join(archive.files[:8]) or "nothing"
        raise InputError(path, "", "an array frame, or frame_*", found)
    return names


def iterate_wire_frames(
    path: Path, choice: WireChoice | None = None, *, start: int = 0, stop: int | None = None
) -> Iterator[WireEvents]:
    """Read frames one by one.

    Raises
    ------
    InputError
        as ``read_wire_frames`` does, when the faulty frame is reached.
    """
    choice = choice or WireChoice()
    with open_frames(path) as archive:
        names = _names(path, archive)
        first, end = check_span(path, len(names), start, stop)
        shape: tuple[int, ...] | None = None
        for name in names[first:end]:
            events = _load(path, archive, name, choice)
            if shape is not None and events.code.shape != shape:
                raise InputError(path, name, f"{shape[1]} x {shape[2]} pixels, as {names[first]}",
                                 f"{events.wires} x {events.drifts}")  # fmt: skip
            shape = events.code.shape
            yield events


def read_wire_frames(
    path: Path, choice: WireChoice | None = None, *, start: int = 0, stop: int | None = None
) -> WireEvents:
    """Read frames, each an event: axes (wire, tick), electrons per tick; whole numbers are taken to be ADC.

    Parameters
    ----------
    choice : its ``rebin`` puts ticks together by their mean.

    Raises
    ------
    InputError
        that names file and array: it is no whole .npz, there is no frame, its type or shape does not fit, a
        signal is not finite, or there are no frames of these numbers.
    """
    return join_wire_events(list(iterate_wire_frames(path, choice, start=start, stop=stop)))
