"""Expectation maximisation, against plain matrices, the rules it must obey, and uniform soil."""

from typing import Any

import numpy as np
import pytest

from cloudchamber.simulate.walls import challenge_2022, scan_walls
from cloudchamber.simulate.walls.config import Volume
from cloudchamber.simulate.walls.crossings import Crossings
from cloudchamber.simulate.walls.mlem import fit_densities
from cloudchamber.simulate.walls.rays import Rays, trace_rays
from cloudchamber.simulate.walls.reconstructions import Mlem
from cloudchamber.simulate.walls.tracks import Tracks

VOLUME = Volume(shape=(4, 3, 5), ground=(0, 0), least_height=1)
START = np.full(VOLUME.shape, 4.0)


def some_muons(seed: int, n: int = 60) -> tuple[Rays, Crossings]:
    rng = np.random.default_rng(seed)
    entry, slope = rng.uniform(-0.5, 1.2, (n, 2)) * [3, 5], rng.normal(0, 0.3, (n, 2))
    exit_ = entry - slope * 4 + rng.normal(0, 0.3, (n, 2))
    gains = np.full((n, 4, 2), 1e-4)
    above, below = (
        Tracks(np.column_stack([at, np.full(n, z)]), s, gains, gains)
        for at, s, z in ((entry, slope, 5.0), (exit_, slope + rng.normal(0, 0.1, (n, 2)), 1.0))
    )
    momentum = rng.uniform(0.5, 2, n)
    rays = trace_rays(above, below, momentum, rng.uniform(0.2, 1, n), VOLUME)
    return rays, Crossings.of(rays, momentum, VOLUME)


def dense_step(rays: Rays, crossings: Crossings, density: np.ndarray, average: str) -> np.ndarray:
    """One iteration as the formula has it: S_ij = 2 lambda + lambda^2 v (D' S^-1 W S^-1 D - tr(S^-1 W))."""
    flat = density.ravel()
    said: dict[int, list[tuple[float, float]]] = {j: [] for j in range(flat.size)}
    for i in range(len(rays.weight)):
        here = range(crossings.start[i], crossings.start[i + 1])
        matrices = {}
        for k in here:
            m0, m1, m2 = crossings.moments[k]
            matrices[k] = np.array([[m0, m1], [m1, m2]])
        total = sum((flat[crossings.voxel[k]] * matrices[k] for k in here), start=np.zeros((2, 2)))
        s0, s1, s2 = crossings.sides[i] * START.mean()
        of_planes = []
        for plane in range(2):
            v = rays.variance[i, plane]
            e0, e1, e2 = rays.noise[i]
            covariance = v * (total + np.array([[s0, s1], [s1, s2]])) + np.array([[e0, e1], [e1, e2]])
            measured = np.array([rays.angle[i, plane], rays.shift_m[i, plane]])
            of_planes.append((v, np.linalg.inv(covariance), measured))
        for k in here:
            j, w = int(crossings.voxel[k]), matrices[k]
            values = [
                2 * flat[j] + flat[j] ** 2 * v * (d @ inv @ w @ inv @ d - np.trace(inv @ w))
                for v, inv, d in of_planes
            ]
            said[j].append((float(np.mean(values)), float(rays.weight[i])))
    new = flat.copy()
    for j, values in said.items():
        if values:
            s, w = np.array(values).T
            new[j] = 0.5 * (np.median(s) if average == "median" else np.average(s, weights=w))
    return new.reshape(density.shape)


@pytest.mark.parametrize("average", ["mean", "median"])
def test_iterations_against_plain_matrices(average: Any) -> None:
    rays, crossings = some_muons(1)
    expected = START
    for iterations in (1, 2, 3):
        expected = dense_step(rays, crossings, expected, average)
        got = fit_densities(rays, crossings, START, iterations, average)
        np.testing.assert_allclose(got.density_per_m, expected, rtol=1e-7)
    assert len(got.log_likelihood) == 4


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("prior_muons", [0.0, 3.0])
def test_the_likelihood_never_falls_and_densities_stay_positive(seed: int, prior_muons: float) -> None:
    rays, crossings = some_muons(seed, 200)
    start = START * np.random.default_rng(seed).uniform(0.2, 5, START.shape)
    fit = fit_densities(rays, crossings, start, 200, prior_muons=prior_muons)
    rises = np.diff(fit.log_likelihood)
    assert (rises >= -1e-9 * np.abs(fit.log_likelihood[0])).all()
    assert rises[:10].min() > 0
    assert (fit.density_per_m > 0).all()


