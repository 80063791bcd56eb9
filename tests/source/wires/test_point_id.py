"""PointIdTrainingData's histograms: bits, there and back, crops, TPCs and views, faults."""

from pathlib import Path

import numpy as np
import pytest
import uproot
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.errors import InputError
from cloudchamber.labels import Activity, VertexFlag
from cloudchamber.source.point_id import count_point_id, iterate_point_id, read_point_id
from cloudchamber.source.point_id_flags import Truth, number_of, truth_of
from cloudchamber.source.point_id_write import _histogram, write_point_id
from cloudchamber.source.wire_choice import WireChoice
from cloudchamber.wire_events import WireEvents

# Numbers as larrecodnn's PointIdAlg.h has them: pdg | kind of track | vertices.
KNOWN = [
    (0, 0.0, Activity.NONE, 0, 0),
    (13 | 0x8000, 1e-3, Activity.TRACK, 0, 0),
    (11 | 0x1000, 1e-3, Activity.EM, 0, 0),
    (11 | 0x2000, 1e-3, Activity.EM, 1, 0),
    (11 | 0x2000, 1.9e-5, Activity.NONE, 0, 0),
    (2212, 2.1e-5, Activity.TRACK, 0, 0),
    (13 | 0x4000000, 1e-3, Activity.TRACK, 0, VertexFlag.DECAY),
    (0x8000000, 0.0, Activity.NONE, 0, VertexFlag.CONVERSION),
    (211 | 0x1000000 | 0x40000000, 1e-3, Activity.TRACK, 0, VertexFlag.HADRONIC | VertexFlag.INELASTIC),
    (211 | 0x20000000 | 0x40000, 1e-3, Activity.TRACK, 0, VertexFlag.ELASTIC | VertexFlag.NEUTRINO_PRIMARY),
    (11 | 0x10000000, 1e-3, Activity.EM, 0, VertexFlag.ELECTRON_END),
    (22 | 0x2000000 | 0x10000, 1e-3, Activity.TRACK, 0, 0),  # a pi0 and a flavour: told nowhere here
]


@pytest.mark.parametrize(("number", "deposit", "activity", "michel", "vertex"), KNOWN)
def test_bits(number: int, deposit: float, activity: int, michel: int, vertex: int) -> None:
    found = truth_of(np.array([[number]], np.int32), np.array([[deposit]]))
    assert [int(each[0, 0]) for each in found] == [activity, michel, vertex]


@given(
    st.sampled_from(list(Activity)), st.booleans(), st.integers(0, 127), st.sampled_from([13, -211, 2212, 22])
)
def test_bits_there_and_back(activity: Activity, electron: bool, vertex: int, pdg: int) -> None:
    michel = electron and activity == Activity.EM
    truth = Truth(*(np.array([[value]], np.uint8) for value in (activity, michel, vertex)))
    number = number_of(truth, np.array([[pdg]]))
    assert number.dtype == np.int32
    for deposit in (None, np.array([[1e-3 if activity else 0.0]])):
        assert truth_of(number, deposit) == truth
    if activity == Activity.TRACK:
        assert number[0, 0] & 0xFFF == abs(pdg)


def test_there_and_back(tmp_path: Path, planes: WireEvents) -> None:
    path = tmp_path / "a.root"
    assert write_point_id(path, planes, tpc=4) == 3
    found = read_point_id(path)
    for name in ("code", "activity", "michel", "vertex"):
        np.testing.assert_array_equal(getattr(found, name), getattr(planes, name), name)
    assert found.readout == planes.readout
    assert count_point_id(path) == 3
    assert read_point_id(path, start=1, stop=2).vertex[0, 5, 25] == VertexFlag.CONVERSION  # type: ignore[index]
    bare = read_point_id(path, truth=False)
    assert (bare.activity, bare.michel) == (None, None)


