"""The command line: quick to answer, one line for a mistake, the right exit codes."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from cloudchamber import __version__
from cloudchamber.cli import entry, main
from cloudchamber.cli.verbs import VERBS
from cloudchamber.errors import InputError
from cloudchamber.progress import progress
from cloudchamber.source.store import read_walls

COMMAND = [sys.executable, "-c", "import sys; from cloudchamber.cli import main; sys.exit(main())"]
HEAVY = ("torch", "lightning", "numba", "h5py", "scipy", "numpy", "pydantic", "cyclopts", "rich", "sklearn")


@pytest.fixture
def few(tmp_path: Path) -> Path:
    path = tmp_path / "few.toml"
    path.write_text("[muons]\ncount = 30\n")
    return path


def heed_interrupts() -> None:
    """A test run in the background of a shell ignores Ctrl-C, and so would the processes it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def line(capsys: pytest.CaptureFixture[str]) -> str:
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("cloudchamber: ")
    return said


def test_help_names_every_verb_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["--help"], ["-h"]):
        assert main(arguments) == 0
        said = capsys.readouterr().out
        assert all(f"\n  {verb.name} " in said and verb.help in said for verb in entry.available_verbs())


def test_verbs_are_where_the_table_says() -> None:
    app = entry.build_app()
    for verb in entry.available_verbs():
        assert app[verb.name] is not None
    assert len({verb.name for verb in VERBS}) == len(VERBS)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_start_is_light_and_quick(option: str) -> None:
    code = (
        "import sys, time; start = time.process_time()\n"
        "from cloudchamber.cli import main\n"
        f"main([{option!r}])\n"
        f"print(time.process_time() - start, *[name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, *loaded = done.stdout.splitlines()[-1].split()
    assert loaded == []
    assert float(seconds) < 0.2


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("chek", "chek"),
        ("check", "check"),
        ("--colour", "--colour"),
        ("info", "--file"),
        ("info a b c", "b"),
        ("info --colour a", "--colour"),
        ("simulate", ""),
        ("simulate walls -o x.h5", "-n"),
        ("simulate walls -n 0 -o x.h5", "-n"),
        ("simulate walls -n two -o x.h5", "two"),
        ("simulate walls -n 1 -o x.h5 --seed -1", "--seed"),
        ("simulate walls -n 1 -o x.h5 --workers 0", "--workers"),
        ("simulate walls -n 1 -o x.h5 --setting moon", "moon"),
        ("simulate walls -n 1 -o x.h5 --config no.toml", "no.toml"),
        ("convert walls in.h5", "-o"),
        ("convert submission in.h5 --name a/b --id 00", "--name"),
        ("convert submission in.h5 --name a --id 0", "--id"),
        ("fetch -o {here}/x --mirror http://127.0.0.1:9", "127.0.0.1"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str, named: str
) -> None:
    code = main(words.format(here=tmp_path).split())
    if words == "simulate":  # no more than the group: its help
        assert code == 0
        return
    assert code == 2
    assert named in line(capsys)
    assert not Path("x.h5").exists()


def test_simulate_check_info_convert(tmp_path: Path, few: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, again = tmp_path / "walls.h5", tmp_path / "again.h5"
    words = ["simulate", "walls", "-n", "8", "--seed", "3", "--config", str(few)]
    assert main([*words, "-o", str(path)]) == 0
    said = capsys.readouterr()
    assert "8 volumes, 30 muons each, setting challenge-2022" in said.err
    assert said.out == f"{path}\n"
    assert main([*words, "-o", str(again)]) == 0
    assert path.read_bytes() == again.read_bytes()
    data = read_walls(path, targets=True)
    assert data.attributes["seed"] == 3
    assert json.loads(str(data.attributes["config"]))["muons"]["count"] == 30
    capsys.readouterr()
    assert main(["check", str(path), str(again)]) == 0
    assert capsys.readouterr().out.count("good. 8 samples of walls") == 2
    assert main(["info", str(path)]) == 0
    assert "X0 per layer" in capsys.readouterr().out
    assert main(["info", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["samples"] == 8
    with h5py.File(tmp_path / "train.h5", "w") as file:
        file["x0"] = data.x0_m
    assert main(["convert", "walls", str(tmp_path / "train.h5"), "-o", str(tmp_path / "ours.h5")]) == 0
    np.testing.assert_array_equal(read_walls(tmp_path / "ours.h5").x0_m, data.x0_m)
    capsys.readouterr()
    assert main([*words, "-o", str(path)]) == 2
    assert "expected a new file" in line(capsys)
    assert main([*words, "-o", str(path), "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("[muons]\ncount = 0\n", "muons.count: expected a valid value"),
        ("[muons]\ncuont = 5\n", "muons.cuont"),
        ("muons = 5\n", "muons"),
        ("[volume]\nn_walls = [4, 1]\n", "volume"),
        ("[muons\n", "expected TOML"),
        ("\udcff", "expected a TOML file"),
    ],
)
def test_bad_configurations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, entry: str
) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert main(["simulate", "walls", "-n", "1", "-o", str(tmp_path / "x.h5"), "--config", str(path)]) == 2
    said = line(capsys)
    assert f"{path}: {entry}" in said
    assert not (tmp_path / "x.h5").exists()


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (InputError("f.h5", "x0", "a", "b"), 2, "f.h5: x0: expected a, found b"),
        (KeyboardInterrupt(), 130, "the same command resumes"),
        (MemoryError(), 2, "memory"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "f.h5"), 2, "f.h5: No such file"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "No space left on device"),
        (ChildProcessError("a worker process died"), 2, "a worker process died"),
    ],
)
def test_exit_codes(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    said: str,
) -> None:
    def fail(_: list[str]) -> int:
        raise error

    monkeypatch.setattr(entry, "_run", fail)
    assert main(["check", "x"]) == code
    assert said in line(capsys)


def test_bugs_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: list[str]) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(entry, "_run", fail)
    with pytest.raises(ZeroDivisionError):
        main(["check", "x"])


def test_a_reader_that_goes_away() -> None:
    """As in ``cloudchamber ... | head -1``."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*COMMAND, "--help"], stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert done.returncode == entry.BROKEN_PIPE
    assert done.stderr == ""


def test_interrupt(tmp_path: Path) -> None:
    path = tmp_path / "walls.h5"
    words = ["simulate", "walls", "-n", "5000", "-o", str(path)]
    process = subprocess.Popen(
        [*COMMAND, *words], stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts
    )
    while not list(tmp_path.glob(".walls.h5.parts/*.npz")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.splitlines()[-1].startswith("cloudchamber: interrupted")
    assert "Traceback" not in said
    assert not path.exists()


def test_progress_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("counting", 10, "sheep") as advance:
        advance(4)
        advance(6)
    start, end = capsys.readouterr().err.splitlines()
    assert start == "counting: 10 sheep"
    assert end.startswith("counting: 10 sheep in ")
    assert end.endswith(" sheep per second)")
    with progress("counting", 10, plain=False) as advance:
        advance(10)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("unit", ["sheep", "bytes"])
def test_progress_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], unit: str
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress("counting", 10, unit) as advance:
        advance(10)
    assert "counting" in capsys.readouterr().err
