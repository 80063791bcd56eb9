"""Which particles an event starts with."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.random import Generator

from cloudchamber.simulate.lartpc.config import KINDS, CrossingMuons, Vertex, VoxelsConfig
from cloudchamber.simulate.lartpc.constants import MU_MINUS, MU_PLUS


class Primaries(NamedTuple):
    """Particles at their start."""

    kind: Int[np.ndarray, "particle"]
    kinetic_mev: Float[np.ndarray, "particle"]
    position_mm: Float[np.ndarray, "particle 3"]
    direction: Float[np.ndarray, "particle 3"]


def _directions(rng: Generator, count: int) -> Float[np.ndarray, "particle 3"]:
    direction: np.ndarray = rng.standard_normal((count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return direction


def at_vertex(rng: Generator, vertex: Vertex, side_mm: float) -> Primaries:
    """Draw the particles of a vertex."""
    count = int(rng.integers(vertex.particles[0], vertex.particles[1] + 1))
    weight = np.array([vertex.weights.get(kind, 0.0) for kind in KINDS])
    kind = rng.choice(len(KINDS), size=count, p=weight / weight.sum())
    limits = np.array([vertex.kinetic_mev.get(kind, (np.nan, np.nan)) for kind in KINDS])[kind]
    energy = limits[:, 0] + (limits[:, 1] - limits[:, 0]) * rng.random(count)
    place = side_mm * (vertex.margin + (1 - 2 * vertex.margin) * rng.random(3))
    return Primaries(kind, energy, np.tile(place, (count, 1)), _directions(rng, count))


def crossing_muons(rng: Generator, muons: CrossingMuons, side_mm: float) -> Primaries:
    """Draw muons from above that meet the cube, where they enter it.

    Lines of a direction are uniform over a disk across it; those that miss the cube are drawn again.
    """
    count = int(rng.integers(muons.count[0], muons.count[1] + 1))
    low, high = ((edge + muons.bend_mev) ** -1.7 for edge in (muons.least_mev, muons.most_mev))
    energy = (low + (high - low) * rng.random(count)) ** (-1 / 1.7) - muons.bend_mev
    kind = np.where(rng.random(count) < muons.positive, MU_PLUS, MU_MINUS)
    position, direction = np.empty((count, 3)), np.empty((count, 3))
    for i in range(count):
        entry = None
        while entry is None:
            # The density of cos is 3 cos^2; y points upwards.
            cosine, azimuth = rng.random() ** (1 / 3), 2 * np.pi * rng.random()
            sine = np.sqrt(1 - cosine**2)
            u = np.array([sine * np.cos(azimuth), -cosine, sine * np.sin(azimuth)])
            across = np.cross(u, [1.0, 0.0, 0.0] if abs(u[0]) < 0.9 else [0.0, 0.0, 1.0])
            across /= np.linalg.norm(across)
            radius, turn = side_mm * np.sqrt(0.75 * rng.random()), 2 * np.pi * rng.random()
            aim = radius * (np.cos(turn) * across + np.sin(turn) * np.cross(u, across))
            entry = entry_point(0.5 * side_mm + aim, u, side_mm)
        position[i], direction[i] = entry, u
    return Primaries(kind, energy, position, direction)


def entry_point(
    point: Float[np.ndarray, "3"], direction: Float[np.ndarray, "3"], side: float | Float[np.ndarray, "3"]
) -> Float[np.ndarray, "3"] | None:
    """Return where a line enters the cube, or the box of three sides, None if it misses it."""
    slow = np.where(np.abs(direction) < 1e-12, 1e-12, direction)
    ends = np.stack([-point / slow, (side - point) / slow])
    first, last = ends.min(axis=0).max(), ends.max(axis=0).min()
    return point + first * direction if first < last else None


def draw_primaries(rng: Generator, config: VoxelsConfig) -> Primaries:
    """Draw the particles of an event: those of the vertex, then the crossing muons."""
    side_mm = config.side_px * config.voxel_mm
    parts = at_vertex(rng, config.vertex, side_mm), crossing_muons(rng, config.muons, side_mm)
    return Primaries(*(np.concatenate(pair) for pair in zip(*parts, strict=True)))
