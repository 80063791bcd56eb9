"""Points of closest approach, against a minimiser and finite differences."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from cloudchamber.simulate.walls.poca import Poca, closest_approach
from cloudchamber.simulate.walls.tracks import Tracks, fit_tracks

ABOVE_M, BELOW_M = np.array([12.0, 11.75, 11.5, 11.25]), np.array([1.0, 0.75, 0.5, 0.25])
SEEDS = st.integers(0, 2**32)


def scattered(seed: int, n: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Hits (muon, 8, 2) of muons that scatter by tens of mrad once, and their errors."""
    rng = np.random.default_rng(seed)
    at, z = rng.uniform(0, 10, (n, 1, 2)), rng.uniform(2, 10, (n, 1, 1))
    slope = rng.normal(0, 0.4, (n, 1, 2))
    kick = rng.choice([-1, 1], (n, 1, 2)) * rng.uniform(0.03, 0.1, (n, 1, 2))
    above = at + slope * (ABOVE_M[None, :, None] - z)
    below = at + (slope + kick) * (BELOW_M[None, :, None] - z)
    sigma = 10 ** rng.uniform(-4.5, -3.5, (n, 8, 2))
    return np.concatenate([above, below], axis=1) + sigma * rng.standard_normal((n, 8, 2)), sigma


def tracks_of(hits: np.ndarray, sigma: np.ndarray) -> tuple[Tracks, Tracks]:
    return fit_tracks(hits[:, :4], sigma[:, :4], ABOVE_M), fit_tracks(hits[:, 4:], sigma[:, 4:], BELOW_M)


def values(poca: Poca) -> np.ndarray:
    return np.column_stack([poca.position_m, poca.theta_msc, poca.theta_in, poca.theta_out])


def sigmas(poca: Poca) -> np.ndarray:
    return np.column_stack([poca.sigma_m, poca.sigma_theta_msc, poca.sigma_theta_in, poca.sigma_theta_out])


def distance(t: np.ndarray, u: np.ndarray, v: np.ndarray, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return np.asarray(p + t[0] * u - q - t[1] * v)


@settings(max_examples=20)
@given(SEEDS)
def test_point_is_the_middle_of_the_shortest_segment(seed: int) -> None:
    above, below = tracks_of(*scattered(seed))
    poca = closest_approach(above, below)
    for i in range(len(above.slope)):
        u, v = (np.append(track.slope[i], 1) for track in (above, below))
        p, q = above.position_m[i], below.position_m[i]

        # |p + t u - q - s v| is least: two unknowns, three equations.
        best = least_squares(distance, [0.0, 0.0], method="lm", args=(u, v, p, q)).x
        np.testing.assert_allclose(poca.position_m[i], (p + best[0] * u + q + best[1] * v) / 2, atol=1e-6)
        angle = np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v))
        assert poca.theta_msc[i] == pytest.approx(angle, rel=1e-6)


@settings(max_examples=25)
@given(SEEDS, st.sampled_from(["pairs", "independent"]))
def test_errors_against_finite_differences(seed: int, rule: Literal["pairs", "independent"]) -> None:
    hits, sigma = scattered(seed)
    poca = closest_approach(*tracks_of(hits, sigma), rule)
    shifts = []
    for k in range(8):
        for axis in range(2):
            moved = [hits.copy(), hits.copy()]
            for sign, copy in zip((1, -1), moved, strict=True):
                copy[:, k, axis] += sign * 1e-3 * sigma[:, k, axis]
            up, down = (values(closest_approach(*tracks_of(copy, sigma))) for copy in moved)
            shifts.append((up - down) / 2e-3)
    a = np.array(shifts)
    squares = (a**2).sum(0)
    variance = squares if rule == "independent" else 0.5 * (a.sum(0) ** 2 + squares)
    np.testing.assert_allclose(sigmas(poca), np.sqrt(variance), rtol=1e-4)


@given(SEEDS, st.tuples(*[st.floats(-20, 20)] * 2), st.floats(0, 2 * np.pi))
def test_moves_and_turns_with_the_tracks(seed: int, shift: tuple[float, float], turn: float) -> None:
    hits, sigma = scattered(seed)
    sigma[:] = sigma[..., :1]  # equal in x and y, so that a rotation is a symmetry
    before = closest_approach(*tracks_of(hits, sigma))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    after = closest_approach(*tracks_of(hits @ rotation.T + shift, sigma))
    moved = before.position_m.copy()
    moved[:, :2] = moved[:, :2] @ rotation.T + shift
    np.testing.assert_allclose(after.position_m, moved, atol=1e-7)
    np.testing.assert_allclose(after.theta_msc, before.theta_msc, rtol=1e-7)
    np.testing.assert_allclose(after.sigma_theta_msc, before.sigma_theta_msc, rtol=1e-5)
    np.testing.assert_allclose(after.sigma_m[:, 2], before.sigma_m[:, 2], rtol=1e-5)


@given(SEEDS)
def test_is_the_same_with_x_and_y_exchanged(seed: int) -> None:
    hits, sigma = scattered(seed)
    before = closest_approach(*tracks_of(hits, sigma), "pairs")
    after = closest_approach(*tracks_of(hits[..., ::-1], sigma[..., ::-1]), "pairs")
    np.testing.assert_allclose(after.position_m, before.position_m[:, [1, 0, 2]])
    np.testing.assert_allclose(after.sigma_m, before.sigma_m[:, [1, 0, 2]])
    np.testing.assert_allclose(after.sigma_theta_msc, before.sigma_theta_msc)


def test_errors_cover_the_truth() -> None:
    """With independent errors the pulls of many measurements of one muon have width 1."""
    hits, sigma = scattered(1, 1)
    rng = np.random.default_rng(2)
    many = np.repeat(hits, 20_000, axis=0)
    noisy = many + 0.1 * sigma * rng.standard_normal(many.shape)
    poca = closest_approach(*tracks_of(noisy, np.broadcast_to(0.1 * sigma, many.shape)))
    true = values(closest_approach(*tracks_of(hits, sigma)))
    pulls = (values(poca) - true) / sigmas(poca)
    np.testing.assert_allclose(pulls.std(0), 1, atol=0.02)


def test_parallel_tracks_give_no_finite_point_and_no_warning() -> None:
    hits, sigma = np.zeros((3, 8, 2)), np.full((3, 8, 2), 1e-4)
    hits[1] += 2.0
    hits[2] = 0.25 * np.concatenate([ABOVE_M, BELOW_M])[:, None]
    poca = closest_approach(*tracks_of(hits, sigma))
    assert not np.isfinite(poca.position_m[:2]).all(1).any()
    np.testing.assert_allclose(poca.theta_msc, 0, atol=1e-12)
