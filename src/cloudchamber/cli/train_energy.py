"""Training on muons in a calorimeter, for ``cloudchamber train``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cloudchamber.cli.options import available_processors
from cloudchamber.cli.simulate_energy import load_energy_config, produce_muons

if TYPE_CHECKING:
    from cloudchamber.calorimeter_events import CalorimeterEvents
    from cloudchamber.train.energy_recipe import SimulatedMuons


def load_training_muons(
    given: Path | None, default: Path, wanted: "SimulatedMuons", workers: int
) -> "CalorimeterEvents":
    """Read the muons a recipe asks for: from a file given, or one that is simulated where it is missing.

    Raises
    ------
    InputError
        if the file has no truth, or fewer muons than wanted.
    """
    from cloudchamber.source.energy import read_muons

    path = given or default
    if given is None and not path.exists():
        config = load_energy_config(wanted.setting)
        produce_muons(path, wanted.n, seed=wanted.seed, config=config, workers=workers)
    return read_muons(path, truth=True, stop=wanted.n)[0]


def train_energy(
    recipe: str,
    output: Path,
    *,
    data: Path | None,
    validation: Path | None,
    budget: str | None,
    workers: int | None,
    threads: int | None,
) -> None:
    """Train after a recipe for muon energies and write the bundle."""
    from cloudchamber.infer.energy_bundle import save_energy_bundle
    from cloudchamber.infer.energy_finish import train_energy_recipe
    from cloudchamber.train.energy_recipe import load_energy_recipe

    chosen = load_energy_recipe(recipe, budget)
    wanted, options = chosen.data, chosen.training
    print(
        f"recipe {chosen.name}: {wanted.train.n:,} muons, {options.epochs} epochs, batches of "
        f"{options.batch}; run folder {output}",
        file=sys.stderr,
    )
    processes = workers or available_processors()
    train = load_training_muons(data, output / "train.h5", wanted.train, processes)
    held_out = load_training_muons(validation, output / "validation.h5", wanted.validation, processes)
    done = train_energy_recipe(chosen, output, train, held_out, threads=threads, budget=budget)
    save_energy_bundle(output / "bundle", done.bundle)
    print(f"validation MI {done.score.mi.text(2)} % on {done.score.n_muons:,} muons")
    print(output / "bundle")
