"""A training on muons from a recipe to the last step; killed at any moment, it goes on where it was."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
import numpy as np
import torch
from jaxtyping import Float32
from safetensors.torch import load_file
from torch import nn
from torch.utils.data import DataLoader

from cloudchamber.calorimeter_events import CalorimeterEvents
from cloudchamber.errors import InputError
from cloudchamber.model.energy_output import EnergyOutput
from cloudchamber.model.registry import build_network
from cloudchamber.prepare.feature_scale import FeatureScale, fit_feature_scale
from cloudchamber.prepare.muon_symmetries import REFLECTIONS
from cloudchamber.prepare.muon_tables import PreparedMuons, prepare_muons
from cloudchamber.train.checkpoint import load_checkpoint
from cloudchamber.train.energy_batches import EnergyBatch, EnergyBatches
from cloudchamber.train.energy_loss import EnergyLoss
from cloudchamber.train.energy_module import EnergyLearner, EnergyModule
from cloudchamber.train.energy_recipe import EnergyRecipe
from cloudchamber.train.fit import fit, keep_recipe, load_position
from cloudchamber.train.resume import BEST, CHECKPOINT, read_metrics


@dataclass(frozen=True)
class TrainedEnergy:
    """A finished run: the network, what it reads and what its outputs mean."""

    network: nn.Module
    options: dict[str, Any]
    output: EnergyOutput
    scale: FeatureScale | None  # None if the network reads no features
    loss: float  # of the validation muons, at the best epoch
    metrics: list[dict[str, Any]]
    seconds: float


class Reading(NamedTuple):
    """How muons are prepared for a recipe's network: the arguments of ``prepare_muons``."""

    reflections: int
    least_mev: float
    features: bool


def reading_of(recipe: EnergyRecipe) -> Reading:
    """Return how the training muons of a recipe are prepared."""
    options = {**recipe.model.options, "outputs": recipe.output.outputs}
    config = build_network(recipe.model.name, options).config
    reflections = len(REFLECTIONS) if recipe.training.symmetries else 1
    return Reading(reflections, getattr(config, "least_mev", 0.0), getattr(config, "features", 0) > 0)


def prepared(
    muons: CalorimeterEvents | PreparedMuons, reading: Reading, reflections: int | None = None
) -> PreparedMuons:
    """Return muons prepared for a network, and as they are if they are prepared already.

    Raises
    ------
    ValueError
        if energies are not known, or features are wanted and it is not known where the muons enter, or muons
        were prepared for another network.
    """
    if reflections is not None:
        reading = reading._replace(reflections=reflections)
    truth = muons.muons if isinstance(muons, CalorimeterEvents) else muons.events.muons
    if truth is None or not np.all(truth["energy_gev"] > 0):
        raise ValueError("training needs muons whose energies are known")
    if isinstance(muons, CalorimeterEvents):
        muons = prepare_muons([muons], **reading._asdict())
    count, _, columns = muons.features.shape
    if count < reading.reflections or (columns > 0) != reading.features:
        raise ValueError("the muons were prepared for another network")
    return muons


class EnergyTables:
    """Features of training and validation muons, standardised."""

    def __init__(self, recipe: EnergyRecipe, train: PreparedMuons, validation: PreparedMuons) -> None:
        self.scale: FeatureScale | None = None
        self.train, self.validation = train.features, validation.features[:1]
        columns = train.features.shape[2]
        if columns:
            scale = fit_feature_scale(self.train.reshape(-1, columns), recipe.model.features)
            self.train, self.validation = (
                np.stack([scale(each) for each in table]) for table in (self.train, self.validation)
            )
            self.scale = scale


