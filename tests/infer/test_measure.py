"""Scores and times: measured once for a system and a test set, and again when either changes."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.infer.bundle import Bundle
from cloudchamber.infer.measure import (
    Entrant,
    bundle_entrant,
    cuts_entrant,
    identify_volumes,
    measure,
    time_per_volume,
)
from cloudchamber.infer.thresholds import Thresholds
from cloudchamber.infer.x0_cuts import X0Cuts
from cloudchamber.score.walls import iou_per_sample
from cloudchamber.source.predictions import read_predictions
from cloudchamber.source.store import WALLS_UNITS, write_store

CUTS = X0Cuts(cuts_m=(0.03,))


def write(path: Path, seed: int = 0, *, maps: bool = False, targets: bool = True) -> Path:
    rng = np.random.default_rng(seed)
    x0_m = (0.03 * np.exp(0.7 * rng.standard_normal((12, 10, 10, 10)))).astype(np.float32)
    arrays = {"x0": x0_m}
    if targets:
        arrays["targs"] = (x0_m < 0.02).astype(np.int64)
    if maps:
        arrays["score"] = x0_m
    with write_store(path, 12, {"task": "walls", "seed": seed}, WALLS_UNITS) as add:
        add(arrays)
    return path


class Counted:
    """An entrant that says how often it predicted a file."""

    def __init__(self, entrant: Entrant) -> None:
        self.files, self.inner = 0, entrant
        self.entrant = replace(entrant, predict_file=self._predict_file)

    def _predict_file(self, source: Path, target: Path) -> None:
        self.files += 1
        self.inner.predict_file(source, target)


def test_score_and_cost_of_cuts(tmp_path: Path) -> None:
    test = write(tmp_path / "test.h5")
    found = measure(cuts_entrant(CUTS), test, tmp_path / "cuts")
    preds = read_predictions(tmp_path / "cuts" / "predictions.h5").walls
    x0_m = 0.03 * np.exp(0.7 * np.random.default_rng(0).standard_normal((12, 10, 10, 10)))
    wanted = iou_per_sample(preds, x0_m.astype(np.float32) < 0.02)
    assert found.volumes == pytest.approx(wanted)
    assert found.iou.value == pytest.approx(wanted.mean())
    assert found.parameters == 1
    assert found.inference_ms > 0


def test_once_and_again_when_something_changes(tmp_path: Path) -> None:
    test, folder = write(tmp_path / "test.h5"), tmp_path / "cuts"
    counted = Counted(cuts_entrant(CUTS))
    first = measure(counted.entrant, test, folder)
    assert measure(counted.entrant, test, folder) == first
    assert counted.files == 1
    (folder / "measured.json").write_text("{")
    assert measure(counted.entrant, test, folder).iou == first.iou
    (folder / "predictions.h5").unlink()
    measure(counted.entrant, test, folder)
    assert counted.files == 3
    write(test, seed=5)
    assert measure(counted.entrant, test, folder).test != first.test
    changed = Counted(cuts_entrant(X0Cuts(cuts_m=(0.01,))))
    assert measure(changed.entrant, test, folder).entrant != first.entrant
    assert (counted.files, changed.files) == (4, 1)


def test_volumes_are_known_by_what_is_read(tmp_path: Path) -> None:
    plain, more = write(tmp_path / "a.h5"), write(tmp_path / "b.h5", maps=True)
    assert identify_volumes(plain) == identify_volumes(more)
    assert identify_volumes(more) != identify_volumes(more, ("x0", "score"))
    with pytest.raises(InputError, match=r"a\.h5: score"):
        identify_volumes(plain, ("x0", "score"))
    with pytest.raises(InputError, match=r"c\.h5: targs"):
        identify_volumes(write(tmp_path / "c.h5", targets=False))


def test_a_bundle_is_known_by_weights_and_cuts(tmp_path: Path, bundle: Bundle) -> None:
    entrant = bundle_entrant(bundle)
    assert entrant.parameters == sum(p.numel() for p in bundle.network.parameters())
    found = measure(entrant, write(tmp_path / "test.h5"), tmp_path / "small")
    assert len(found.volumes) == 12
    assert bundle_entrant(replace(bundle, card="another")).identity == entrant.identity
    config = bundle.config.model_copy(update={"thresholds": Thresholds(cuts=(0.2,))})
    assert bundle_entrant(replace(bundle, config=config)).identity != entrant.identity
    next(bundle.network.parameters()).data += 1
    assert bundle_entrant(bundle).identity != entrant.identity


def test_time_is_the_median_after_a_warm_up() -> None:
    pauses = iter([0.2, 0.0, 0.02, 0.1])

    def predict(maps: Mapping[str, np.ndarray]) -> None:
        time.sleep(next(pauses))

    found = time_per_volume(predict, {"x0": np.ones((4, 1, 1, 1))})
    assert 5 <= found < 25
