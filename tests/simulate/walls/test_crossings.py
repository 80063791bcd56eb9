"""The voxels that muons cross, against straight lines, and scattering that grows as they slow down."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.simulate.walls.config import Material, Transport, Volume
from cloudchamber.simulate.walls.crossings import Crossings
from cloudchamber.simulate.walls.highland import NATURE, loss_gev_per_m, scattering_variance
from cloudchamber.simulate.walls.muons import MUON_MASS_GEV
from cloudchamber.simulate.walls.rays import Rays
from cloudchamber.simulate.walls.transport import bethe_gev_per_m

VOLUME = Volume(shape=(6, 5, 4), voxel_m=0.5, ground=(0, 0), least_height=1)


def straight(seed: int, n: int, volume: Volume = VOLUME) -> Rays:
    rng = np.random.default_rng(seed)
    height = volume.top_m - volume.base_m
    entry = rng.uniform(-0.2, 1.2, (n, 2)) * [volume.side_x_m, volume.side_y_m]
    slope = rng.normal(0, 0.6, (n, 2))
    nothing = np.zeros((n, 2))
    return Rays(
        nothing, nothing, np.ones((n, 2)), np.zeros((n, 3)), entry, entry - slope * height, slope, slope,
        np.ones(n),
    )  # fmt: skip


def length_inside(rays: Rays, volume: Volume) -> np.ndarray:
    """Length of straight lines in the box, by clipping."""
    height = volume.top_m - volume.base_m
    low, high = np.zeros(len(rays.weight)), np.full(len(rays.weight), height)
    for axis, side in enumerate((volume.side_x_m, volume.side_y_m)):
        with np.errstate(divide="ignore"):
            ends = np.stack([(edge - rays.exit_m[:, axis]) / rays.slope_in[:, axis] for edge in (0, side)])
        low, high = np.maximum(low, ends.min(0)), np.minimum(high, ends.max(0))
    lengths: np.ndarray = np.maximum(high - low, 0) * np.sqrt(1 + (rays.slope_in**2).sum(1))
    return lengths


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_lengths_of_straight_lines(seed: int) -> None:
    rays, momentum = straight(seed, 30), np.ones(30)
    expected = length_inside(rays, VOLUME)
    step_m = VOLUME.voxel_m / 4 * np.sqrt(1 + (rays.slope_in**2).sum(1))
    coarse = Crossings.of(rays, momentum, VOLUME)
    assert (np.abs(coarse.length_m - expected) < 1.01 * step_m).all()
    fine = Crossings.of(rays, momentum, VOLUME, steps=400)
    assert (np.abs(fine.length_m - expected) < 1.01 * step_m / 100).all()


def test_moments_of_a_vertical_muon() -> None:
    rays = straight(1, 1)._replace(
        entry_m=np.array([[1.2, 0.7]]), exit_m=np.array([[1.2, 0.7]]), slope_in=np.zeros((1, 2)),
        slope_out=np.zeros((1, 2)),
    )  # fmt: skip
    crossings = Crossings.of(rays, np.ones(1), VOLUME)
    layers, x, y = np.unravel_index(crossings.voxel, VOLUME.shape)
    assert list(layers) == [5, 4, 3, 2, 1, 0]
    assert set(x) == {2}
    assert set(y) == {1}
    low, high = 0.5 * layers, 0.5 * (layers + 1)
    expected = [(high**k - low**k) / k for k in (1, 2, 3)]
    np.testing.assert_allclose(crossings.moments, np.stack(expected, axis=1), rtol=1e-12)
    np.testing.assert_array_equal(crossings.sides, 0)


def test_sides() -> None:
    """In through a side and out through the bottom: half a step at the place where it comes in."""
    slope = np.array([[-1.0, 0.0]])  # towards +x on the way down
    rays = straight(1, 1)._replace(
        entry_m=np.array([[-1.5, 0.7]]), exit_m=np.array([[1.5, 0.7]]), slope_in=slope, slope_out=slope
    )
    crossings = Crossings.of(rays, np.ones(1), VOLUME)
    length = 0.125 * np.sqrt(2)
    assert crossings.length_m[0] == pytest.approx(12 * length)
    height = 1.5 + 0.0625
    expected = 0.5 * length * np.array([1, height, height**2 + 0.125**2 / 12])
    np.testing.assert_allclose(crossings.sides[0], expected)


def test_muons_without_tracks_cross_nothing() -> None:
    rays = straight(2, 5000)
    rays.entry_m[7, 0] = np.nan
    rays.exit_m[4500, 1] = np.inf
    crossings = Crossings.of(rays, np.ones(5000), VOLUME)
    assert crossings.length_m[7] == crossings.length_m[4500] == 0
    others = np.delete(np.arange(5000), [7, 4500])
    clean = Crossings.of(Rays(*(a[others] for a in rays)), np.ones(4998), VOLUME)
    np.testing.assert_array_equal(clean.voxel, crossings.voxel)
    np.testing.assert_array_equal(clean.moments, crossings.moments)


@pytest.mark.parametrize("beta", [False, True])
def test_slower_muons_scatter_more(beta: bool) -> None:
    """The length counts by (p beta)^2 above over that where the muon is: here against an integral."""
    rays = straight(1, 1)._replace(
        entry_m=np.array([[1.2, 0.7]]), exit_m=np.array([[1.2, 0.7]]), slope_in=np.zeros((1, 2)),
        slope_out=np.zeros((1, 2)),
    )  # fmt: skip
    momentum, loss = np.array([1.5]), np.array([0.3])
    got = Crossings.of(rays, momentum, VOLUME, loss, beta)
    depth = (np.arange(3000) + 0.5) / 1000
    energy = np.hypot(momentum, MUON_MASS_GEV) - loss * depth
    p = np.sqrt(energy**2 - MUON_MASS_GEV**2)
    p_beta = p * (p / energy if beta else 1)
    start = momentum * (momentum / np.hypot(momentum, MUON_MASS_GEV) if beta else 1)
    counts = (start / p_beta) ** 2 / 1000
    expected = counts.reshape(6, 500).sum(1)
    np.testing.assert_allclose(got.moments[:, 0], expected, rtol=1e-3)
    # Believed to be too slow to arrive: it counts as if almost at rest, not for ever.
    late = Crossings.of(rays, np.array([0.4]), VOLUME, loss, beta)
    assert (late.moments[:, 0] < 0.5 * (0.4 / 0.18) ** (4 if beta else 2) * (4 if beta else 1)).all()
    assert late.slow[0]
    assert not got.slow[0]


def test_variance_per_radiation_length() -> None:
    """As the transport scatters: the logarithm of the whole height, or of a step; beta where it is told."""
    p, slope = np.array([0.7, 3.0]), np.array([[0.0, 0.0], [0.3, -0.4]])
    secant = np.sqrt([1, 1.25])
    volume = Volume()
    for law, length_m in ((NATURE, 10.0), (Transport(), 0.05)):
        n = length_m * secant / volume.soil.x0_m
        beta = p / np.hypot(p, MUON_MASS_GEV) if law.beta else 1
        expected = (0.0136 / (beta * p) * (1 + 0.038 * np.log(n))) ** 2
        np.testing.assert_allclose(scattering_variance(p, slope, volume, law), expected)


def test_loss_in_soil() -> None:
    p = np.geomspace(0.5, 200, 50)
    volume = Volume(soil=Material(x0_m=0.26, density_g_cm3=1.7))
    expected = [bethe_gev_per_m(float(value), volume.soil) for value in p]
    np.testing.assert_allclose(loss_gev_per_m(p, volume, NATURE), expected, rtol=1e-3)
    np.testing.assert_array_equal(loss_gev_per_m(p, volume, Transport()), 0)
    np.testing.assert_allclose(loss_gev_per_m(p[:1], volume, NATURE), expected[:1], rtol=1e-6)