def test_plain_uproot_finds_what_was_written(tmp_path: Path, planes: WireEvents) -> None:
    path = tmp_path / "a.root"
    write_point_id(path, planes)
    with uproot.open(path) as file:
        name = "datadump/raw_event_2_run_1_subrun_0_tpc_0_view_2"
        kinds = {key: file[f"{name}_{key}"] for key in ("raw", "deposit", "pdg")}
        assert [each.classname for each in kinds.values()] == ["TH2F", "TH2F", "TH2I"]
        np.testing.assert_array_equal(kinds["raw"].values(), planes.code[1])
        assert kinds["raw"].axis("x").edges()[[0, -1]].tolist() == [0, 20]
        pdg = kinds["pdg"].values().astype(int)
        assert pdg[4, 7] == 13
        assert pdg[12, 15] == 11 | 0x2000
        assert pdg[11, 14] == 13 | 0x4000000 | 0x40000000
        assert kinds["deposit"].values()[4, 7] == np.float32(1e-3)


def _file(path: Path, **histograms: object) -> Path:
    with uproot.recreate(path) as file:
        for name, histogram in histograms.items():
            file[f"datadump/raw_event_{name}"] = histogram
    return path


def _flat(wires: int, drifts: int, wire: int = 0, drift: int = 0, value: float = 1.0) -> object:
    return _histogram(np.full((wires, drifts), value, np.float32), "ADC", wire, drift)


def test_cropped_images_stand_at_their_place(tmp_path: Path) -> None:
    path = _file(
        tmp_path / "crop.root",
        **{
            "1_run_1_subrun_0_tpc_0_view_2_raw": _flat(4, 5, 6, 2),
            "2_run_1_subrun_0_tpc_0_view_2_raw": _flat(3, 9),
        },
    )
    found = read_point_id(path).code
    assert found.shape == (2, 10, 9)
    assert found[0].sum() == 20
    assert found[0, 6:10, 2:7].min() == 1
    assert found[1, :3].sum() == 27


def test_views_and_tpcs(tmp_path: Path) -> None:
    kinds = {
        f"{event}_run_1_subrun_0_tpc_{tpc}_view_{view}_raw": _flat(3, 4, value=100 * event + 10 * tpc + view)
        for event in (10, 9) for tpc in (5, 1) for view in (0, 2)
    }  # fmt: skip
    path = _file(tmp_path / "many.root", **kinds)
    assert [event.code[0, 0, 0] for event in iterate_point_id(path)] == [912, 952, 1012, 1052]
    assert [event.code[0, 0, 0] for event in read_point_id(path, WireChoice(plane="U", tpc=5))] == [950, 1050]
    for choice, said in (
        (WireChoice(plane="V"), "the plane V, found planes 0 .U., 2 .W."),
        (WireChoice(tpc=2), "TPC 2"),
    ):
        with pytest.raises(InputError, match=said):
            read_point_id(path, choice)
    with pytest.raises(InputError, match="events 3 to 4, found 4 events"):
        read_point_id(path, start=3, stop=5)


def test_faults(tmp_path: Path, planes: WireEvents) -> None:
    one = "1_run_1_subrun_0_tpc_0_view_2"
    for name, histograms, said in (
        ("nan", {f"{one}_raw": _flat(3, 4, value=np.nan)}, "wire 0, drift 0: expected finite"),
        ("axes", {f"{one}_raw": _flat(3, 4), f"{one}_pdg": _flat(3, 5)}, "the axes of datadump/raw"),
        ("other", {"1": _flat(3, 4)}, "expected histograms raw_event"),
    ):
        path = _file(tmp_path / f"{name}.root", **histograms)
        with pytest.raises(InputError, match=said):
            read_point_id(path)
    wide = (np.ones((3, 4), np.float32), np.arange(0.0, 8.0, 2.0), np.arange(5.0))
    with pytest.raises(InputError, match="axis of wires: expected bins of 1"):
        read_point_id(_file(tmp_path / "wide.root", **{f"{one}_raw": wide}))
    path = _file(tmp_path / "blind.root", **{f"{one}_raw": _flat(3, 4)})
    assert read_point_id(path).activity is None
    with pytest.raises(InputError, match="_pdg beside it"):
        read_point_id(path, truth=True)
    whole = tmp_path / "whole.root"
    write_point_id(whole, planes)
    data = whole.read_bytes()
    for size in (0, 3, 200, len(data) // 2, len(data) - 400):
        (tmp_path / "cut.root").write_bytes(data[:size])
        with pytest.raises(InputError, match=r"cut\.root"):
            read_point_id(tmp_path / "cut.root")
    with pytest.raises(InputError, match="events to write"):
        write_point_id(tmp_path / "none.root", [])
    assert not list(tmp_path.glob("*none*"))
