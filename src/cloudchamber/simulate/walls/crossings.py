"""Which voxels each muon crosses, and how much scattering there counts in angle and displacement."""

from typing import NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float, Int

from cloudchamber.compiled import compiled_fast
from cloudchamber.simulate.walls.config import Volume
from cloudchamber.simulate.walls.muons import MUON_MASS_GEV
from cloudchamber.simulate.walls.paths import STEPS, follow
from cloudchamber.simulate.walls.rays import Rays

# No muon is taken to be slower than this: its momentum was believed too small, for it was seen below.
_LEAST_ENERGY_GEV = 2 * MUON_MASS_GEV
_CHUNK = 4096


@compiled_fast
def _cross(
    entry, exit_, slope_in, slope_out, momentum, loss, use_beta, empty, voxel, steps, counts, voxels, moments,
    sides, slow,
):  # fmt: skip
    """Fill in the crossings of some muons, one after another; returns how many there are."""
    count = empty.shape[0] * steps
    cell = np.empty(count, dtype=np.int32)
    length, height = np.empty(count), np.empty(count)
    spread = (voxel / steps) ** 2 / 12
    n = 0
    for i in range(counts.size):
        first = n
        reach = entry[i, 0] + entry[i, 1] + exit_[i, 0] + exit_[i, 1]
        counts[i] = 0
        sides[i] = 0.0
        slow[i] = False
        if not abs(reach) < np.inf:
            continue
        inside = follow(i, entry, exit_, slope_in, slope_out, empty, voxel, steps, cell, length, height)[0]
        energy = np.sqrt(momentum[i] ** 2 + MUON_MASS_GEV**2)
        hard = momentum[i] ** 2
        if use_beta:
            hard *= hard / (energy * energy)
        here = -1
        for k in range(inside):
            if cell[k] != here:
                here = cell[k]
                voxels[n] = here
                moments[n] = 0.0
                n += 1
            share = length[k]
            if loss[i] > 0:
                middle = energy - 0.5 * loss[i] * length[k]
                slow[i] = middle < _LEAST_ENERGY_GEV
                middle = max(middle, _LEAST_ENERGY_GEV)
                soft = middle * middle - MUON_MASS_GEV**2
                if use_beta:
                    soft *= soft / (middle * middle)
                share *= hard / soft
                energy -= loss[i] * length[k]
            moments[n - 1, 0] += share
            moments[n - 1, 1] += share * height[k]
            moments[n - 1, 2] += share * (height[k] * height[k] + spread)
        counts[i] = n - first
        if inside:
            dz = voxel / steps
            for k, whole in ((0, (count - 0.5) * dz), (inside - 1, 0.5 * dz)):
                if abs(height[k] - whole) > 0.1 * dz:  # through a side
                    h = height[k] + (dz if k == 0 else -dz)
                    sides[i, 0] += 0.5 * length[k]
                    sides[i, 1] += 0.5 * length[k] * h
                    sides[i, 2] += 0.5 * length[k] * (h * h + spread)
    return n


class Crossings(NamedTuple):
    """The voxels that muons cross, muon after muon.

    ``start`` (muon + 1,): muon i has the crossings ``start[i]`` to ``start[i + 1]``. ``voxel`` (crossing,):
    flat index into the volume. ``moments`` (crossing, 3): integrals of 1, h and h^2 along the path in the
    voxel, h the height above the lower face, in m, m^2 and m^3. They are the entries of W_j of
    :mod:`cloudchamber.simulate.walls.rays`. ``sides`` (muon, 3): the same of half a step at each side of the
    volume that the muon goes in or out by, for there the number of steps inside is known no better.
    ``slow`` (muon,): a muon whose momentum is too small for it to have come through.
    """

    start: Int[np.ndarray, "edge"]
    voxel: Int[np.ndarray, "crossing"]
    moments: Float[np.ndarray, "crossing 3"]
    sides: Float[np.ndarray, "muon 3"]
    slow: Bool[np.ndarray, "muon"]

    @property
    def length_m(self) -> Float[np.ndarray, "muon"]:
        """Length of each muon's path in the volume in metres (the first moment's sum)."""
        sums = np.concatenate([[0.0], np.cumsum(self.moments[:, 0])])
        return np.asarray(sums[self.start[1:]] - sums[self.start[:-1]])

    @classmethod
    def of(
        cls,
        rays: Rays,
        momentum_gev: Float[np.ndarray, "muon"],
        volume: Volume,
        loss_gev_per_m: Float[np.ndarray, "muon"] | None = None,
        beta: bool = False,
        steps: int = STEPS,
    ) -> Self:
        """Follow rays through the volume, in ``steps`` steps per layer.

        The path is that of :func:`cloudchamber.simulate.walls.paths.follow`. With a loss, each step counts by
        (p beta)^2 at the upper face over that at its middle: the deeper, the more a muon scatters. Muons
        without two tracks cross nothing. Memory: 28 bytes for each crossing, some 10 per muon in a volume of
        10 layers.
        """
        n = len(momentum_gev)
        loss = np.zeros(n) if loss_gev_per_m is None else loss_gev_per_m
        empty, most = np.zeros(volume.shape), volume.shape[0] * steps
        counts, parts = np.zeros(n, dtype=np.int64), []
        sides, slow = np.zeros((n, 3)), np.zeros(n, dtype=np.bool_)
        for first in range(0, n, _CHUNK):
            part = slice(first, first + _CHUNK)
            size = len(momentum_gev[part])
            voxel, moments = np.empty(size * most, dtype=np.int32), np.empty((size * most, 3))
            used = _cross(
                rays.entry_m[part], rays.exit_m[part], rays.slope_in[part], rays.slope_out[part],
                momentum_gev[part], loss[part], beta, empty, volume.voxel_m, steps, counts[part], voxel,
                moments, sides[part], slow[part],
            )  # fmt: skip
            parts.append((voxel[:used].copy(), moments[:used].copy()))
        voxels, moments = (np.concatenate(a) for a in zip(*parts, strict=True))
        return cls(np.concatenate([[0], np.cumsum(counts)]), voxels, moments, sides, slow)
