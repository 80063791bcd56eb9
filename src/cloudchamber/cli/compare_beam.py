"""``cloudchamber compare beam``: losses and ways to downsample on one test set, beside what is published."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from cloudchamber.cli.options import Count, Seed, available_processors
from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.infer.beam_bundle import BeamBundle
    from cloudchamber.score.beam import BeamScore
    from cloudchamber.train.beam_recipe import BeamRecipe

LOSSES = ("beam/max", "beam/weighted", "beam/epoch-weights", "beam/focal", "beam/dice", "beam/fbeta")
DOWNSAMPLING = ("beam/mean", "beam/sum", "beam/learned")  # beside beam/max
EVENTS, FEW_EVENTS = 120, 8


def load_plan(recipes: str | None, budget: str) -> "list[BeamRecipe]":
    """Return the recipes, all cut down to the same events: as few as the budget of any of them has.

    Raises
    ------
    InputError
        if there is no such recipe or budget, or one is made of other events than the first.
    """
    from cloudchamber.train.beam_recipe import load_beam_recipe

    names = [*LOSSES, *DOWNSAMPLING] if recipes is None else [name for name in recipes.split(",") if name]
    loaded = [load_beam_recipe(name, None if budget == "full" else budget) for name in dict.fromkeys(names)]
    parts = ("train", "validation")
    least = {part: min((getattr(each.data, part).n for each in loaded), default=0) for part in parts}
    plan: list[BeamRecipe] = []
    for recipe in loaded:
        data = {part: getattr(recipe.data, part).model_copy(update={"n": least[part]}) for part in parts}
        for part, wanted in data.items():
            first = getattr(plan[0].data, part) if plan else wanted
            if wanted != first:
                expected = f"the events of {plan[0].name}: {first}"
                raise InputError(recipe.name, f"data.{part}", expected, str(wanted))
        plan.append(recipe.model_copy(update={"data": recipe.data.model_copy(update=data)}))
    return plan


def score_on(bundle: "BeamBundle", test: Path, least_beam: int) -> "BeamScore":
    """Score a model on the images of a test set, of events with so many beam hits or more.

    The truth is that of its own images; of recipes that label alike it is the same.
    """
    from cloudchamber.cli.train_beam import load_images
    from cloudchamber.infer.beam_predict import predict_images
    from cloudchamber.score.beam import score_beam

    config = bundle.config.images.model_copy(update={"least_beam": least_beam})
    images = load_images(test, config).images
    if images.label is None:
        raise ValueError("events with truth have labels")
    predicted = predict_images(bundle, images)[0]
    return score_beam(images.label, predicted, config.labels, beam=images.beam)


def beam(
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    n: Annotated[Count | None, Parameter(name=["-n", "--samples"])] = None,
    seed: Seed = 2026,
    budget: str = "two-cores",
    recipes: str | None = None,
    bundles: str = "",
    data: Path | None = None,
    validation: Path | None = None,
    test: Path | None = None,
    workers: Count | None = None,
    threads: Count | None = None,
) -> None:
    """Train with every loss and every way to downsample that the slides name; score all on one test set.

    All are trained on the same events, labelled alike, and scored on the same others. What was trained and
    simulated already stays in the folder and is not done again.

    Parameters
    ----------
    output
        Folder for the runs, the data and compare.json.
    n
        Events of the test set; 120 unless said otherwise, 8 with --budget quick.
    seed
        Seed of the test set; 1 and 2 are those of training and validation.
    budget
        A smaller training that the recipes name, two-cores or quick; full: as the recipes stand.
    recipes
        Recipes to train, with commas between: names or TOML files; nothing trains none.
    bundles
        Trained models to score beside them, by name or path, with commas between.
    data
        HDF5 file to train on, instead of a simulation.
    validation
        HDF5 file to validate on; likewise.
    test
        HDF5 file to score on; likewise.
    workers
        Processes to simulate with; all processors unless said otherwise.
    threads
        Threads to train with; all processors unless said otherwise.
    """
    from rich.console import Console

    from cloudchamber.cli.score import make_table
    from cloudchamber.cli.simulate_wires import load_wires_config, produce_readouts
    from cloudchamber.cli.train_beam import load_training_images
    from cloudchamber.files import write_text
    from cloudchamber.infer.beam_bundle import load_beam_bundle, save_beam_bundle
    from cloudchamber.infer.beam_finish import train_beam_recipe
    from cloudchamber.show.beam_tables import compare_rows
    from cloudchamber.source.wires import read_wire_events

    plan, processes = load_plan(recipes, budget), workers or available_processors()
    given = [name for name in bundles.split(",") if name]
    if not plan and not given:
        raise InputError("compare beam", "--recipes", "a recipe or a bundle, at least one", "none")
    where = test or output / "test.h5"
    if test is None and not where.exists():
        few = FEW_EVENTS if budget == "quick" else EVENTS
        produce_readouts(
            where, n or few, seed=seed, config=load_wires_config("protodune-sp"), workers=processes
        )
    least = min((recipe.data.images.least_beam for recipe in plan), default=1)
    scores: dict[str, tuple[int, BeamScore]] = {}
    for recipe in plan:
        run = output / recipe.name.replace("/", "-")
        if not (run / "bundle").exists():
            wanted = recipe.data
            train = load_training_images(
                data, output / "train.h5", wanted.train, wanted.train_images, processes
            )
            held_out = load_training_images(
                validation, output / "validation.h5", wanted.validation, wanted.images, processes
            )
            done = train_beam_recipe(
                recipe, run, train.images, held_out.images, plane=train.plane, threads=threads, budget=budget
            )
            save_beam_bundle(run / "bundle", done.bundle)
        bundle = load_beam_bundle(run / "bundle")
        scores[recipe.name] = bundle.config.n_train, score_on(bundle, where, least)
    for name in given:
        bundle = load_beam_bundle(name)
        scores[name] = bundle.config.n_train, score_on(bundle, where, least)
    attributes = read_wire_events(where, stop=1)[1]
    n_test = next(iter(scores.values()))[1].n_images
    title = f"IOU on {n_test:,} images of cloudchamber's simulation, seed {attributes.get('seed', '–')}"
    Console(soft_wrap=False).print(make_table(title, compare_rows(scores)))
    print("Errors are those of the test images; another training would differ by more.")
    found = {
        "test": {"n": n_test, "seed": attributes.get("seed"), "least_beam": least},
        "systems": [
            {"name": name, "n_train": images, "score": score.model_dump(mode="json")}
            for name, (images, score) in scores.items()
        ],
    }
    write_text(output / "compare.json", json.dumps(found, indent=2) + "\n")
    print(output / "compare.json")
