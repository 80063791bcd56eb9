"""Muons as rays through the voxels: how likely their scattering is, and what each voxel has to do with it.

The likelihood is that of Schultz et al., IEEE Trans. Image Process. 16 (2007) 1985, in this form: of each
muon two planes are used, its plane of incidence and the one across it, and in each the deflection d and the
displacement s on the lower face are a pair D = (d, s), normal about 0 with covariance

    S = E + v sum_j lambda_j W_j,    W_j = integral over the path in voxel j of [[1, h], [h, h^2]] dl

lambda_j = 1/X0 of the voxel, h the height above the lower face, v the scattering variance per radiation
length ((13.6 MeV / p)^2 unless a law says otherwise), E the covariance of the errors of both tracks. A small
kick at height h is a change of d by itself and of s by h times itself, so this is exact for small angles but
for four things:

- the path is not known: the cubic through both tracks stands for it, 4 steps to a layer, a step in one voxel;
- l and the obliquity of a kick are taken along the mean of the two tracks' directions, to first order in d;
- E is that of vertical muons and one for both planes (mean of x and y): hits are far more exact than muons
  scatter;
- what a voxel changes (W_j) takes the steps as points, what is there as a whole (S) as pieces of line: the
  derivative of the lowest layer is 1.5% small, of all others less. Of a muon with but one or two steps in the
  volume S is nearly singular and this no longer a small correction; neither is the path's error. Such muons
  make the outermost columns noisy.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from cloudchamber.compiled import compiled_fast
from cloudchamber.simulate.walls.config import Transport, Volume
from cloudchamber.simulate.walls.highland import scattering_variance
from cloudchamber.simulate.walls.paths import STEPS, follow
from cloudchamber.simulate.walls.tracks import Tracks
from cloudchamber.simulate.walls.transport import HIGHLAND_GEV

# Nearer the vertical than this the plane of incidence, and with it the sideways angle, has no meaning.
_LEAST_THETA = 0.15


class Rays(NamedTuple):
    """Scattering of each muon in and across its plane of incidence, and where it went.

    ``angle`` (muon, 2) in radians and ``shift_m`` (muon, 2): total deflection, and displacement on the lower
    face against the straight continuation, both scaled such that a kick d at height h above that face gives
    (d, h d); NaN in a plane that cannot be used. ``variance`` (muon, 2): scattering variance per radiation
    length in rad^2. ``noise`` (muon, 3): variances of angle, of both, and of shift from the hits.
    ``entry_m``, ``exit_m``, ``slope_in``, ``slope_out`` (muon, 2): the path at the upper and lower face.
    ``weight`` (muon,).
    """

    angle: Float[np.ndarray, "muon 2"]
    shift_m: Float[np.ndarray, "muon 2"]
    variance: Float[np.ndarray, "muon 2"]
    noise: Float[np.ndarray, "muon 3"]
    entry_m: Float[np.ndarray, "muon 2"]
    exit_m: Float[np.ndarray, "muon 2"]
    slope_in: Float[np.ndarray, "muon 2"]
    slope_out: Float[np.ndarray, "muon 2"]
    weight: Float[np.ndarray, "muon"]


@compiled_fast
def _measure(
    p_in, s_in, p_out, s_out, momentum, top, base, about_vertical, angle, shift, variance, entry, exit_
):
    """Fill in the deflection and displacement of every muon in both planes."""
    height = top - base
    for i in range(p_in.shape[0]):
        for axis in range(2):
            entry[i, axis] = p_in[i, axis] + s_in[i, axis] * (top - p_in[i, 2])
            exit_[i, axis] = p_out[i, axis] + s_out[i, axis] * (base - p_out[i, 2])
        # Downwards: slopes change sign.
        ax, ay, bx, by = -s_in[i, 0], -s_in[i, 1], -s_out[i, 0], -s_out[i, 1]
        tan_in, tan_out = np.sqrt(ax * ax + ay * ay), np.sqrt(bx * bx + by * by)
        if tan_in > 1e-9:
            ex, ey = ax / tan_in, ay / tan_in
        else:
            ex, ey = 1.0, 0.0
        along, across = bx * ex + by * ey, by * ex - bx * ey
        dx = exit_[i, 0] - entry[i, 0] - ax * height
        dy = exit_[i, 1] - entry[i, 1] - ay * height
        shift_r, shift_t = dx * ex + dy * ey, dy * ex - dx * ey
        theta_in = np.arctan(tan_in)
        per_length = (HIGHLAND_GEV / momentum[i]) ** 2
        variance[i, 0] = variance[i, 1] = per_length
        if about_vertical:
            # Zenith and azimuth are what is kicked; past the zenith the azimuth turns round.
            sign = 1.0 if along >= 0 else -1.0
            theta_out = sign * np.arctan(tan_out)
            angle[i, 1] = np.arctan2(sign * across, sign * along)
        else:
            theta_out = np.arctan(along)
            angle[i, 1] = np.arctan(across / np.sqrt(1 + along * along))
        angle[i, 0] = theta_out - theta_in
        mean = theta_in + 0.5 * angle[i, 0]
        cos = np.cos(mean)
        shift[i, 0] = shift_r * cos * cos
        if about_vertical:
            if min(theta_in, theta_out) > _LEAST_THETA:
                shift[i, 1] = shift_t / np.tan(mean)
            else:
                angle[i, 1] = shift[i, 1] = np.nan
        else:
            shift[i, 1] = shift_t * cos


def trace_rays(
    above: Tracks,
    below: Tracks,
    momentum_gev: Float[np.ndarray, "muon"],
    weight: Float[np.ndarray, "muon"],
    volume: Volume,
    about_vertical: bool = False,
    law: Transport | None = None,
) -> Rays:
    """Turn the two tracks of each muon into deflection and displacement in two planes.

    A kick of zenith angle by d at height h moves the muon by h d / cos^2(theta) on the lower face, in the
    plane of incidence; one across it by h d / cos(theta). Displacements are divided by these factors at the
    mean of both zenith angles. In the challenge of 2022 the azimuth is kicked by d itself,
    ``about_vertical``: by h d tan(theta) on the lower face; where one of the tracks is within 0.15 rad of the
    vertical, azimuths have no meaning and the second plane is NaN.

    Parameters
    ----------
    above, below : tracks of the same muons.
    momentum_gev, weight : (muon,); momentum in GeV.
    about_vertical : how the simulation turns muons, its ``transport.azimuth_shrinks``.
    law : Highland's logarithm and 1/beta go into the variance as
        :func:`cloudchamber.simulate.walls.highland.scattering_variance` says; if none, (13.6 MeV / p)^2.
    """
    n = len(weight)
    angle, shift, variance = np.empty((n, 2)), np.empty((n, 2)), np.empty((n, 2))
    entry, exit_ = np.empty((n, 2)), np.empty((n, 2))
    _measure(
        above.position_m, above.slope, below.position_m, below.slope, momentum_gev, volume.top_m,
        volume.base_m, about_vertical, angle, shift, variance, entry, exit_,
    )  # fmt: skip
    if law is not None:
        variance[:] = scattering_variance(momentum_gev, above.slope, volume, law)[:, None]
    height = volume.top_m - volume.base_m
    v_in, v_out, x_in, x_out = (
        np.square(gain).sum(axis=1).mean(axis=1)
        for gain in (above.slope_gain, below.slope_gain, above.position_gain_m, below.position_gain_m)
    )
    noise = np.column_stack([v_in + v_out, v_in * height, x_in + x_out + v_in * height**2])
    return Rays(angle, shift, variance, noise, entry, exit_, above.slope, below.slope, weight)


@compiled_fast
def _inverse(a, b, c):
    scale = 1 / (a * c - b * b)
    return c * scale, -b * scale, a * scale


@compiled_fast
def _gather(
    angle, shift, variance, noise, entry, exit_, slope_in, slope_out, weight, density, voxel, steps,
    gain, trace, square,
):  # fmt: skip
    """Add to each voxel the muons' D' S^-1 W S^-1 D, tr(S^-1 W) and tr(S^-1 W)^2, each times weight."""
    count = density.shape[0] * steps
    cell = np.empty(count, dtype=np.int32)
    length, height = np.empty(count), np.empty(count)
    gains, traces, squares = gain.ravel(), trace.ravel(), square.ravel()
    used = 0
    for i in range(weight.size):
        w = weight[i]
        total = angle[i, 0] + shift[i, 0] + noise[i, 0] + noise[i, 2]
        if not (w > 0 and w < np.inf and abs(total) < np.inf):
            continue
        inside, a0, a1, a2 = follow(
            i, entry, exit_, slope_in, slope_out, density, voxel, steps, cell, length, height
        )
        if inside == 0:
            continue
        used += 1
        for plane in range(2):
            d, s, v = angle[i, plane], shift[i, plane], variance[i, plane]
            if not (abs(d) < np.inf and abs(s) < np.inf and abs(v) < np.inf):
                continue
            s0, s1, s2 = _inverse(v * a0 + noise[i, 0], v * a1 + noise[i, 1], v * a2 + noise[i, 2])
            u0, u1 = s0 * d + s1 * s, s1 * d + s2 * s
            here = -1
            held_gain = held_trace = 0.0
            for k in range(inside):
                if cell[k] != here:
                    if here >= 0:
                        gains[here] += w * held_gain
                        traces[here] += w * held_trace
                        squares[here] += w * held_trace * held_trace
                    here = cell[k]
                    held_gain = held_trace = 0.0
                h = height[k]
                step = v * length[k]
                q = u0 + h * u1
                held_gain += step * q * q
                held_trace += step * (s0 + 2 * h * s1 + h * h * s2)
            gains[here] += w * held_gain
            traces[here] += w * held_trace
            squares[here] += w * held_trace * held_trace
    return used


class RayStatistics:
    """What rays say of every voxel at an assumed map of scattering densities (1/X0, per metre).

    With S and W_j of this module, in units of v for W_j, ``gain`` is the sum over muons and planes of
    weight x D' S^-1 v W_j S^-1 D, ``trace`` of weight x tr(S^-1 v W_j), ``square`` of weight x
    tr(S^-1 v W_j)^2. (gain - trace)/2 is the derivative of the log-likelihood by lambda_j, whose expectation
    is 0 at the true map: there gain is trace but for statistics. square/2 is the variance of that derivative
    where W_j is of rank one, as it nearly is for voxels much lower than the volume.

    Raises
    ------
    ValueError
        if the map has another shape than the volume.
    """

    def __init__(self, density_per_m: Float[np.ndarray, "z x y"], volume: Volume) -> None:
        if density_per_m.shape != volume.shape:
            raise ValueError(f"a density for each voxel {volume.shape}, got {density_per_m.shape}")
        self.density_per_m, self.volume = np.ascontiguousarray(density_per_m, dtype=np.float64), volume
        self.gain, self.trace, self.square = (np.zeros(volume.shape) for _ in range(3))
        self.used = 0

    def add(self, rays: Rays) -> None:
        """Add muons; those without two tracks or without weight are left out."""
        self.used += _gather(
            *rays, self.density_per_m, self.volume.voxel_m, STEPS, self.gain, self.trace,
            self.square,
        )  # fmt: skip
