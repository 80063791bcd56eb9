"""The comparison of systems that find buried walls: trained, measured and written up one by one."""

import platform
import re
import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from cloudchamber.cli import quick
from cloudchamber.cli.compare_data import (
    TEST_SEED,
    TEST_VOLUMES,
    Volumes,
    common,
    count_volumes,
    refuse_trained_on,
)
from cloudchamber.errors import InputError
from cloudchamber.files import write_text
from cloudchamber.infer.bundle import Bundle, load_bundle
from cloudchamber.infer.finish import Finished, train_recipe
from cloudchamber.infer.measure import Entrant, Measured, bundle_entrant, cuts_entrant, measure
from cloudchamber.infer.train_once import train_once
from cloudchamber.infer.x0_cuts import fit_x0_cuts
from cloudchamber.score.leaderboard import Leaderboard, LeaderboardRow, csv_text, rank, start_row
from cloudchamber.show.facts import ReportFacts, find_facts
from cloudchamber.show.leaderboard import write_leaderboard
from cloudchamber.source.store import read_walls
from cloudchamber.train.recipe import Recipe, Simulated, list_recipes, load_recipe, with_budget

FAMILY, NONE = "walls/", "none"
BASELINE_TRAINING = Simulated(n=8000, seed=1)  # as many as the starter notebook of the challenge took
PAGE_S = 10.0  # a system that took longer than this has the page written anew at once
BASELINES = (("Single cut", "global", "single-cut"), ("Cuts per layer", "layers", "cuts-per-layer"))


class Given(NamedTuple):
    """The options of the command, as they were given."""

    output: Path
    recipes: str | None = None
    bundles: str | None = None
    test: Path | None = None
    data: Path | None = None
    validation: Path | None = None
    budget: str | None = None
    quick: bool = False
    threads: int | None = None

    @property
    def command(self) -> str:
        """The command line that does the same again."""
        words = ["cloudchamber", "compare", "walls", "-o", str(self.output)]
        for name in ("recipes", "bundles", "test", "data", "validation", "budget", "threads"):
            value = getattr(self, name)
            words += [f"--{name}", str(value)] if value is not None else []
        return shlex.join([*words, "--quick"] if self.quick else words)


@dataclass(frozen=True)
class Plan:
    """What is trained and measured, on what; ``left_out`` says by recipe what a smaller version lacks."""

    given: Given
    recipes: tuple[Recipe, ...]
    left_out: dict[str, str]
    bundles: tuple[tuple[str, Bundle], ...]
    train: Volumes
    validation: Volumes | None
    unlabelled: Volumes | None
    test: Volumes
    workers: int

    @property
    def inputs(self) -> tuple[str, ...]:
        """The maps that any of the systems reads."""
        trained = {name for recipe in self.recipes for name in recipe.model.inputs}
        ready = {name for _, bundle in self.bundles for name in bundle.config.inputs.names}
        return tuple(sorted({"x0"} | trained | ready))


class Found(NamedTuple):
    """A row and the IOU of every test volume."""

    row: LeaderboardRow
    measured: Measured


def _family() -> list[Recipe]:
    """Return the recipes for the challenge's simulation, without those that another only begins with."""
    recipes = [load_recipe(name) for name in list_recipes() if name.startswith(FAMILY)]
    wanted = (BASELINE_TRAINING.setting, BASELINE_TRAINING.muons)
    alike = [each for each in recipes if (each.data.train.setting, each.data.train.muons) == wanted]
    return [each for each in alike if each.name not in {other.begin_with for other in recipes}]


def _choose_recipes(given: Given) -> list[Recipe]:
    """Return the recipes named, or else those of the challenge, with a budget those that have it."""
    if given.recipes == NONE:
        return []
    if given.recipes is None:
        family, budget = _family(), quick.QUICK if given.quick else given.budget
        return [each for each in family if budget in {None, *each.budgets}]
    chosen = [load_recipe(name.strip()) for name in given.recipes.split(",")]
    for recipe in chosen:
        parts = recipe.name.split("/")
        if parts[0] in ("data", "bundles", "baselines") or not all(
            re.fullmatch(r"[A-Za-z0-9][\w.-]*", part, re.ASCII) for part in parts
        ):
            raise InputError(
                "--recipes", "name", "letters, digits, dot, hyphen, underscore", repr(recipe.name)
            )
    twice = {recipe.name for recipe in chosen if sum(recipe.name == other.name for other in chosen) > 1}
    if twice:
        raise InputError("--recipes", "", "every recipe once", f"{', '.join(sorted(twice))} more than once")
    return chosen


