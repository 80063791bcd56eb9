"""Angle statistics reconstruction, against distances and quantiles voxel by voxel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cloudchamber.simulate.walls import challenge_2022, scan_walls
from cloudchamber.simulate.walls.asr import angle_quantiles
from cloudchamber.simulate.walls.config import Volume
from cloudchamber.simulate.walls.rays import Rays
from cloudchamber.simulate.walls.reconstructions import trace_blocks

VOLUME = Volume(shape=(5, 4, 6), voxel_m=0.5, ground=(0, 0), least_height=1)


def some_rays(seed: int, n: int = 40) -> tuple[Rays, np.ndarray]:
    rng = np.random.default_rng(seed)
    entry, slope = rng.uniform(-0.2, 1.2, (n, 2)) * [2, 3], rng.normal(0, 0.5, (n, 2))
    exit_ = entry - slope * 2.5 + rng.normal(0, 0.2, (n, 2))
    rays = Rays(
        rng.normal(0, 0.1, (n, 2)), rng.normal(0, 0.1, (n, 2)), rng.uniform(1e-4, 1e-3, (n, 2)),
        np.zeros((n, 3)), entry, exit_, slope, slope + rng.normal(0, 0.1, (n, 2)), rng.uniform(0.1, 1, n),
    )  # fmt: skip
    return rays, rng.uniform(0.5, 3, n)


def distance(point: np.ndarray, at_m: np.ndarray, height_m: float, slope: np.ndarray) -> np.ndarray:
    """Distance of a point (x, y, z) from lines through (at, height)."""
    n = len(slope)
    away = point - np.column_stack([at_m, np.full(n, height_m)])
    direction = np.column_stack([slope, np.ones(n)])
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return np.asarray(np.linalg.norm(np.cross(away, direction), axis=1))


def dense(rays: Rays, length_m: np.ndarray, quantile: float, reach_m: float) -> np.ndarray:
    scores = np.abs(rays.angle) / np.sqrt(rays.variance * length_m[:, None])
    density = np.full(VOLUME.shape, np.nan)
    for voxel in np.ndindex(VOLUME.shape):
        centre = (np.array([voxel[1], voxel[2], voxel[0]]) + 0.5) * VOLUME.voxel_m
        near = distance(centre, rays.entry_m, 2.5, rays.slope_in) <= reach_m
        near &= distance(centre, rays.exit_m, 0.0, rays.slope_out) <= reach_m
        values, weights = scores[near].ravel(), np.repeat(rays.weight[near], 2)
        known = np.isfinite(values)
        if known.any():
            got = np.quantile(values[known], quantile, weights=weights[known], method="inverted_cdf")
            density[voxel] = (got / stats.halfnorm.ppf(quantile)) ** 2
    return density


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.3, 0.55, 0.8]), st.sampled_from([0.2, 0.5, 0.9]))
def test_against_all_muons_in_all_voxels(seed: int, quantile: float, reach_m: float) -> None:
    rays, length_m = some_rays(seed)
    got = angle_quantiles(rays, length_m, VOLUME, quantile, reach_m)
    np.testing.assert_allclose(got, dense(rays, length_m, quantile, reach_m), rtol=1e-9)


def test_muons_without_finite_numbers_are_left_out() -> None:
    rays, length_m = some_rays(1, 60)
    clean = angle_quantiles(Rays(*(a[:40] for a in rays)), length_m[:40], VOLUME)
    rays.angle[40:44] = np.nan
    rays.entry_m[44:48] = np.nan
    rays.weight[48:52] = 0
    rays.variance[52:56] = np.inf
    rays.angle[52:56] = np.inf
    length_m[56:] = 0
    np.testing.assert_array_equal(angle_quantiles(rays, length_m, VOLUME), clean)


def test_one_plane_alone_counts() -> None:
    """Near the vertical the challenge's azimuth has no meaning; the other plane has."""
    rays, length_m = some_rays(2)
    rays.angle[::2, 1] = np.nan
    np.testing.assert_allclose(
        angle_quantiles(rays, length_m, VOLUME, 0.6, 0.5), dense(rays, length_m, 0.6, 0.5), rtol=1e-9
    )


@pytest.mark.parametrize("quantile", [0.0, 1.0, -0.1, np.nan])
def test_quantiles_out_of_range(quantile: float) -> None:
    rays, length_m = some_rays(3)
    with pytest.raises(ValueError, match="quantile"):
        angle_quantiles(rays, length_m, VOLUME, quantile)


def test_without_muons() -> None:
    rays, length_m = some_rays(4)
    with pytest.raises(ValueError, match="no muon"):
        angle_quantiles(rays._replace(weight=np.zeros(40)), length_m, VOLUME)


def test_uniform_soil() -> None:
    """Low by up to 15%: of a muon that scattered much the tracks part, and fewer voxels are near both."""
    config = challenge_2022()
    blocks = scan_walls(np.random.default_rng(1), np.zeros((10, 10, 10), dtype=bool), config)
    rays, crossings = trace_blocks(blocks, config.volume, config.reconstruction, config.transport)
    for quantile in (0.5, 0.75, 0.9):
        density = angle_quantiles(rays, crossings.length_m, config.volume, quantile)
        layers = density.mean(axis=(1, 2)) * config.volume.soil.x0_m
        assert (layers > 0.8).all()
        assert (layers < 1.02).all()
        assert layers[4:6].mean() > 0.92
