"""Batches of muons whose order and reflections follow from (seed, epoch, muon) alone."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int64
from numpy.random import Generator, Philox
from torch import Tensor
from torch.utils.data import IterableDataset

from cloudchamber.calorimeter_events import CalorimeterEvents
from cloudchamber.prepare.muon_symmetries import REFLECTIONS, reflect_positions


class EnergyBatch(NamedTuple):
    """Some muons: energy and place (muon, iz, ix, iy) of their cells, features, and true energy or NaN."""

    energy_gev: Float32[Tensor, "cell"]
    coordinates: Int64[Tensor, "cell 4"]
    features: Float32[Tensor, "n feature"]
    truth_gev: Float32[Tensor, "n"]


def make_batch(
    events: CalorimeterEvents,
    chosen: Int64[np.ndarray, "n"],
    features: Float32[np.ndarray, "n feature"],
    reflections: Int64[np.ndarray, "n"] | None = None,
) -> EnergyBatch:
    """Return some muons with their standardised features, each reflected as told (see ``REFLECTIONS``)."""
    starts, counts = events.cell_offsets[chosen], np.diff(events.cell_offsets)[chosen]
    ends = np.cumsum(counts)
    cells = np.repeat(starts - ends + counts, counts) + np.arange(counts.sum())
    muon = np.repeat(np.arange(len(chosen)), counts)
    position = events.position[cells]
    if reflections is not None:
        position = reflect_positions(position, events.grid, reflections[muon])
    coordinates = np.concatenate([muon[:, None], position], axis=1).astype(np.int64)
    unknown = np.full(len(chosen), np.nan, np.float32)
    truth = unknown if events.muons is None else events.muons["energy_gev"][chosen]
    return EnergyBatch(
        torch.from_numpy(events.energy_gev[cells]),
        torch.from_numpy(coordinates),
        torch.from_numpy(np.ascontiguousarray(features)),
        torch.from_numpy(np.ascontiguousarray(truth)),
    )


class EnergyBatches(IterableDataset[EnergyBatch]):
    """Batches of one epoch, from batch ``first`` on.

    Parameters
    ----------
    events : kept in memory.
    features : standardised, of the muons as they are and, if they are to be reflected, after each of
        ``REFLECTIONS``.
    epoch : with ``seed`` it fixes the order of the muons and the reflection of each; ``None``: in order, as
        they are (validation).
    rank, ranks : this process takes every ``ranks``-th muon of a batch.

    Raises
    ------
    ValueError
        if there are features of another number of muons.
    """

    def __init__(
        self,
        events: CalorimeterEvents,
        features: Float32[np.ndarray, "reflection event feature"],
        batch: int,
        *,
        seed: int = 0,
        epoch: int | None = None,
        first: int = 0,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        if features.ndim != 3 or features.shape[1] != len(events):
            raise ValueError(f"features of {len(events)} muons, not an array of shape {features.shape}")
        self.events, self.features, self.batch = events, features, batch
        self.seed, self.epoch, self.first = seed, epoch, first
        self.rank, self.ranks = rank, ranks
        self.symmetries = len(features) == len(REFLECTIONS)

    @property
    def total(self) -> int:
        """Batches in a whole epoch; in training a last incomplete batch is left out."""
        n = len(self.events)
        return -(-n // self.batch) if self.epoch is None else max(1, n // self.batch)

    def __iter__(self) -> Iterator[EnergyBatch]:
        n = len(self.events)
        order, reflections = np.arange(n), np.zeros(n, np.int64)
        if self.epoch is not None:
            rng = Generator(Philox(key=np.array([self.seed, self.epoch], dtype=np.uint64)))
            order = rng.permutation(n)
            if self.symmetries:
                reflections = rng.integers(len(REFLECTIONS), size=n)
        for k in range(self.first, self.total):
            chosen = order[k * self.batch : (k + 1) * self.batch][self.rank :: self.ranks]
            turned = reflections[chosen]
            yield make_batch(self.events, chosen, self.features[turned, chosen], turned)
