"""From scattering points to a map of radiation lengths, weighted by where each muon may have scattered."""

from math import erf
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from cloudchamber.compiled import compiled_fast
from cloudchamber.simulate.walls.config import Volume
from cloudchamber.simulate.walls.poca import Poca, combine
from cloudchamber.simulate.walls.transport import HIGHLAND_GEV

# Small constants of the challenge of 2022 (fact sheet): they keep empty voxels and exact hits finite.
_SIGMA_FLOOR_M = 1e-7
_WEIGHT_FLOOR = 1e-17
_PROBABILITY_FLOOR = 1e-15
_NEGLIGIBLE = 1e-18


class MuonX0(NamedTuple):
    """Radiation length each muon alone suggests, in metres, and its error; shapes (muon,)."""

    x0_m: Float[np.ndarray, "muon"]
    sigma_m: Float[np.ndarray, "muon"]


@compiled_fast
def _muon_x0(msc, d_msc, t_in, d_in, t_out, d_out, momentum, voxel, pairs, x0, sigma):
    for i in range(msc.size):
        mean_cos = 0.5 * (np.cos(t_in[i]) + np.cos(t_out[i]))
        value = 2 * (HIGHLAND_GEV / momentum[i]) ** 2 * voxel / (msc[i] ** 2 * mean_cos)
        a_msc = -2 * value / msc[i] * d_msc[i]
        a_in = 0.5 * value * np.sin(t_in[i]) / mean_cos * d_in[i]
        a_out = 0.5 * value * np.sin(t_out[i]) / mean_cos * d_out[i]
        x0[i] = value
        sigma[i] = combine(a_msc + a_in + a_out, a_msc**2 + a_in**2 + a_out**2, pairs)


def muon_x0(
    poca: Poca,
    momentum_gev: Float[np.ndarray, "muon"],
    voxel_m: float = 1.0,
    uncertainty: Literal["pairs", "independent"] = "independent",
) -> MuonX0:
    """Invert the scattering formula muon by muon.

    X = 2 (0.0136 GeV / p)^2 L / (theta_msc^2 (cos theta_in + cos theta_out)/2) with L one voxel; the
    challenge of 2022 (no logarithm, no beta).
    """
    n = len(poca.theta_msc)
    x0, sigma = np.empty(n), np.empty(n)
    _muon_x0(
        poca.theta_msc, poca.sigma_theta_msc, poca.theta_in, poca.sigma_theta_in, poca.theta_out,
        poca.sigma_theta_out, momentum_gev, voxel_m, uncertainty == "pairs", x0, sigma,
    )  # fmt: skip
    return MuonX0(x0, sigma)


@compiled_fast
def _shares(at, sigma, low, voxel, n, share):
    """Probability in each of n voxels along an axis; returns the range outside which it is nil."""
    scale = 1 / (sigma * np.sqrt(2.0))
    first, last = n, 0
    below = erf((low - at) * scale)
    for j in range(n):
        u = (low + (j + 1) * voxel - at) * scale
        above = 1.0 if u > 6.0 else (-1.0 if u < -6.0 else erf(u))
        share[j] = 0.5 * (above - below)
        below = above
        if share[j] > _NEGLIGIBLE:
            first = min(first, j)
            last = j + 1
    return first, last


@compiled_fast
def _accumulate(poca, sigma, x0, sigma_x0, weight, base, voxel, numerator, denominator, rest):
    nz, nx, ny = numerator.shape
    share_z, share_x, share_y = np.empty(nz), np.empty(nx), np.empty(ny)
    rest_w = rest_x0 = 0.0
    used = 0
    for i in range(x0.size):
        w = weight[i] / (sigma_x0[i] ** 2 + _WEIGHT_FLOOR)
        extent = sigma[i, 0] + sigma[i, 1] + sigma[i, 2] + poca[i, 0] + poca[i, 1] + poca[i, 2]
        # Not isfinite: numba writes it as x - x, which a loop whose sums may be reordered cancels to 0.
        if not (w > 0 and w < np.inf and abs(x0[i]) < np.inf and abs(extent) < np.inf):
            continue
        used += 1
        rest_w += w
        rest_x0 += w * x0[i]
        x_from, x_to = _shares(poca[i, 0], sigma[i, 0] + _SIGMA_FLOOR_M, 0.0, voxel, nx, share_x)
        y_from, y_to = _shares(poca[i, 1], sigma[i, 1] + _SIGMA_FLOOR_M, 0.0, voxel, ny, share_y)
        z_from, z_to = _shares(poca[i, 2], sigma[i, 2] + _SIGMA_FLOOR_M, base, voxel, nz, share_z)
        for iz in range(z_from, z_to):
            for ix in range(x_from, x_to):
                part = w * share_z[iz] * share_x[ix]
                for iy in range(y_from, y_to):
                    term = part * share_y[iy]
                    denominator[iz, ix, iy] += term
                    numerator[iz, ix, iy] += term * x0[i]
    rest[0] += rest_w
    rest[1] += rest_x0
    return used


class X0Map:
    """Weighted average of the muons' radiation lengths in every voxel; add muons in any number of blocks.

    Voxel j: sum_i w_ij X_i / sum_i w_ij, w_ij = weight_i / (sigma_Xi^2 + 1e-17) (P_ij + 1e-15); P_ij, the
    probability that the scattering of muon i happened in voxel j, is the product over the axes of Gaussian
    CDF differences. It is computed only in the voxels that a muon's error reaches (P > 1e-18 per axis), so
    the cost is linear in muons and does not grow with the volume. The weight 1/sigma^2 pulls the map low:
    sigma grows with X (a quirk of the challenge of 2022, whose map this is).
    """

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        self.used = 0
        self._numerator, self._denominator = np.zeros(volume.shape), np.zeros(volume.shape)
        self._rest = np.zeros(2)

    def add(self, poca: Poca, suggested: MuonX0, weight: Float[np.ndarray, "muon"]) -> None:
        """Add muons; those without a finite point, angle, error or a positive weight are left out."""
        self.used += _accumulate(
            poca.position_m, poca.sigma_m, suggested.x0_m, suggested.sigma_m, weight, self.volume.base_m,
            self.volume.voxel_m, self._numerator, self._denominator, self._rest,
        )  # fmt: skip

    def average(self) -> Float[np.ndarray, "z x y"]:
        """Return the map in metres.

        Raises
        ------
        ValueError
            if no muon could be used.
        """
        if not self.used:
            raise ValueError("no muon has two tracks, a finite scattering angle and a positive weight")
        weight, weighted_x0 = self._rest * _PROBABILITY_FLOOR
        return np.asarray((self._numerator + weighted_x0) / (self._denominator + weight))
