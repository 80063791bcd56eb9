"""Batches of sparse events whose order and symmetries follow from (seed, epoch, event) alone."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int64
from numpy.random import Generator, Philox
from torch import Tensor
from torch.utils.data import IterableDataset

from cloudchamber.prepare.cube import CUBE_SYMMETRIES
from cloudchamber.prepare.voxel_features import EnergyScale, place_voxels, scale_energy, take_events
from cloudchamber.voxel_events import VoxelEvents


class VoxelBatch(NamedTuple):
    """Some events: features, event and place of each voxel, its label, and the number of events."""

    features: Float32[Tensor, "voxel channel"]
    coordinates: Int64[Tensor, "voxel 4"]
    label: Int64[Tensor, "voxel"]
    events: int


class VoxelBatches(IterableDataset[VoxelBatch]):
    """Batches of one epoch, from batch ``first`` on.

    Parameters
    ----------
    events : with labels, kept in memory.
    epoch : with ``seed`` it fixes the order of the events and the symmetry of each; ``None``: in order, as
        they are (validation).
    rank, ranks : this process takes every ``ranks``-th event of a batch.

    Raises
    ------
    ValueError
        if the events have no labels.
    """

    def __init__(
        self,
        events: VoxelEvents,
        energy: EnergyScale,
        batch: int,
        *,
        seed: int = 0,
        epoch: int | None = None,
        symmetries: bool = False,
        first: int = 0,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        if events.label is None:
            raise ValueError("training needs labels")
        self.events, self.energy, self.batch, self.seed, self.epoch = events, energy, batch, seed, epoch
        self.symmetries = symmetries and len(set(events.shape)) == 1
        self.first, self.rank, self.ranks = first, rank, ranks

    @property
    def total(self) -> int:
        """Batches in a whole epoch; in training a last incomplete batch is left out."""
        n = len(self.events)
        return -(-n // self.batch) if self.epoch is None else max(1, n // self.batch)

    def __iter__(self) -> Iterator[VoxelBatch]:
        n = len(self.events)
        order, symmetry = np.arange(n), None
        if self.epoch is not None:
            rng = Generator(Philox(key=np.array([self.seed, self.epoch], dtype=np.uint64)))
            order = rng.permutation(n)
            symmetry = rng.integers(CUBE_SYMMETRIES, size=n) if self.symmetries else None
        for k in range(self.first, self.total):
            chosen = order[k * self.batch : (k + 1) * self.batch][self.rank :: self.ranks]
            some = take_events(self.events, chosen.tolist())
            if some.label is None:
                raise ValueError("training needs labels")
            yield VoxelBatch(
                torch.from_numpy(scale_energy(some.energy_mev, self.energy)),
                torch.from_numpy(place_voxels(some, None if symmetry is None else symmetry[chosen].tolist())),
                torch.from_numpy(some.label.astype(np.int64)),
                len(some),
            )
