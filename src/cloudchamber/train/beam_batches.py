"""Batches of wire images whose order and small changes follow from (seed, epoch, image) alone."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int64
from numpy.random import Generator, Philox
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.utils.data import IterableDataset

from cloudchamber.prepare.beam_images import BeamImages
from cloudchamber.prepare.beam_input import BeamInput


class BeamChanges(BaseModel):
    """How images are changed from epoch to epoch. No flips: the beam enters at one place, at one time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shift: int = Field(default=0, ge=0, description="pixels along the drift, to either side, at most")
    gain: float = Field(default=0.0, ge=0, lt=1, description="standard deviation of a factor on the signal")
    noise: float = Field(default=0.0, ge=0, description="noise added, at most, in units of the input's size")


class BeamBatch(NamedTuple):
    """Some images: what a network reads, and the class of each pixel."""

    read: Float32[Tensor, "image channel wire drift"]
    label: Int64[Tensor, "image wire2 drift2"]


def _shifted(values: np.ndarray, pixels: int, empty: float) -> np.ndarray:
    moved = np.full_like(values, empty)
    if pixels >= 0:
        moved[:, pixels:] = values[:, : values.shape[1] - pixels]
    else:
        moved[:, :pixels] = values[:, -pixels:]
    return moved


class BeamBatches(IterableDataset[BeamBatch]):
    """Batches of one epoch, from batch ``first`` on.

    Parameters
    ----------
    images : with labels, kept in memory.
    epoch : with ``seed`` it fixes the order of the images and the changes of each; ``None``: in order, as
        they are (validation).
    rank, ranks : this process takes every ``ranks``-th image of a batch.

    Raises
    ------
    ValueError
        if the images have no labels.
    """

    def __init__(
        self,
        images: BeamImages,
        inputs: BeamInput,
        batch: int,
        *,
        changes: BeamChanges | None = None,
        seed: int = 0,
        epoch: int | None = None,
        first: int = 0,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        if images.label is None:
            raise ValueError("training needs labels")
        self.images, self.label, self.inputs, self.batch = images, images.label, inputs, batch
        self.changes, self.seed, self.epoch = changes or BeamChanges(), seed, epoch
        self.first, self.rank, self.ranks = first, rank, ranks

    @property
    def total(self) -> int:
        """Batches in a whole epoch; in training a last incomplete batch is left out."""
        n = len(self.images)
        return -(-n // self.batch) if self.epoch is None else max(1, n // self.batch)

    def _changed(self, image: int) -> tuple[np.ndarray, np.ndarray]:
        """Return signal and label of an image as it is seen in this epoch."""
        signal, label = self.images.signal([image])[0], self.label[image]
        changes, epoch = self.changes, self.epoch
        if epoch is None or changes == BeamChanges():
            return signal, label
        rng = Generator(Philox(key=np.array([self.seed, epoch], np.uint64), counter=[0, 0, 0, image + 1]))
        if changes.shift:
            pixels = int(rng.integers(-changes.shift, changes.shift + 1))
            fine = signal.shape[1] // label.shape[1]
            signal = _shifted(signal, pixels * fine, float(np.median(signal)))
            label = _shifted(label, pixels, 0)
        if changes.gain:
            signal = signal * np.float32(np.exp(changes.gain * rng.standard_normal()))
        if changes.noise:
            size = changes.noise * self.inputs.size * rng.random()
            signal = signal + np.float32(size) * rng.standard_normal(signal.shape, np.float32)
        return signal, label

    def __iter__(self) -> Iterator[BeamBatch]:
        n = len(self.images)
        order = np.arange(n)
        if self.epoch is not None:
            order = Generator(Philox(key=np.array([self.seed, self.epoch], dtype=np.uint64))).permutation(n)
        for k in range(self.first, self.total):
            chosen = order[k * self.batch : (k + 1) * self.batch][self.rank :: self.ranks]
            signals, labels = zip(*(self._changed(int(image)) for image in chosen), strict=True)
            yield BeamBatch(
                self.inputs(np.stack(signals)), torch.from_numpy(np.stack(labels).astype(np.int64))
            )
