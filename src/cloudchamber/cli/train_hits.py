"""Training on hits, for ``cloudchamber train``."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cloudchamber.cli.options import available_processors
from cloudchamber.cli.simulate_wires import load_wires_config, produce_readouts
from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from torch import nn

    from cloudchamber.infer.hits_finish import FinishedHits
    from cloudchamber.train.hits_recipe import HitsRecipe, SimulatedWires
    from cloudchamber.wire_events import WireEvents


def stored_readouts(given: Path | None, default: Path, wanted: "SimulatedWires", workers: int) -> Path:
    """Return the file of the readouts a recipe asks for: one given, or one simulated where it is missing.

    Raises
    ------
    InputError
        if the file has fewer events than wanted.
    """
    from cloudchamber.source.wire_files import count_wire_file

    path = given or default
    if given is None and not path.exists():
        config = load_wires_config(wanted.setting)
        produce_readouts(path, wanted.n, seed=wanted.seed, config=config, workers=workers)
    found = count_wire_file(path)
    if found < wanted.n:
        raise InputError(path, "", f"{wanted.n} events", f"{found}; give another --budget or data")
    return path


def readouts_of(path: Path, n: int) -> Iterator["WireEvents"]:
    """Yield the first n events of a file, one by one, with their truth.

    Raises
    ------
    InputError
        if the file is damaged or has no truth.
    """
    from cloudchamber.source.wire_files import iterate_wire_file

    return iterate_wire_file(path, truth=True, stop=n)


def _teacher(
    recipe: "HitsRecipe",
    given: str | None,
    output: Path,
    data: tuple[Path, Path],
    budget: str | None,
    threads: int | None,
) -> "nn.Module | None":
    """Return the network that teaches, None if the recipe wants none; trained beside it unless given."""
    if recipe.teacher is None:
        return None
    from cloudchamber.infer.hits_bundle import load_hits_bundle, save_hits_bundle
    from cloudchamber.train.hits_recipe import load_hits_recipe

    bundle = Path(given) if given else output / "teacher" / "bundle"
    if given is None and not bundle.exists():
        chosen = load_hits_recipe(recipe.teacher.recipe, budget)
        save_hits_bundle(bundle, _finish(chosen, bundle.parent, data, None, budget, threads).bundle)
    taught_by = load_hits_bundle(given or bundle)
    if taught_by.reads != "patch":
        raise InputError(given or bundle, "network", "one of patches, to teach", taught_by.config.network)
    return taught_by.network


def _finish(
    recipe: "HitsRecipe",
    output: Path,
    data: tuple[Path, Path],
    teacher: "nn.Module | None",
    budget: str | None,
    threads: int | None,
) -> "FinishedHits":
    from cloudchamber.infer.hits_finish import train_hits_recipe
    from cloudchamber.prepare.hit_images import keep_images

    train, validation = data
    wanted = recipe.data
    images = keep_images(readouts_of(train, wanted.train.n))
    return train_hits_recipe(
        recipe, output, images, lambda: readouts_of(validation, wanted.validation.n), teacher=teacher,
        threads=threads, budget=budget,
    )  # fmt: skip


def train_hits(
    recipe: str,
    output: Path,
    *,
    data: Path | None,
    validation: Path | None,
    budget: str | None,
    workers: int | None,
    threads: int | None,
    teacher: str | None = None,
) -> None:
    """Train after a recipe for hits and write the bundle; ``teacher`` is a bundle, where one is wanted."""
    from cloudchamber.infer.hits_bundle import save_hits_bundle
    from cloudchamber.infer.hits_finish import score_text
    from cloudchamber.train.hits_recipe import load_hits_recipe

    chosen = load_hits_recipe(recipe, budget)
    wanted, options = chosen.data, chosen.training
    if teacher and chosen.teacher is None:
        raise InputError("--begin-with", "", f"none, for {chosen.name} has no teacher", teacher)
    kind = "crops" if chosen.model.reads == "plane" else "patches"
    print(
        f"recipe {chosen.name}: {wanted.train.n:,} readouts, {options.epochs} epochs of "
        f"{options.draw.per_epoch or 'all'} {kind}, batches of {options.batch}; run folder {output}",
        file=sys.stderr,
    )
    processes = workers or available_processors()
    files = (
        stored_readouts(data, output / "train.h5", wanted.train, processes),
        stored_readouts(validation, output / "validation.h5", wanted.validation, processes),
    )
    network = _teacher(chosen, teacher, output, files, budget, threads)
    done = _finish(chosen, output, files, network, budget, threads)
    save_hits_bundle(output / "bundle", done.bundle)
    print(f"validation {score_text(done.score)}, on {done.score.n_events:,} events")
    print(output / "bundle")
