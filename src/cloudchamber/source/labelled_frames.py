"""Reading labelled frames of DUNE's simulation: HDF5 with a group per event, three planes of one APA."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Int64, Shaped, UInt8

from cloudchamber.errors import InputError
from cloudchamber.labels import Activity
from cloudchamber.source.hdf5 import damage_is_an_input_error, find_dataset, holds, open_hdf5
from cloudchamber.source.wire_choice import WireChoice, check_span
from cloudchamber.wire_events import WIRE_PARTICLE, WireEvents, WireReadout, join_wire_events

SIGNAL, LABEL, TRACK, TICK = (
    "frame_rebinned_reco",
    "frame_label_1st",
    "frame_trackid_1st",
    "tickinfo_rebinned_reco",
)
PLANES = {0: slice(0, 800), 1: slice(800, 1600), 2: slice(1600, 2560)}  # channels of U, V, W
PITCH_MM = {0: 4.67, 1: 4.67, 2: 4.79}
CHANNELS = 2560
REBIN = 4  # 6000 ticks become 1500 pixels
# The file's classes: name, what it is of Activity. Delta rays and blips are electrons, so electromagnetic.
CLASSES = (
    ("background", Activity.NONE), ("track", Activity.TRACK), ("shower", Activity.EM),
    ("Michel", Activity.EM), ("delta ray", Activity.EM), ("blip", Activity.EM), ("other", Activity.TRACK),
)  # fmt: skip
MICHEL = 3


def is_labelled_frames(file: h5py.File, path: Path) -> bool:
    """Say whether an open HDF5 file is one of labelled frames: numbered groups, each with a frame."""
    with damage_is_an_input_error(path, "", "a list of groups"):
        names = list(file)[:8]
    return (
        bool(names) and all(name.isdecimal() for name in names) and holds(file, path, f"{names[0]}/{SIGNAL}")
    )


def _events(file: h5py.File, path: Path) -> list[str]:
    if not is_labelled_frames(file, path):
        raise InputError(path, "", f"numbered groups with {SIGNAL}", "others")
    with damage_is_an_input_error(path, "", "a list of groups"):
        return sorted(file, key=int)


def _plane(
    file: h5py.File, path: Path, name: str, kinds: str, channels: slice
) -> Shaped[np.ndarray, "wire drift"]:
    dataset = find_dataset(file, path, name, kinds, axes=f"({CHANNELS}, drift)")
    with damage_is_an_input_error(path, name, "numbers that can be read"):
        return np.asarray(dataset[channels])


def _tick_us(file: h5py.File, path: Path, event: str) -> float:
    """Return the length of a tick: the file tells start in ns, tick in ns, first tick."""
    name = f"{event}/{TICK}"
    if not holds(file, path, name):
        return WireReadout.tick_us
    dataset = find_dataset(file, path, name, "f", axes="(3)")
    with damage_is_an_input_error(path, name, "numbers that can be read"):
        tick_us = float(dataset[1]) / 1000
    if not 0 < tick_us < 1000:
        raise InputError(path, name, "a tick in ns above 0", f"{1000 * tick_us:g}")
    return tick_us


def _labels(file: h5py.File, path: Path, event: str, channels: slice) -> UInt8[np.ndarray, "wire drift"]:
    name = f"{event}/{LABEL}"
    labels = _plane(file, path, name, "iub", channels)
    bad = (labels < 0) | (labels >= len(CLASSES))
    if bad.any():
        wire, drift = (int(k) for k in np.argwhere(bad)[0])
        wanted = f"a label from 0 to {len(CLASSES) - 1}"
        raise InputError(path, f"{name}, wire {wire}, drift {drift}", wanted, str(labels[wire, drift]))
    return labels.astype(np.uint8)


def _particles(
    track: Int64[np.ndarray, "wire drift"], activity: UInt8[np.ndarray, "wire drift"]
) -> Mapping[str, np.ndarray]:
    """Return a row for each number of a track that pixels with activity bear; of what kind is not known."""
    shown = activity != Activity.NONE
    numbers, row = np.unique(track[shown], return_inverse=True)
    rows = np.zeros(len(numbers), WIRE_PARTICLE)
    rows["track_id"], rows["parent"] = numbers, -1
    for name in ("kinetic_mev", "deposit_mev", "momentum_mev", "start_mm", "end_mm"):
        rows[name] = np.nan
    rows["voxels"] = np.bincount(row, minlength=len(rows))
    electromagnetic = np.bincount(row[activity[shown] == Activity.EM], minlength=len(rows))
    rows["label"] = np.where(2 * electromagnetic > rows["voxels"], Activity.EM, Activity.TRACK)
    particle = np.full((1, *track.shape), -1, np.int32)
    particle[0, shown] = row
    return {
        "particle": particle, "particles": rows, "particle_offsets": np.array([0, len(rows)], np.int64),
    }  # fmt: skip


def _load(
    file: h5py.File, path: Path, event: str, view: int, choice: WireChoice, truth: bool | None
) -> WireEvents:
    channels = PLANES[view]
    signal = _plane(file, path, f"{event}/{SIGNAL}", "f", channels).astype(np.float32)
    if not np.isfinite(signal).all():
        wire, drift = (int(k) for k in np.argwhere(~np.isfinite(signal))[0])
        entry = f"{event}/{SIGNAL}, wire {wire}, drift {drift}"
        raise InputError(path, entry, "finite numbers", str(signal[wire, drift]))
    readout = choice.readout(
        rebin=REBIN, pitch_mm=PITCH_MM[view], unit="unknown", tick_us=_tick_us(file, path, event)
    )
    if truth is False or not (truth or holds(file, path, f"{event}/{LABEL}")):
        return WireEvents(readout, signal[None])
    labels = _labels(file, path, event, channels)
    if labels.shape != signal.shape:
        raise InputError(path, f"{event}/{LABEL}", f"the shape of {SIGNAL}", str(labels.shape))
    activity = np.array([each for _, each in CLASSES], np.uint8)[labels]
    tables: Mapping[str, np.ndarray] = {}
    if holds(file, path, f"{event}/{TRACK}"):
        track = _plane(file, path, f"{event}/{TRACK}", "f", channels)
        if track.shape == signal.shape and np.isfinite(track).all():
            tables = _particles(track.astype(np.int64), activity)
    return WireEvents(
        readout, signal[None], activity=activity[None], michel=(labels == MICHEL).astype(np.uint8)[None],
        **tables,
    )  # fmt: skip


def _check_choice(choice: WireChoice, path: Path) -> int:
    if choice.rebin not in (None, REBIN):
        raise InputError("--rebin", "", f"none, for pixels of {path} are {REBIN} ticks", str(choice.rebin))
    return choice.view(sorted(PLANES), path, SIGNAL)


def count_labelled_frames(path: Path) -> int:
    """Return the number of events.

    Raises
    ------
    InputError
        if it is not such a file, cut off or damaged.
    """
    with open_hdf5(path) as file:
        return len(_events(file, path))


def iterate_labelled_frames(
    path: Path,
    choice: WireChoice | None = None,
    *,
    truth: bool | None = None,
    start: int = 0,
    stop: int | None = None,
) -> Iterator[WireEvents]:
    """Read events one by one; memory stays flat.

    Raises
    ------
    InputError
        as ``read_labelled_frames`` does, when the faulty event is reached.
    """
    choice = choice or WireChoice()
    view = _check_choice(choice, path)
    with open_hdf5(path) as file:
        names = _events(file, path)
        first, end = check_span(path, len(names), start, stop)
        for name in names[first:end]:
            yield _load(file, path, name, view, choice, truth)


def read_labelled_frames(
    path: Path,
    choice: WireChoice | None = None,
    *,
    truth: bool | None = None,
    start: int = 0,
    stop: int | None = None,
) -> WireEvents:
    """Read one plane of labelled frames, events in the order of their numbers.

    The signal is the reconstructed one as it stands in the file, which does not say its unit. Classes become
    values of Activity: track is a track, shower, Michel, delta ray and blip are electromagnetic, other is a
    track. Particles are numbers of tracks, negative where LArSoft counts the shower of that track.

    Raises
    ------
    InputError
        that names event and frame: the file is not HDF5, cut off or damaged; a frame is missing, of another
        type or shape; a signal is not finite, a label does not exist; or there are no such events.
    """
    return join_wire_events(list(iterate_labelled_frames(path, choice, truth=truth, start=start, stop=stop)))


def read_frame_labels(
    path: Path, choice: WireChoice | None = None, *, event: int = 0
) -> UInt8[np.ndarray, "wire drift"]:
    """Read the file's own classes, as in ``CLASSES``, of one event (counted from 0).

    Raises
    ------
    InputError
        as ``read_labelled_frames`` does.
    """
    view = _check_choice(choice or WireChoice(), path)
    with open_hdf5(path) as file:
        names = _events(file, path)
        check_span(path, len(names), event, event + 1)
        return _labels(file, path, names[event], PLANES[view])
