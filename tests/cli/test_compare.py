"""``compare walls``: from recipes to a leaderboard, once, resumed, extended, and refused."""

import csv
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tomli_w
import torch

from cloudchamber.cli import compare_walls, main
from cloudchamber.cli.compare_walls import Given, make_plan
from cloudchamber.cli.quick import left_out, shorten
from cloudchamber.infer.bundle import Bundle, BundleConfig
from cloudchamber.infer.finish import Finished
from cloudchamber.infer.thresholds import Thresholds
from cloudchamber.model.registry import build_network
from cloudchamber.prepare.normalise import Inputs, Standardise
from cloudchamber.prepare.volumes import WallVolumes
from cloudchamber.score.leaderboard import Leaderboard, start_row
from cloudchamber.score.walls import score_walls
from cloudchamber.source.store import WALLS_UNITS, write_store
from cloudchamber.train.recipe import Recipe, load_recipe

OPTIONS = {"features": 4, "layers": 10, "gravnet": {"neighbours": 3}}


def recipe(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "task": "walls",
        "about": "For tests.",
        "thresholds": "global",
        "data": {"train": {"n": 12, "seed": 1}, "validation": {"n": 6, "seed": 2}},
        "model": {"name": "walls-unet", "options": OPTIONS},
        "training": {"epochs": 1, "batch": 4},
        **changes,
    }


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with two recipes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(compare_walls, "TEST_VOLUMES", 5)
    Path("tiny.toml").write_text(tomli_w.dumps(recipe("tiny")))
    Path("other.toml").write_text(tomli_w.dumps(recipe("walls/other", published="Bury", symmetries=False)))
    return tmp_path


def compare(words: str) -> int:
    return main(f"compare walls -o out --threads 1 --workers 1 {words}".split())


def board() -> Leaderboard:
    return Leaderboard.model_validate_json(Path("out/leaderboard.json").read_text())


class Trainer:
    """In place of training: an untrained network, and a record of what was asked for."""

    def __init__(self, killed_at: int = 0) -> None:
        self.asked, self.killed_at = list[tuple[str, int, int]](), killed_at

    def __call__(
        self, recipe: Recipe, folder: Path, train: WallVolumes, validation: WallVolumes, **_: object
    ) -> Finished:
        self.asked.append((recipe.name, len(train), len(validation)))
        if len(self.asked) == self.killed_at:
            raise KeyboardInterrupt
        torch.manual_seed(len(recipe.name))
        config = BundleConfig(
            name=recipe.name,
            task="walls",
            network=recipe.model.name,
            options=recipe.model.options,
            inputs=Inputs(maps={"x0": Standardise(mean=-3.3, std=0.7)}),
            thresholds=Thresholds(),
            symmetries=recipe.symmetries,
        )
        network = build_network(recipe.model.name, recipe.model.options).eval()
        return Finished(
            Bundle(config, network, "# x\n\nUntrained."), score_walls(train.walls, train.walls), 7.0
        )


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> Trainer:
    fake = Trainer()
    monkeypatch.setattr(compare_walls, "train_recipe", fake)
    return fake


