"""A small detector, quick to simulate, and particles of one's own."""

from collections.abc import Callable

import numpy as np
import pytest

from cloudchamber.labels import Origin
from cloudchamber.simulate.lartpc.primaries import Primaries
from cloudchamber.simulate.wires.config import Beam, Cosmics, Electronics, Geometry, Halo, Noise, WiresConfig
from cloudchamber.simulate.wires.primaries import WirePrimaries

SMALL = WiresConfig(
    geometry=Geometry(apas=1, face_wires=96, drift_mm=800.0, height_mm=1000.0, margin_mm=100.0),
    electronics=Electronics(ticks=1500),
    beam=Beam(through_mm=(-300.0, 700.0, -50.0), tick=200.0),
    cosmics=Cosmics(count=(6, 9)),
    halo=Halo(count=(1, 2)),
)
QUIET = SMALL.model_copy(update={"noise": Noise(scale=0.0)})
Aim = Callable[..., WirePrimaries]


def _aim(
    kind: int | list[int],
    kinetic_mev: float,
    start_mm: list[tuple[float, float, float]],
    direction: tuple[float, float, float] = (0.0, 0.0, 1.0),
    tick: float = 200.0,
    origin: Origin = Origin.BEAM,
) -> WirePrimaries:
    n = len(start_mm)
    unit = np.array(direction) / np.linalg.norm(direction)
    particles = Primaries(
        np.broadcast_to(np.array(kind), n).copy(), np.full(n, kinetic_mev), np.array(start_mm, float),
        np.tile(unit, (n, 1)),
    )  # fmt: skip
    return WirePrimaries(particles, np.full(n, tick), np.full(n, int(origin)))


@pytest.fixture(scope="session")
def aim() -> Aim:
    """Start equal particles at points of the box of deposits, along z if no direction is given."""
    return _aim


@pytest.fixture(scope="session")
def small() -> WiresConfig:
    """A detector of one APA with 96 wires a face, 80 cm of drift, 1500 ticks."""
    return SMALL


@pytest.fixture(scope="session")
def quiet() -> WiresConfig:
    """The same without noise."""
    return QUIET
