"""Data sets are the same bytes whoever makes them, and however often they are killed on the way."""

import importlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.source.parts import Parts
from cloudchamber.source.produce import produce
from cloudchamber.source.store import read_walls

N, BLOCK = 40, 4
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def makers() -> Iterator[Any]:
    """The module beside this one, on the path that worker processes inherit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE)
        yield importlib.import_module("makers")


@pytest.fixture(scope="module")
def make(makers: Any) -> Callable[..., bytes]:
    """Make 40 samples and return the bytes of the file."""

    def run(path: Path, make: Any = None, workers: int = 1) -> bytes:
        produce(path, make or makers.plain, N, attributes=makers.ATTRIBUTES, workers=workers, block=BLOCK)
        assert not parts_of(path).exists()
        return path.read_bytes()

    return run


def heed_interrupts() -> None:
    """A test run in the background of a shell ignores Ctrl-C, and so would the processes it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def parts_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.parts")


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory, make: Callable[..., bytes]) -> bytes:
    return make(tmp_path_factory.mktemp("produce") / "walls.h5")


def test_simulated_bytes_do_not_depend_on_workers(
    tmp_path: Path, makers: Any, make: Callable[..., bytes]
) -> None:
    one, two = (make(tmp_path / f"{n}.h5", makers.simulated, workers=n) for n in (1, 2))
    assert one == two
    data = read_walls(tmp_path / "2.h5", targets=True)
    np.testing.assert_array_equal(data.x0_m[7], makers.simulated(7)["x0"])


def test_bytes_do_not_depend_on_workers(tmp_path: Path, wanted: bytes, make: Callable[..., bytes]) -> None:
    assert make(tmp_path / "walls.h5", workers=4) == wanted


def start(
    path: Path, workers: int, pause_s: float = 0.03, n: int = N, block: int = BLOCK, **options: Any
) -> Any:
    command = [sys.executable, str(HERE / "makers.py"), str(path)]
    command += [str(value) for value in (workers, pause_s, n, block)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts)


def finished(path: Path) -> int:
    return len(list(parts_of(path).glob("*.npz")))


def kill_and_resume(path: Path, kills: int, workers: int, seed: int) -> int:
    """Start until it is done, kill so many starts at random moments; return how many were killed."""
    rng, killed = random.Random(seed), 0
    while not path.exists() or parts_of(path).exists():
        process = start(path, workers)
        if killed < kills:
            before, wait_for = finished(path), rng.randrange(3)  # it must get on, or this would never end
            while process.poll() is None and finished(path) < before + wait_for:
                time.sleep(0.003)
            time.sleep(rng.uniform(0, 0.15) if wait_for else rng.uniform(0, 1.5))
            process.kill()
        _, said = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), said
        killed += process.returncode == -signal.SIGKILL
    return killed


def test_killed_and_resumed(tmp_path: Path, wanted: bytes) -> None:
    assert kill_and_resume(tmp_path / "walls.h5", 3, 1, seed=1) == 3
    assert (tmp_path / "walls.h5").read_bytes() == wanted
    assert [path.name for path in tmp_path.iterdir()] == ["walls.h5"]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_killed_twenty_times(tmp_path: Path, wanted: bytes, workers: int) -> None:
    killed, turn = 0, 0
    while killed < 20:
        path = tmp_path / f"{turn}.h5"
        killed += kill_and_resume(path, 7, workers, seed=turn)
        assert path.read_bytes() == wanted
        turn += 1


@pytest.mark.slow
def test_simulated_bytes_do_not_depend_on_four_workers(
    tmp_path: Path, makers: Any, make: Callable[..., bytes]
) -> None:
    one, four = (make(tmp_path / f"{n}.h5", makers.simulated, workers=n) for n in (1, 4))
    assert one == four


def children(pid: int) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (OSError, ProcessLookupError):
            continue
        if int(fields[1]) == pid:
            yield int(path.parent.name)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    path = tmp_path / "walls.h5"
    process = start(path, 2, 0.05, 400, 2)
    while finished(path) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    workers = set(children(process.pid))
    assert len(workers) >= 2
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)


def test_interrupt_leaves_something_to_resume(tmp_path: Path) -> None:
    path = tmp_path / "walls.h5"
    process = start(path, 2, 0.05, 400, 2)
    while finished(path) < 2:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert "KeyboardInterrupt" in said
    assert said.count("Traceback") == 1
    assert not path.exists()
    assert finished(path) >= 2


