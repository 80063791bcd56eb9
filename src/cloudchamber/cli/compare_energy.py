"""``cloudchamber compare energy``: the published ablation, and what it is to be held against, again."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from cloudchamber.cli.compare_energy_systems import (
    Files,
    System,
    load_plan,
    published_mi,
    score_bundle,
    score_trees,
)
from cloudchamber.cli.options import Count, Seed, available_processors
from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from cloudchamber.score.bootstrap import Estimate

MUONS, FEW_MUONS = 10_000, 500  # of the test set; the fewer with --budget quick


def _tables(systems: list[System], gains: "list[Estimate]", n: int, seed: int) -> list["Table"]:
    """Return the published ablation beside ours, and what else is known of each system."""
    from cloudchamber.cli.score import make_table
    from cloudchamber.infer.energy_card import worst_bias
    from cloudchamber.show.energy_tables import ablation_rows, improvement_text
    from cloudchamber.show.tables import Rows
    from cloudchamber.show.voxels_tables import percent

    ours = {each.published: published_mi(each.found) for each in systems if each.published}
    others = {each.name: published_mi(each.found) for each in systems if not each.published}
    rows = []
    for each, gain in zip(systems, gains, strict=True):
        score, bias = each.found.energy, worst_bias(each.found.energy)
        coverage = [percent(part.coverage) for part in score.coverage[:1]]
        rows.append([
            each.name, f"{each.n_train:,}", improvement_text(score.mi), improvement_text(each.found.raw.mi),
            score.rank.text(4), gain.text(4), "–" if bias is None else percent(bias), *(coverage or ["–"]),
        ])  # fmt: skip
    head = [
        "system", "trained on", "MI, own curve (%)", "MI, uncorrected (%)", "rank correlation",
        f"less that of {systems[0].name}", "largest median bias (%)", "intervals hold (%)",
    ]  # fmt: skip
    title = f"MI with the published correction, {n:,} muons of cloudchamber's simulation, seed {seed}"
    return [
        make_table(title, ablation_rows(ours, others)),
        make_table("Corrected by the median prediction", Rows(head=head, rows=rows)),
    ]


def _write_json(path: Path, systems: list[System], gains: "list[Estimate]", n: int, seed: int) -> None:
    from cloudchamber.files import write_text
    from cloudchamber.score.published_energy import ABLATIONS

    rows: list[dict[str, Any]] = []
    for each, gain in zip(systems, gains, strict=True):
        scores = {
            name: None if part is None else part.model_dump(mode="json")
            for name, part in each.found._asdict().items()
        }
        about = {"name": each.name, "published": each.published or None, "n_train": each.n_train}
        own = {"mi": published_mi(each.found), "rank_gain": gain}
        rows.append({**about, **{name: part.model_dump(mode="json") for name, part in own.items()}, **scores})
    found = {
        "test": {"n": n, "seed": seed},
        "published": [row.model_dump(mode="json") for row in ABLATIONS],
        "systems": rows,
    }
    write_text(path, json.dumps(found, indent=2) + "\n")


def energy(
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    n: Annotated[Count | None, Parameter(name=["-n", "--samples"])] = None,
    seed: Seed = 2026,
    budget: str = "two-cores",
    epochs: Count | None = None,
    sparse: bool = False,
    like: str | None = None,
    recipes: str | None = None,
    bundles: str = "",
    workers: Count | None = None,
    threads: Count | None = None,
) -> None:
    """Train the network of arXiv:2107.02119, its ablations, a network and trees on features; score them all.

    All are trained on the same muons and scored on the same others. What was trained and simulated already
    stays in the folder and is not done again.

    Parameters
    ----------
    output
        Folder for the runs, the data, the predictions and compare.json.
    n
        Muons of the test set; 10000 unless said otherwise, 500 with --budget quick.
    seed
        Seed of the test set; 1 and 2 are those of training and validation.
    budget
        A smaller training that the recipes name, two-cores or quick; full: as the recipes stand.
    epochs
        Epochs of every training, in place of those of the budget.
    sparse
        Train the sparse counterpart of each network that has one, at the cells from 1 MeV up: faster.
    like
        A recipe, energy/best for one, whose optimiser, learning rates and scales of cells and features all
        networks take in place of their own; they then learn from fewer muons.
    recipes
        Recipes to train, with commas between: names or TOML files; the published ones, a plain CNN and the
        sparse network unless said otherwise.
    bundles
        Trained models to score beside them, by name or path, with commas between.
    workers
        Processes to simulate with; all processors unless said otherwise.
    threads
        Threads to train with; all processors unless said otherwise.
    """
    import numpy as np
    from rich.console import Console

    from cloudchamber.cli.score_energy import read_truth
    from cloudchamber.cli.simulate_energy import load_energy_config, produce_muons
    from cloudchamber.cli.train_energy import load_training_muons, prepare_training_muons
    from cloudchamber.infer.energy_bundle import save_energy_bundle
    from cloudchamber.infer.energy_finish import train_energy_recipe
    from cloudchamber.score.energy import rank_gain
    from cloudchamber.train.energy_run import reading_of

    plan = load_plan(recipes, budget, sparse=sparse, epochs=epochs, like=like)
    processes = workers or available_processors()
    given = [name for name in bundles.split(",") if name]
    if not plan and not given:
        raise InputError("compare energy", "--recipes", "a recipe or a bundle, at least one", "none")
    files = Files(*(output / f"{name}.h5" for name in ("train", "validation", "test")))
    if not files.test.exists():
        few = FEW_MUONS if budget == "quick" else MUONS
        produce_muons(files.test, n or few, seed=seed, config=load_energy_config("paper"), workers=processes)
    systems, kept = [], None
    for recipe in plan:
        run, reading = output / recipe.name.replace("/", "-"), reading_of(recipe)
        if not (run / "bundle").exists():
            if kept is None or kept[0] != reading:  # all of the ablation read the same
                train = prepare_training_muons(None, files.train, recipe, processes)
                validation = load_training_muons(None, files.validation, recipe.data.validation, processes)
                kept = reading, train, validation
            done = train_energy_recipe(recipe, run, *kept[1:], threads=threads, budget=budget)
            save_energy_bundle(run / "bundle", done.bundle)
        systems.append(score_bundle(run / "bundle", files, run / "predictions.h5", recipe.published))
    if plan and files.train.exists() and files.validation.exists():
        systems.append(score_trees(files, plan[0].data.train.n, plan[0].data.validation.n))
    for number, name in enumerate(given):
        systems.append(score_bundle(name, files, output / f"predictions-{number}.h5"))
    muons, attributes = read_truth(files.test)
    seed = int(attributes.get("seed", seed))
    truth = muons["energy_gev"].astype(np.float64)
    gains = [rank_gain(truth, each.raw_gev, systems[0].raw_gev) for each in systems]
    console = Console(soft_wrap=False)
    for table in _tables(systems, gains, len(muons), seed):
        console.print(table)
    console.print("Errors are those of the test muons; another training would differ by more.")
    _write_json(output / "compare.json", systems, gains, len(muons), seed)
    print(output / "compare.json")
