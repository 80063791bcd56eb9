"""A run ends in the same weights and metrics whether or not it was killed on the way."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from cloudchamber.errors import InputError
from cloudchamber.train.checkpoint import load_checkpoint, save_checkpoint
from cloudchamber.train.recipe import Recipe
from cloudchamber.train.resume import read_metrics
from cloudchamber.train.run import Trained, train

from .volumes import make_recipe, make_volumes

TRAIN, VALIDATION = make_volumes(96, 1), make_volumes(32, 2)
SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from train.volumes import make_recipe, make_volumes
from cloudchamber.train.run import train
train(make_recipe({epochs}), make_volumes(96, 1), make_volumes(32, 2), Path({folder!r}), threads=1,
      checkpoint_seconds=0.0)
"""


def _train(recipe: Recipe, folder: Path, seconds: float = 60.0) -> Trained:
    return train(recipe, TRAIN, VALIDATION, folder, threads=1, checkpoint_seconds=seconds)


def _same(a: Path, b: Path) -> bool:
    first, second = (load_checkpoint(folder / "checkpoint.safetensors") for folder in (a, b))
    weights = first[0].keys() == second[0].keys() and all(
        torch.equal(first[0][k], second[0][k]) for k in first[0]
    )
    return weights and (a / "metrics.jsonl").read_bytes() == (b / "metrics.jsonl").read_bytes()


def _start(folder: Path, epochs: int) -> subprocess.Popen[bytes]:
    script = SCRIPT.format(tests=str(Path(__file__).parents[1]), epochs=epochs, folder=str(folder))
    return subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)


def _kill_and_resume(folder: Path, epochs: int, kills: int, rng: random.Random) -> int:
    """Kill a run so many times at random moments after its first checkpoint, then let it end."""
    killed = 0
    while killed < kills:
        process = _start(folder, epochs)
        while not (folder / "checkpoint.safetensors").exists() and process.poll() is None:
            time.sleep(0.02)
        time.sleep(rng.uniform(0.5, 6.0) if killed else rng.uniform(0, 0.3))
        os.kill(process.pid, signal.SIGKILL)
        finished = process.wait() == 0
        killed += 1
        if finished:
            return killed
    if _start(folder, epochs).wait() != 0:
        raise RuntimeError("the resumed run failed")
    return killed


def test_it_learns(tmp_path: Path) -> None:
    trained = _train(make_recipe(8), tmp_path)
    assert trained.metrics[-1]["val_iou"] > max(0.3, 3 * trained.metrics[0]["val_iou"])
    assert trained.metrics[-1]["train_loss"] < trained.metrics[0]["train_loss"]
    assert [line["epoch"] for line in trained.metrics] == list(range(8))
    assert list((tmp_path / "tensorboard").glob("events*"))


def test_a_run_is_reproducible(tmp_path: Path) -> None:
    for name in "ab":
        _train(make_recipe(2), tmp_path / name)
    assert _same(tmp_path / "a", tmp_path / "b")


class _StoppedError(Exception):
    pass


@pytest.mark.parametrize("at", [1, 4, 6, 9, 12])
def test_stopped_anywhere_it_resumes_to_the_same_bits(
    tmp_path: Path, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _train(make_recipe(2), tmp_path / "whole")
    saved = []

    def stopping(*arguments: object) -> None:
        save_checkpoint(*arguments)  # type: ignore[arg-type]
        saved.append(1)
        if len(saved) == at:
            raise _StoppedError

    monkeypatch.setattr("cloudchamber.train.resume.save_checkpoint", stopping)
    with pytest.raises(_StoppedError):
        _train(make_recipe(2), tmp_path / "stopped", 0.0)
    monkeypatch.undo()
    _train(make_recipe(2), tmp_path / "stopped")
    assert _same(tmp_path / "whole", tmp_path / "stopped")


def test_killed_once_it_resumes_to_the_same_bits(tmp_path: Path) -> None:
    _train(make_recipe(3), tmp_path / "whole")
    _kill_and_resume(tmp_path / "killed", 3, 1, random.Random(5))
    assert _same(tmp_path / "whole", tmp_path / "killed")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_ten_times_it_resumes_to_the_same_bits(tmp_path: Path) -> None:
    epochs = 60
    _train(make_recipe(epochs), tmp_path / "whole")
    assert _kill_and_resume(tmp_path / "killed", epochs, 10, random.Random(7)) == 10
    assert _same(tmp_path / "whole", tmp_path / "killed")


def test_a_finished_run_is_left_alone(tmp_path: Path) -> None:
    _train(make_recipe(1), tmp_path)
    before = (tmp_path / "checkpoint.safetensors").stat().st_mtime_ns
    again = _train(make_recipe(1), tmp_path)
    assert (tmp_path / "checkpoint.safetensors").stat().st_mtime_ns == before
    assert len(again.metrics) == 1


def test_another_recipe_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    _train(make_recipe(1), tmp_path)
    with pytest.raises(InputError, match="another --output"):
        _train(make_recipe(2), tmp_path)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    _train(make_recipe(1), tmp_path)
    checkpoint = tmp_path / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(InputError, match="a whole checkpoint"):
        _train(make_recipe(1), tmp_path)


def test_metrics_of_epochs_not_over_are_dropped(tmp_path: Path) -> None:
    from cloudchamber.train.resume import Resumable

    metrics = tmp_path / "metrics.jsonl"
    metrics.write_text("".join(json.dumps({"epoch": k}) + "\n" for k in range(4)))
    assert len(read_metrics(metrics)) == 4
    assert [line["epoch"] for line in Resumable(tmp_path, 2).lines] == [0, 1]