def test_a_dead_worker_is_reported_and_the_run_resumes(
    tmp_path: Path, wanted: bytes, makers: Any, make: Callable[..., bytes]
) -> None:
    dying, path = partial(makers.dying_once, tmp_path), tmp_path / "walls.h5"
    with pytest.raises(ChildProcessError, match="worker process died"):
        make(path, dying, workers=2)
    assert parts_of(path).is_dir()
    assert make(path, dying, workers=2) == wanted


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_of_make_pass_through(
    tmp_path: Path, wanted: bytes, makers: Any, make: Callable[..., bytes], workers: int
) -> None:
    path = tmp_path / "walls.h5"
    with pytest.raises(ZeroDivisionError, match="sample 30"):
        make(path, partial(makers.failing, 30), workers)
    assert not path.exists()
    assert make(path) == wanted


def test_first_sample_that_fails_leaves_nothing(
    tmp_path: Path, makers: Any, make: Callable[..., bytes]
) -> None:
    with pytest.raises(ZeroDivisionError):
        make(tmp_path / "walls.h5", partial(makers.failing, 0))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def leave_parts(makers: Any, make: Callable[..., bytes]) -> Callable[[Path], Path]:
    """Make all parts but the last."""

    def run(path: Path) -> Path:
        with pytest.raises(ZeroDivisionError):
            make(path, partial(makers.failing, 39))
        return parts_of(path)

    return run


def test_damaged_parts_are_made_again(
    tmp_path: Path,
    wanted: bytes,
    make: Callable[..., bytes],
    leave_parts: Callable[[Path], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    parts = sorted(leave_parts(tmp_path / "walls.h5").glob("*.npz"))
    assert len(parts) == 9
    data = bytearray(parts[2].read_bytes())
    data[len(data) // 2] ^= 4
    parts[2].write_bytes(data)
    parts[4].write_bytes(parts[4].read_bytes()[:100])
    assert make(tmp_path / "walls.h5") == wanted
    assert capsys.readouterr().err.count("damaged, made again") == 2


def test_parts_of_another_data_set_are_discarded(
    tmp_path: Path,
    wanted: bytes,
    make: Callable[..., bytes],
    leave_parts: Callable[[Path], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "walls.h5"
    fingerprint = leave_parts(path) / "of.json"
    fingerprint.write_text(fingerprint.read_text().replace('"seed": 5', '"seed": 6'))
    assert make(path) == wanted
    assert "parts of another data set, discarded" in capsys.readouterr().err


def test_killed_before_the_parts_were_removed(
    tmp_path: Path, wanted: bytes, make: Callable[..., bytes], leave_parts: Callable[[Path], Path]
) -> None:
    path = tmp_path / "walls.h5"
    parts, kept = leave_parts(path), tmp_path / "kept"
    shutil.copytree(parts, kept)
    assert make(path) == wanted
    kept.rename(parts)
    assert make(path) == wanted


def test_existing_files_are_kept(
    tmp_path: Path, wanted: bytes, makers: Any, make: Callable[..., bytes]
) -> None:
    path = tmp_path / "walls.h5"
    path.write_text("mine")
    with pytest.raises(InputError, match=r"walls\.h5: expected a new file"):
        make(path)
    assert path.read_text() == "mine"
    produce(path, makers.plain, N, attributes=makers.ATTRIBUTES, block=BLOCK, overwrite=True)
    assert path.read_bytes() == wanted


@pytest.mark.parametrize("name", ["folder", "file/walls.h5"])
def test_paths_that_cannot_be_written(tmp_path: Path, make: Callable[..., bytes], name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"found .* file|folder of that name"):
        make(tmp_path / name)


def test_too_small_a_disk(
    tmp_path: Path, make: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(InputError, match="MB free on the disk, found 0 MB"):
        make(tmp_path / "walls.h5")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("limit_bytes", [10_000, 100_000])
def test_a_disk_that_runs_full(
    tmp_path: Path, wanted: bytes, makers: Any, make: Callable[..., bytes], limit_bytes: int
) -> None:
    """In the first part, and in the joined file: no file may grow beyond the limit."""
    path, before = tmp_path / "walls.h5", resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        with pytest.raises(InputError, match=r"expected .* found File too large"):
            make(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not path.exists()
    assert make(path) == wanted


def test_a_part_that_vanishes(tmp_path: Path) -> None:
    parts = Parts(tmp_path / "parts", {"n": 4}, 4, 2)
    assert parts.resume() == set()
    with pytest.raises(InputError, match="part 1: expected a whole part"):
        parts.load(1, parts.find()[1])
