"""Point of closest approach of two tracks, the angle between them, and the errors of both."""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from cloudchamber.compiled import compiled, compiled_fast
from cloudchamber.simulate.walls.tracks import Tracks


class Poca(NamedTuple):
    """Scattering of each muon as one point and one angle, with errors.

    ``position_m``, ``sigma_m`` (muon, 3); ``theta_msc`` (muon,), the angle between the tracks;
    ``theta_in``, ``theta_out``, zenith angles; all angles and their ``sigma_`` in radians.
    """

    position_m: Float[np.ndarray, "muon 3"]
    sigma_m: Float[np.ndarray, "muon 3"]
    theta_msc: Float[np.ndarray, "muon"]
    sigma_theta_msc: Float[np.ndarray, "muon"]
    theta_in: Float[np.ndarray, "muon"]
    sigma_theta_in: Float[np.ndarray, "muon"]
    theta_out: Float[np.ndarray, "muon"]
    sigma_theta_out: Float[np.ndarray, "muon"]


@compiled
def combine(total, squares, pairs):
    """Error from a_k = dv/dh_k sigma_k: sqrt(sum a^2), or the challenge's sqrt(((sum a)^2 + sum a^2)/2)."""
    return np.sqrt(0.5 * (total * total + squares)) if pairs else np.sqrt(squares)


@compiled_fast
def _poca(p_in, s_in, pg_in, sg_in, p_out, s_out, pg_out, sg_out, pairs, position, sigma, angles, errors):
    w = np.empty(3)
    v1, v2 = np.empty(3), np.empty(3)
    d_w, d_v1, d_v2 = np.empty(3), np.empty(3), np.empty(3)
    jacobian = np.empty((8, 6))  # of (poca x y z, theta_msc, theta_in, theta_out)
    total, squares = np.empty(6), np.empty(6)
    for i in range(p_in.shape[0]):
        v1[0], v1[1], v1[2] = s_in[i, 0], s_in[i, 1], 1.0
        v2[0], v2[1], v2[2] = s_out[i, 0], s_out[i, 1], 1.0
        a = b = c = d = e = 0.0
        for j in range(3):
            w[j] = p_in[i, j] - p_out[i, j]
            a += v1[j] * v1[j]
            b += v1[j] * v2[j]
            c += v2[j] * v2[j]
            d += v1[j] * w[j]
            e += v2[j] * w[j]
        # |v1 x v2|^2 from the cross product: a c - b^2 would cancel for small angles.
        cross_x, cross_y = v1[1] - v2[1], v2[0] - v1[0]
        cross_z = v1[0] * v2[1] - v1[1] * v2[0]
        det = cross_x * cross_x + cross_y * cross_y + cross_z * cross_z
        t, s = (b * e - c * d) / det, (a * e - b * d) / det
        for j in range(3):
            position[i, j] = 0.5 * (p_in[i, j] + t * v1[j] + p_out[i, j] + s * v2[j])
        tan_in, tan_out = np.hypot(v1[0], v1[1]), np.hypot(v2[0], v2[1])
        root = np.sqrt(det)
        angles[i, 0] = np.arctan2(root, b)
        angles[i, 1], angles[i, 2] = np.arctan(tan_in), np.arctan(tan_out)
        for q in range(8):
            # q: x, y of the upper position; its slopes; the same for the lower track.
            axis = q % 2
            for j in range(3):
                d_w[j] = d_v1[j] = d_v2[j] = 0.0
            if q < 2:
                d_w[axis] = 1.0
            elif q < 4:
                d_v1[axis] = 1.0
            elif q < 6:
                d_w[axis] = -1.0
            else:
                d_v2[axis] = 1.0
            d_a = 2 * v1[axis] * d_v1[axis]
            d_b = d_v1[axis] * v2[axis] + v1[axis] * d_v2[axis]
            d_c = 2 * v2[axis] * d_v2[axis]
            d_d = d_v1[axis] * w[axis] + v1[axis] * d_w[axis]
            d_e = d_v2[axis] * w[axis] + v2[axis] * d_w[axis]
            d_det = d_a * c + a * d_c - 2 * b * d_b
            d_t = (d_b * e + b * d_e - d_c * d - c * d_d - t * d_det) / det
            d_s = (d_a * e + a * d_e - d_b * d - b * d_d - s * d_det) / det
            for j in range(3):
                jacobian[q, j] = 0.5 * (d_t * v1[j] + t * d_v1[j] + d_s * v2[j] + s * d_v2[j])
            if q < 2 or 4 <= q < 6:
                jacobian[q, axis] += 0.5
            # tan(theta_msc) = root / b
            d_root = 0.5 * d_det / root
            jacobian[q, 3] = (b * d_root - root * d_b) / (det + b * b)
            jacobian[q, 4] = d_v1[axis] * v1[axis] / (tan_in * (1 + tan_in * tan_in)) if tan_in > 0 else 0.0
            jacobian[q, 5] = (
                d_v2[axis] * v2[axis] / (tan_out * (1 + tan_out * tan_out)) if tan_out > 0 else 0.0
            )
        # sum_k a_k and sum_k a_k^2 need the gains' sums, squares and products alone.
        total[:] = 0.0
        squares[:] = 0.0
        for side in range(2):
            pg, sg = (pg_in, sg_in) if side == 0 else (pg_out, sg_out)
            for axis in range(2):
                sum_p = sum_s = sum_pp = sum_ps = sum_ss = 0.0
                for k in range(pg.shape[1]):
                    g_p, g_s = pg[i, k, axis], sg[i, k, axis]
                    sum_p += g_p
                    sum_s += g_s
                    sum_pp += g_p * g_p
                    sum_ps += g_p * g_s
                    sum_ss += g_s * g_s
                q = 4 * side + axis
                for j in range(6):
                    j_p, j_s = jacobian[q, j], jacobian[q + 2, j]
                    total[j] += j_p * sum_p + j_s * sum_s
                    squares[j] += j_p * j_p * sum_pp + 2 * j_p * j_s * sum_ps + j_s * j_s * sum_ss
        for j in range(3):
            sigma[i, j] = combine(total[j], squares[j], pairs)
            errors[i, j] = combine(total[3 + j], squares[3 + j], pairs)


def closest_approach(
    above: Tracks, below: Tracks, uncertainty: Literal["pairs", "independent"] = "independent"
) -> Poca:
    """Find where the two tracks of each muon come closest, and the angle between them.

    The point is the middle of the shortest segment between the lines. Errors are first-order in the hits:
    with a_k = dv/dh_k sigma_k over all hit coordinates, ``independent`` is sqrt(sum a_k^2); ``pairs``, which
    the challenge of 2022 used, is sqrt(((sum a_k)^2 + sum a_k^2)/2). Parallel tracks give NaN or infinity,
    which :func:`cloudchamber.simulate.walls.x0map.x0_map` leaves out.
    """
    n = len(above.slope)
    position, sigma = np.empty((n, 3)), np.empty((n, 3))
    angles, errors = np.empty((n, 3)), np.empty((n, 3))
    _poca(
        above.position_m, above.slope, above.position_gain_m, above.slope_gain, below.position_m, below.slope,
        below.position_gain_m, below.slope_gain, uncertainty == "pairs", position, sigma, angles, errors,
    )  # fmt: skip
    (msc, t_in, t_out), (d_msc, d_in, d_out) = angles.T, errors.T
    return Poca(position, sigma, msc, d_msc, t_in, d_in, t_out, d_out)