def _smaller(recipe: Recipe, given: Given) -> Recipe:
    """Return a recipe as it is trained: in the quick version, within a budget if it has it, or in full."""
    if given.quick:
        return quick.shorten(recipe)
    return with_budget(recipe, given.budget) if given.budget in recipe.budgets else recipe


def make_plan(given: Given, workers: int) -> Plan:
    """Check everything that can be checked before any work begins.

    Raises
    ------
    InputError
        if a recipe, a bundle or a file is not what it should be, or the test set is one to train on.
    """
    full = _choose_recipes(given)
    for recipe in full:
        start_row(recipe.published)  # refuse at once what was never published
    if given.budget is not None and not any(given.budget in recipe.budgets for recipe in full):
        known = sorted({name for recipe in full or _family() for name in recipe.budgets})
        raise InputError("--budget", "", f"one of {', '.join(known) or 'none'}", repr(given.budget))
    recipes = [_smaller(recipe, given) for recipe in full]
    names = [] if given.bundles in (None, NONE) else str(given.bundles).split(",")
    bundles = tuple((name.strip(), load_bundle(name.strip())) for name in names)
    data = given.output / "data"
    n_baseline = quick.TRAIN_VOLUMES if given.quick else BASELINE_TRAINING.n
    if given.data is not None:
        n_baseline = min(n_baseline, count_volumes(given.data))
    baseline = BASELINE_TRAINING.model_copy(update={"n": n_baseline})
    more = [recipe.pseudo_labels.unlabelled for recipe in recipes if recipe.pseudo_labels]
    n_test = quick.TEST_VOLUMES if given.quick else TEST_VOLUMES
    if given.test is not None:
        n_test = count_volumes(given.test)
    train = common("train", [recipe.data.train for recipe in recipes] or [baseline], given.data, data)
    test = train.wanted.model_copy(update={"n": n_test, "seed": TEST_SEED})
    plan = Plan(
        given=given,
        recipes=tuple(recipes),
        left_out={old.name: quick.left_out(old, new) for old, new in zip(full, recipes, strict=True)},
        bundles=bundles,
        train=train,
        validation=common(
            "validation", [recipe.data.validation for recipe in recipes], given.validation, data
        )
        if recipes
        else None,
        unlabelled=common("unlabelled", more, None, data) if more else None,
        test=common("test", [test], given.test, data),
        workers=workers,
    )
    refuse_trained_on(plan.test, recipes, [given.data, given.validation])
    for volumes in (plan.test, plan.train, plan.validation):
        if volumes is not None and volumes.given is not None:
            volumes.ensure(plan.inputs, workers)
    if given.test is not None:
        read_walls(given.test, targets=True, maps=plan.inputs)
    return plan


def run(plan: Plan) -> Leaderboard:
    """Simulate, train and measure what is not done yet; the leaderboard is written after every system.

    Raises
    ------
    InputError
        if the folder cannot be written or holds something else than this comparison.
    """
    for volumes in (plan.test, plan.train, plan.validation, plan.unlabelled):
        if volumes is not None:
            volumes.ensure(plan.inputs, plan.workers)
    facts = _facts(plan)
    found: list[Found] = []
    total = len(BASELINES) + len(plan.bundles) + len(plan.recipes)
    for number, (what, work) in enumerate(_works(plan), start=1):
        print(f"[{number}/{total}] {what}", file=sys.stderr, flush=True)
        began = time.monotonic()
        found.append(work())
        board = _write(plan, facts, found)
        if number == total or time.monotonic() - began > PAGE_S:
            write_leaderboard(plan.given.output / "leaderboard.html", board)
    return board


def _works(plan: Plan) -> Iterator[tuple[str, partial[Found]]]:
    """Yield what is to be done, in words and as a function, the quickest first."""
    for name, kind, folder in BASELINES:
        yield name, partial(_cuts, plan, name, kind, plan.given.output / "baselines" / folder)
    for name, bundle in plan.bundles:
        yield f"bundle {name}", partial(_bundle, plan, name, bundle)
    for recipe in plan.recipes:
        epochs, n = recipe.training.epochs, recipe.data.train.n
        about = f"{recipe.ensemble.size} networks, " if recipe.ensemble.size > 1 else ""
        what = f"recipe {recipe.name}: {about}{n:,} volumes, at most {epochs} epochs"
        yield what, partial(_recipe, plan, recipe)


def _measure(plan: Plan, entrant: Entrant, folder: Path) -> Measured:
    return measure(entrant, plan.test.path, folder)


def _completed(row: LeaderboardRow, entry: str, measured: Measured, **more: object) -> Found:
    figures = {
        "entry": entry,
        "iou": measured.iou,
        "n_test": len(measured.volumes),
        "parameters": measured.parameters,
        "inference_ms": measured.inference_ms,
    }
    return Found(LeaderboardRow.model_validate({**row.model_dump(), **figures, **more}), measured)


