"""A training on wire images from a recipe to the last step; killed at any moment, it goes on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.utils.data import DataLoader

from cloudchamber.errors import InputError
from cloudchamber.model.registry import build_network
from cloudchamber.prepare.beam_images import BeamImages
from cloudchamber.prepare.beam_input import BeamInput
from cloudchamber.train.beam_batches import BeamBatch, BeamBatches
from cloudchamber.train.beam_loss import class_weights
from cloudchamber.train.beam_module import BeamModule
from cloudchamber.train.beam_recipe import BeamRecipe
from cloudchamber.train.checkpoint import load_checkpoint
from cloudchamber.train.fit import fit, keep_recipe, load_position
from cloudchamber.train.resume import BEST, CHECKPOINT, read_metrics


@dataclass(frozen=True)
class TrainedBeam:
    """A finished run: the network and what it reads."""

    network: nn.Module
    options: dict[str, Any]
    inputs: BeamInput
    metrics: list[dict[str, Any]]
    seconds: float


class BeamDataModule(L.LightningDataModule):
    """Training and validation batches; the position in the run is the module's."""

    def __init__(
        self, recipe: BeamRecipe, inputs: BeamInput, train: BeamImages, validation: BeamImages
    ) -> None:
        super().__init__()
        self.recipe, self.inputs, self.train, self.validation = recipe, inputs, train, validation

    def _loader(self, images: BeamImages, **options: Any) -> DataLoader[BeamBatch]:
        if self.trainer is not None:
            options |= {"rank": self.trainer.global_rank, "ranks": self.trainer.world_size}
        batches = BeamBatches(images, self.inputs, self.recipe.training.batch, **options)
        return DataLoader(batches, batch_size=None)

    def train_dataloader(self) -> DataLoader[BeamBatch]:
        """Return the rest of the present epoch."""
        module = self.trainer.lightning_module if self.trainer else None
        if not isinstance(module, BeamModule):
            raise TypeError("training batches need a BeamModule to know the epoch")
        options = self.recipe.training
        return self._loader(
            self.train, changes=options.changes, seed=options.seed, epoch=module.epoch, first=module.batch
        )

    def val_dataloader(self) -> DataLoader[BeamBatch]:
        """Return the validation images in order."""
        return self._loader(self.validation)


def train_beam(
    recipe: BeamRecipe,
    train: BeamImages,
    validation: BeamImages,
    folder: Path,
    *,
    threads: int | None = None,
    checkpoint_seconds: float = 60.0,
) -> TrainedBeam:
    """Train after a recipe, in a run folder; if the folder holds a run of this recipe, finish that.

    What the folder holds, and how a run resumes, is as in :func:`cloudchamber.train.run.train`. The network
    returned is that of the epoch with the lowest validation loss if the recipe has a patience.

    Raises
    ------
    InputError
        if there are no images, the folder holds a run of another recipe, or a damaged checkpoint, or the
        loss was never finite.
    ValueError
        if the images have no labels.
    """
    for name, images in (("training", train), ("validation", validation)):
        if not len(images):
            least = recipe.data.images.least_beam
            raise InputError(name, "beam", f"an event with at least {least} beam hits", "none")
    if train.label is None:
        raise ValueError("training needs labels")
    keep_recipe(folder, recipe)
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(recipe.training.seed)
    labels = recipe.data.images.labels
    inputs = BeamInput(scale=recipe.model.scale, coordinates=recipe.model.coordinates).fitted(train)
    options = {
        **recipe.model.options, "inputs": inputs.channels, "classes": len(labels),
        "fine": recipe.data.images.read,
    }  # fmt: skip
    network = build_network(recipe.model.name, options)
    counts = np.bincount(train.label.ravel(), minlength=len(labels)).tolist()
    weights = class_weights(counts, recipe.training.loss.power)
    resume = load_position(network, folder)
    steps = max(1, len(train) // recipe.training.batch)
    module = BeamModule(network, recipe.training, steps, labels, weights, resume)
    if not module.finished:
        fit(module, BeamDataModule(recipe, inputs, train, validation), folder, checkpoint_seconds)
    if recipe.training.patience:
        if not (folder / BEST).exists():
            raise InputError(folder, "val_loss", "a finite loss after one epoch or other", "none")
        network.load_state_dict(load_file(folder / BEST))
    network.eval()
    seconds = load_checkpoint(folder / CHECKPOINT)[2]["seconds"]
    return TrainedBeam(network, options, inputs, read_metrics(folder / "metrics.jsonl"), seconds)
