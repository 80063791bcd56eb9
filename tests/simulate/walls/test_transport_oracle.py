"""Scattering of the challenge of 2022, against its steps done literally.

The oracle is slow and stupid on purpose: 200 vertical steps of 0.05 m in (x, y, theta, phi) as the fact sheet
describes them, with the missing 1/sin(theta). Ours draws one joint Gaussian per voxel crossing.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from numpy.random import Generator
from scipy import stats

from cloudchamber.simulate.walls.config import challenge_2022
from cloudchamber.simulate.walls.muons import Muons, generate_muons
from cloudchamber.simulate.walls.transport import transport

STEP_M = 0.05
SOIL_X0_M, WALL_X0_M = 0.262425, 0.0802252
LEAST_P = 1e-3
N = 20_000


class State(NamedTuple):
    """Position and slopes (dx, dy per metre down) at the lower face; ``alive`` is False for muons removed."""

    x: np.ndarray
    y: np.ndarray
    slope_x: np.ndarray
    slope_y: np.ndarray
    alive: np.ndarray


def literal_steps(rng: Generator, muons: Muons, x0_m: np.ndarray) -> State:
    fall = muons.position_m[:, 2] - 11.0
    slope = muons.direction[:, :2] / -muons.direction[:, 2:]
    x, y = (muons.position_m[:, :2] + slope * fall[:, None]).T
    theta, phi = np.arctan(np.hypot(*slope.T)), np.arctan2(slope[:, 1], slope[:, 0])
    alive = np.ones(len(x), dtype=bool)
    n = len(x)
    for layer in range(9, -1, -1):
        for _ in range(20):
            inside = alive & (x >= 0) & (x < 10) & (y >= 0) & (y < 10)
            ix, iy = (np.clip(np.floor(a).astype(int), 0, 9) for a in (x, y))
            thickness = STEP_M / (x0_m[layer, ix, iy] * np.cos(theta))
            theta0 = 0.0136 / muons.momentum_gev * np.sqrt(thickness) * (1 + 0.038 * np.log(thickness))
            theta0 = np.where(inside, theta0, 0.0)
            z_1, z_2 = rng.standard_normal((2, n))
            phi_m = rng.uniform(0, 2 * np.pi, n)
            theta_msc = np.sqrt(2) * z_2 * theta0
            shift = np.sqrt(2) * STEP_M * np.sin(theta0) * (z_1 / np.sqrt(12) + z_2 / 2)
            theta_x, theta_y = (np.arctan(np.tan(theta) * f(phi)) for f in (np.cos, np.sin))
            x = x + shift * np.cos(phi_m) * np.cos(theta_x) + STEP_M * np.tan(theta) * np.cos(phi)
            y = y + shift * np.sin(phi_m) * np.cos(theta_y) + STEP_M * np.tan(theta) * np.sin(phi)
            phi = phi + theta_msc * np.cos(phi_m)
            theta = theta + theta_msc * np.sin(phi_m)
            # A zenith angle below 0 is one on the other side.
            phi, theta = np.where(theta < 0, phi + np.pi, phi), np.abs(theta)
            alive &= theta < np.pi / 2
            theta = np.where(alive, theta, 0.0)
    return State(x, y, np.tan(theta) * np.cos(phi), np.tan(theta) * np.sin(phi), alive)


def ours(rng: Generator, muons: Muons, x0_m: np.ndarray) -> State:
    exits = transport(rng, muons, x0_m, x0_m < 0.2, challenge_2022())
    slope = exits.direction[:, :2] / -exits.direction[:, 2:]
    return State(exits.position_m[:, 0], exits.position_m[:, 1], slope[:, 0], slope[:, 1], exits.alive)


def soil() -> np.ndarray:
    return np.full((10, 10, 10), SOIL_X0_M)


def checkerboard() -> np.ndarray:
    return np.where(np.indices((10, 10, 10)).sum(0) % 2 == 1, WALL_X0_M, SOIL_X0_M)


def slanted_beam(theta: float, phi: float) -> Muons:
    direction = np.array([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), -np.cos(theta)])
    start = np.array([3.3, 2.7, 11.0]) - direction / np.cos(theta)
    return Muons(np.tile(start, (N, 1)), np.tile(direction, (N, 1)), np.ones(N))


def spread(values: np.ndarray) -> tuple[float, float]:
    """Half the width of the middle 68%, and its statistical error; robust against rare wide angles."""
    low, high = np.quantile(values, [0.16, 0.84])
    halves = np.array([np.subtract(*np.quantile(part, [0.84, 0.16])) for part in np.array_split(values, 20)])
    return float((high - low) / 2), float(halves.std() / 2 / np.sqrt(20))


def compare(a: State, b: State) -> None:
    assert a.alive.mean() == pytest.approx(
        b.alive.mean(), abs=5 * np.sqrt(1e-4 + a.alive.var()) / np.sqrt(N / 2)
    )
    for name in ("x", "y", "slope_x", "slope_y"):
        one, two = (getattr(state, name)[state.alive] for state in (a, b))
        assert stats.ks_2samp(one, two).pvalue > LEAST_P, name
        (width_1, error_1), (width_2, error_2) = spread(one), spread(two)
        assert width_1 == pytest.approx(width_2, abs=4 * np.hypot(error_1, error_2)), name
        # Second moments, of the slopes as angles: the tangent of an angle near 90 deg has no useful variance.
        if name.startswith("slope"):
            one, two = np.arctan(one), np.arctan(two)
        error = np.sqrt(sum(np.var((v - v.mean()) ** 2) / v.size for v in (one, two)))
        assert one.var() == pytest.approx(two.var(), abs=4 * error), name
    for first, second in (("x", "slope_x"), ("y", "slope_y"), ("x", "y")):
        pair = [np.corrcoef(getattr(s, first)[s.alive], getattr(s, second)[s.alive])[0, 1] for s in (a, b)]
        assert pair[0] == pytest.approx(pair[1], abs=4 * np.sqrt(2 / N)), (first, second)


@pytest.mark.parametrize(
    ("theta_deg", "medium"),
    [
        (5, soil), (25, soil), (45, soil), (5, checkerboard),
        (25, checkerboard), (45, checkerboard),
    ],
)  # fmt: skip
def test_beams(theta_deg: int, medium: Callable[[], np.ndarray]) -> None:
    muons = slanted_beam(np.radians(theta_deg), 0.6)
    x0_m = medium()
    compare(ours(np.random.default_rng(1), muons, x0_m), literal_steps(np.random.default_rng(2), muons, x0_m))


@pytest.mark.parametrize("medium", [soil, checkerboard])
def test_cosmic_muons(medium: Callable[[], np.ndarray]) -> None:
    """The muons of the challenge: every angle and place, through the sides as well."""
    muons = generate_muons(np.random.default_rng(3), challenge_2022(), N)
    x0_m = medium()
    one = ours(np.random.default_rng(1), muons, x0_m)
    two = literal_steps(np.random.default_rng(2), muons, x0_m)
    compare(one, two)
    # What the map is made of: the angle between the ways in and out, and the offset from the straight line.
    angles = []
    for state in (one, two):
        out = np.stack([state.slope_x, state.slope_y, -np.ones(N)], axis=1)
        cos = (out * muons.direction).sum(1) / np.linalg.norm(out, axis=1)
        angles.append(np.arccos(np.clip(cos, -1, 1))[state.alive])
    assert stats.ks_2samp(*angles).pvalue > LEAST_P
    assert np.median(angles[0]) == pytest.approx(np.median(angles[1]), rel=0.02)
