"""The map of radiation lengths, against a dense sum over all voxels and muons."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cloudchamber.simulate.walls import reconstruct, scan_walls
from cloudchamber.simulate.walls.config import Muons, Volume, WallsConfig, challenge_2022
from cloudchamber.simulate.walls.geometry import generate_walls
from cloudchamber.simulate.walls.poca import Poca
from cloudchamber.simulate.walls.x0map import MuonX0, X0Map, muon_x0


def some_pocas(seed: int, n: int, side_m: float = 10.0) -> tuple[Poca, MuonX0, np.ndarray]:
    rng = np.random.default_rng(seed)
    angles = [rng.uniform(0.01, 1.0, n) for _ in range(6)]
    sigma_m = 10 ** rng.uniform(-3, 0.5, (n, 3))
    poca = Poca(rng.uniform(-0.2 * side_m, 1.3 * side_m, (n, 3)), sigma_m, *angles)
    x0 = MuonX0(10 ** rng.uniform(-3, 0, n), 10 ** rng.uniform(-4, 0, n))
    return poca, x0, rng.uniform(0.1, 1, n)


def between(edges: np.ndarray, at: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Probability between neighbouring edges (muon, voxel), from the tail that does not cancel."""
    u = (edges - at[:, None]) / sigma[:, None]
    share: np.ndarray = np.where(
        u[:, :-1] > 0, -np.diff(stats.norm.sf(u), axis=1), np.diff(stats.norm.cdf(u), axis=1)
    )
    return share


def dense(poca: Poca, x0: MuonX0, weight: np.ndarray, volume: Volume) -> np.ndarray:
    """Every muon in every voxel, the sum as the fact sheet has it."""
    lows = (volume.base_m, 0.0, 0.0)
    at = poca.position_m[:, [2, 0, 1]]
    sigma = poca.sigma_m[:, [2, 0, 1]] + 1e-7
    shares = []
    for axis in range(3):
        edges = lows[axis] + volume.voxel_m * np.arange(volume.shape[axis] + 1)
        shares.append(between(edges, at[:, axis], sigma[:, axis]))
    w = weight / (x0.sigma_m**2 + 1e-17)
    w_ij = w[:, None, None, None] * (np.einsum("ia,ib,ic->iabc", *shares) + 1e-15)
    total: np.ndarray = np.einsum("iabc,i->abc", w_ij, x0.x0_m) / w_ij.sum(0)
    return total


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from([((10, 10, 10), 1.0), ((4, 7, 3), 1.5), ((20, 8, 8), 0.5)]))
def test_map_against_the_dense_sum(seed: int, grid: tuple[tuple[int, int, int], float]) -> None:
    volume = Volume(shape=grid[0], voxel_m=grid[1], ground=(0, 0), least_height=1)
    poca, x0, weight = some_pocas(seed, 60)
    x0_map = X0Map(volume)
    x0_map.add(poca, x0, weight)
    assert x0_map.used == 60
    # Where no muon reaches, the constant 1e-15 decides, and rounding of the shares at 1e-16 with it.
    np.testing.assert_allclose(x0_map.average(), dense(poca, x0, weight, volume), rtol=2e-3)


def test_blocks_add_up() -> None:
    poca, x0, weight = some_pocas(1, 500)
    whole, parts = X0Map(Volume()), X0Map(Volume())
    whole.add(poca, x0, weight)
    for k in (slice(100), slice(100, None)):
        parts.add(Poca(*(a[k] for a in poca)), MuonX0(*(a[k] for a in x0)), weight[k])
    np.testing.assert_allclose(parts.average(), whole.average(), rtol=1e-12)


