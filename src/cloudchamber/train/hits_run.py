"""A training on hits from a recipe to the last step; killed at any moment, it goes on where it was."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from jaxtyping import Bool, Float64
from safetensors.torch import load_file
from torch import nn
from torch.utils.data import DataLoader

from cloudchamber.errors import InputError
from cloudchamber.model.registry import build_network
from cloudchamber.prepare.hit_crops import CropIndex, find_crops
from cloudchamber.prepare.hit_images import HitImages
from cloudchamber.prepare.hit_patches import (
    PatchGroup,
    PatchIndex,
    join_indices,
    select_patches,
    select_vertices,
)
from cloudchamber.train.checkpoint import load_checkpoint
from cloudchamber.train.fit import fit, keep_recipe, load_position
from cloudchamber.train.hits_batches import CropBatches, Drawing, PatchBatches, PlaneBatches
from cloudchamber.train.hits_module import HitsLearner, HitsModule
from cloudchamber.train.hits_recipe import HitsRecipe
from cloudchamber.train.hits_teacher import Taught, lit_sample, teach
from cloudchamber.train.resume import BEST, CHECKPOINT, read_metrics


@dataclass(frozen=True)
class TrainedHits:
    """A finished run."""

    network: nn.Module
    metrics: list[dict[str, Any]]
    examples: int  # patches or crops to draw from
    seconds: float


def find_examples(recipe: HitsRecipe, images: HitImages) -> PatchIndex | CropIndex:
    """Return the patches or crops to train on.

    Raises
    ------
    ValueError
        if there are none.
    """
    scale, data, seed = recipe.model.scale, recipe.data, recipe.training.seed
    found: PatchIndex | CropIndex
    if recipe.model.reads == "plane":
        found = find_crops(images, data.crop, scale)
    elif recipe.model.reads == "patch":
        found = select_patches(images, scale, data.shares, seed=seed)
    else:
        found = select_vertices(images, scale, empty=data.empty, on_track=data.on_track, seed=seed)
    if not len(found):
        raise ValueError("the planes hold nothing to train on")
    return found


def with_michel(examples: PatchIndex | CropIndex) -> Bool[np.ndarray, "example"]:
    """Return which examples have a share of their own: those with a Michel electron."""
    if isinstance(examples, CropIndex):
        return examples.michel
    return np.asarray(examples.group == PatchGroup.MICHEL)


class HitsDataModule(L.LightningDataModule):
    """Training and validation batches; the position in the run is the module's."""

    def __init__(
        self,
        recipe: HitsRecipe,
        train: HitImages,
        validation: HitImages,
        examples: PatchIndex | CropIndex,
        taught: Taught | None = None,
    ) -> None:
        super().__init__()
        self.recipe, self.train, self.validation = recipe, train, validation
        self.examples, self.taught = examples, taught
        self.side = recipe.data.crop
        if recipe.model.reads != "plane":
            self.side = int(recipe.model.options.get("patch", 48))

    @property
    def ranks(self) -> dict[str, Any]:
        """Which process this is, of how many."""
        trainer = self.trainer
        return {"rank": trainer.global_rank, "ranks": trainer.world_size} if trainer is not None else {}

    def drawing(self, loss: Float64[np.ndarray, "example"], epoch: int) -> Drawing:
        """Return how the examples of an epoch are drawn; of vertices none has a share of its own."""
        options = self.recipe.training
        michel = with_michel(self.examples)
        if self.recipe.model.reads == "vertex-patch":
            michel = np.zeros(len(self.examples), bool)
        return Drawing(loss, michel, options.draw, options.seed, epoch)

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the rest of the present epoch."""
        module = self.trainer.lightning_module if self.trainer else None
        if not isinstance(module, HitsModule):
            raise TypeError("training batches need a HitsModule to know the epoch")
        options, scale = self.recipe.training, self.recipe.model.scale
        drawing = self.drawing(module.begin_epoch(), module.epoch)
        common: dict[str, Any] = {
            "side": self.side,
            "drawing": drawing,
            "augment": options.augment,
            "first": module.batch,
        }
        batches: PatchBatches | CropBatches
        if isinstance(self.examples, CropIndex):
            batches = CropBatches(
                self.train, self.examples, scale, options.batch, taught=self.taught, **common, **self.ranks
            )
        else:
            batches = PatchBatches(self.train, self.examples, scale, options.batch, **common, **self.ranks)
        return DataLoader(batches, batch_size=None)

    def val_dataloader(self) -> DataLoader[Any]:
        """Return validation planes, or patches: lit pixels at random, or vertices as they are trained on."""
        recipe, images, scale = self.recipe, self.validation, self.recipe.model.scale
        if recipe.model.reads == "plane":
            return DataLoader(PlaneBatches(images, scale, **self.ranks), batch_size=None)
        if recipe.model.reads == "patch":
            each = -(-recipe.data.validation_patches // len(images))
            at = join_indices([lit_sample(images, k, scale, each, 0) for k in range(len(images))])
        else:
            at = select_vertices(images, scale, empty=recipe.data.empty, on_track=recipe.data.on_track)
        return DataLoader(PatchBatches(images, at, scale, 512, side=self.side, **self.ranks), batch_size=None)


def train_hits(
    recipe: HitsRecipe,
    train: HitImages,
    validation: HitImages,
    folder: Path,
    *,
    teacher: nn.Module | None = None,
    threads: int | None = None,
    checkpoint_seconds: float = 60.0,
) -> TrainedHits:
    """Train after a recipe, in a run folder; if the folder holds a run of this recipe, finish that.

    What the folder holds, and how a run resumes, is as in :func:`cloudchamber.train.run.train`. ``teacher``
    is a network of patches, where the recipe wants one.

    Raises
    ------
    InputError
        if the folder holds a run of another recipe, or a damaged checkpoint, or the loss was never finite.
    ValueError
        if there is nothing to train on, or a teacher is missing.
    """
    keep_recipe(folder, recipe)
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(recipe.training.seed)
    network = build_network(recipe.model.name, recipe.model.options)
    examples = find_examples(recipe, train)
    taught = None
    if recipe.teacher is not None:
        if teacher is None:
            raise ValueError("this recipe needs a teacher")
        scale, per_event = recipe.model.scale, recipe.teacher.per_event
        taught = teach(teacher, train, scale, per_event, recipe.training.seed)
    learner = HitsLearner(network, recipe.model.reads, recipe.training.loss, len(examples))
    resume = load_position(learner, folder)
    drawn = recipe.training.draw.per_epoch or len(examples)
    module = HitsModule(learner, recipe.training, max(1, drawn // recipe.training.batch), resume)
    if not module.finished:
        data = HitsDataModule(recipe, train, validation, examples, taught)
        fit(module, data, folder, checkpoint_seconds)
    if recipe.training.patience:
        if not (folder / BEST).exists():
            raise InputError(folder, "val_loss", "a finite loss after one epoch or other", "none")
        learner.load_state_dict(load_file(folder / BEST))
    network.eval()
    seconds = load_checkpoint(folder / CHECKPOINT)[2]["seconds"]
    return TrainedHits(network, read_metrics(folder / "metrics.jsonl"), len(examples), seconds)
