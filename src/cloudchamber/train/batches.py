"""Batches whose order and augmentation follow from (seed, epoch, sample) alone, so that a run can resume."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.random import Generator, Philox
from torch import Tensor
from torch.utils.data import IterableDataset

from cloudchamber.prepare.normalise import Inputs
from cloudchamber.prepare.symmetries import count_symmetries, transform

Batch = tuple[Float[Tensor, "n map z x y"], Float[Tensor, "n 1 z x y"]]


class WallBatches(IterableDataset[Batch]):
    """Batches of one epoch, from batch ``first`` on.

    Parameters
    ----------
    maps, walls : (sample, map, z, x, y) and (sample, z, x, y), kept in memory.
    epoch : with ``seed`` it fixes the order of the samples and the symmetry of each; ``None``: in order, as
        they are (validation).
    weights : how often each sample comes, relative to the others; an epoch then draws with replacement.
    rank, ranks : this process takes every ``ranks``-th sample of a batch.
    """

    def __init__(
        self,
        maps: Float[np.ndarray, "n map z x y"],
        walls: Bool[np.ndarray, "n z x y"],
        inputs: Inputs,
        batch: int,
        *,
        seed: int = 0,
        epoch: int | None = None,
        symmetries: bool = False,
        weights: Float[np.ndarray, "n"] | None = None,
        first: int = 0,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        self.maps, self.walls, self.inputs = maps, walls, inputs
        self.batch, self.seed, self.epoch, self.symmetries = batch, seed, epoch, symmetries
        self.weights = None if weights is None else weights / weights.sum()
        self.first, self.rank, self.ranks = first, rank, ranks

    @property
    def total(self) -> int:
        """Batches in a whole epoch; in training a last incomplete batch is left out."""
        n = len(self.maps)
        return -(-n // self.batch) if self.epoch is None else max(1, n // self.batch)

    def _take(self, chosen: np.ndarray, symmetry: np.ndarray | None) -> Batch:
        maps = torch.from_numpy(self.maps[chosen])
        walls = torch.from_numpy(self.walls[chosen]).to(torch.float32)
        if symmetry is not None:
            for k in np.unique(symmetry):
                of_kind = torch.from_numpy(np.flatnonzero(symmetry == k))
                maps[of_kind] = transform(maps[of_kind], int(k))
                walls[of_kind] = transform(walls[of_kind], int(k))
        return self.inputs(maps), walls[:, None]

    def __iter__(self) -> Iterator[Batch]:
        n = len(self.maps)
        if self.epoch is None:
            order, symmetry = np.arange(n), None
        else:
            rng = Generator(Philox(key=np.array([self.seed, self.epoch], dtype=np.uint64)))
            order = rng.permutation(n)
            if self.weights is not None:
                order = rng.choice(n, size=n, p=self.weights)
            kinds = count_symmetries(*self.walls.shape[2:])
            symmetry = rng.integers(kinds, size=n) if self.symmetries else None
        for k in range(self.first, self.total):
            chosen = order[k * self.batch : (k + 1) * self.batch][self.rank :: self.ranks]
            yield self._take(chosen, None if symmetry is None else symmetry[chosen])
