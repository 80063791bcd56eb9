"""One way to open any file of wires, and which task a file is for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.source.kinds import task_of
from cloudchamber.source.point_id_write import write_point_id
from cloudchamber.source.wire_choice import WireChoice
from cloudchamber.source.wire_files import count_wire_file, iterate_wire_file, open_wire_file, wire_kind
from cloudchamber.source.wires import write_wire_events
from cloudchamber.wire_events import WireEvents

Files = dict[str, Path]


@pytest.fixture
def files(tmp_path: Path, planes: WireEvents, labelled: Callable[..., Path]) -> Files:
    write_wire_events(tmp_path / "ours.h5", 3, iter([planes]), {})
    write_point_id(tmp_path / "histograms.root", planes)
    np.savez(tmp_path / "frames.npz", frame=planes.code[0])
    return {
        "ours": tmp_path / "ours.h5", "histograms": tmp_path / "histograms.root",
        "frames": tmp_path / "frames.npz",
        "labelled frames": labelled(),
    }  # fmt: skip


def test_each_is_recognised_and_read(files: Files, planes: WireEvents) -> None:
    for kind, path in files.items():
        assert wire_kind(path) == kind
        assert task_of(path) == "wires"
        n = {"frames": 1, "labelled frames": 2}.get(kind, 3)
        assert count_wire_file(path) == n
        assert sum(len(event) for event in iterate_wire_file(path)) == n
        last = open_wire_file(path, start=n - 1)
        assert len(last) == 1
        if kind in ("ours", "histograms"):
            np.testing.assert_array_equal(last.code[0], planes.code[2])
            assert last.activity is not None
        assert open_wire_file(path, truth=False).activity is None
        with pytest.raises(InputError, match=f"events {n} to {n}"):
            open_wire_file(path, start=n, stop=n + 1)


def test_refusals(files: Files, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("some text")
    for path, said in (
        (tmp_path / "gone.root", "no such file"),
        (tmp_path / "text.txt", "another kind of file"),
    ):
        assert wire_kind(path) is None
        with pytest.raises(InputError, match=said):
            open_wire_file(path)
    with pytest.raises(InputError, match="a file of others"):
        open_wire_file(files["ours"], WireChoice(plane="U"))
    with pytest.raises(InputError, match="a file with truth"):
        open_wire_file(files["frames"], truth=True)
    for name, value in (("pitch_mm", 0.0), ("tick_us", np.inf), ("rebin", 0)):
        with pytest.raises(InputError, match=name.replace("_", "-")):
            WireChoice(**{name: value})  # type: ignore[arg-type]
