"""``simulate wires``, ``check`` and ``info`` of its files, and what they say of bad input."""

import json
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.cli.entry import main
from cloudchamber.cli.simulate_wires import read_range
from cloudchamber.errors import InputError
from cloudchamber.source import produce as produce_module
from cloudchamber.source.parts import Parts
from cloudchamber.source.wires import read_wire_events

SMALL = """
[geometry]
apas = 1
face_wires = 64
drift_mm = 500.0
height_mm = 800.0
[electronics]
ticks = 900
[beam]
through_mm = [-200.0, 600.0, -50.0]
tick = 100.0
[cosmics]
count = [4, 6]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six readouts of a small detector."""
    place = tmp_path_factory.mktemp("wires")
    (place / "small.toml").write_text(SMALL)
    assert main([*command(place), "--out", str(place / "plain.h5")]) == 0
    return place


def command(place: Path) -> list[str]:
    return ["simulate", "wires", "--config", str(place / "small.toml"), "--n", "6", "--seed", "3"]


def test_the_same_bytes_with_two_workers(folder: Path) -> None:
    again = folder / "again.h5"
    assert main([*command(folder), "--workers", "2", "-o", str(again)]) == 0
    assert again.read_bytes() == (folder / "plain.h5").read_bytes()
    assert main([*command(folder), "-o", str(again)]) == 2


def test_what_was_begun_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed once all parts are there; the next run joins them and ends in the same bytes."""
    broken = folder / "broken.h5"

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(produce_module, "write_store", die)
        assert main([*command(folder), "-o", str(broken)]) != 0
    parts = folder / ".broken.h5.parts"
    assert len(list(parts.glob("*.npz"))) == 2
    assert not broken.exists()
    made = []
    monkeypatch.setattr(produce_module, "Task", lambda *arguments: made.append(arguments))
    assert main([*command(folder), "-o", str(broken)]) == 0
    assert made == []
    assert broken.read_bytes() == (folder / "plain.h5").read_bytes()
    assert not Parts(parts, {}, 6, 4).folder.exists()


def test_check_and_info(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder / "plain.h5")]) == 0
    assert "good. 6 readouts of 64 wires x 150 drift bins" in capsys.readouterr().out
    assert main(["info", str(folder / "plain.h5"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["readouts"] == 6
    assert found["primaries per readout, mean"]["BEAM"] == 1
    assert sum(found["beam, share of pixels"].values()) == pytest.approx(1, abs=1e-4)
    config = json.loads(found["attributes"]["config"])
    assert config["geometry"]["face_wires"] == 64
    assert main(["info", str(folder / "plain.h5")]) == 0
    assert "NOT_BEAM" in capsys.readouterr().out


def test_options_change_what_they_say(folder: Path) -> None:
    out = folder / "options.h5"
    options = [
        "--rebin", "1", "--signal", "electrons", "--beam", "0", "--cosmics", "0", "--halo", "2:2",
        "--momentum", "0.5:2", "--noise", "0", "--gain", "1.1", "--lifetime", "0.1", "--diffusion", "2",
        "--readout", "all", "--no-truth", "--n", "1",
    ]  # fmt: skip
    assert main([*command(folder)[:-4], *options, "--seed", "1", "-o", str(out)]) == 0
    events, attributes = read_wire_events(out)
    assert events.code.shape == (1, 4 * 64, 900)
    assert (events.readout.unit, events.readout.rebin) == ("electrons", 1)
    assert events.beam is events.particles is None
    assert events.hits is not None
    config = json.loads(str(attributes["config"]))
    assert config["drift"] | {"lifetime_ms": 3.5, "transverse_cm2_s": 17.6} == config["drift"]
    assert config["electronics"]["gain"] == 1.1
    assert config["beam"] | {"count": 0, "momentum_gev": [0.5, 2.0]} == config["beam"]
    assert (config["cosmics"]["count"], config["halo"]["count"]) == ([0, 0], [2, 2])
    assert np.abs(events.signal()).max() > 1000


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--momentum", "7:1"], "--momentum: expected a number or range such as 0.3:7, found '7:1'"),
        (["--cosmics", "2.5"], "--cosmics: expected a whole number or range"),
        (["--momentum", "0"], "momentum_gev: the least, from 0.1 up"),
        (["--rebin", "7"], "rebin must divide 900 ticks"),
        (["--setting", "uboone"], "--setting: expected one of protodune-sp"),
    ],
)
def test_bad_options_are_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], says: str
) -> None:
    assert main([*command(folder), *options, "-o", str(folder / "bad.h5")]) == 2
    text = capsys.readouterr().err
    assert says in text
    assert not (folder / "bad.h5").exists()


def test_ranges() -> None:
    assert read_range("0.3:7", "x") == (0.3, 7.0)
    assert read_range("60", "x", whole=True) == (60.0, 60.0)
    for text in ("", "a", "1:2:3", "-1", "nan", "1:inf"):
        with pytest.raises(InputError):
            read_range(text, "x")
