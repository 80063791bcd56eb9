"""DUNE's labelled frames: planes, classes, particles, faults; the genuine file by h5py."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.labels import Activity
from cloudchamber.source.labelled_frames import (
    count_labelled_frames,
    iterate_labelled_frames,
    read_frame_labels,
    read_labelled_frames,
)
from cloudchamber.source.wire_choice import WireChoice

Maker = Callable[..., Path]


def test_planes_and_classes(labelled: Maker) -> None:
    path = labelled()
    events = read_labelled_frames(path)
    assert events.code.shape == (2, 960, 12)
    assert [int(event.code[0, 0, 0]) for event in events] == [2, 10]  # by number, not by letters
    assert events.readout.rebin == 4
    assert events.activity is not None
    assert events.michel is not None
    none, track, em = Activity
    assert events.activity[0, :7, 4].tolist() == [none, track, em, em, em, em, track]
    assert events.michel[0, :7, 4].tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert read_frame_labels(path, event=1)[:7, 4].tolist() == list(range(7))
    other = read_labelled_frames(path, WireChoice(plane="v"))
    assert other.code.shape == (2, 800, 12)
    assert other.readout.pitch_mm == 4.67
    assert count_labelled_frames(path) == 2


def test_particles_are_numbers_of_tracks(labelled: Maker) -> None:
    events = read_labelled_frames(labelled())
    assert events.particles is not None
    assert events.particle is not None
    assert events.particles["track_id"].tolist() == [-7, 7, -7, 7]
    assert events.particles["label"].tolist() == [Activity.EM, Activity.TRACK] * 2
    assert events.particle[1, :7, 4].tolist() == [-1, 1, 0, 0, 0, 0, 0]
    assert events.particles["voxels"].tolist() == [5, 2, 5, 2]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"frame_rebinned_reco": np.zeros((960, 12), np.float32)}, "frame_rebinned_reco: .*2560, drift"),
        (
            {"frame_rebinned_reco": np.full((2560, 12), np.inf, np.float32)},
            "wire 0, drift 0: expected finite",
        ),
        (
            {"frame_label_1st": np.full((2560, 12), 7, np.int8)},
            "wire 0, drift 0: expected a label from 0 to 6",
        ),
        ({"frame_label_1st": np.zeros((2560, 9), np.int8)}, "the shape of frame_rebinned_reco"),
        ({"tickinfo_rebinned_reco": np.zeros(3)}, "a tick in ns"),
    ],
)
def test_faults(labelled: Maker, changed: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_labelled_frames(labelled(**changed))


def test_without_labels(labelled: Maker) -> None:
    path = labelled(frame_label_1st=None)
    assert read_labelled_frames(path).activity is None
    with pytest.raises(InputError, match="2/frame_label_1st"):
        read_labelled_frames(path, truth=True)
    with pytest.raises(InputError, match="--rebin"):
        read_labelled_frames(path, WireChoice(rebin=6))
    with pytest.raises(InputError, match="events 2 to 2"):
        read_labelled_frames(path, start=2, stop=3)


@pytest.mark.reference
def test_the_genuine_file(reference: Path) -> None:
    path = reference / "dune10kt_labelled_anode4.h5"
    assert count_labelled_frames(path) == 10
    lit = [int((event.code > 0).sum()) for event in iterate_labelled_frames(path)]
    assert lit == [0, 0, 237, 64, 3024, 402, 0, 3031, 3015, 2797]
    events = read_labelled_frames(path, start=9)
    with h5py.File(path) as file:
        label = file["10/frame_label_1st"][1600:]
        np.testing.assert_array_equal(events.code[0], file["10/frame_rebinned_reco"][1600:])
    assert events.activity is not None
    np.testing.assert_array_equal(np.bincount(label.ravel(), minlength=7), [1438861, 995, 0, 0, 140, 4, 0])
    np.testing.assert_array_equal(np.bincount(events.activity.ravel()), [1438861, 995, 144])
