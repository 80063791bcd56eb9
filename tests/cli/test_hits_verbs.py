"""``cloudchamber`` train, score and report on hits, and what they say of bad input."""

import json
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.cli.entry import main
from cloudchamber.score.hits import HitsScore
from cloudchamber.source.hit_predictions import HitPredictions, write_hit_predictions
from cloudchamber.source.wires import write_wire_events
from cloudchamber.wire_events import WireEvents

from ..hit_planes import make_hit_events

RECIPE = """
name = "hits/small"
task = "hits"
about = "Small."
[data]
crop = 48
[data.train]
n = 4
seed = 1
[data.validation]
n = 2
seed = 2
[model]
name = "hits-plane"
[model.options]
channels = 4
head = 4
dilations = [1]
[training]
epochs = 1
batch = 2
optimiser = "muon"
[training.schedule]
kind = "one-cycle"
[training.draw]
per_epoch = 8
"""


def _store(path: Path, events: WireEvents) -> Path:
    write_wire_events(path, len(events), iter([events]), {"source": "test"})
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hits")
    _store(folder / "train.h5", make_hit_events(4, 1))
    _store(folder / "test.h5", make_hit_events(2, 3))
    (folder / "small.toml").write_text(RECIPE, encoding="utf-8")
    return folder


def _perfect(events: WireEvents, path: Path) -> Path:
    assert events.hits is not None
    assert events.hit_offsets is not None
    assert events.activity is not None
    assert events.michel is not None
    event = np.repeat(np.arange(len(events)), np.diff(events.hit_offsets))
    place = (event, events.hits["wire"], (events.hits["peak_tick"] // 6).astype(int))
    classes = np.eye(3)[np.array([2, 0, 1])[events.activity[place]]]
    scores = np.column_stack([classes, events.michel[place]])
    write_hit_predictions(
        path, len(events), [HitPredictions(events.hit_offsets, scores)], {"model": "oracle"}
    )
    return path


def test_from_a_recipe_to_a_score(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out, truth = tmp_path / "run", tmp_path / "out.h5", folder / "test.h5"
    common = ["--data", str(folder / "train.h5"), "--validation", str(truth), "--threads", "1"]
    assert main(["train", str(folder / "small.toml"), "-o", str(run), *common]) == 0
    assert "EM against track" in capsys.readouterr().out
    assert main(["predict", str(run / "bundle"), str(truth), "-o", str(out)]) == 0
    found, page = tmp_path / "score.json", tmp_path / "report.html"
    assert main(["score", str(out), str(truth), "--json", str(found), "--report", str(page)]) == 0
    score = HitsScore.model_validate(json.loads(found.read_text(encoding="utf-8")))
    assert score.n_events == 2
    assert "hits/small" in page.read_text(encoding="utf-8")


def test_a_perfect_prediction_is_scored_and_shown(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, truth = _perfect(make_hit_events(2, 3), tmp_path / "out.h5"), folder / "test.h5"
    assert main(["score", str(out), str(truth)]) == 0
    assert "EM against track 1.0000" in capsys.readouterr().out
    assert main(["report", str(out), str(truth), "-o", str(tmp_path / "page.html")]) == 0
    assert "oracle" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("verb", ["score", "report"])
def test_scores_of_other_hits_are_refused(
    folder: Path, tmp_path: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = _perfect(make_hit_events(2, 9), tmp_path / "out.h5")
    page = tmp_path / "page.html"
    more = ["-o", str(page)] if verb == "report" else ["--report", str(page)]
    assert main([verb, str(out), str(folder / "test.h5"), *more]) == 2
    said = capsys.readouterr().err.strip()
    assert "hit_count, event 0" in said
    assert "\n" not in said
    assert not page.exists()


def test_too_few_events_are_said(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--data", str(folder / "test.h5"), "--validation", str(folder / "test.h5")]
    assert main(["train", str(folder / "small.toml"), "-o", str(tmp_path / "run"), *arguments]) == 2
    assert "expected 4 events, found 2" in " ".join(capsys.readouterr().err.split())
