"""Batches of patches, of crops and of whole planes: made on the fly, from (seed, epoch, batch) alone."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64, Int64, UInt8
from torch import Tensor
from torch.utils.data import IterableDataset

from cloudchamber.prepare.hit_augment import HitAugment, batch_generator
from cloudchamber.prepare.hit_crops import CropIndex, Crops, cut_crops
from cloudchamber.prepare.hit_draw import HitDraw, draw_epoch
from cloudchamber.prepare.hit_images import HitImages, HitScale, scale_codes
from cloudchamber.prepare.hit_patches import PatchIndex, cut_patches
from cloudchamber.train.hits_teacher import Taught


class PatchBatch(NamedTuple):
    """Patches: which examples, the image, and truth packed as in ``prepare.hit_images``."""

    example: Int64[Tensor, "patch"]
    x: Float32[Tensor, "patch 1 side side"]
    target: UInt8[Tensor, "patch"]


class PlaneBatch(NamedTuple):
    """Crops or planes: which examples, image, truth, bright pixels; and a teacher's answers, if there is one.

    ``taught_at`` are crop, wire and drift of the pixels with answers, ``taught`` the answers.
    """

    example: Int64[Tensor, "crop"]
    x: Float32[Tensor, "crop 1 wire drift"]
    target: UInt8[Tensor, "crop wire drift"]
    bright: Bool[Tensor, "crop wire drift"]
    taught_at: Int64[Tensor, "pixel 3"]
    taught: Float32[Tensor, "pixel 4"]


class Drawing(NamedTuple):
    """How the examples of an epoch are drawn: their last losses, which hold a Michel electron, how many."""

    loss: Float64[np.ndarray, "example"]
    michel: Bool[np.ndarray, "example"]
    draw: HitDraw
    seed: int
    epoch: int

    def order(self) -> Int64[np.ndarray, "drawn"]:
        """Return the examples of the epoch."""
        return draw_epoch(self.loss, self.michel, self.draw, seed=self.seed, epoch=self.epoch)


class PatchBatches(IterableDataset[PatchBatch]):
    """Batches of patches of one epoch, from batch ``first`` on.

    ``drawing`` None: every patch once, in order, as it is (validation). ``rank, ranks``: this process takes
    every ``ranks``-th patch of a batch.
    """

    def __init__(
        self,
        images: HitImages,
        at: PatchIndex,
        scale: HitScale,
        batch: int,
        *,
        side: int,
        drawing: Drawing | None = None,
        augment: HitAugment | None = None,
        first: int = 0,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        self.images, self.at, self.scale, self.batch, self.side = images, at, scale, batch, side
        self.drawing, self.augment, self.first = drawing, augment, first
        self.rank, self.ranks = rank, ranks

    def __iter__(self) -> Iterator[PatchBatch]:
        drawing = self.drawing
        order = np.arange(len(self.at)) if drawing is None else drawing.order()
        total = -(-len(order) // self.batch) if drawing is None else max(1, len(order) // self.batch)
        for k in range(self.first, total):
            chosen = order[k * self.batch : (k + 1) * self.batch][self.rank :: self.ranks]
            at = self.at.chosen(chosen)
            rng = None
            if drawing is not None:
                rng = batch_generator(drawing.seed, drawing.epoch, k * self.ranks + self.rank)
            x = cut_patches(
                self.images, at, self.scale, side=self.side, augment=self.augment if rng else None, rng=rng
            )
            target = self.images.target[at.event, at.wire, at.drift]
            yield PatchBatch(torch.from_numpy(chosen), torch.from_numpy(x), torch.from_numpy(target))


def _taught_in(
    taught: Taught | None, event: Int64[np.ndarray, "crop"], crops: Crops
) -> tuple[Int64[np.ndarray, "pixel 3"], Float32[np.ndarray, "pixel 4"]]:
    """Return where in the crops a teacher has answered, and the answers."""
    places, answers = [np.empty((0, 3), np.int64)], [np.empty((0, 4), np.float32)]
    size = np.array(crops.target.shape[1:])
    for k, which in enumerate(event if taught is not None else ()):
        rows = slice(taught.offsets[which], taught.offsets[which + 1])  # type: ignore[union-attr]
        place = taught.place[rows].astype(np.int64) - crops.start[k]  # type: ignore[union-attr]
        inside = ((place >= 0) & (place < size)).all(axis=1)
        place = np.where(crops.flip[k], size - 1 - place, place)[inside]
        places.append(np.column_stack([np.full(len(place), k), place]))
        answers.append(taught.probability[rows][inside].astype(np.float32))  # type: ignore[union-attr]
    return np.concatenate(places), np.concatenate(answers)


class CropBatches(IterableDataset[PlaneBatch]):
    """Batches of crops of one epoch, from batch ``first`` on; rank and ranks as of ``PatchBatches``."""

    def __init__(
        self,
        images: HitImages,
        at: CropIndex,
        scale: HitScale,
        batch: int,
        *,
        side: int,
        drawing: Drawing,
        augment: HitAugment,
        taught: Taught | None = None,
        first: int = 0,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        self.images, self.at, self.scale, self.batch, self.side = images, at, scale, batch, side
        self.drawing, self.augment, self.taught, self.first = drawing, augment, taught, first
        self.rank, self.ranks = rank, ranks

    def __iter__(self) -> Iterator[PlaneBatch]:
        order, drawing = self.drawing.order(), self.drawing
        for k in range(self.first, max(1, len(order) // self.batch)):
            chosen = order[k * self.batch : (k + 1) * self.batch][self.rank :: self.ranks]
            event = self.at.event[chosen]
            start = np.stack([self.at.wire[chosen], self.at.drift[chosen]], axis=1).astype(np.int64)
            rng = batch_generator(drawing.seed, drawing.epoch, k * self.ranks + self.rank)
            crops = cut_crops(self.images, event, start, self.side, self.scale, augment=self.augment, rng=rng)
            places, answers = _taught_in(self.taught, event.astype(np.int64), crops)
            yield PlaneBatch(
                torch.from_numpy(chosen), torch.from_numpy(crops.x), torch.from_numpy(crops.target),
                torch.from_numpy(crops.bright), torch.from_numpy(places), torch.from_numpy(answers),
            )  # fmt: skip


class PlaneBatches(IterableDataset[PlaneBatch]):
    """Whole planes, one by one, in order."""

    def __init__(self, images: HitImages, scale: HitScale, *, rank: int = 0, ranks: int = 1) -> None:
        self.images, self.scale, self.rank, self.ranks = images, scale, rank, ranks

    def __iter__(self) -> Iterator[PlaneBatch]:
        images, scale = self.images, self.scale
        for event in range(self.rank, len(images), self.ranks):
            x = scale_codes(images.code[event : event + 1], images.readout, scale)
            yield PlaneBatch(
                torch.tensor([event]), torch.from_numpy(scale.clip(x)[:, None]),
                torch.from_numpy(images.target[event : event + 1]), torch.from_numpy(x > scale.active),
                torch.empty(0, 3, dtype=torch.int64), torch.empty(0, 4),
            )  # fmt: skip
