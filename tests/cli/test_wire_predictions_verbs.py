"""``cloudchamber`` check, info, score and report know predictions for wire readouts when they see them."""

import json
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.cli.entry import main
from cloudchamber.source.hit_predictions import HitPredictions, write_hit_predictions
from cloudchamber.source.wire_predictions import WirePredictions, write_wire_predictions
from cloudchamber.source.wires import write_wire_events

from ..hit_planes import make_hit_events

EVENTS = make_hit_events(2, 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("predictions")
    write_wire_events(folder / "wires.h5", 2, iter([EVENTS]), {"source": "test"})
    assert EVENTS.hit_offsets is not None
    scores = np.tile(np.array([0.2, 0.7, 0.1, 0.6]), (int(EVENTS.hit_offsets[-1]), 1))
    write_hit_predictions(
        folder / "hits.h5", 2, [HitPredictions(EVENTS.hit_offsets, scores)], {"model": "all-em"}
    )
    label = np.zeros((2, 8, 10), np.uint8)
    label[:, 0], label[:, 1, :5] = 2, 255
    for task, michel in (("beam", None), ("hits", np.zeros_like(label))):
        write_wire_predictions(
            folder / f"{task}-pixels.h5", 2, iter([WirePredictions(task, label, label, michel)]), {}
        )
    return folder


def test_check_reads_them_through(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(folder / name) for name in ("hits.h5", "beam-pixels.h5", "hits-pixels.h5")]
    assert main(["check", *files]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert EVENTS.hit_offsets is not None
    assert f"good. 2 events, {EVENTS.hit_offsets[-1]} scores of hits" in lines[0]
    assert "SHA-256: as recorded (hit_count, hit_scores)" in lines[0]
    assert "good. 2 events, classes of 8 wires x 10 drift bins" in lines[1]
    assert "michel" not in lines[1]
    assert "michel: there" in lines[2]


def test_info_tells_the_shares(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(folder / "hits.h5"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["likeliest, share of hits"] == {"track": 0, "em": 1, "none": 0}
    assert found["Michel above a half, share of hits"] == 1
    assert found["attributes"]["model"] == "all-em"
    assert main(["info", str(folder / "beam-pixels.h5"), "--json"]) == 0
    shares = json.loads(capsys.readouterr().out)["classes, share of pixels"]
    assert shares == {"BACKGROUND": 0.8125, "NOT_BEAM": 0, "BEAM": 0.125, "not predicted": 0.0625}
    assert main(["info", str(folder / "hits-pixels.h5")]) == 0
    assert "classes of pixels" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["score", "report"])
@pytest.mark.parametrize(
    ("out", "truth", "said"),
    [
        ("wires.h5", "hits.h5", "hits.h5: attribute task: expected 'wires': readouts with truth"),
        ("hits.h5", "beam-pixels.h5", "beam-pixels.h5: attribute task: expected 'wires'"),
        ("wires.h5", "wires.h5", "'beam' or 'hits': predictions for readouts of wires, found 'wires'"),
        ("hits-pixels.h5", "wires.h5", "expected scores of hits"),
    ],
)
def test_what_cannot_be_scored_is_one_line(
    folder: Path, verb: str, out: str, truth: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, str(folder / out), str(folder / truth)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_score_beyond_one_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert EVENTS.hit_offsets is not None
    scores = np.full((int(EVENTS.hit_offsets[-1]), 4), 0.5)
    scores[7, 1] = 1.5
    write_hit_predictions(tmp_path / "bad.h5", 2, [HitPredictions(EVENTS.hit_offsets, scores)], {})
    for verb in ("check", "info"):
        assert main([verb, str(tmp_path / "bad.h5")]) == 2
        assert "hit_scores, hit 7" in capsys.readouterr().err
