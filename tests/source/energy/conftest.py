"""Muons with random cells, some with none, and what it takes to compare them."""

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest

from cloudchamber.calorimeter_events import MUON, CalorimeterEvents, CalorimeterGrid
from cloudchamber.voxel_events import offsets_of

GRID = CalorimeterGrid((7, 6, 5), 40.64, 3.75)


def random_muons(
    n: int, seed: int = 0, *, truth: bool = True, most: int = 40, grid: CalorimeterGrid = GRID
) -> CalorimeterEvents:
    """Return ``n`` muons of fewer than ``most`` cells each; the first has some, the last none if several."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, most, n)
    counts[-1] = 0
    counts[0] = 5
    cells = int(np.prod(grid.shape))
    ids = np.concatenate([np.sort(rng.choice(cells, count, replace=False)) for count in counts])
    position = np.stack(np.unravel_index(ids, grid.shape), axis=1).astype(np.int16)
    energy_gev = rng.exponential(0.05, len(ids)).astype(np.float32)
    muons = None
    if truth:
        muons = np.zeros(n, MUON)
        muons["energy_gev"] = rng.uniform(50, 8000, n)
        muons["charge"] = rng.choice([-1, 1], n)
        muons["x_mm"], muons["y_mm"] = rng.uniform(-20, 20, (2, n))
        muons["pair_gev"] = np.nan
    return CalorimeterEvents(grid, offsets_of(counts), position, energy_gev, muons)


def same(a: CalorimeterEvents, b: CalorimeterEvents) -> None:
    for field in fields(CalorimeterEvents):
        ours, theirs = getattr(a, field.name), getattr(b, field.name)
        if field.name == "muons" and ours is not None and theirs is not None:
            assert ours.tobytes() == theirs.tobytes()  # NaN and all
        else:
            np.testing.assert_array_equal(ours, theirs)


@pytest.fixture(name="random_muons", scope="session")
def _random_muons() -> Callable[..., CalorimeterEvents]:
    return random_muons


@pytest.fixture(name="same", scope="session")
def _same() -> Callable[[CalorimeterEvents, CalorimeterEvents], None]:
    return same