def _cuts(plan: Plan, name: str, kind: str, folder: Path) -> Found:
    n = min(plan.train.wanted.n, BASELINE_TRAINING.n)
    volumes = plan.train.load(n, ("x0",))
    cuts = fit_x0_cuts("layers" if kind == "layers" else "global", volumes.maps["x0"], volumes.walls)
    text = ", ".join(f"{1000 * cut:.1f}" for cut in cuts.cuts_m)
    row = start_row(name).model_copy(update={"method": "radiation length below a cut"})
    return _completed(
        row, name, _measure(plan, cuts_entrant(cuts), folder), train_volumes=n,
        notes=f"cut{'s' if len(cuts.cuts_m) > 1 else ''} at {text} mm",
    )  # fmt: skip


def _bundle(plan: Plan, name: str, bundle: Bundle) -> Found:
    entrant = bundle_entrant(bundle)
    recipe = bundle.config.name
    published = load_recipe(recipe).published if recipe in list_recipes() else ""
    folder = plan.given.output / "bundles" / f"{recipe.replace('/', '-')}-{entrant.identity[:12]}"
    return _completed(
        start_row(published, recipe), f"bundle {name}", _measure(plan, entrant, folder), notes=bundle.about
    )


def _recipe(plan: Plan, recipe: Recipe) -> Found:
    folder = plan.given.output / recipe.name
    validation = plan.validation
    if validation is None:
        raise ValueError("a recipe needs validation volumes")
    identities = {
        "train": plan.train.identity(recipe.data.train.n),
        "validation": validation.identity(recipe.data.validation.n),
    }

    def train() -> Finished:
        inputs, unlabelled = recipe.model.inputs, None
        if recipe.pseudo_labels and plan.unlabelled is not None:
            unlabelled = plan.unlabelled.load(recipe.pseudo_labels.unlabelled.n, inputs).maps
        return train_recipe(
            recipe, folder, plan.train.load(recipe.data.train.n, inputs),
            validation.load(recipe.data.validation.n, inputs), unlabelled=unlabelled,
            threads=plan.given.threads,
        )  # fmt: skip

    bundle, record = train_once(recipe, folder, identities, train)
    begins = f"begins with the weights of {recipe.begin_with}" if recipe.begin_with else ""
    row = start_row(recipe.published, recipe.name)
    return _completed(
        row, recipe.name, _measure(plan, bundle_entrant(bundle), folder),
        method=row.method or recipe.about, train_volumes=recipe.data.train.n, epochs=record.epochs,
        train_seconds=record.seconds, notes="; ".join(filter(None, (begins, plan.left_out.get(recipe.name)))),
    )  # fmt: skip


def _facts(plan: Plan) -> ReportFacts:
    data = read_walls(plan.test.path, targets=False)
    return find_facts(plan.test.path, data.attributes, Path(), {}, data.x0_m.shape)


def _write(plan: Plan, facts: ReportFacts, found: list[Found]) -> Leaderboard:
    """Write the leaderboard as numbers, and return it."""
    volumes = {each.row.entry: np.array(each.measured.volumes) for each in found}
    seed = "" if facts.seed is None else f" Their seed, {facts.seed}, is kept apart from all training."
    board = Leaderboard(
        task="walls",
        command=plan.given.command,
        quick=plan.given.quick,
        measured_on=facts.measured_on,
        test=f"Test set: {facts.data}{seed}",
        training=_training(plan),
        hardware=_hardware({each.measured.threads for each in found}),
        rows=rank((each.row for each in found), volumes),
    )
    folder = plan.given.output
    write_text(folder / "leaderboard.json", board.model_dump_json(indent=2) + "\n")
    write_text(folder / "leaderboard.csv", csv_text(board.rows))
    return board


def _training(plan: Plan) -> str:
    parts = []
    for volumes, what in (
        (plan.train, "trained on"), (plan.validation, "cuts of the networks fitted on"),
        (plan.unlabelled, "pseudo-labels on"),
    ):  # fmt: skip
        if volumes is not None:
            where = f"simulated volumes (seed {volumes.wanted.seed})"
            parts.append(
                f"{what} up to {volumes.wanted.n:,} "
                + (where if volumes.given is None else f"volumes of {volumes.given.name}")
            )
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}. Bundles were trained before; their cards say on what."


def _hardware(threads: set[int]) -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    machine = names[0] if names else platform.processor() or platform.machine()
    counts = " or ".join(map(str, sorted(threads)))
    more = f"; training on {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"Times per volume were measured on {counts} thread{'s' * (counts != '1')} of {machine}{more}."
