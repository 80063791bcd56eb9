"""Training on sparse events, for ``cloudchamber train``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cloudchamber.cli.options import available_processors
from cloudchamber.cli.simulate_voxels import load_voxels_config, produce_events
from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.train.voxels_recipe import SimulatedEvents
    from cloudchamber.voxel_events import VoxelEvents


def load_training_events(
    given: Path | None, default: Path, wanted: "SimulatedEvents", relabel: bool, workers: int
) -> "VoxelEvents":
    """Read the events a recipe asks for: from a file given, or one that is simulated where it is missing.

    Raises
    ------
    InputError
        if the file has no labels, others than wanted, or fewer events than wanted.
    """
    from cloudchamber.prepare.relabel import relabel_events
    from cloudchamber.source.voxels import read_events

    path = given or default
    if given is None and not path.exists():
        config = load_voxels_config(wanted.setting)
        produce_events(path, wanted.n, seed=wanted.seed, config=config, relabel=relabel, workers=workers)
    events, attributes = read_events(path, truth=True, stop=wanted.n)
    relabelled = attributes.get("labels") == "relabelled"
    if relabelled and not relabel:
        raise InputError(path, "attribute labels", "regular labels", "'relabelled'")
    return relabel_events(events) if relabel and not relabelled else events


def train_voxels(
    recipe: str,
    output: Path,
    *,
    data: Path | None,
    validation: Path | None,
    budget: str | None,
    workers: int | None,
    threads: int | None,
) -> None:
    """Train after a recipe for voxels and write the bundle."""
    from cloudchamber.infer.voxels_bundle import save_voxels_bundle
    from cloudchamber.infer.voxels_finish import train_voxels_recipe
    from cloudchamber.train.voxels_recipe import load_voxels_recipe

    chosen = load_voxels_recipe(recipe, budget)
    wanted, options = chosen.data, chosen.training
    print(
        f"recipe {chosen.name}: {wanted.train.n:,} events, {options.epochs} epochs, batches of "
        f"{options.batch}; run folder {output}",
        file=sys.stderr,
    )
    processes = workers or available_processors()
    relabel = wanted.relabel
    train = load_training_events(data, output / "train.h5", wanted.train, relabel, processes)
    held_out = load_training_events(
        validation, output / "validation.h5", wanted.validation, relabel, processes
    )
    done = train_voxels_recipe(chosen, output, train, held_out, threads=threads, budget=budget)
    save_voxels_bundle(output / "bundle", done.bundle)
    print(f"validation accuracy {done.score.accuracy.text(4)} on {done.score.n_events:,} events")
    print(output / "bundle")
