"""Volumes to show: real walls, X0 as noisy as it comes, and predictions with mistakes in them."""

from typing import NamedTuple

import numpy as np
import pytest
from jaxtyping import Bool, Float

from cloudchamber.simulate.walls.config import Volume
from cloudchamber.simulate.walls.geometry import generate_walls


class Volumes(NamedTuple):
    x0_m: Float[np.ndarray, "sample z x y"]
    walls: Bool[np.ndarray, "sample z x y"]
    preds: Bool[np.ndarray, "sample z x y"]
    probability: Float[np.ndarray, "sample z x y"]


@pytest.fixture(scope="session")
def volumes() -> Volumes:
    rng = np.random.default_rng(4)
    walls = np.stack([generate_walls(rng, Volume()) for _ in range(20)])
    x0_m = np.where(walls, 0.012, 0.03) * np.exp(rng.normal(0, 0.5, walls.shape))
    preds = walls ^ (rng.random(walls.shape) < 0.02)
    probability = np.clip(np.where(preds, 0.8, 0.1) + rng.normal(0, 0.05, walls.shape), 0, 1)
    return Volumes(x0_m.astype(np.float32), walls, preds, probability.astype(np.float32))
