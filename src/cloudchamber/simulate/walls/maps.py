"""Maps made from the muons themselves, beside the X0 map: what the challenge's input leaves out."""

import numpy as np
from jaxtyping import Float

from cloudchamber.compiled import compiled_fast
from cloudchamber.simulate.walls.config import Volume
from cloudchamber.simulate.walls.poca import Poca
from cloudchamber.simulate.walls.rays import Rays, RayStatistics


@compiled_fast
def _count(position, theta, weight, base, voxel, count, squares):
    nz, nx, ny = count.shape
    per_voxel = 1 / voxel
    for i in range(weight.size):
        w = weight[i] * theta[i] * theta[i]
        total = position[i, 0] + position[i, 1] + position[i, 2] + w
        if not (weight[i] > 0 and abs(total) < np.inf):
            continue
        x, y, z = position[i, 0] * per_voxel, position[i, 1] * per_voxel, (position[i, 2] - base) * per_voxel
        if x < 0 or y < 0 or z < 0 or x >= nx or y >= ny or z >= nz:
            continue
        count[int(z), int(x), int(y)] += weight[i]
        squares[int(z), int(x), int(y)] += w


class TrackMaps:
    """Maps of one volume from its muons; add them in any number of blocks.

    ``poca_count``: muons (by weight) whose point of closest approach lies in the voxel. ``poca_theta2``:
    their mean squared scattering angle. ``score``: derivative of the log-likelihood of all deflections and
    displacements by the voxel's density, taken where all is soil, over its expected variance: one step of
    Fisher scoring for each voxel alone, as density over that of soil, minus 1. It is sharp in height, which
    PoCA is not, for a kick high up displaces the muon more; and it is the locally most powerful statistic
    (Rao, Proc. Camb. Phil. Soc. 44 (1948) 50). ``score_information``: the inverse of its variance, where
    soil is all there is.

    The likelihood here is the plain one of :mod:`cloudchamber.simulate.walls.rays`, without Highland's
    logarithm, beta and energy loss. What is wrong with the scale shows in every voxel: soil has not 0 but
    -0.2 to -1.1 in the challenge of 2022, by layer, for its scattering is 12% less than assumed. With a
    spectrum of muons that lose energy in 10 m of soil it is +2 to +40, most in the middle, and slow muons
    outweigh all others. A network learns an offset; the sharpness that this costs it cannot get back.
    """

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        self._soil = 1 / volume.soil.x0_m
        self._statistics = RayStatistics(np.full(volume.shape, self._soil), volume)
        self._count, self._squares = np.zeros(volume.shape), np.zeros(volume.shape)

    def add(self, rays: Rays, poca: Poca) -> None:
        """Add muons."""
        self._statistics.add(rays)
        _count(
            poca.position_m, poca.theta_msc, rays.weight, self.volume.base_m, self.volume.voxel_m,
            self._count, self._squares,
        )  # fmt: skip

    def maps(self) -> dict[str, Float[np.ndarray, "z x y"]]:
        """Return the maps by name; a voxel that no muon reached has 0 everywhere."""
        s = self._statistics
        with np.errstate(invalid="ignore", divide="ignore"):
            score = np.nan_to_num((s.gain - s.trace) / (s.square * self._soil), posinf=0.0, neginf=0.0)
            theta2 = np.nan_to_num(self._squares / self._count)
        information = 0.5 * s.square * self._soil**2
        return {
            "poca_count": self._count, "poca_theta2": theta2, "score": score, "score_information": information
        }  # fmt: skip
