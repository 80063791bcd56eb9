"""Walls at random: upright, one block thick, all standing on one level, wandering through the soil."""

import numpy as np
from jaxtyping import Bool, Float
from numpy.random import Generator

from cloudchamber.simulate.walls.config import Volume

_DIRECTIONS = ((1, 0), (0, 1), (-1, 0), (0, -1))
_STOPS_FROM = 4


def _first_direction(rng: Generator, x: int, y: int, nx: int, ny: int) -> int:
    """Draw one of the four directions, less those that lead straight out."""
    barred = set()
    if x == 0:
        barred.add(2)
    elif x == nx - 1:
        barred.add(0)
    if y == 0:
        barred.add(3)
    elif y == ny - 1:
        barred.add(1)
    allowed = [d for d in range(4) if d not in barred] or [0]
    return allowed[int(rng.integers(len(allowed)))]


def generate_walls(rng: Generator, volume: Volume) -> Bool[np.ndarray, "z x y"]:
    """Draw the walls of one volume, after the generator of the MODE challenge (2022).

    The number of walls is uniform; one ground level per volume, a top for each wall; a wall starts in any
    column, fills it from the ground to its top and walks on, turning with probability exp(-5/steps since the
    turn) and, from a length of four, stopping with exp(-10/length). It ends where it meets a column that
    holds a wall already, or leaves the volume. The top layer is always soil.

    Returns
    -------
    True where there is wall, axes (z, x, y), z = 0 the deepest layer.
    """
    nz, nx, ny = volume.shape
    walls = np.zeros(volume.shape, dtype=bool)
    count = int(rng.integers(volume.n_walls[0], volume.n_walls[1] + 1))
    ground = int(rng.integers(volume.ground[0], volume.ground[1] + 1))
    for _ in range(count):
        top = int(rng.integers(ground + volume.least_height, nz))
        x, y = int(rng.integers(nx)), int(rng.integers(ny))
        direction = _first_direction(rng, x, y, nx, ny)
        length = since_turn = 0
        while 0 <= x < nx and 0 <= y < ny and not walls[:, x, y].any():
            walls[ground:top, x, y] = True
            length += 1
            since_turn += 1
            if length >= _STOPS_FROM and rng.random() < np.exp(-volume.stop_length / length):
                break
            if rng.random() < np.exp(-volume.turn_length / since_turn):
                direction = (direction + (1 if rng.random() < 0.5 else 3)) % 4
                since_turn = 0
            dx, dy = _DIRECTIONS[direction]
            x, y = x + dx, y + dy
    return walls


def radiation_lengths(walls: Bool[np.ndarray, "z x y"], volume: Volume) -> Float[np.ndarray, "z x y"]:
    """Return the radiation length of every voxel in metres."""
    return np.where(walls, volume.wall.x0_m, volume.soil.x0_m)
