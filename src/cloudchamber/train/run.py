"""A training run from a recipe to the last step; killed at any moment, it goes on where it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.data import DataLoader

from cloudchamber.model.registry import build_network
from cloudchamber.prepare.normalise import Inputs, fit_inputs
from cloudchamber.prepare.volumes import WallVolumes, named_maps, stack_maps
from cloudchamber.train.batches import Batch, WallBatches
from cloudchamber.train.checkpoint import load_checkpoint
from cloudchamber.train.fit import fit, keep_recipe, load_position
from cloudchamber.train.module import SegmentationModule
from cloudchamber.train.recipe import Recipe
from cloudchamber.train.resume import BEST, CHECKPOINT, read_metrics


@dataclass(frozen=True)
class Trained:
    """A finished run."""

    network: nn.Module
    inputs: Inputs
    metrics: list[dict[str, Any]]
    seconds: float


class WallsData(L.LightningDataModule):
    """Training and validation batches; the position in the run is the module's."""

    def __init__(
        self,
        recipe: Recipe,
        train: WallVolumes,
        validation: WallVolumes,
        inputs: Inputs,
        weights: Float[np.ndarray, "n"] | None = None,
    ) -> None:
        super().__init__()
        self.recipe, self.inputs, self.weights = recipe, inputs, weights
        self.train, self.validation = (
            (stack_maps(volumes.maps, inputs.names), volumes.walls) for volumes in (train, validation)
        )

    def _loader(self, volumes: tuple[np.ndarray, np.ndarray], **options: Any) -> DataLoader[Batch]:
        if self.trainer is not None:
            options |= {"rank": self.trainer.global_rank, "ranks": self.trainer.world_size}
        batches = WallBatches(*volumes, self.inputs, self.recipe.training.batch, **options)
        return DataLoader(batches, batch_size=None)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return the rest of the present epoch."""
        module = self.trainer.lightning_module if self.trainer else None
        if not isinstance(module, SegmentationModule):
            raise TypeError("training batches need a SegmentationModule to know the epoch")
        options = self.recipe.training
        return self._loader(
            self.train,
            seed=options.seed,
            epoch=module.epoch,
            first=module.batch,
            symmetries=options.symmetries,
            weights=self.weights,
        )

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return the validation volumes in order."""
        return self._loader(self.validation)


def train(
    recipe: Recipe,
    train_volumes: WallVolumes,
    validation: WallVolumes,
    folder: Path,
    *,
    threads: int | None = None,
    checkpoint_seconds: float = 60.0,
    weights: Float[np.ndarray, "n"] | None = None,
    begin: tuple[Mapping[str, Tensor], Inputs] | None = None,
) -> Trained:
    """Train after a recipe, in a run folder; if the folder holds a run of this recipe, finish that.

    The folder holds recipe.json, checkpoint.safetensors, metrics.jsonl (one line an epoch) and TensorBoard
    events. On a CPU, with the same number of threads, a run that was killed and resumed ends in the same
    weights and metrics, bit by bit, as one that was not. With ``patience`` the weights returned are those of
    the epoch with the lowest validation loss. ``weights`` say how often each volume is drawn.
    ``begin`` gives the weights of the network to begin with, and the standardisation that belongs to them.

    Raises
    ------
    InputError
        if the folder holds a run of another recipe, or a damaged checkpoint.
    """
    keep_recipe(folder, recipe)
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(recipe.training.seed)
    network = build_network(recipe.model.name, recipe.model.options)
    if begin:
        network.load_state_dict(begin[0])
        inputs = begin[1]
    else:
        inputs = fit_inputs(named_maps(train_volumes.maps, recipe.model.inputs), recipe.model.log_input)
    resume = load_position(network, folder)
    steps = max(1, len(train_volumes) // recipe.training.batch)
    module = SegmentationModule(network, recipe.training, steps, resume)
    if not module.finished:
        data = WallsData(recipe, train_volumes, validation, inputs, weights)
        fit(module, data, folder, checkpoint_seconds)
    if recipe.training.patience:
        network.load_state_dict(load_file(folder / BEST))
    network.eval()
    seconds = load_checkpoint(folder / CHECKPOINT)[2]["seconds"]
    return Trained(network, inputs, read_metrics(folder / "metrics.jsonl"), seconds)