def test_it_ends_where_the_likelihood_has_no_slope() -> None:
    rays, crossings = some_muons(3, 2000)
    crossings = crossings._replace(sides=np.zeros_like(crossings.sides))  # they go with the start
    late = fit_densities(rays, crossings, START, 3000)
    best = late.log_likelihood[-1]
    for seed in range(5):
        away = late.density_per_m * np.exp(0.02 * np.random.default_rng(seed).standard_normal(START.shape))
        assert fit_densities(rays, crossings, away, 0).log_likelihood[0] < best + 0.01


def test_iterations_go_on_where_they_stopped() -> None:
    rays, crossings = some_muons(4)
    crossings = crossings._replace(sides=np.zeros_like(crossings.sides))
    half = fit_densities(rays, crossings, START, 5).density_per_m
    np.testing.assert_allclose(
        fit_densities(rays, crossings, half, 5).density_per_m,
        fit_densities(rays, crossings, START, 10).density_per_m,
        rtol=1e-9,
    )


def test_a_strong_prior_keeps_the_start() -> None:
    rays, crossings = some_muons(5)
    free, held, firm = (
        fit_densities(rays, crossings, START, 20, prior_muons=n).density_per_m for n in (0.0, 10.0, 1e9)
    )
    assert np.abs(np.log(held / START)).max() < np.abs(np.log(free / START)).max()
    np.testing.assert_allclose(firm, START, rtol=1e-4)


def test_tolerance_stops_early() -> None:
    rays, crossings = some_muons(6, 500)
    fit = fit_densities(rays, crossings, START, 1000, tolerance=1e-3)
    rises = np.diff(fit.log_likelihood)
    assert 3 < len(rises) < 1000
    assert rises[-1] < 1e-3 * 500 <= rises[-2]


@pytest.mark.parametrize("average", ["mean", "median"])
def test_what_no_muon_crosses_stays_and_bad_muons_are_left_out(average: Any) -> None:
    rays, _ = some_muons(7, 80)
    spoilt = Rays(*(np.array(array) for array in rays))
    spoilt.weight[40:50] = 0
    spoilt.angle[50:60] = np.nan
    spoilt.shift_m[60:65] = np.inf
    spoilt.variance[65:70] = np.nan
    spoilt.noise[70:72] = np.nan
    spoilt.weight[72:] = np.nan
    momentum = np.ones(80)
    first = Rays(*(array[:40] for array in spoilt))
    clean = fit_densities(first, Crossings.of(first, momentum[:40], VOLUME), START, 5, average)
    got = fit_densities(spoilt, Crossings.of(spoilt, momentum, VOLUME), START, 5, average)
    np.testing.assert_allclose(got.density_per_m, clean.density_per_m, rtol=1e-12)
    np.testing.assert_allclose(got.crossed, clean.crossed)
    assert (clean.crossed == 0).any()
    np.testing.assert_array_equal(clean.density_per_m[clean.crossed == 0], 4.0)


def test_without_muons() -> None:
    rays, crossings = some_muons(8, 10)
    with pytest.raises(ValueError, match="no muon"):
        fit_densities(rays._replace(weight=np.zeros(10)), crossings, START)


def test_uniform_soil_comes_out_as_it_is() -> None:
    """Mean over muons: within 2%. Median: low by ln 2, as the distribution of S_ij is skewed."""
    config = challenge_2022()
    nothing = np.zeros(config.volume.shape, dtype=bool)
    maps: dict[str, list[np.ndarray]] = {"mean": [], "median": []}
    for seed in range(5):
        blocks = list(scan_walls(np.random.default_rng(seed), nothing, config))
        for average in ("mean", "median") if seed < 2 else ("mean",):
            method = Mlem(iterations=20 if average == "mean" else 100, average=average)
            x0_m = method(blocks, config.volume, config.reconstruction, config.transport)
            maps[average].append(config.volume.soil.x0_m / x0_m[:, 1:-1, 1:-1])
    mean, median = (np.mean(maps[average]) for average in ("mean", "median"))
    assert mean == pytest.approx(1, abs=0.02)
    assert median == pytest.approx(np.log(2), abs=0.07)
    np.testing.assert_allclose(np.mean(maps["mean"], axis=(0, 2, 3))[:-1], 1, atol=0.05)
