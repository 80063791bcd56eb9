"""Two hundred broken inputs through every verb that reads: one line, exit code 2, nothing left behind."""

import os
import random
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pytest

from cloudchamber.cli import main
from cloudchamber.errors import InputError
from cloudchamber.source.predictions import write_predictions
from cloudchamber.source.sink import Sink
from cloudchamber.source.store import WALLS_UNITS, read_walls, write_store

Arrays = dict[str, np.ndarray]
SHAPE = (24, 10, 10, 10)
# The verbs that read a data set; {bad} is the malformed file, {new} what must not appear, {preds} good
# predictions for its samples. To put another verb to the test, add its line.
VERBS = {
    "predict": "predict walls/best {bad} -o {new}",
    "check": "check {bad}",
    "info": "info {bad}",
    "info --json": "info {bad} --json",
    "convert walls": "convert walls {bad} -o {new}",
    "convert split": "convert split {bad} -o {new}",
    "score": "score {preds} {bad} --json {new}",
    "show": "show {bad} -o {new}",
    "report": "report {preds} {bad} -o {new}",
}
WITHOUT_TARGETS = {"predict"}
READS_ONLY_PREDICTIONS = {
    "check": "check {bad}",
    "convert submission": "convert submission {bad} --name N --id 00 -o {new}",
    "score": "score {bad} {walls} --json {new}",
}


class Good(NamedTuple):
    """Files that are as they should be, and what is in them."""

    walls: Path
    preds: Path
    arrays: Arrays


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Good:
    folder, rng = tmp_path_factory.mktemp("good"), np.random.default_rng(0)
    x0_m = (0.03 * np.exp(0.7 * rng.standard_normal(SHAPE))).astype(np.float32)
    arrays: Arrays = {"x0": x0_m, "targs": (rng.random(SHAPE) < 0.07).astype(np.int64)}
    with write_store(folder / "walls.h5", len(x0_m), {"task": "walls", "seed": 1}, WALLS_UNITS) as add:
        add(arrays)
    write_predictions(folder / "preds.h5", arrays["targs"], rng.random(SHAPE), {})
    return Good(folder / "walls.h5", folder / "preds.h5", arrays)


class Run(NamedTuple):
    code: int
    said: str


@pytest.fixture
def run(tmp_path: Path, good: Good, capfd: pytest.CaptureFixture[str]) -> Callable[[str, Path], Run]:
    """Run a verb; see that it leaves nothing new and, if it fails, says one line."""

    def run_verb(verb: str, bad: Path) -> Run:
        before, new = sorted(tmp_path.rglob("*")), tmp_path / "new"
        words = verb.format(bad=bad, new=new, preds=good.preds, walls=good.walls).split()
        capfd.readouterr()
        code = main(words)
        said = capfd.readouterr().err
        if code == 0:
            if new.exists():
                new.unlink()
            return Run(code, said)
        assert code == 2, (verb, said)
        assert len(said.splitlines()) == 1, (verb, said)
        assert said.startswith("cloudchamber: "), (verb, said)
        assert "Traceback" not in said
        assert sorted(tmp_path.rglob("*")) == before, verb
        return Run(code, said)

    return run_verb


def truncated(path: Path, good: Good, rng: random.Random) -> None:
    data = good.walls.read_bytes()
    path.write_bytes(data[: rng.randrange(len(data))])


