"""What is wrong with a PILArNet-M file is said with its place, in one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.source.pilarnet_write import write_pilarnet
from cloudchamber.voxel_events import VoxelEvents

SIDE = 32
Rows = dict[str, list[np.ndarray]]
Make = Callable[..., VoxelEvents]
Read = Callable[..., VoxelEvents]
WriteRows = Callable[..., Path]
OneEvent = Callable[[], Rows]
Same = Callable[[VoxelEvents, VoxelEvents], None]


@pytest.mark.parametrize("layout", [{}, {"chunks": (2,)}, {"chunks": (2,), "compression": "gzip"}])
@pytest.mark.parametrize("userblock", [0, 512])
def test_other_layouts(
    tmp_path: Path,
    layout: dict[str, Any],
    userblock: int,
    read: Read,
    write_rows: WriteRows,
    one_event: OneEvent,
    same_voxels: Same,
) -> None:
    rows, path = {name: events * 5 for name, events in one_event().items()}, tmp_path / "b.h5"
    wanted = read(write_rows(tmp_path / "a.h5", rows))
    with h5py.File(path, "w", userblock_size=userblock) as file:
        for name, events in rows.items():
            kind = h5py.vlen_dtype(np.dtype("i4" if name == "cluster" else "f4"))
            dataset = file.create_dataset(name, (5,), kind, **layout)
            for event, row in enumerate(events):
                dataset[event] = row.ravel()
    same_voxels(read(path), wanted)
    if "compression" not in layout:  # HDF5 itself would never come back from a zeroed heap
        data = bytearray(path.read_bytes())
        heap = data.index(b"GCOL")
        data[heap + 16 : heap + 32] = bytes(16)
        path.write_bytes(data)
        with pytest.raises(InputError, match="a sound heap, found a step of 0 bytes at byte 16"):
            read(path)


def put(name: str, row: int, column: int, value: float) -> Callable[[Rows], object]:
    def change(rows: Rows) -> None:
        rows[name][0] = rows[name][0].astype("f8")
        rows[name][0][row, column] = value

    return change


def cut(name: str, numbers: int) -> Callable[[Rows], object]:
    return lambda rows: rows.update({name: [rows[name][0].ravel()[:-numbers]]})


FLOATS = {"point": "f8", "cluster": "f8", "cluster_extra": "f8"}
BAD: dict[str, tuple[Callable[[Rows], object], str]] = {
    "no points": (lambda rows: rows.pop("point"), "point: expected a data set.*none of that name"),
    "no clusters": (lambda rows: rows.pop("cluster"), "cluster: expected a data set.*none of that name"),
    "no events": (lambda rows: [rows.update({name: []}) for name in rows], "point: expected events"),
    "fewer events": (lambda rows: rows.update(cluster=[]), "cluster: expected 1 events"),
    "part of a point": (cut("point", 3), "point, event 0: expected rows of 8 numbers, found 61"),
    "a point too few": (cut("point", 8), "cluster, event 0, size: expected the event's 7 points.*found 8"),
    "part of a cluster": (cut("cluster", 1), "cluster, event 0: expected rows of 6 numbers, found 29"),
    "a cluster too few": (cut("cluster", 6), "the event's 8 points in all, found 7"),
    "extra too short": (cut("cluster_extra", 1), "cluster_extra, event 0: expected 5 or 6 numbers for each"),
    "a negative size": (put("cluster", 1, 0, -2), "cluster, event 0, size, row 1: .*found -2"),
    "half a cluster id": (put("cluster", 1, 1, 0.5), "cluster, event 0, row 1: expected whole numbers"),
    "a huge cluster id": (put("cluster", 1, 1, 1e20), "cluster, event 0, row 1: expected whole numbers"),
    "nan in clusters": (put("cluster", 1, 1, np.nan), "cluster, event 0, row 1: expected whole numbers"),
    "a sixth class": (put("cluster", 2, 4, 5), "semantic, row 2: expected a class from 0 to 4, found 5"),
    "outside": (put("point", 3, 2, SIDE), "point, event 0, row 3: expected places from 0 to 32"),
    "below zero": (put("point", 3, 0, -0.5), "point, event 0, row 3: expected places"),
    "no place": (put("point", 3, 0, np.nan), "point, event 0, row 3: expected places"),
    "nan": (put("point", 4, 3, np.nan), "point, event 0, value, row 4: expected energies.*nan"),
    "infinite": (put("point", 4, 3, np.inf), "value, row 4: expected energies.*inf"),
    "negative": (put("point", 4, 3, -1), "value, row 4: expected energies.*-1"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_contents(
    tmp_path: Path, kind: str, read: Read, write_rows: WriteRows, one_event: OneEvent
) -> None:
    (change, said), rows = BAD[kind], one_event()
    change(rows)
    bad = write_rows(tmp_path / "bad.h5", rows, FLOATS)
    with pytest.raises(InputError, match=said) as caught:
        read(bad)
    assert str(caught.value).startswith(str(bad))
    assert "\n" not in str(caught.value)


SPECIAL: dict[str, tuple[Callable[[h5py.File], object], str]] = {
    "a group": (lambda file: file.create_group("point"), "a group"),
    "plain numbers": (lambda file: file.create_dataset("point", data=np.zeros((3, 8))), "the type float64"),
    "text": (lambda file: file.create_dataset("point", (3,), h5py.string_dtype()), "the type <class 'str'>"),
    "lists of text": (
        lambda file: file.create_dataset("point", (1,), h5py.vlen_dtype(np.dtype("S4"))), "the type |S4"
    ),
    "two axes": (
        lambda file: file.create_dataset("point", (3, 8), h5py.vlen_dtype(np.float32)), "the shape"
    ),
    "a link elsewhere": (
        lambda file: file.__setitem__("point", h5py.ExternalLink("elsewhere.h5", "/point")),
        "a link to another file",
    ),
    "too long": (
        lambda file: file.create_dataset("point", (10**12,), h5py.vlen_dtype(np.float32), chunks=(64,)),
        "1000000000000 events",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPECIAL)
def test_bad_data_sets(
    tmp_path: Path, kind: str, read: Read, write_rows: WriteRows, one_event: OneEvent
) -> None:
    bad = write_rows(tmp_path / "bad.h5", one_event())
    make, said = SPECIAL[kind]
    with h5py.File(bad, "a") as file:
        del file["point"]
        make(file)
    with pytest.raises(InputError, match="point: expected a data set of variable-length rows") as caught:
        read(bad)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda path: path.mkdir(), "a folder"),
        (lambda path: None, "No such file"),
        (lambda path: path.touch(), "an empty file"),
        (lambda path: path.write_text("a text"), "another kind of file"),
        (lambda path: h5py.File(path, "w").close(), "the file has nothing"),
    ],
)
def test_other_files(tmp_path: Path, make: Callable[[Path], object], found: str, read: Read) -> None:
    make(tmp_path / "bad.h5")
    with pytest.raises(InputError, match=found) as caught:
        read(tmp_path / "bad.h5")
    assert "bad.h5" in str(caught.value)


@pytest.mark.parametrize("seed", range(25))
def test_cut_or_damaged_files(tmp_path: Path, seed: int, random_events: Make, read: Read) -> None:
    """Cut anywhere they are refused; zeroed somewhere, refused or of as many events."""
    rng, good, bad = np.random.default_rng(seed), tmp_path / "good.h5", tmp_path / "bad.h5"
    write_pilarnet(good, random_events(9))
    data = good.read_bytes()
    bad.write_bytes(data[: int(rng.integers(len(data)))])
    with pytest.raises(InputError, match=r"bad\.h5"):
        read(bad)
    start = int(rng.integers(len(data) - 60))
    bad.write_bytes(data[:start] + bytes(60) + data[start + 60 :])
    said, events = "", 9
    try:
        events = len(read(bad))
    except InputError as error:
        said = str(error)
    assert events == 9
    assert "\n" not in said
