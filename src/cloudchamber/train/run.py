"""A training run from a recipe to the last step; killed at any moment, it goes on where it was."""

import logging
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from jaxtyping import Float
from lightning.pytorch.loggers import TensorBoardLogger
from rich.console import Console
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.data import DataLoader

from cloudchamber.errors import InputError
from cloudchamber.files import write_text
from cloudchamber.model.registry import build_network
from cloudchamber.prepare.normalise import Inputs, fit_inputs
from cloudchamber.prepare.volumes import WallVolumes, named_maps, stack_maps
from cloudchamber.train.batches import Batch, WallBatches
from cloudchamber.train.checkpoint import load_checkpoint
from cloudchamber.train.module import SegmentationModule
from cloudchamber.train.recipe import Recipe
from cloudchamber.train.resume import BEST, CHECKPOINT, Resumable, read_metrics


@dataclass(frozen=True)
class Trained:
    """A finished run."""

    network: nn.Module
    inputs: Inputs
    metrics: list[dict[str, Any]]
    seconds: float


def helpful_precision(asked: str) -> Any:
    """Return Lightning's name of the precision: bf16 autocast where the hardware multiplies in bf16."""
    if asked == "auto":
        if torch.cuda.is_available():
            helps = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            helps = torch.backends.cpu.get_cpu_capability() == "AVX512" and bool(
                torch.cpu._is_avx512_bf16_supported()
            )
        asked = "bf16" if helps else "32"
    return "bf16-mixed" if asked == "bf16" else "32-true"


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


def _keep_recipe(folder: Path, recipe: Recipe) -> None:
    record, text = folder / "recipe.json", recipe.model_dump_json(indent=2)
    if record.exists() and record.read_text(encoding="utf-8") != text:
        raise InputError(record, "", "the recipe this run began with", "another; give another --output")
    write_text(record, text)


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
    _keep_recipe(folder, recipe)
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(recipe.training.seed)
    network = build_network(recipe.model.name, recipe.model.options)
    if begin:
        network.load_state_dict(begin[0])
        inputs = begin[1]
    else:
        inputs = fit_inputs(named_maps(train_volumes.maps, recipe.model.inputs), recipe.model.log_input)
    for left_behind in folder.glob(".*.safetensors.*.tmp"):
        left_behind.unlink()
    checkpoint, metrics = folder / CHECKPOINT, folder / "metrics.jsonl"
    resume = None
    if checkpoint.exists():
        tensors, optimiser, position = load_checkpoint(checkpoint)
        network.load_state_dict(tensors)
        resume = (optimiser, position)
    steps = max(1, len(train_volumes) // recipe.training.batch)
    module = SegmentationModule(network, recipe.training, steps, resume)
    if not module.finished:
        data = WallsData(recipe, train_volumes, validation, inputs, weights)
        _fit(recipe, module, data, folder, checkpoint_seconds)
    if recipe.training.patience:
        network.load_state_dict(load_file(folder / BEST))
    network.eval()
    return Trained(network, inputs, read_metrics(metrics), load_checkpoint(checkpoint)[2]["seconds"])


class _Report(L.Callback):
    """Say how an epoch went and how long the rest will take."""

    def __init__(self, epochs: int) -> None:
        self.epochs, self.console, self.began, self.done = epochs, Console(stderr=True), time.monotonic(), 0

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if isinstance(pl_module, SegmentationModule) and trainer.is_global_zero:
            self.done += 1
            left = (time.monotonic() - self.began) / self.done * (self.epochs - pl_module.epoch)
            figures = pl_module.figures
            self.console.print(
                f"epoch {pl_module.epoch}/{self.epochs}: training loss {figures['train_loss']:.4f}, "
                f"validation loss {figures['val_loss']:.4f}, IOU {figures['val_iou']:.4f}; "
                f"{left / 60:.1f} min left"
            )


def _fit(
    recipe: Recipe, module: SegmentationModule, data: WallsData, folder: Path, checkpoint_seconds: float
) -> None:
    training = recipe.training
    on_cpu = not torch.cuda.is_available()
    callbacks: list[L.Callback] = [
        Resumable(folder, module.epoch, checkpoint_seconds),
        _Report(training.epochs),
    ]
    with warnings.catch_warnings():
        # Batches are made in this process in well under a millisecond; worker processes would only cost.
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        # Lightning 2.6 asks torch 2.13 an old question about its own containers.
        warnings.filterwarnings("ignore", message=".*LeafSpec.*", category=FutureWarning)
        logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
        trainer = L.Trainer(
            accelerator="auto",
            devices=1 if on_cpu else "auto",
            max_epochs=training.epochs - module.epoch,
            reload_dataloaders_every_n_epochs=1,
            precision=helpful_precision(training.precision),
            gradient_clip_val=training.gradient_clip,
            deterministic=on_cpu,
            callbacks=callbacks,
            logger=TensorBoardLogger(folder, name="", version="tensorboard"),
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            log_every_n_steps=10**9,
        )
        trainer.fit(module, datamodule=data)
