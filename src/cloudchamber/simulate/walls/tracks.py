"""Weighted straight-line fits through hits: x against z and y against z."""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from cloudchamber.compiled import compiled


class Tracks(NamedTuple):
    """Straight tracks, one per muon, and what one sigma of each hit does to them.

    ``position_m`` (muon, 3) on the plane of the first panel; ``slope`` (muon, 2): dx/dz, dy/dz;
    ``position_gain_m`` and ``slope_gain`` (muon, panel, 2): shift of position and slope when that hit
    moves by one sigma. NaN where fewer than two panels have a hit.
    """

    position_m: Float[np.ndarray, "muon 3"]
    slope: Float[np.ndarray, "muon 2"]
    position_gain_m: Float[np.ndarray, "muon panel 2"]
    slope_gain: Float[np.ndarray, "muon panel 2"]

    @property
    def direction(self) -> Float[np.ndarray, "muon 3"]:
        """Unit vectors along the tracks, downwards."""
        downward = np.column_stack([-self.slope, -np.ones(len(self.slope))])
        return np.asarray(downward / np.linalg.norm(downward, axis=1, keepdims=True))

    @property
    def theta(self) -> Float[np.ndarray, "muon"]:
        """Zenith angles in radians."""
        return np.asarray(np.arctan(np.hypot(self.slope[:, 0], self.slope[:, 1])))


@compiled
def _fit_single(z, x, sigma):
    """Fit in single precision from means, rounding as in the challenge; gives x at z[0] and the slope."""
    total = np.float32(0)
    sum_x, sum_z, sum_xz, sum_zz = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    for k in range(z.size):
        s, at, height = np.float32(sigma[k]), np.float32(x[k]), np.float32(z[k])
        w = np.float32(1) / np.float32(s * s)
        total = np.float32(total + w)
        sum_x = np.float32(sum_x + np.float32(at * w))
        sum_z = np.float32(sum_z + np.float32(height * w))
        sum_xz = np.float32(sum_xz + np.float32(np.float32(at * height) * w))
        sum_zz = np.float32(sum_zz + np.float32(np.float32(height * height) * w))
    mean_x, mean_z = np.float32(sum_x / total), np.float32(sum_z / total)
    mean_xz, mean_zz = np.float32(sum_xz / total), np.float32(sum_zz / total)
    shift = np.float32(np.float32(mean_z * mean_xz) / mean_zz)
    scale = np.float32(np.float32(mean_z * mean_z) / mean_zz)
    at_zero = np.float32(np.float32(mean_x - shift) / np.float32(np.float32(1) - scale))
    slope = np.float32(np.float32(mean_xz - np.float32(at_zero * mean_z)) / mean_zz)
    first = np.float32(at_zero + np.float32(slope * np.float32(z[0])))
    second = np.float32(at_zero + np.float32(slope * np.float32(z[1])))
    return first, np.float32(second - first) / np.float32(np.float32(z[1]) - np.float32(z[0]))


@compiled
def _fit(hits, heights, sigma, single, position, slope, position_gain, slope_gain):
    panels = hits.shape[1]
    inverse = np.empty(panels)
    for i in range(hits.shape[0]):
        position[i, 2] = heights[0]
        for axis in range(2):
            total = mean_z = mean_x = 0.0
            seen = 0
            for k in range(panels):
                inverse[k] = 1 / sigma[i, k, axis]
                if inverse[k] > 0:
                    w = inverse[k] * inverse[k]
                    total += w
                    mean_z += w * heights[k]
                    mean_x += w * hits[i, k, axis]
                    seen += 1
            if seen < 2:
                position[i, axis] = slope[i, axis] = np.nan
                position_gain[i, :, axis] = slope_gain[i, :, axis] = np.nan
                continue
            scale = 1 / total
            mean_z *= scale
            mean_x *= scale
            spread = covariance = 0.0
            for k in range(panels):
                if inverse[k] > 0:
                    w, away = inverse[k] * inverse[k], heights[k] - mean_z
                    spread += w * away * away
                    covariance += w * away * (hits[i, k, axis] - mean_x)
            narrow = 1 / spread
            slope[i, axis] = covariance * narrow
            lever = position[i, 2] - mean_z
            position[i, axis] = mean_x + slope[i, axis] * lever
            for k in range(panels):
                position_gain[i, k, axis] = slope_gain[i, k, axis] = 0.0
                if inverse[k] > 0:
                    gain = (heights[k] - mean_z) * inverse[k] * narrow
                    slope_gain[i, k, axis] = gain
                    position_gain[i, k, axis] = inverse[k] * scale + lever * gain
            if single and seen == panels:
                fitted = _fit_single(heights, hits[i, :, axis], sigma[i, :, axis])
                position[i, axis], slope[i, axis] = fitted


def fit_tracks(
    hits_m: Float[np.ndarray, "muon panel 2"],
    sigma_m: Float[np.ndarray, "muon panel 2"],
    height_m: Float[np.ndarray, "panel"],
    precision: Literal["single", "double"] = "double",
) -> Tracks:
    """Fit a straight line to the hits of each muon on one side of the volume.

    Weighted least squares (PDG review 2024, section 40.2.1.1) in x and y apart, weights 1/sigma^2; a hit with
    infinite sigma is none. ``precision="single"`` does the arithmetic of the challenge of 2022: in single
    precision from means over z ~ 12 m, whose cancellation adds an error of 1e-4 to the slope, as large as the
    hits' own. The gains are in double precision always.

    Parameters
    ----------
    hits_m : x and y in metres.
    sigma_m : their errors in metres.
    height_m : z of the panels; the first is the reference plane of the tracks.

    Raises
    ------
    ValueError
        if the shapes do not belong together.
    """
    n, panels = hits_m.shape[:2]
    if hits_m.shape != (n, panels, 2) or sigma_m.shape != hits_m.shape or height_m.shape != (panels,):
        raise ValueError(
            f"hits and sigmas (muon, panel, 2) and heights (panel,), got {hits_m.shape}, {sigma_m.shape}, "
            f"{height_m.shape}"
        )
    position, slope = np.empty((n, 3)), np.empty((n, 2))
    position_gain, slope_gain = np.empty((n, panels, 2)), np.empty((n, panels, 2))
    _fit(
        np.asarray(hits_m, dtype=np.float64), np.asarray(height_m, dtype=np.float64),
        np.asarray(sigma_m, dtype=np.float64), precision == "single",
        position, slope, position_gain, slope_gain,
    )  # fmt: skip
    return Tracks(position, slope, position_gain, slope_gain)
