"""``cloudchamber train``: from a recipe to a bundle."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from cloudchamber.cli.options import Count, available_processors
from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.train.recipe import Simulated
    from cloudchamber.train.run import WallVolumes


def _simulate(path: Path, wanted: "Simulated", workers: int) -> None:
    from cloudchamber.cli.simulate import load_config, make_walls
    from cloudchamber.source.produce import produce

    config = load_config(wanted.setting, None)
    attributes: dict[str, str | int | float] = {
        "task": "walls", "seed": wanted.seed, "config": config.model_dump_json()
    }  # fmt: skip
    produce(
        path, partial(make_walls, wanted.seed, config), wanted.n, attributes=attributes, workers=workers,
        description=f"simulating {path.name}",
    )  # fmt: skip


def _volumes(given: Path | None, default: Path, wanted: "Simulated", workers: int) -> "WallVolumes":
    """Read the data a recipe asks for: a file given, or one that is simulated where it is missing."""
    from cloudchamber.source.store import read_walls
    from cloudchamber.train.run import WallVolumes

    path = given or default
    if given is None and not path.exists():
        _simulate(path, wanted, workers)
    data = read_walls(path, targets=True)
    if data.walls is None:
        raise InputError(path, "targs", "targets to train on", "none")
    if len(data.x0_m) < wanted.n:
        raise InputError(path, "x0", f"at least the recipe's {wanted.n} volumes", f"{len(data.x0_m)}")
    return WallVolumes(data.x0_m[: wanted.n], data.walls[: wanted.n])


def train(
    recipe: str,
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    data: Path | None = None,
    validation: Path | None = None,
    workers: Count | None = None,
    threads: Count | None = None,
) -> None:
    """Train a network after a recipe, fit its cuts on validation volumes and write it as a bundle.

    Data the recipe names are simulated when no file is given. A run that was killed goes on where it was when
    the same command is given again, and ends in the same weights.

    Parameters
    ----------
    recipe
        One of the package's recipes by name (walls), or a TOML file.
    output
        Run folder: checkpoint, metrics.jsonl, TensorBoard events, and in the end the bundle.
    data
        HDF5 file to train on, instead of the recipe's own simulation.
    validation
        HDF5 file to validate and to fit the cuts on; likewise.
    workers
        Processes to simulate with; all processors unless said otherwise.
    threads
        Threads to train with; all processors unless said otherwise.
    """
    from cloudchamber.infer.bundle import save_bundle
    from cloudchamber.infer.finish import finish
    from cloudchamber.train.recipe import load_recipe
    from cloudchamber.train.run import train as run

    chosen = load_recipe(recipe)
    options = chosen.training
    print(
        f"recipe {chosen.name}: {chosen.data.train.n:,} volumes, {options.epochs} epochs, batches of "
        f"{options.batch}; run folder {output}",
        file=sys.stderr,
    )
    processes = workers or available_processors()
    train_volumes = _volumes(data, output / "train.h5", chosen.data.train, processes)
    held_out = _volumes(validation, output / "validation.h5", chosen.data.validation, processes)
    trained = run(chosen, train_volumes, held_out, output, threads=threads)
    bundle, score = finish(chosen, trained, held_out)
    save_bundle(output / "bundle", bundle)
    print(f"validation IOU {score.iou.text(4)} on {score.n:,} volumes, cuts fitted on the same")
    print(output / "bundle")
