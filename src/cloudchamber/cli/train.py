"""``cloudchamber train``: from a recipe to a bundle."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cloudchamber.cli.options import Count, available_processors
from cloudchamber.errors import InputError


def train(
    recipe: str,
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    data: Path | None = None,
    validation: Path | None = None,
    unlabelled: Path | None = None,
    budget: str | None = None,
    begin_with: str | None = None,
    workers: Count | None = None,
    threads: Count | None = None,
) -> None:
    """Train a network after a recipe, fit its cuts or curves on validation data and write it as a bundle.

    Data the recipe names are simulated when no file is given. A run that was killed goes on where it was when
    the same command is given again, and ends in the same weights.

    Parameters
    ----------
    recipe
        One of the package's recipes by name (walls/best, voxels/best, energy/best), or a TOML file.
    output
        Run folder: checkpoint, metrics.jsonl, TensorBoard events, and in the end the bundle.
    data
        HDF5 file to train on, instead of the recipe's own simulation.
    validation
        HDF5 file to validate and to fit the cuts on; likewise.
    unlabelled
        HDF5 file of volumes that the first round labels for the second, where the recipe has pseudo-labels.
    budget
        A smaller training that the recipe names, such as two-cores or quick.
    begin_with
        Begin with the weights of this bundle (a name, folder or .zip) of the same network, to train on from
        there; a recipe that begins with another trains that one first unless this is given. For hits: the
        bundle of patches that teaches, where the recipe has a teacher.
    workers
        Processes to simulate with; all processors unless said otherwise.
    threads
        Threads to train with; all processors unless said otherwise.
    """
    from cloudchamber.train.recipe import read_recipe

    task = read_recipe(recipe).get("task")
    if task == "hits":
        if unlabelled:
            raise InputError("train", "", "no --unlabelled for hits", str(unlabelled))
        from cloudchamber.cli.train_hits import train_hits

        train_hits(
            recipe, output, data=data, validation=validation, budget=budget, workers=workers, threads=threads,
            teacher=begin_with,
        )  # fmt: skip
        return
    if task in ("voxels", "energy", "beam"):
        if unlabelled or begin_with:
            raise InputError("train", "", f"neither --unlabelled nor --begin-with for {task}", "one of them")
        if task == "voxels":
            from cloudchamber.cli.train_voxels import train_voxels as train_task
        elif task == "beam":
            from cloudchamber.cli.train_beam import train_beam as train_task
        else:
            from cloudchamber.cli.train_energy import train_energy as train_task

        train_task(
            recipe, output, data=data, validation=validation, budget=budget, workers=workers, threads=threads
        )
        return
    from cloudchamber.cli.volumes import load_volumes
    from cloudchamber.infer.bundle import load_bundle, save_bundle
    from cloudchamber.infer.finish import train_recipe
    from cloudchamber.train.recipe import load_recipe, with_budget

    chosen = load_recipe(recipe)
    if budget:
        chosen = with_budget(chosen, budget)
    options, inputs = chosen.training, chosen.model.inputs
    print(
        f"recipe {chosen.name}: {chosen.data.train.n:,} volumes, {options.epochs} epochs, batches of "
        f"{options.batch}; run folder {output}",
        file=sys.stderr,
    )
    processes = workers or available_processors()
    train_volumes = load_volumes(data, output / "train.h5", chosen.data.train, inputs, processes)
    held_out = load_volumes(validation, output / "validation.h5", chosen.data.validation, inputs, processes)
    more = None
    if chosen.pseudo_labels:
        wanted = chosen.pseudo_labels.unlabelled
        more = load_volumes(unlabelled, output / "unlabelled.h5", wanted, inputs, processes).maps
    begin = load_bundle(begin_with) if begin_with else None
    done = train_recipe(
        chosen, output, train_volumes, held_out, unlabelled=more, begin=begin, threads=threads
    )
    save_bundle(output / "bundle", done.bundle)
    score = done.score
    print(f"validation IOU {score.iou.text(4)} on {score.n:,} volumes, cuts fitted on the same")
    print(output / "bundle")
