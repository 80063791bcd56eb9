"""The data sets that a recipe names: read, or simulated where they are missing."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.prepare.volumes import WallVolumes
    from cloudchamber.train.recipe import Simulated


def simulate_recipe_data(path: Path, wanted: "Simulated", maps: bool, workers: int) -> None:
    """Simulate the volumes that a recipe names; what was begun goes on."""
    from cloudchamber.cli.simulate import data_attributes, load_config, make_walls
    from cloudchamber.source.produce import produce

    config, seed, muons = load_config(wanted.setting, None), wanted.seed, wanted.muons
    produce(
        path, partial(make_walls, seed, config, maps=maps, muons=muons), wanted.n,
        attributes=data_attributes(seed, config, maps=maps, muons=muons), workers=workers,
        description=f"simulating {path.name}",
    )  # fmt: skip


def load_volumes(
    given: Path | None, default: Path, wanted: "Simulated", inputs: Sequence[str], workers: int
) -> "WallVolumes":
    """Read the volumes a recipe asks for: from a file given, or one that is simulated where it is missing.

    Parameters
    ----------
    inputs : names of the maps to read, ``x0`` among them or not.

    Raises
    ------
    InputError
        if the file lacks a map, has no targets or fewer volumes than wanted.
    """
    from cloudchamber.prepare.volumes import WallVolumes
    from cloudchamber.source.store import read_walls

    path = given or default
    if given is None and not path.exists():
        simulate_recipe_data(path, wanted, set(inputs) != {"x0"}, workers)
    data = read_walls(path, targets=True, maps=inputs)
    if data.walls is None:
        raise InputError(path, "targs", "targets to train on", "none")
    if len(data.x0_m) < wanted.n:
        raise InputError(path, "x0", f"at least the recipe's {wanted.n} volumes", f"{len(data.x0_m)}")
    return WallVolumes({"x0": data.x0_m, **data.maps}, data.walls).chosen(slice(wanted.n))
