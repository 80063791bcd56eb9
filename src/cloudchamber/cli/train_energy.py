"""Training on muons in a calorimeter, for ``cloudchamber train``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cloudchamber.cli.options import available_processors
from cloudchamber.cli.simulate_energy import load_energy_config, produce_muons
from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.calorimeter_events import CalorimeterEvents
    from cloudchamber.prepare.muon_tables import PreparedMuons
    from cloudchamber.train.energy_recipe import EnergyRecipe, SimulatedMuons


def _stored_muons(given: Path | None, default: Path, wanted: "SimulatedMuons", workers: int) -> Path:
    path = given or default
    if given is None and not path.exists():
        config = load_energy_config(wanted.setting)
        produce_muons(path, wanted.n, seed=wanted.seed, config=config, workers=workers)
    return path


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

    path = _stored_muons(given, default, wanted, workers)
    return read_muons(path, truth=True, stop=wanted.n)[0]


def prepare_training_muons(
    given: Path | None, default: Path, recipe: "EnergyRecipe", workers: int
) -> "PreparedMuons":
    """Read the training muons of a recipe block by block, and keep what its network reads.

    Raises
    ------
    InputError
        as ``load_training_muons``, or if it is not known where the muons enter.
    """
    from cloudchamber.prepare.muon_tables import prepare_muons
    from cloudchamber.source.energy import iterate_muons
    from cloudchamber.train.energy_run import reading_of

    wanted = recipe.data.train
    path = _stored_muons(given, default, wanted, workers)
    try:
        blocks = iterate_muons(path, truth=True, stop=wanted.n)
        return prepare_muons(blocks, **reading_of(recipe)._asdict())
    except InputError:
        raise
    except ValueError as error:
        raise InputError(path, "muons", "muons of known energies and entry points", str(error)) from error


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
    train = prepare_training_muons(data, output / "train.h5", chosen, processes)
    held_out = load_training_muons(validation, output / "validation.h5", wanted.validation, processes)
    done = train_energy_recipe(chosen, output, train, held_out, threads=threads, budget=budget)
    save_energy_bundle(output / "bundle", done.bundle)
    if done.deck is not None:
        print(f"validation MI {done.deck.mi.text(2)} %, corrected by the published curve")
    print(f"validation MI {done.score.mi.text(2)} %, by the median, on {done.score.n_muons:,} muons")
    print(output / "bundle")
