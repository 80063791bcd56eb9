"""What the detector panels record of a muon: hits, their errors, and how likely it was seen at all."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.random import Generator

from cloudchamber.compiled import compiled_fast
from cloudchamber.simulate.random import new_stream, normal, uniform
from cloudchamber.simulate.walls.config import WallsConfig
from cloudchamber.simulate.walls.muons import Muons
from cloudchamber.simulate.walls.transport import Exits


class Hits(NamedTuple):
    """Hits of each muon, panels in falling order of height.

    ``position_m`` (muon, panel, 2): x and y; ``sigma_m`` (muon, panel, 2): the errors by which a fit weights,
    infinite where there is no hit; ``height_m`` (panel,): z; ``n_above``: how many panels lie above the
    volume; ``weight`` (muon,): the probability that two or more panels above and below saw the muon.
    """

    position_m: Float[np.ndarray, "muon panel 2"]
    sigma_m: Float[np.ndarray, "muon panel 2"]
    height_m: Float[np.ndarray, "panel"]
    n_above: int
    weight: Float[np.ndarray, "muon"]


@compiled_fast
def at_least_two(efficiency):
    """Return the probability that two or more of independent panels (panel,) have a hit."""
    none, one = 1.0, 0.0
    for e in efficiency:
        one = one * (1 - e) + none * e
        none *= 1 - e
    return max(0.0, 1 - none - one)


@compiled_fast
def _cross(heights, start, direction, crossing):
    """Fill in where the straight lines cross the panels."""
    for i in range(start.shape[0]):
        inverse = 1 / direction[i, 2]
        for k in range(heights.size):
            fall = (heights[k] - start[i, 2]) * inverse
            for axis in range(2):
                crossing[i, k, axis] = start[i, axis] + direction[i, axis] * fall


@compiled_fast
def _record(stream, position, widening, n_above, resolution, hard, panel_efficiency, sigma, weight):
    """Smear the crossings, already in ``position``, and give each muon its weight."""
    panels = position.shape[1]
    efficiency = np.empty(panels)
    for i in range(position.shape[0]):
        for k in range(panels):
            efficiency[k] = panel_efficiency / (widening[i, k, 0] * widening[i, k, 1])
            for axis in range(2):
                noise = resolution * widening[i, k, axis]
                shift, stream = normal(stream)
                position[i, k, axis] += noise * shift
                sigma[i, k, axis] = noise * widening[i, k, axis]
            if hard:
                draw, stream = uniform(stream)
                efficiency[k] = 1.0 if draw < efficiency[k] else 0.0
                if efficiency[k] == 0.0:
                    position[i, k] = 0.0
                    sigma[i, k] = np.inf
        weight[i] = at_least_two(efficiency[:n_above]) * at_least_two(efficiency[n_above:])


def record_hits(rng: Generator, muons: Muons, exits: Exits, config: WallsConfig) -> Hits:
    """Record the muons in the panels above and below the volume.

    Soft panels (challenge of 2022): a Gaussian g(x) g(y) about the centre stands for the panel's extent. The
    hit error is resolution/g, the hit efficiency g(x) g(y), and the error given to the fit is divided by g
    once more. Hard panels: constant resolution and efficiency up to the edge. Lost muons have weight 0.
    """
    panels, volume = config.panels, config.volume
    n, n_above = len(muons.momentum_gev), len(panels.above_m)
    heights = np.array(panels.above_m + panels.below_m)
    position, sigma = np.empty((n, heights.size, 2)), np.empty((n, heights.size, 2))
    weight = np.empty(n)
    _cross(heights[:n_above], muons.position_m, muons.direction, position[:, :n_above])
    _cross(heights[n_above:], exits.position_m, exits.direction, position[:, n_above:])
    away = (position - [volume.side_x_m / 2, volume.side_y_m / 2]) / panels.span_m
    hard = panels.response == "hard"
    with np.errstate(divide="ignore", over="ignore"):
        widening = np.where(np.abs(away) <= 1, 1.0, np.inf) if hard else np.exp(0.5 * away * away)
    _record(
        new_stream(rng), position, widening, n_above, panels.resolution_m, hard, panels.efficiency, sigma,
        weight,
    )  # fmt: skip
    return Hits(position, sigma, heights, n_above, weight * exits.alive)
