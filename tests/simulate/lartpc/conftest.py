"""Particles shot into a block of argon."""

from collections.abc import Callable

import numpy as np
import pytest

from cloudchamber.simulate.lartpc.config import VoxelsConfig
from cloudchamber.simulate.lartpc.event import follow
from cloudchamber.simulate.lartpc.primaries import Primaries
from cloudchamber.simulate.lartpc.record import Record

BLOCK = VoxelsConfig(side_px=4000)
Shot = Callable[..., Record]


def _shoot(
    kind: int,
    kinetic_mev: float,
    count: int,
    config: VoxelsConfig = BLOCK,
    start_mm: tuple[float, float, float] | None = None,
    seed: int = 1,
) -> Record:
    side = config.side_px * config.voxel_mm
    start = (side / 2, side / 2, side / 2) if start_mm is None else start_mm
    primaries = Primaries(
        np.full(count, kind), np.full(count, kinetic_mev), np.tile(start, (count, 1)),
        np.tile([0.0, 0.0, 1.0], (count, 1)),
    )  # fmt: skip
    return follow(primaries, np.uint64(seed), config)


@pytest.fixture(scope="session")
def shoot() -> Shot:
    """Follow equal particles that start at a point, the middle if none is given, along z."""
    return _shoot
