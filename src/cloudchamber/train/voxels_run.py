"""A training on sparse events from a recipe to the last step; killed at any moment, it goes on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch
from safetensors.torch import load_file
from torch import nn
from torch.utils.data import DataLoader

from cloudchamber.model.registry import build_network
from cloudchamber.train.checkpoint import load_checkpoint
from cloudchamber.train.fit import fit, keep_recipe, load_position
from cloudchamber.train.resume import BEST, CHECKPOINT, read_metrics
from cloudchamber.train.voxels_batches import VoxelBatch, VoxelBatches
from cloudchamber.train.voxels_module import VoxelsModule
from cloudchamber.train.voxels_recipe import VoxelsRecipe
from cloudchamber.voxel_events import VoxelEvents


@dataclass(frozen=True)
class TrainedVoxels:
    """A finished run."""

    network: nn.Module
    metrics: list[dict[str, Any]]
    seconds: float


class VoxelsDataModule(L.LightningDataModule):
    """Training and validation batches; the position in the run is the module's."""

    def __init__(self, recipe: VoxelsRecipe, train: VoxelEvents, validation: VoxelEvents) -> None:
        super().__init__()
        self.recipe, self.train, self.validation = recipe, train, validation

    def _loader(self, events: VoxelEvents, **options: Any) -> DataLoader[VoxelBatch]:
        if self.trainer is not None:
            options |= {"rank": self.trainer.global_rank, "ranks": self.trainer.world_size}
        model, training = self.recipe.model, self.recipe.training
        return DataLoader(VoxelBatches(events, model.energy, training.batch, **options), batch_size=None)

    def train_dataloader(self) -> DataLoader[VoxelBatch]:
        """Return the rest of the present epoch."""
        module = self.trainer.lightning_module if self.trainer else None
        if not isinstance(module, VoxelsModule):
            raise TypeError("training batches need a VoxelsModule to know the epoch")
        options = self.recipe.training
        return self._loader(
            self.train, seed=options.seed, epoch=module.epoch, first=module.batch,
            symmetries=options.symmetries,
        )  # fmt: skip

    def val_dataloader(self) -> DataLoader[VoxelBatch]:
        """Return the validation events in order."""
        return self._loader(self.validation)


def train_voxels(
    recipe: VoxelsRecipe,
    train: VoxelEvents,
    validation: VoxelEvents,
    folder: Path,
    *,
    threads: int | None = None,
    checkpoint_seconds: float = 60.0,
) -> TrainedVoxels:
    """Train after a recipe, in a run folder; if the folder holds a run of this recipe, finish that.

    What the folder holds, and how a run resumes, is as in :func:`cloudchamber.train.run.train`.

    Raises
    ------
    InputError
        if the folder holds a run of another recipe, or a damaged checkpoint.
    ValueError
        if the events have no labels.
    """
    keep_recipe(folder, recipe)
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(recipe.training.seed)
    network = build_network(recipe.model.name, recipe.model.options)
    resume = load_position(network, folder)
    steps = max(1, len(train) // recipe.training.batch)
    module = VoxelsModule(network, recipe.training, steps, resume)
    if not module.finished:
        fit(module, VoxelsDataModule(recipe, train, validation), folder, checkpoint_seconds)
    if recipe.training.patience:
        network.load_state_dict(load_file(folder / BEST))
    network.eval()
    seconds = load_checkpoint(folder / CHECKPOINT)[2]["seconds"]
    return TrainedVoxels(network, read_metrics(folder / "metrics.jsonl"), seconds)
