"""What ``cloudchamber compare hits`` trains and measures on: recipes, and test sets with one change."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.infer.hits_bundle import HitsBundle

# Factors on what the detector does, each alone. The same seed draws the same particles, so that the events of
# all sets are the same but for what the factor changes.
VARIATIONS: dict[str, dict[str, float]] = {
    "nominal": {},
    "noise x 2": {"noise.scale": 2.0},
    "gain x 0.8": {"electronics.gain": 0.8},
    "gain x 1.2": {"electronics.gain": 1.2},
    "lifetime x 0.1": {"drift.lifetime_ms": 0.1},
    "diffusion x 3": {"drift.longitudinal_cm2_s": 3.0, "drift.transverse_cm2_s": 3.0},
}


def check_set(path: Path, n: int, seed: int | None) -> None:
    """Check that a data set has n events or more, made with a seed.

    Raises
    ------
    InputError
        if not.
    """
    from cloudchamber.source.hdf5 import open_hdf5, read_attributes
    from cloudchamber.source.wire_files import count_wire_file

    found = count_wire_file(path)
    if found < n:
        raise InputError(path, "", f"{n} events", f"{found}; give a smaller -n or another --output")
    if seed is not None:
        with open_hdf5(path) as file:
            made_with = read_attributes(file, path).get("seed")
        if made_with != seed:
            raise InputError(path, "attribute seed", f"{seed}; or give another --output", repr(made_with))


def varied_set(folder: Path, name: str, n: int, seed: int, workers: int) -> Path:
    """Return the file of a test set with one thing changed, simulated where it is missing.

    Raises
    ------
    InputError
        if there is one of fewer events, or of another seed.
    """
    from cloudchamber.cli.simulate_wires import load_wires_config, produce_readouts, with_options

    path = folder / f"test-{name.replace(' ', '-')}.h5"
    if not path.exists():
        config = load_wires_config("protodune-sp")
        changes: dict[str, Any] = {}
        for key, factor in VARIATIONS[name].items():
            section, _, entry = key.rpartition(".")
            changes[key] = getattr(getattr(config, section), entry) * factor
        produce_readouts(path, n, seed=seed, config=with_options(config, changes), workers=workers)
    check_set(path, n, seed)
    return path


def train_missing(
    recipes: Sequence[str],
    output: Path,
    *,
    budget: str | None,
    data: Path | None,
    validation: Path | None,
    workers: int,
    threads: int | None,
) -> "dict[str, HitsBundle]":
    """Return the models by their recipes' names, trained where missing; all share the events of the largest.

    A recipe with a teacher learns from hits/paper, if that is among those before it.

    Raises
    ------
    InputError
        if there is no such recipe or budget, recipes simulate other events, or there are too few.
    """
    from cloudchamber.cli.train_hits import stored_readouts, train_hits
    from cloudchamber.infer.hits_bundle import load_hits_bundle
    from cloudchamber.train.hits_recipe import load_hits_recipe

    plan = {name: load_hits_recipe(name, budget) for name in recipes}
    files: dict[str, Path] = {}
    for part, given in (("train", data), ("validation", validation)):
        wanted = [getattr(recipe.data, part) for recipe in plan.values()]
        kinds = {(each.seed, each.setting) for each in wanted}
        if given is None and len(kinds) > 1:
            raise InputError("--recipes", f"data.{part}", "one seed and setting, or --data", str(kinds))
        if any(not (output / Path(name).stem / "bundle").exists() for name in recipes):
            most = max(wanted, key=lambda each: each.n)
            files[part] = stored_readouts(given, output / f"{part}.h5", most, workers)
    models = {}
    taught_by = output / "paper" / "bundle"
    for name, recipe in plan.items():
        run = output / Path(name).stem
        if not (run / "bundle").exists():
            teacher = str(taught_by) if recipe.teacher is not None and taught_by.exists() else None
            train_hits(
                name, run, data=files["train"], validation=files["validation"], budget=budget,
                workers=workers, threads=threads, teacher=teacher,
            )  # fmt: skip
        models[recipe.name] = load_hits_bundle(run / "bundle")
    return models