def test_from_a_recipe_to_the_leaderboard(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare("--recipes tiny.toml") == 0
    said = capsys.readouterr()
    assert "[3/3] recipe tiny: 12 volumes, at most 1 epochs" in said.err
    assert "0.7931" in said.out
    assert said.out.splitlines()[-3:] == [f"out/leaderboard.{kind}" for kind in ("json", "csv", "html")]
    found = board()
    ours = next(row for row in found.rows if row.entry == "tiny")
    assert (ours.kind, ours.n_test, ours.train_volumes, ours.epochs) == ("ours", 5, 12, 1)
    assert ours.iou is not None
    assert (ours.parameters or 0) > 100
    assert (ours.train_seconds or 0) > 0
    assert (ours.inference_ms or 0) > 0
    assert {row.name for row in found.rows if row.kind == "baseline" and row.iou} == {
        "Single cut", "Cuts per layer"
    }  # fmt: skip
    assert "Their seed, 2022, is kept apart from all training." in found.test
    assert found.command == "cloudchamber compare walls -o out --recipes tiny.toml --threads 1"
    with Path("out/leaderboard.csv").open(newline="") as stream:
        assert [line["entry"] for line in csv.DictReader(stream)] == [row.entry for row in found.rows]
    assert "Test set: 5 volumes" in Path("out/leaderboard.html").read_text()
    assert sorted(path.name for path in Path("out/data").iterdir()) == [
        "test.h5",
        "train.h5",
        "validation.h5",
    ]
    before = board()
    assert compare("--recipes tiny.toml") == 0
    assert board() == before


def test_killed_and_resumed(here: Path, trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer.killed_at = 2
    assert compare("--recipes tiny.toml,other.toml") == 130
    assert {row.entry for row in board().rows if row.iou} == {"Single cut", "Cuts per layer", "tiny"}
    written = {path: path.stat().st_mtime_ns for path in Path("out").rglob("*.h5")}
    assert compare("--recipes tiny.toml,other.toml") == 0
    assert [name for name, _, _ in trainer.asked] == ["tiny", "walls/other", "walls/other"]
    bury = next(row for row in board().rows if row.entry == "walls/other")
    assert (bury.name, bury.private_iou, bury.kind) == ("Bury", 0.7931, "published solution")
    assert (bury.train_seconds, bury.method) == (7.0, load_published("Bury"))
    assert all(path.stat().st_mtime_ns == when for path, when in written.items())


def load_published(name: str) -> str:
    return start_row(name).method


def test_rows_are_added_and_another_test_set_is_measured_again(here: Path, trainer: Trainer) -> None:
    assert compare("--recipes tiny.toml") == 0
    assert compare("--recipes other.toml --bundles out/tiny/bundle") == 0
    rows = {row.entry: row for row in board().rows if row.iou}
    assert set(rows) == {"Single cut", "Cuts per layer", "walls/other", "bundle out/tiny/bundle"}
    assert rows["bundle out/tiny/bundle"].notes == "Untrained."
    assert main(["simulate", "walls", "-n", "4", "--seed", "77", "-o", "other.h5"]) == 0
    assert compare("--recipes tiny.toml --test other.h5") == 0
    tiny = next(row for row in board().rows if row.entry == "tiny")
    assert tiny.n_test == 4
    assert len(trainer.asked) == 2


def test_more_volumes_or_maps_are_simulated_again(here: Path, trainer: Trainer) -> None:
    assert compare("--recipes tiny.toml") == 0
    first = board()
    more = recipe("more", data={"train": {"n": 20, "seed": 1}, "validation": {"n": 6, "seed": 2}})
    more["model"] = {"name": "walls-unet", "options": OPTIONS | {"inputs": 2}, "inputs": ["x0", "score"]}
    Path("more.toml").write_text(tomli_w.dumps(more))
    plan = make_plan(Given(Path("out"), "more.toml"), 1)
    assert plan.inputs == ("score", "x0")
    for volumes in (plan.train, plan.test):
        volumes.ensure(plan.inputs, 1)
        with h5py.File(volumes.path) as file:
            assert len(file["score"]) == volumes.wanted.n
    assert compare("--recipes tiny.toml") == 0  # the same volumes still, so nothing is done again
    assert len(trainer.asked) == 1
    assert [row.inference_ms for row in board().rows] == [row.inference_ms for row in first.rows]


def test_files_of_others_in_place_of_the_simulation(here: Path, trainer: Trainer) -> None:
    rng = np.random.default_rng(0)
    for name, n in (("train", 14), ("validation", 8), ("test", 6)):
        with h5py.File(f"{name}.h5", "w") as file:
            x0_m = (0.03 * np.exp(0.7 * rng.standard_normal((n, 10, 10, 10)))).astype(np.float32)
            file.create_dataset("x0", data=x0_m, compression="lzf")
            file.create_dataset("targs", data=(x0_m < 0.015).astype(int), compression="lzf")
    files = "--data train.h5 --validation validation.h5 --test test.h5"
    assert compare(f"--recipes tiny.toml {files}") == 0
    assert trainer.asked == [("tiny", 12, 6)]
    assert not Path("out/data").exists()
    found = board()
    assert found.measured_on == "the volumes given"
    assert "seed" not in found.test
    assert "train.h5" in found.training
    assert compare(f"--recipes none {files}") == 0
    assert {row.entry for row in board().rows if row.iou} == {"Single cut", "Cuts per layer"}


def test_quick_is_small(here: Path) -> None:
    full = load_recipe("tiny.toml")
    assert shorten(full).data.train.n == 12
    strong = full.model_copy(
        update={
            "ensemble": full.ensemble.model_copy(update={"copies": 10}),
            "training": full.training.model_copy(update={"epochs": 200}),
        }
    )
    short = shorten(strong)
    assert (short.ensemble.size, short.training.epochs) == (1, 2)
    assert left_out(strong, short) == "1 of 10 networks"
    plan = make_plan(Given(Path("out"), None, quick=True), 1)
    assert plan.test.wanted.n == 1000
    assert plan.train.wanted.n <= 4000
    assert all(each.data.train.n <= 4000 and not each.pseudo_labels for each in plan.recipes)


def test_all_recipes_of_the_challenge_by_default(here: Path) -> None:
    plan = make_plan(Given(Path("out")), 1)
    names = {each.name for each in plan.recipes}
    assert {"walls/bury", "walls/gonzalez", "walls/munkes", "walls/auclair", "walls/strong"} <= names
    assert not names & {each.begin_with for each in plan.recipes}
    assert all(each.data.train.setting == "challenge-2022" for each in plan.recipes)
    assert plan.test.wanted.n == 5
    within = make_plan(Given(Path("out"), budget="two-cores"), 1)
    assert {"walls/bury", "walls/cnn"} <= {each.name for each in within.recipes} <= names
    small = make_plan(Given(Path("out"), "walls/bury,walls/cnn", budget="two-cores"), 1)
    assert all(each.training.epochs <= 20 and not each.budgets for each in small.recipes)
    assert not Path("out").exists()


def write(path: str, n: int = 4, attributes: dict[str, str | int | float] | None = None) -> None:
    with write_store(Path(path), n, {"task": "walls", **(attributes or {})}, WALLS_UNITS) as add:
        add({"x0": np.full((n, 10, 10, 10), 0.03, np.float32), "targs": np.zeros((n, 10, 10, 10), int)})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--recipes nothing", "recipe: nothing: expected one of beam"),
        ("--recipes tiny.toml,tiny.toml", "--recipes: expected every recipe once, found tiny more than once"),
        ("--recipes dots.toml", "--recipes: name: expected letters, digits, dot, hyphen"),
        ("--recipes unknown.toml", "published: Nobody: expected one of Strong"),
        ("--recipes tiny.toml,seed.toml", "train seed: expected the same in all of them, found 1 and 9"),
        ("--recipes test.toml", "expected a test set apart from what test sees, found the same seed, 2022"),
        ("--recipes tiny.toml --budget huge", "--budget: expected one of none, found 'huge'"),
        ("--recipes none --bundles nothing", "nothing: expected a bundle"),
        ("--recipes none --test missing.h5", "missing.h5: expected an HDF5 file"),
        ("--recipes none --test text.h5", "text.h5: expected an HDF5 file"),
        ("--recipes none --test blind.h5", "blind.h5: targs: expected a data set"),
        ("--recipes none --test nan.h5", "nan.h5: x0, sample 2"),
        ("--recipes none --data good.h5 --test good.h5", "good.h5: expected another file than those"),
        ("--recipes tiny.toml --data good.h5", "good.h5: x0: expected at least 12 volumes, found 4"),
        ("--recipes maps.toml --data good.h5 --validation good.h5", "good.h5: score: expected a data set"),
        ("--recipes none --threads 0", "--threads"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(here: Path, capsys: pytest.CaptureFixture[str], words: str, said: str) -> None:
    variants: dict[str, dict[str, Any]] = {
        "dots": {"name": "../x"},
        "unknown": {"published": "Nobody"},
        "seed": {"data": {"train": {"n": 12, "seed": 9}, "validation": {"n": 6, "seed": 2}}},
        "test": {"data": {"train": {"n": 12, "seed": 2022}, "validation": {"n": 6, "seed": 2}}},
        "maps": {"model": {"name": "walls-unet", "options": OPTIONS, "inputs": ["x0", "score"]}},
    }
    for name, changes in variants.items():
        Path(f"{name}.toml").write_text(tomli_w.dumps({**recipe(name), **changes}))
    write("good.h5")
    Path("text.h5").write_text("no HDF5")
    with h5py.File("blind.h5", "w") as file:
        file["x0"] = np.full((4, 10, 10, 10), 0.03, np.float32)
    with h5py.File("nan.h5", "w") as file:
        file["x0"] = np.full((4, 10, 10, 10), 0.03, np.float32)
        file["x0"][2, 3, 4, 5] = np.nan
        file["targs"] = np.zeros((4, 10, 10, 10), int)
    capsys.readouterr()
    assert compare(words) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1
    assert not Path("out").exists()


def test_the_folder_of_another_comparison(
    here: Path, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare("--recipes tiny.toml") == 0
    seeds = {"train": {"n": 12, "seed": 9}, "validation": {"n": 6, "seed": 2}}
    Path("tiny.toml").write_text(tomli_w.dumps(recipe("tiny", data=seeds)))
    assert compare("--recipes tiny.toml") == 2
    assert "train.h5: attribute seed: expected 9 (or another --output), found 1" in capsys.readouterr().err
    Path("tiny.toml").write_text(tomli_w.dumps(recipe("tiny", thresholds="layers")))
    assert compare("--recipes tiny.toml") == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert "training.json: recipe.thresholds: expected what the training here began with, global" in said
    assert len(trainer.asked) == 1
    Path("blocked").touch()
    assert main(["compare", "walls", "-o", "blocked/x", "--recipes", "tiny.toml"]) == 2
    assert "blocked" in capsys.readouterr().err
    assert json.loads(Path("out/leaderboard.json").read_text())["task"] == "walls"
