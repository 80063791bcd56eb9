"""A training that is told twice happens once; what was killed goes on; what differs is refused."""

from pathlib import Path

import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.infer.bundle import Bundle
from cloudchamber.infer.finish import Finished
from cloudchamber.infer.train_once import train_once
from cloudchamber.score.walls import WallsScore, score_walls
from cloudchamber.train.recipe import Data, ModelChoice, Recipe, Simulated, Training

RECIPE = Recipe(
    name="small",
    task="walls",
    about="For tests.",
    data=Data(train=Simulated(n=4, seed=1), validation=Simulated(n=2, seed=2)),
    model=ModelChoice(name="walls-unet"),
    training=Training(epochs=3),
)
DATA = {"train": "seed 1", "validation": "seed 2"}


class Trainer:
    def __init__(self, bundle: Bundle, killed: int = 0) -> None:
        self.bundle, self.killed, self.calls = bundle, killed, 0

    def __call__(self) -> Finished:
        self.calls += 1
        if self.calls <= self.killed:
            raise KeyboardInterrupt
        return Finished(self.bundle, _score(), 12.5)


def _score() -> WallsScore:
    walls = np.zeros((2, 3, 3, 3), bool)
    return score_walls(walls, walls)


def test_once(tmp_path: Path, bundle: Bundle) -> None:
    train = Trainer(bundle)
    first, record = train_once(RECIPE, tmp_path / "run", DATA, train)
    again, known = train_once(RECIPE, tmp_path / "run", DATA, train)
    assert train.calls == 1
    assert record == known
    assert (record.seconds, record.epochs) == (12.5, 3)
    assert first.config == again.config == bundle.config


def test_killed_and_resumed(tmp_path: Path, bundle: Bundle) -> None:
    train = Trainer(bundle, killed=1)
    with pytest.raises(KeyboardInterrupt):
        train_once(RECIPE, tmp_path / "run", DATA, train)
    assert not (tmp_path / "run" / "bundle").exists()
    assert train_once(RECIPE, tmp_path / "run", DATA, train)[1].seconds == 12.5
    assert train.calls == 2


def test_epochs_are_counted_where_a_training_stops_early(tmp_path: Path, bundle: Bundle) -> None:
    for place, epochs in (("round-0/network-0", 1), ("round-0/network-1", 2)):
        folder = tmp_path / place
        folder.mkdir(parents=True)
        (folder / "metrics.jsonl").write_text('{"epoch": 0}\n' * epochs)
    assert train_once(RECIPE, tmp_path, DATA, Trainer(bundle))[1].epochs == 2


@pytest.mark.parametrize("ended", [True, False])
def test_another_recipe_or_other_volumes(tmp_path: Path, bundle: Bundle, ended: bool) -> None:
    train = Trainer(bundle, killed=0 if ended else 1)
    try:
        train_once(RECIPE, tmp_path, DATA, train)
    except KeyboardInterrupt:
        assert not ended
    other = RECIPE.model_copy(update={"training": Training(epochs=4)})
    with pytest.raises(InputError, match=r"training\.json: recipe\.training: expected what .* began with"):
        train_once(other, tmp_path, DATA, train)
    with pytest.raises(InputError, match=r"training\.json: data\.train: .* seed 1, found seed 7"):
        train_once(RECIPE, tmp_path, DATA | {"train": "seed 7"}, train)
    assert train.calls == 1


def test_a_damaged_record(tmp_path: Path, bundle: Bundle) -> None:
    (tmp_path / "training.json").write_text("{")
    with pytest.raises(InputError, match=r"training\.json: expected the record of a training"):
        train_once(RECIPE, tmp_path, DATA, Trainer(bundle))