class EnergyDataModule(L.LightningDataModule):
    """Training and validation batches; the position in the run is the module's."""

    def __init__(
        self,
        recipe: EnergyRecipe,
        train: PreparedMuons,
        validation: PreparedMuons,
        tables: EnergyTables,
    ) -> None:
        super().__init__()
        self.recipe, self.tables = recipe, tables
        self.train, self.validation = train.events, validation.events

    def _loader(
        self,
        events: CalorimeterEvents,
        features: Float32[np.ndarray, "reflection event feature"],
        **options: Any,
    ) -> DataLoader[EnergyBatch]:
        if self.trainer is not None:
            options |= {"rank": self.trainer.global_rank, "ranks": self.trainer.world_size}
        batches = EnergyBatches(events, features, self.recipe.training.batch, **options)
        return DataLoader(batches, batch_size=None)

    def train_dataloader(self) -> DataLoader[EnergyBatch]:
        """Return the rest of the present epoch."""
        module = self.trainer.lightning_module if self.trainer else None
        if not isinstance(module, EnergyModule):
            raise TypeError("training batches need an EnergyModule to know the epoch")
        return self._loader(
            self.train,
            self.tables.train,
            seed=self.recipe.training.seed,
            epoch=module.epoch,
            first=module.batch,
        )

    def val_dataloader(self) -> DataLoader[EnergyBatch]:
        """Return the validation muons in order."""
        return self._loader(self.validation, self.tables.validation)


def train_energy(
    recipe: EnergyRecipe,
    train: CalorimeterEvents | PreparedMuons,
    validation: CalorimeterEvents | PreparedMuons,
    folder: Path,
    *,
    threads: int | None = None,
    checkpoint_seconds: float = 60.0,
) -> TrainedEnergy:
    """Train one network after a recipe, in a run folder; if the folder holds a run of it, finish that.

    Muons are prepared here, unless they are already (see ``reading_of``), which takes less memory.
    What the folder holds, and how a run resumes, is as in :func:`cloudchamber.train.run.train`. The network
    returned is that of the epoch with the lowest validation loss if the recipe has a patience.

    Raises
    ------
    InputError
        if the folder holds a run of another recipe, or a damaged checkpoint, or the loss was never finite.
    ValueError
        if energies are not known, or features are wanted and it is not known where the muons enter.
    """
    keep_recipe(folder, recipe)
    if threads:
        torch.set_num_threads(threads)
    reading = reading_of(recipe)
    train, validation = prepared(train, reading), prepared(validation, reading, reflections=1)
    options = {**recipe.model.options, "shape": train.events.grid.shape, "outputs": recipe.output.outputs}
    torch.manual_seed(recipe.training.seed)
    network = build_network(recipe.model.name, options)
    tables = EnergyTables(recipe, train, validation)
    energies = np.zeros(0) if train.events.muons is None else train.events.muons["energy_gev"]
    output = recipe.output.fitted(energies)
    learner = EnergyLearner(
        network, EnergyLoss(output, recipe.training.bins_gev, weigh=recipe.training.weigh_high)
    )
    resume = load_position(learner, folder)
    steps = max(1, len(train.events) // recipe.training.batch)
    module = EnergyModule(learner, recipe.training, steps, folder / BEST, resume)
    if not module.finished:
        fit(module, EnergyDataModule(recipe, train, validation, tables), folder, checkpoint_seconds)
    if recipe.training.patience:
        if not (folder / BEST).exists():
            raise InputError(folder, "val_loss", "a finite loss after one epoch or other", "none")
        learner.load_state_dict(load_file(folder / BEST))
    network.eval()
    state = load_checkpoint(folder / CHECKPOINT)[2]
    metrics = read_metrics(folder / "metrics.jsonl")
    loss = min(line["val_loss"] for line in metrics) if recipe.training.patience else metrics[-1]["val_loss"]
    return TrainedEnergy(network, options, output, tables.scale, loss, metrics, state["seconds"])


def train_energy_copies(
    recipe: EnergyRecipe,
    train: CalorimeterEvents | PreparedMuons,
    validation: CalorimeterEvents | PreparedMuons,
    folder: Path,
    *,
    threads: int | None = None,
    checkpoint_seconds: float = 60.0,
) -> list[TrainedEnergy]:
    """Train as many networks as the recipe has copies, with seeds that follow each other.

    A single one is trained in the folder itself, several in folders 0, 1, ... in it; the rest is as in
    ``train_energy``.
    """
    done = []
    for copy in range(recipe.copies):
        seeded = recipe.training.model_copy(update={"seed": recipe.training.seed + copy})
        one = recipe.model_copy(update={"training": seeded, "copies": 1})
        where = folder if recipe.copies == 1 else folder / str(copy)
        done.append(
            train_energy(
                one, train, validation, where, threads=threads, checkpoint_seconds=checkpoint_seconds
            )
        )
    return done