def flipped(path: Path, good: Good, rng: random.Random) -> None:
    data = bytearray(good.walls.read_bytes())
    for _ in range(rng.choice([1, 1, 2, 8])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def flipped_structure(path: Path, good: Good, rng: random.Random) -> None:
    """In the first kilobytes, where HDF5 keeps what describes the data."""
    data = bytearray(good.walls.read_bytes())
    data[rng.randrange(2000)] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def zeroed(path: Path, good: Good, rng: random.Random) -> None:
    data = bytearray(good.walls.read_bytes())
    start = rng.randrange(len(data) - 600)
    data[start : start + 600] = bytes(600)
    path.write_bytes(data)


def noise(path: Path, good: Good, rng: random.Random) -> None:
    path.write_bytes(rng.randbytes(rng.randrange(1, 5000)))


def noise_after_signature(path: Path, good: Good, rng: random.Random) -> None:
    path.write_bytes(good.walls.read_bytes()[:8] + rng.randbytes(rng.randrange(1, 5000)))


def empty(path: Path, good: Good, rng: random.Random) -> None:
    path.touch()


def folder(path: Path, good: Good, rng: random.Random) -> None:
    path.mkdir()


def absent(path: Path, good: Good, rng: random.Random) -> None:
    pass


def pickle_in_disguise(path: Path, good: Good, rng: random.Random) -> None:
    """It would make a file if it were loaded."""
    target = str(path.parent / "owned").encode()
    path.write_bytes(b"cposix\nsystem\n(S'touch " + target + b"'\ntR.")


def numpy_in_disguise(path: Path, good: Good, rng: random.Random) -> None:
    with path.open("wb") as stream:
        np.savez(stream, x0=good.arrays["x0"])


def no_such_name(path: Path, good: Good, rng: random.Random) -> None:
    with h5py.File(path, "w") as file:
        file["X0"] = good.arrays["x0"]


def nothing_in_it(path: Path, good: Good, rng: random.Random) -> None:
    h5py.File(path, "w").close()


Change = Callable[[np.ndarray, random.Random], np.ndarray]


def somewhere(array: np.ndarray, value: float, rng: random.Random) -> np.ndarray:
    changed = array.copy()
    changed[tuple(rng.randrange(size) for size in array.shape)] = value
    return changed


# The data sets that are changed, and how; the message must name the first of them.
CHANGED: dict[str, tuple[str, Change]] = {
    "nan": ("x0", lambda x, r: somewhere(x, np.nan, r)),
    "infinite": ("x0", lambda x, r: somewhere(x, np.inf, r)),
    "negative": ("x0", lambda x, r: somewhere(x, -0.03, r)),
    "zero": ("x0", lambda x, r: somewhere(x, 0, r)),
    "too large for float32": ("x0", lambda x, r: somewhere(x.astype("f8"), 1e300, r)),
    "one voxel of a light-year": ("x0", lambda x, r: somewhere(x, 9.46e15, r)),
    "one voxel of a nanometre": ("x0", lambda x, r: somewhere(x, 1e-9, r)),
    "millimetres": ("x0", lambda x, r: x * 1000),
    "kilometres": ("x0", lambda x, r: x / 1000),
    "one number": ("x0", lambda x, r: np.asarray(0.03, "f4")),
    "three axes": ("x0", lambda x, r: x[0]),
    "five axes": ("x0", lambda x, r: x[None]),
    "flat": ("x0", lambda x, r: x.reshape(len(x), -1)),
    "no samples": ("x0", lambda x, r: x[:0]),
    "no layers": ("x0", lambda x, r: x[:, :0]),
    "whole numbers": ("x0", lambda x, r: np.ones(x.shape, "i4")),
    "complex numbers": ("x0", lambda x, r: x.astype("c8")),
    "extended precision": ("x0", lambda x, r: x.astype(np.longdouble)),
    "strings": ("x0", lambda x, r: np.full(x.shape, b"0.03", "S4")),
    "compound": ("x0", lambda x, r: x.astype([("x0", "f4"), ("sigma", "f4")])),
    "times": ("x0", lambda x, r: np.zeros(x.shape, "i8").view("V8")),
    "fewer samples than x0": ("targs", lambda t, r: t[:-1]),
    "another shape than x0": ("targs", lambda t, r: t[:, :, :, :9]),
    "axes in another order": ("targs", lambda t, r: np.ascontiguousarray(t.reshape(10, 24, 10, 10))),
    "a third class": ("targs", lambda t, r: somewhere(t, 2, r)),
    "a negative class": ("targs", lambda t, r: somewhere(t, -1, r)),
    "probabilities": ("targs", lambda t, r: t.astype("f4") * 0.5),
    "class names": ("targs", lambda t, r: np.where(t == 1, b"wall", b"soil")),
}


def changed(path: Path, good: Good, rng: random.Random, kind: str) -> None:
    name, change = CHANGED[kind]
    with h5py.File(path, "w") as file:
        for key, array in good.arrays.items():
            file[key] = change(array, rng) if key == name else array


def special(path: Path, good: Good, rng: random.Random, kind: str) -> None:
    """What h5py can put under a name besides plain numbers."""
    with h5py.File(path, "w") as file:
        file["targs"] = good.arrays["targs"]
        if kind == "group":
            file.create_group("x0")
        elif kind == "named type":
            file["x0"] = np.dtype("f4")
        elif kind == "no data space":
            file["x0"] = h5py.Empty("f4")
        elif kind == "variable length":
            file.create_dataset("x0", SHAPE, h5py.vlen_dtype(np.float32))
        elif kind == "references":
            file.create_dataset("x0", SHAPE, h5py.ref_dtype)
        elif kind == "text":
            file["x0"] = "0.03"
        elif kind == "dangling link":
            file["x0"] = h5py.SoftLink("/nowhere")
        elif kind == "link to itself":
            file["x0"] = h5py.SoftLink("/x0")
        elif kind == "link to another file":
            file["x0"] = h5py.ExternalLink(str(good.walls), "/x0")
        elif kind == "external numbers":
            file.create_dataset("x0", SHAPE, "f4", external=[(str(good.walls), 0, h5py.h5f.UNLIMITED)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout(SHAPE, "f4")
            layout[:] = h5py.VirtualSource(str(good.walls), "x0", SHAPE)
            file.create_virtual_dataset("x0", layout)
        elif kind == "larger than any disk":
            file.create_dataset("x0", (10**9, 10, 10, 10), "f4", chunks=(1, 10, 10, 10))


SPECIAL = (
    "group", "named type", "no data space", "variable length", "references", "text", "dangling link",
    "link to itself", "link to another file", "external numbers", "virtual", "larger than any disk",
)  # fmt: skip
WRITERS = (noise, noise_after_signature, empty, folder, absent, pickle_in_disguise, numpy_in_disguise,
           no_such_name, nothing_in_it)  # fmt: skip
DAMAGES = {truncated: 30, flipped: 40, flipped_structure: 30, zeroed: 10}


def cases() -> Iterator[tuple[str, int]]:
    for damage, count in DAMAGES.items():
        yield from ((damage.__name__, seed) for seed in range(count))
    for writer in WRITERS:
        yield from ((writer.__name__, seed) for seed in range(4 if writer in WRITERS[:2] else 1))
    for kind in (*CHANGED, *SPECIAL):
        yield from ((kind, seed) for seed in range(2 if kind in list(CHANGED)[:7] else 1))
    yield from ((kind, seed) for kind in list(CHANGED)[:7] for seed in range(2, 5))


CASES = list(cases())
BY_NAME = {writer.__name__: writer for writer in (*DAMAGES, *WRITERS)}


def test_there_are_two_hundred() -> None:
    assert len(set(CASES)) >= 190


@pytest.mark.parametrize(("kind", "seed"), CASES, ids=[f"{kind}-{seed}" for kind, seed in CASES])
def test_malformed(tmp_path: Path, good: Good, run: Callable[[str, Path], Run], kind: str, seed: int) -> None:
    bad, rng = tmp_path / "bad.h5", random.Random(f"{kind} {seed}")
    if kind in BY_NAME:
        BY_NAME[kind](bad, good, rng)
    else:
        (changed if kind in CHANGED else special)(bad, good, rng, kind)
    for name, verb in VERBS.items():
        code, said = run(verb, bad)
        if code == 0:  # nothing may have changed but bytes that mean nothing, or targets that are not read
            unread = name in WITHOUT_TARGETS
            wrong_targets = kind in CHANGED and CHANGED[kind][0] == "targs"
            assert kind in {damage.__name__ for damage in DAMAGES} or (unread and wrong_targets), (name, kind)
            data = read_walls(bad, targets=not unread)
            np.testing.assert_array_equal(data.x0_m, good.arrays["x0"])
            if data.walls is not None:
                np.testing.assert_array_equal(data.walls, good.arrays["targs"])
            continue
        assert "bad.h5" in said, (name, said)
        if kind in CHANGED or kind in SPECIAL:
            assert f" {CHANGED[kind][0] if kind in CHANGED else 'x0'}" in said, (name, said)
        if kind in ("millimetres", "kilometres"):
            assert "metres" in said
    assert not (tmp_path / "owned").exists()


BAD_PREDICTIONS: dict[str, Callable[[np.ndarray, np.ndarray], Arrays]] = {
    "no preds": lambda p, q: {"probability": q},
    "third class": lambda p, q: {"preds": p + 2},
    "floating-point classes": lambda p, q: {"preds": q},
    "flat": lambda p, q: {"preds": p.reshape(24, -1)},
    "no samples": lambda p, q: {"preds": p[:0]},
    "another number of samples": lambda p, q: {"preds": p[:-1], "probability": q[:-1] + 2},
    "probability above one": lambda p, q: {"preds": p, "probability": q + 0.5},
    "probability nan": lambda p, q: {"preds": p, "probability": q * np.nan},
    "probability of another shape": lambda p, q: {"preds": p, "probability": q[:-1]},
    "probability as text": lambda p, q: {"preds": p, "probability": q.astype("S4")},
}


@pytest.mark.parametrize("kind", BAD_PREDICTIONS)
def test_malformed_predictions(
    tmp_path: Path, good: Good, run: Callable[[str, Path], Run], kind: str
) -> None:
    bad = tmp_path / "bad.h5"
    probability = np.random.default_rng(0).random(SHAPE, dtype=np.float32)
    with h5py.File(bad, "w") as file:
        for name, array in BAD_PREDICTIONS[kind](good.arrays["targs"], probability).items():
            file[name] = array
    for verb in READS_ONLY_PREDICTIONS.values():
        code, said = run(verb, bad)
        assert code == 2, (verb, kind)
        assert "bad.h5" in said


@pytest.mark.parametrize(
    "verb", ["convert walls {walls} -o {bad}", "simulate walls -n 2 -o {bad} --config {new}"]
)
@pytest.mark.parametrize("name", ["file/new.h5", "folder"])
def test_places_that_cannot_be_written(
    tmp_path: Path, run: Callable[[str, Path], Run], verb: str, name: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    if "simulate" in verb:
        (tmp_path / "few.toml").write_text("[muons]\ncount = 20\n")
        verb = verb.replace("{new}", str(tmp_path / "few.toml"))
    code, said = run(verb, tmp_path / name)
    assert code == 2
    assert name in said


@pytest.mark.parametrize("limit_bytes", [1, 3000, 20_000, 90_000])
def test_a_full_disk(tmp_path: Path, good: Good, limit_bytes: int) -> None:
    """No file may grow beyond the limit; the end must be the same as with a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        with pytest.raises(InputError), write_store(tmp_path / "a.h5", 24, {}, WALLS_UNITS) as add:
            add(good.arrays)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_no_space_left(
    tmp_path: Path, good: Good, run: Callable[[str, Path], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is opened as it should be, and what is written to it goes to a device that is always full."""
    opened = Sink.__init__

    def open_full(sink: Sink, path: Path) -> None:
        opened(sink, path)
        with Path("/dev/full").open("wb") as device:
            os.dup2(device.fileno(), sink.fileno())

    monkeypatch.setattr(Sink, "__init__", open_full)
    code, said = run("convert walls {walls} -o {bad}", tmp_path / "bad.h5")
    assert code == 2
    assert "No space left on device" in said
