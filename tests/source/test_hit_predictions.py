"""Scores of hits in files: what was written is read, and what does not fit is said."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.source.hit_predictions import (
    HitPredictions,
    check_same_hits,
    holds_hit_predictions,
    read_hit_predictions,
    write_hit_predictions,
)
from cloudchamber.wire_events import WireEvents

from ..hit_planes import make_hit_events

EVENTS = make_hit_events(3)


def _predicted(events: WireEvents) -> HitPredictions:
    assert events.hit_offsets is not None
    rng = np.random.default_rng(1)
    n = int(events.hit_offsets[-1])
    return HitPredictions(events.hit_offsets, np.column_stack([rng.dirichlet((1, 1, 1), n), rng.random(n)]))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path, whole = tmp_path / "out.h5", _predicted(EVENTS)
    counts = whole.hit_offsets
    blocks = [
        HitPredictions(counts[:2], whole.scores[: counts[1]]),
        HitPredictions(counts[1:] - counts[1], whole.scores[counts[1] :]),
    ]
    write_hit_predictions(path, 3, blocks, {"model": "hits/best"})
    return path


def test_what_is_written_is_read(path: Path) -> None:
    found, attributes = read_hit_predictions(path)
    whole = _predicted(EVENTS)
    np.testing.assert_array_equal(found.hit_offsets, whole.hit_offsets)
    np.testing.assert_allclose(found.scores, whole.scores, atol=5e-4)
    assert (attributes["task"], attributes["model"], len(found)) == ("hits", "hits/best", 3)
    assert holds_hit_predictions(path)
    check_same_hits(found, EVENTS, path, Path("truth"))


def test_what_does_not_fit_is_said(path: Path, tmp_path: Path) -> None:
    found, _ = read_hit_predictions(path)
    with pytest.raises(InputError, match="the 2 events of truth"):
        check_same_hits(found, EVENTS.chosen(0, 2), path, Path("truth"))
    with pytest.raises(InputError, match="hit_count, event 0"):
        check_same_hits(found, make_hit_events(3, 9), path, Path("truth"))
    with pytest.raises(InputError, match="expected hits, found none"):
        check_same_hits(found, WireEvents(EVENTS.readout, EVENTS.code), path, Path("truth"))
    with pytest.raises(InputError, match="predictions to write"):
        write_hit_predictions(tmp_path / "none.h5", 0, [], {})


@pytest.mark.parametrize("fault", ["task", "score", "table"])
def test_faults_are_one_line(path: Path, fault: str) -> None:
    with h5py.File(path, "r+") as file:
        if fault == "task":
            file.attrs["task"] = "walls"
        elif fault == "score":
            file["hit_scores"][5] = [0.1, 0.2, 0.3, 1.5]
        else:
            del file["hit_scores"]
    with pytest.raises(InputError, match={"score": "hit_scores, hit 5"}.get(fault, fault)) as raised:
        read_hit_predictions(path)
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value)
