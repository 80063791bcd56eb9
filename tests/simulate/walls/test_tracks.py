"""Straight-line fits, against numpy and finite differences."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float

from cloudchamber.simulate.walls.tracks import fit_tracks

HEIGHT_M = np.array([12.0, 11.75, 11.5, 11.25])
SEEDS = st.integers(0, 2**32)


def some_hits(seed: int, n: int = 5, panels: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    height = np.sort(rng.uniform(0.2, 15, panels))[::-1] + np.arange(panels)[::-1] * 0.1
    return rng.uniform(-5, 15, (n, panels, 2)), 10 ** rng.uniform(-5, -2, (n, panels, 2)), height


@given(SEEDS, st.integers(2, 8))
def test_fit_is_weighted_least_squares(seed: int, panels: int) -> None:
    hits, sigma, height = some_hits(seed, panels=panels)
    tracks = fit_tracks(hits, sigma, height)
    np.testing.assert_array_equal(tracks.position_m[:, 2], height[0])
    for i in range(len(hits)):
        for axis in range(2):
            slope, at = np.polyfit(height - height[0], hits[i, :, axis], 1, w=1 / sigma[i, :, axis])
            assert tracks.slope[i, axis] == pytest.approx(slope, rel=1e-6, abs=1e-6)
            assert tracks.position_m[i, axis] == pytest.approx(at, rel=1e-6, abs=1e-6)


@given(SEEDS)
def test_gains_are_what_one_sigma_of_a_hit_does(seed: int) -> None:
    hits, sigma, height = some_hits(seed)
    tracks = fit_tracks(hits, sigma, height)
    for k in range(len(height)):
        for axis in range(2):
            moved = hits.copy()
            moved[:, k, axis] += sigma[:, k, axis]
            after = fit_tracks(moved, sigma, height)
            # The fit is linear in the hits, so this difference is exact but for rounding.
            np.testing.assert_allclose(
                after.position_m[:, axis] - tracks.position_m[:, axis],
                tracks.position_gain_m[:, k, axis],
                rtol=1e-6, atol=1e-10,
            )  # fmt: skip
            np.testing.assert_allclose(
                after.slope[:, axis] - tracks.slope[:, axis],
                tracks.slope_gain[:, k, axis],
                rtol=1e-6,
                atol=1e-10,
            )


def straight_hits(
    n: int,
) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, "n 4 2"], Float[np.ndarray, "n 4 2"]]:
    rng = np.random.default_rng(1)
    slope, at = rng.normal(0, 0.5, (n, 2)), rng.uniform(0, 10, (n, 2))
    sigma = np.full((n, 4, 2), 1e-4)
    hits = (
        at[:, None] + slope[:, None] * (HEIGHT_M - 12)[None, :, None] + 1e-4 * rng.standard_normal((n, 4, 2))
    )
    return slope, hits, sigma


def test_errors_cover_the_truth() -> None:
    slope, hits, sigma = straight_hits(20_000)
    tracks = fit_tracks(hits, sigma, HEIGHT_M)
    pull = (tracks.slope - slope) / np.sqrt((tracks.slope_gain**2).sum(1))
    assert pull.mean() == pytest.approx(0, abs=4 / np.sqrt(pull.size))
    assert pull.std() == pytest.approx(1, abs=4 / np.sqrt(2 * pull.size))


def test_single_precision_is_close_but_as_rough_as_the_hits() -> None:
    """Cancellation over z ~ 12 m: an error of 1e-4 of the slope, up to 5e-4 (docs/decisions/0004)."""
    _, hits, sigma = straight_hits(20_000)
    double, single = (fit_tracks(hits, sigma, HEIGHT_M, p) for p in ("double", "single"))
    away = single.slope - double.slope
    assert np.abs(away).max() < 2e-3
    assert np.quantile(np.abs(away), 0.99) < 1e-3
    assert 2e-5 < away.std() < 3e-4
    assert np.abs(single.position_m - double.position_m).max() < 1e-3
    np.testing.assert_array_equal(single.slope_gain, double.slope_gain)


@pytest.mark.parametrize("precision", ["single", "double"])
def test_a_hit_with_infinite_sigma_is_none(precision: Literal["single", "double"]) -> None:
    hits, sigma, height = some_hits(2)
    sigma[:, 1] = np.inf
    without = np.array([0, 2, 3])
    tracks = fit_tracks(hits, sigma, height, precision)
    other = fit_tracks(hits[:, without], sigma[:, without], height[without], "double")
    np.testing.assert_allclose(tracks.slope, other.slope)
    np.testing.assert_allclose(tracks.position_m, other.position_m)
    assert (tracks.slope_gain[:, 1] == 0).all()
    assert (tracks.position_gain_m[:, 1] == 0).all()


def test_one_hit_makes_no_track() -> None:
    hits, sigma, height = some_hits(3)
    sigma[0, :3] = np.inf
    sigma[1] = np.inf
    tracks = fit_tracks(hits, sigma, height)
    assert np.isnan(tracks.slope[:2]).all()
    assert np.isnan(tracks.position_gain_m[:2]).all()
    assert np.isfinite(tracks.slope[2:]).all()


def test_direction_and_zenith_angle() -> None:
    hits, sigma, height = some_hits(4)
    tracks = fit_tracks(hits, sigma, height)
    np.testing.assert_allclose(np.linalg.norm(tracks.direction, axis=1), 1)
    np.testing.assert_allclose(np.cos(tracks.theta), -tracks.direction[:, 2])
    np.testing.assert_allclose(tracks.direction[:, :2] / tracks.direction[:, 2:], tracks.slope)


@pytest.mark.parametrize(
    ("hits", "sigma", "height"),
    [((3, 4, 3), (3, 4, 3), 4), ((3, 4, 2), (3, 3, 2), 4), ((3, 4, 2), (3, 4, 2), 5)],
)
def test_shapes_that_do_not_fit(hits: tuple[int, ...], sigma: tuple[int, ...], height: int) -> None:
    with pytest.raises(ValueError, match="hits and sigmas"):
        fit_tracks(np.zeros(hits), np.ones(sigma), np.arange(height, 0.0, -1))
