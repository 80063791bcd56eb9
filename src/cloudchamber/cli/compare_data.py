"""The volumes of a comparison: given, or simulated into its folder; the test set apart from all training."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.prepare.volumes import WallVolumes
    from cloudchamber.train.recipe import Recipe, Simulated

TEST_SEED, TEST_VOLUMES = 2022, 5000


@dataclass(frozen=True)
class Volumes:
    """The volumes for one purpose: the first ``wanted.n`` of a file given, or else of a simulation."""

    purpose: str
    given: Path | None
    default: Path
    wanted: "Simulated"

    @property
    def path(self) -> Path:
        """Where they are, or will be."""
        return self.given or self.default

    def identity(self, n: int) -> str:
        """Say which volumes the first ``n`` are, so that others are told from them."""
        from cloudchamber.files import sha256

        if self.given is not None:
            return f"the first {n} of a file with SHA-256 {sha256(self.given)}"
        muons = "" if self.wanted.muons is None else f", muons {self.wanted.muons}"
        return f"the first {n} simulated with setting {self.wanted.setting}, seed {self.wanted.seed}{muons}"

    def ensure(self, maps: Sequence[str], workers: int) -> None:
        """See that the file has enough volumes and the maps; simulate it where it is ours to make.

        Raises
        ------
        InputError
            if a file given lacks targets, maps or volumes, or the file in the comparison's folder holds
            another simulation.
        """
        from cloudchamber.cli.volumes import simulate_recipe_data
        from cloudchamber.source.hdf5 import holds, open_hdf5
        from cloudchamber.source.store import find_walls

        path, wanted = self.path, self.wanted
        if self.given is None and not path.exists():
            simulate_recipe_data(path, wanted, set(maps) > {"x0"}, workers)
            return
        with open_hdf5(path) as file:
            found = find_walls(file, path, True, maps if self.given else ())
            enough = len(found.x0) >= wanted.n and all(holds(file, path, name) for name in maps)
            if self.given is not None and not enough:
                raise InputError(path, "x0", f"at least {wanted.n} volumes", f"{len(found.x0)}")
        if self.given is None:
            for key, value in simulation(wanted).items():
                if found.attributes.get(key) != value:
                    kept = str(found.attributes.get(key))
                    raise InputError(path, f"attribute {key}", f"{value} (or another --output)", kept)
            if not enough:
                print(f"{path}: too few volumes or maps, simulated anew", file=sys.stderr)
                path.unlink()
                self.ensure(maps, workers)

    def load(self, n: int, inputs: Sequence[str], workers: int = 1) -> "WallVolumes":
        """Read the first ``n``."""
        from cloudchamber.cli.volumes import load_volumes

        return load_volumes(
            self.given, self.default, self.wanted.model_copy(update={"n": n}), inputs, workers
        )


def simulation(wanted: "Simulated") -> dict[str, str | int | float]:
    """Return the attributes that tell one simulation from another."""
    from cloudchamber.cli.simulate import data_attributes, load_config

    attributes = data_attributes(wanted.seed, load_config(wanted.setting, None), muons=wanted.muons)
    return {key: attributes[key] for key in ("seed", "config")}


def common(purpose: str, wanted: Iterable["Simulated"], given: Path | None, folder: Path) -> Volumes:
    """Return the volumes that serve all: as many as the largest wish, of one simulation.

    Raises
    ------
    InputError
        if seeds, settings or numbers of muons differ.
    """
    wishes = list(wanted)
    for key in ("seed", "setting", "muons"):
        values = sorted({str(getattr(each, key)) for each in wishes})
        if len(values) > 1:
            raise InputError("--recipes", f"{purpose} {key}", "the same in all of them", " and ".join(values))
    largest = max(wishes, key=lambda each: each.n)
    return Volumes(purpose, given, folder / f"{purpose}.h5", largest)


def count_volumes(path: Path) -> int:
    """Return how many volumes with targets a file has.

    Raises
    ------
    InputError
        if it is no data set with targets.
    """
    from cloudchamber.source.hdf5 import open_hdf5
    from cloudchamber.source.store import find_walls

    with open_hdf5(path) as file:
        return len(find_walls(file, path, True).x0)


def refuse_trained_on(test: Volumes, recipes: Iterable["Recipe"], others: Iterable[Path | None] = ()) -> None:
    """Refuse a test set that a training sees: one of its files, or the seed of a simulation.

    Parameters
    ----------
    others : files to train and to validate on.

    Raises
    ------
    InputError
        that names the recipe or the file.
    """
    from cloudchamber.source.hdf5 import open_hdf5, read_attributes

    attributes = simulation(test.wanted)
    if test.given is not None:
        for path in others:
            if path is not None and path.samefile(test.given):
                raise InputError(test.given, "", "another file than those to train on", "the same")
        with open_hdf5(test.given) as file:
            attributes = read_attributes(file, test.given)
    for recipe in recipes:
        used = [recipe.data.train, recipe.data.validation]
        used += [recipe.pseudo_labels.unlabelled] if recipe.pseudo_labels else []
        for each in used:
            if all(attributes.get(key) == value for key, value in simulation(each).items()):
                where = test.given or "--recipes"
                wanted = f"a test set apart from what {recipe.name} sees"
                raise InputError(where, "seed", wanted, f"the same seed, {each.seed}")
