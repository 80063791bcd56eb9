"""A training on muons from a recipe to the last step; killed at any moment, it goes on where it was."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from cloudchamber.prepare.muon_symmetries import REFLECTIONS, reflected_features
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


class EnergyTables:
    """Features of training and validation muons, made once, and how they are standardised.

    Raises
    ------
    ValueError
        if energies are not known, or features are wanted and it is not known where the muons enter.
    """

    def __init__(
        self, recipe: EnergyRecipe, train: CalorimeterEvents, validation: CalorimeterEvents, features: int
    ) -> None:
        for events in (train, validation):
            if events.muons is None or not np.all(events.muons["energy_gev"] > 0):
                raise ValueError("training needs muons whose energies are known")
        self.scale: FeatureScale | None = None
        reflections = len(REFLECTIONS) if recipe.training.symmetries else 1
        self.train = np.empty((reflections, len(train), 0), np.float32)
        self.validation = np.empty((1, len(validation), 0), np.float32)
        if features:
            raw, held_out = reflected_features(train, reflections), reflected_features(validation, 1)
            self.scale = fit_feature_scale(raw.reshape(-1, raw.shape[2]), recipe.model.features)
            self.train, self.validation = (
                np.stack([self.scale(each) for each in table]) for table in (raw, held_out)
            )


class EnergyDataModule(L.LightningDataModule):
    """Training and validation batches; the position in the run is the module's."""

    def __init__(
        self,
        recipe: EnergyRecipe,
        train: CalorimeterEvents,
        validation: CalorimeterEvents,
        tables: EnergyTables,
    ) -> None:
        super().__init__()
        self.recipe, self.train, self.validation, self.tables = recipe, train, validation, tables

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
    train: CalorimeterEvents,
    validation: CalorimeterEvents,
    folder: Path,
    *,
    threads: int | None = None,
    checkpoint_seconds: float = 60.0,
) -> TrainedEnergy:
    """Train one network after a recipe, in a run folder; if the folder holds a run of it, finish that.

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
    torch.manual_seed(recipe.training.seed)
    options = {**recipe.model.options, "shape": train.grid.shape, "outputs": recipe.output.outputs}
    network = build_network(recipe.model.name, options)
    features: int = network.config.features  # type: ignore[assignment, union-attr]
    tables = EnergyTables(recipe, train, validation, features)
    energies = np.zeros(0) if train.muons is None else train.muons["energy_gev"]
    output = recipe.output.fitted(energies)
    learner = EnergyLearner(
        network, EnergyLoss(output, recipe.training.bins_gev, weigh=recipe.training.weigh_high)
    )
    resume = load_position(learner, folder)
    steps = max(1, len(train) // recipe.training.batch)
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
    train: CalorimeterEvents,
    validation: CalorimeterEvents,
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
