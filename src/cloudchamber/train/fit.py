"""Running a training with Lightning: in a folder, to the last epoch, from wherever it stopped."""

import logging
import time
import warnings
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from pydantic import BaseModel
from rich.console import Console
from torch import nn

from cloudchamber.errors import InputError
from cloudchamber.files import write_text
from cloudchamber.train.checkpoint import load_checkpoint
from cloudchamber.train.epochs import EpochModule
from cloudchamber.train.resume import CHECKPOINT, Resumable

Position = tuple[dict[str, Any], dict[str, Any]]


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


def keep_recipe(folder: Path, recipe: BaseModel) -> None:
    """Write the recipe into the run folder, which may hold a run of no other.

    Raises
    ------
    InputError
        if it does.
    """
    record, text = folder / "recipe.json", recipe.model_dump_json(indent=2)
    if record.exists() and record.read_text(encoding="utf-8") != text:
        raise InputError(record, "", "the recipe this run began with", "another; give another --output")
    write_text(record, text)


def load_position(network: nn.Module, folder: Path) -> Position | None:
    """Give a network the weights of a folder's run; return optimiser and position, None if there is no run.

    Raises
    ------
    InputError
        if the checkpoint is damaged.
    """
    for left_behind in folder.glob(".*.safetensors.*.tmp"):
        left_behind.unlink()
    checkpoint = folder / CHECKPOINT
    if not checkpoint.exists():
        return None
    tensors, optimiser, position = load_checkpoint(checkpoint)
    network.load_state_dict(tensors)
    return optimiser, position


class _Report(L.Callback):
    """Say how an epoch went and how long the rest will take."""

    def __init__(self, epochs: int) -> None:
        self.epochs, self.console, self.began, self.done = epochs, Console(stderr=True), time.monotonic(), 0

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if isinstance(pl_module, EpochModule) and trainer.is_global_zero:
            self.done += 1
            left = (time.monotonic() - self.began) / self.done * (self.epochs - pl_module.epoch)
            figures = pl_module.figures
            self.console.print(
                f"epoch {pl_module.epoch}/{self.epochs}: training loss {figures['train_loss']:.4f}, "
                f"validation loss {figures['val_loss']:.4f}, {pl_module.headline}; "
                f"{left / 60:.1f} min left"
            )


def fit(module: EpochModule, data: L.LightningDataModule, folder: Path, checkpoint_seconds: float) -> None:
    """Train to the last epoch, with a checkpoint every so many seconds and after every epoch."""
    training = module.fitting
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
