"""``cloudchamber convert point-id|image2d|frames|to-point-id`` and ``show`` of wire planes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cyclopts import App

from cloudchamber.cli import convert_wires
from cloudchamber.cli.show import show
from cloudchamber.errors import InputError
from cloudchamber.source.hit_predictions import HitPredictions, write_hit_predictions
from cloudchamber.source.wire_predictions import WirePredictions, write_wire_predictions
from cloudchamber.source.wires import read_wire_events, write_wire_events
from cloudchamber.wire_events import HIT, WireEvents, WireReadout

Convert = Callable[[str], str]


@pytest.fixture
def convert(capsys: pytest.CaptureFixture[str]) -> Convert:
    app = App(name="convert", result_action="return_value")
    for verb in ("point_id", "image2d", "frames", "to_point_id"):
        app.command(getattr(convert_wires, verb))
    app.command(show)

    def run(words: str) -> str:
        app(words.split(), exit_on_error=False, print_error=False)
        return capsys.readouterr().out

    return run


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    beam = rng.integers(0, 3, (2, 12, 25)).astype(np.uint8)
    hits = np.zeros(4, HIT)
    hits["wire"], hits["peak_tick"], hits["rms_ticks"] = [1, 2, 3, 4], 60, 4
    events = WireEvents(
        WireReadout(rebin=6, step=0.5, zero=8), rng.integers(0, 200, beam.shape).astype(np.uint8), beam=beam,
        activity=np.minimum(beam, 1), hit_offsets=np.array([0, 2, 4]), hits=hits,
    )  # fmt: skip
    write_wire_events(tmp_path / "ours.h5", 2, iter([events]), {})
    return tmp_path / "ours.h5"


def test_to_histograms_and_back(tmp_path: Path, ours: Path, convert: Convert) -> None:
    root, back = tmp_path / "a.root", tmp_path / "b.h5"
    assert convert(f"to-point-id {ours} -o {root} --tpc 1") == f"{root}: 2 events\n"
    said = convert(f"point-id {root} -o {back} --tpc 1 --pitch-mm 5")
    assert said == f"{back}: 2 events of 12 wires x 25 drift bins\n"
    (before, _), (after, attributes) = read_wire_events(ours), read_wire_events(back)
    np.testing.assert_allclose(after.signal(), before.signal())
    np.testing.assert_array_equal(after.activity, before.activity)
    assert after.readout.pitch_mm == 5
    assert attributes["source"] == "converted from a.root"


def test_frames(tmp_path: Path, convert: Convert) -> None:
    np.savez(tmp_path / "a.npz", frame=np.ones((5, 11), np.float32))
    out = tmp_path / "o.h5"
    assert (
        convert(f"frames {tmp_path / 'a.npz'} -o {out} --rebin 4")
        == f"{out}: 1 events of 5 wires x 3 drift bins\n"
    )
    assert read_wire_events(out)[0].code[0, 0].tolist() == [1, 1, 0.75]
    page = tmp_path / "p.html"
    assert convert(f"show {tmp_path / 'a.npz'} -o {page}") == f"{page}\n"
    assert "5 wires × 11 drift bins" in page.read_text()


def test_pages_with_predictions(tmp_path: Path, ours: Path, convert: Convert) -> None:
    events = read_wire_events(ours)[0]
    assert events.beam is not None
    page = tmp_path / "p.html"
    write_wire_predictions(tmp_path / "p.h5", 2, [WirePredictions("beam", events.beam)], {"model": "perfect"})
    convert(f"show {ours} -1 --prediction {tmp_path / 'p.h5'} -o {page}")
    text = page.read_text()
    assert "prediction: perfect" in text
    assert text.count(">100.00<") == 3  # of IOU, in per cent
    scores = HitPredictions(np.array([0, 2, 4]), np.tile([[0.1, 0.8, 0.1, 0.9]], (4, 1)))
    write_hit_predictions(tmp_path / "h.h5", 2, [scores], {"model": "of hits"})
    convert(f"show {ours} 1 --prediction {tmp_path / 'h.h5'} -o {page}")
    assert "prediction: of hits" in page.read_text()


@pytest.mark.reference
def test_genuine_files(tmp_path: Path, reference: Path, convert: Convert) -> None:
    out = tmp_path / "o.h5"
    names = {
        "frames {}/dune10kt_labelled_anode4.h5": "10 events of 960 wires x 1500 drift bins",
        "frames {}/protodunehd_real_apa1_w.npz --rebin 6": "1 events of 960 wires x 1000 drift bins",
        "image2d {}/larcv_image2d_electron.root": "10 events of 256 wires x 256 drift bins",
    }
    for words, said in names.items():
        assert convert(f"{words.format(reference)} -o {out} --overwrite") == f"{out}: {said}\n"
    page = tmp_path / "p.html"
    for name in ("dune10kt_labelled_anode4.h5", "protodunehd_real_apa1_w.npz", "larcv_image2d_electron.root"):
        convert(f"show {reference / name} -1 -o {page}")
        assert page.stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("image2d {ours} -o {new}", "a file of image2d, found one of ours"),
        ("frames {gone} -o {new}", "no such file"),
        ("frames {text} -o {new}", "another kind of file"),
        ("frames {ours} -o {ours}", "--overwrite"),
        ("point-id {ours} -o {new} --pitch-mm 0", "--pitch-mm"),
        ("to-point-id {text} -o {new}", "another kind of file"),
        ("show {ours} 2 -o {new}", "an event within 0..1"),
        ("show {ours} --plane U -o {new}", "a file of others"),
        ("show {ours} --prediction {ours} -o {new}", "attribute task"),
    ],
)
def test_refusals(tmp_path: Path, ours: Path, convert: Convert, words: str, said: str) -> None:
    (tmp_path / "text").write_text("text")
    names = {"ours": ours, "gone": tmp_path / "gone", "new": tmp_path / "new", "text": tmp_path / "text"}
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=said):
        convert(words.format(**names))
    assert sorted(tmp_path.iterdir()) == before