@pytest.mark.parametrize("spoil", ["position", "sigma", "x0", "sigma_x0", "weight"])
def test_muons_without_finite_numbers_are_left_out(spoil: str) -> None:
    poca, x0, weight = some_pocas(2, 50)
    clean = X0Map(Volume())
    clean.add(Poca(*(a[:40] for a in poca)), MuonX0(*(a[:40] for a in x0)), weight[:40])
    target = {
        "position": poca.position_m[:, 1], "sigma": poca.sigma_m[:, 2], "x0": x0.x0_m, "sigma_x0": x0.sigma_m,
        "weight": weight,
    }[spoil]  # fmt: skip
    target[40:45] = np.nan
    target[45:] = 0.0 if spoil == "weight" else np.inf
    spoilt = X0Map(Volume())
    spoilt.add(poca, x0, weight)
    assert spoilt.used == 40
    np.testing.assert_array_equal(spoilt.average(), clean.average())


def test_a_map_needs_muons() -> None:
    with pytest.raises(ValueError, match="no muon"):
        X0Map(Volume()).average()


@pytest.mark.parametrize("rule", ["pairs", "independent"])
def test_x0_of_a_muon_and_its_error(rule: Literal["pairs", "independent"]) -> None:
    poca, _, _ = some_pocas(3, 20)
    poca = poca._replace(theta_in=poca.theta_in * 0.8, theta_out=poca.theta_out * 0.8)
    momentum = np.linspace(0.5, 5, 20)

    def formula(msc: np.ndarray, t_in: np.ndarray, t_out: np.ndarray) -> np.ndarray:
        x: np.ndarray = 2 * (0.0136 / momentum) ** 2 * 0.5 / (msc**2 * (np.cos(t_in) + np.cos(t_out)) / 2)
        return x

    at = (poca.theta_msc, poca.theta_in, poca.theta_out)
    errors = (poca.sigma_theta_msc, poca.sigma_theta_in, poca.sigma_theta_out)
    shifts = []
    for k in range(3):
        up, down = list(at), list(at)
        up[k], down[k] = at[k] + 1e-6, at[k] - 1e-6
        shifts.append((formula(*up) - formula(*down)) / 2e-6 * errors[k])
    a = np.array(shifts)
    variance = (a**2).sum(0) if rule == "independent" else 0.5 * (a.sum(0) ** 2 + (a**2).sum(0))
    got = muon_x0(poca, momentum, 0.5, rule)
    np.testing.assert_allclose(got.x0_m, formula(*at), rtol=1e-12)
    np.testing.assert_allclose(got.sigma_m, np.sqrt(variance), rtol=1e-5)


def test_your_own_hits_give_a_map() -> None:
    """Hits from anywhere: here from a scan, shuffled, with a few muons not seen at all."""
    config = WallsConfig(muons=Muons(count=2500))
    rng = np.random.default_rng(4)
    walls = generate_walls(rng, config.volume)
    ((hits, momentum),) = scan_walls(rng, walls, config)
    expected = reconstruct(hits, momentum, config.volume, config.reconstruction)
    order = rng.permutation(2500)
    own = hits._replace(
        position_m=hits.position_m[order], sigma_m=hits.sigma_m[order], weight=hits.weight[order]
    )
    np.testing.assert_allclose(
        reconstruct(own, momentum, config.volume, config.reconstruction), expected, rtol=1e-9
    )
    assert expected.shape == (10, 10, 10)
    assert (expected > 0).all()
    unseen = own._replace(weight=np.zeros(2500))
    with pytest.raises(ValueError, match="no muon"):
        reconstruct(unseen, momentum, config.volume, config.reconstruction)


def test_walls_are_darker_than_soil() -> None:
    config = challenge_2022()
    walls = np.zeros((10, 10, 10), dtype=bool)
    walls[2:8, 3:6, 2:8] = True
    rng = np.random.default_rng(5)
    x0_map = X0Map(config.volume)
    from cloudchamber.simulate.walls.scan import locate_scatterings

    for hits, momentum in scan_walls(rng, walls, config):
        located = locate_scatterings(hits, momentum, 1.0, config.reconstruction)
        x0_map.add(located.poca, located.suggested, hits.weight)
    x0_m = x0_map.average()
    assert np.median(x0_m[2:8][walls[2:8]]) < 0.7 * np.median(x0_m[2:8][~walls[2:8]])
