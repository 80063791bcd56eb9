"""Deflection, displacement and their likelihood: against kicks by hand, plain numpy, and simulated muons."""

from typing import NamedTuple

import numpy as np
import pytest
from scipy.interpolate import CubicHermiteSpline

from cloudchamber.simulate.walls import WallsConfig, challenge_2022, full, scan_walls
from cloudchamber.simulate.walls.config import Volume
from cloudchamber.simulate.walls.crossings import Crossings
from cloudchamber.simulate.walls.paths import STEPS
from cloudchamber.simulate.walls.rays import Rays, RayStatistics, trace_rays
from cloudchamber.simulate.walls.scan import locate_scatterings
from cloudchamber.simulate.walls.tracks import Tracks

SMALL = Volume(shape=(5, 4, 6), voxel_m=0.5, ground=(0, 0), least_height=1)


def tracks(position_m: np.ndarray, slope: np.ndarray, height_m: float, sigma: float = 1e-4) -> Tracks:
    n = len(slope)
    at = np.column_stack([position_m, np.full(n, height_m)])
    gains = np.full((n, 4, 2), sigma)
    return Tracks(at, slope, gains, gains)


def random_rays(seed: int, n: int = 40, volume: Volume = SMALL) -> Rays:
    """Muons that scatter by 0.1, some through the sides, on planes above and below the volume."""
    rng = np.random.default_rng(seed)
    side = np.array([volume.side_x_m, volume.side_y_m])
    height = volume.top_m - volume.base_m
    start, slope = rng.uniform(-0.1, 1.1, (n, 2)) * side, rng.normal(0, 0.5, (n, 2))
    end = start - slope * height + rng.normal(0, 0.05 * height, (n, 2))
    above = tracks(start + slope * 0.25, slope, volume.top_m + 0.25)
    below = tracks(end, slope + rng.normal(0, 0.1, (n, 2)), volume.base_m)
    return trace_rays(above, below, rng.uniform(0.5, 2, n), rng.uniform(0.2, 1, n), volume)


def unlike(rays: Rays, **changes: np.ndarray) -> Rays:
    return Rays(**{name: np.array(value) for name, value in (rays._asdict() | changes).items()})


def part(rays: Rays, which: slice | np.ndarray) -> Rays:
    return Rays(*(array[which] for array in rays))


class Dense(NamedTuple):
    """Log-likelihood, gain and trace by scipy's spline and numpy's matrices: slow, and nothing shared."""

    log_likelihood: float
    gain: np.ndarray
    trace: np.ndarray


def dense(rays: Rays, density: np.ndarray, volume: Volume) -> Dense:
    count, height = volume.shape[0] * STEPS, volume.shape[0] * volume.voxel_m
    dz = height / count
    total, gain, trace = 0.0, np.zeros(volume.shape), np.zeros(volume.shape)
    for i in range(len(rays.weight)):
        ends = [rays.exit_m[i], rays.entry_m[i]]
        path = CubicHermiteSpline([0.0, height], ends, [rays.slope_out[i], rays.slope_in[i]])
        t = (np.arange(count) + 0.5) / count
        h = height * (1 - t)
        cells = np.floor(np.column_stack([h, path(h)]) / volume.voxel_m).astype(int)
        secants = [np.sqrt(1 + (s[i] ** 2).sum()) for s in (rays.slope_in, rays.slope_out)]
        length = dz * (secants[0] * (1 - t) + secants[1] * t)
        inside = ((cells >= 0) & (cells < volume.shape)).all(axis=1)
        if not inside.any():
            continue
        h, length, cells = h[inside], length[inside], cells[inside]
        levers = np.stack([np.ones_like(h), h], axis=1)
        points = length[:, None, None] * levers[:, :, None] * levers[:, None, :]
        pieces = points.copy()
        pieces[:, 1, 1] += length * dz**2 / 12
        e0, e1, e2 = rays.noise[i]
        for plane in range(2):
            v, w = rays.variance[i, plane], rays.weight[i]
            covariance = v * np.einsum("k,kab->ab", density[tuple(cells.T)], pieces)
            covariance += np.array([[e0, e1], [e1, e2]])
            measured = np.array([rays.angle[i, plane], rays.shift_m[i, plane]])
            inverse = np.linalg.inv(covariance)
            u = inverse @ measured
            total -= 0.5 * w * (np.linalg.slogdet(covariance)[1] + measured @ u)
            np.add.at(gain, tuple(cells.T), w * v * np.einsum("a,kab,b->k", u, points, u))
            np.add.at(trace, tuple(cells.T), w * v * np.einsum("ab,kba->k", inverse, points))
    return Dense(total, gain, trace)


@pytest.mark.parametrize("uniform", [True, False])
def test_gain_and_trace_against_plain_numpy(uniform: bool) -> None:
    rays = random_rays(1)
    density = np.full(SMALL.shape, 4.0)
    if not uniform:
        density *= np.random.default_rng(2).uniform(0.3, 3, SMALL.shape)
    statistics, expected = RayStatistics(density, SMALL), dense(rays, density, SMALL)
    statistics.add(rays)
    # Where a muon has but one step in the volume, its covariance is close to singular.
    np.testing.assert_allclose(statistics.gain, expected.gain, rtol=1e-6)
    np.testing.assert_allclose(statistics.trace, expected.trace, rtol=1e-6)


def test_gain_and_trace_are_the_derivative_of_the_likelihood() -> None:
    """By finite differences. Steps are points in W, which tells in the lowest layer most.

    Of a muon that only grazes the volume the derivative is not to be trusted, so they are left out.
    """
    rays = random_rays(1)
    rays = part(rays, Crossings.of(rays, np.ones(40), SMALL).length_m > 1.5)
    density = 4 * np.random.default_rng(2).uniform(0.3, 3, SMALL.shape)
    statistics = RayStatistics(density, SMALL)
    statistics.add(rays)
    derivative = np.full(SMALL.shape, np.nan)
    for voxel in [(z, x, y) for z in range(5) for x, y in ((1, 1), (1, 4), (2, 2), (3, 0))]:
        step = np.zeros(SMALL.shape)
        step[voxel] = 1e-4 * density[voxel]
        up, down = (dense(rays, density + sign * step, SMALL).log_likelihood for sign in (1, -1))
        derivative[voxel] = (up - down) / (2 * step[voxel])
    got = 0.5 * (statistics.gain - statistics.trace)
    scale = 0.5 * (statistics.gain + statistics.trace)
    assert np.nanmax(np.abs(got - derivative)[1:]) < 0.005 * scale[1:].max()
    assert np.nanmax(np.abs(got - derivative)[0]) < 0.02 * scale[0].max()
    done = np.isfinite(derivative)
    assert np.corrcoef(got[done], derivative[done])[0, 1] > 0.999


def unit(theta: float, phi: float) -> np.ndarray:
    """Direction downwards."""
    return np.array([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), -np.cos(theta)])


@pytest.mark.parametrize("theta_deg", [10, 30, 60])
@pytest.mark.parametrize("phi", [0.0, 0.7, 2.5])
@pytest.mark.parametrize(("plane", "about_vertical"), [(0, False), (1, False), (0, True), (1, True)])
def test_one_small_kick(theta_deg: float, phi: float, plane: int, about_vertical: bool) -> None:
    """A kick by d at height h is an angle d and a displacement h d, and nothing in the other plane."""
    theta, kick, height = np.radians(theta_deg), 1e-4, 3.2
    volume = Volume()
    before = unit(theta, phi)
    if plane == 0:
        after = unit(theta + kick, phi)
    elif about_vertical:
        after = unit(theta, phi + kick)
    else:
        after = np.cos(kick) * before + np.sin(kick) * np.array([-np.sin(phi), np.cos(phi), 0])
    at = np.array([5.0, 5.0, volume.base_m + height])
    points, slopes = [], []
    for direction, level in ((before, volume.top_m + 0.5), (after, volume.base_m - 0.5)):
        points.append((at + direction * (level - at[2]) / direction[2])[None, :2])
        slopes.append((direction[:2] / direction[2])[None])
    above = tracks(points[0], slopes[0], volume.top_m + 0.5)
    below = tracks(points[1], slopes[1], volume.base_m - 0.5)
    rays = trace_rays(above, below, np.ones(1), np.ones(1), volume, about_vertical)
    expected = np.zeros(2)
    expected[plane] = kick
    np.testing.assert_allclose(rays.angle[0], expected, atol=1e-3 * kick)
    np.testing.assert_allclose(rays.shift_m[0], height * expected, atol=2e-3 * height * kick)


def test_azimuths_near_the_vertical_are_not_used() -> None:
    slope = np.array([[0.05, 0.0], [0.3, 0.0]])
    above, below = tracks(np.full((2, 2), 5.0), slope, 12.0), tracks(np.full((2, 2), 4.0), slope + 0.02, 1.0)
    turned = trace_rays(above, below, np.ones(2), np.ones(2), Volume(), about_vertical=True)
    assert np.isnan(turned.angle[0, 1])
    assert np.isnan(turned.shift_m[0, 1])
    assert np.isfinite(turned.angle[1]).all()
    assert np.isfinite(trace_rays(above, below, np.ones(2), np.ones(2), Volume()).angle).all()


def test_noise_is_what_the_hits_do() -> None:
    """Vertical tracks, and hits that move: the covariance of angle and displacement is the one predicted."""
    rng = np.random.default_rng(3)
    n, volume = 20_000, Volume()
    sigma = 1e-3
    slopes = [sigma * rng.standard_normal((n, 2)) for _ in range(2)]
    places = [sigma * rng.standard_normal((n, 2)) for _ in range(2)]
    gains = np.zeros((n, 2, 2))
    gains[:, 0] = sigma
    above, below = (
        Tracks(np.column_stack([5 + p, np.full(n, z)]), s, gains, gains)
        for p, s, z in zip(places, slopes, (volume.top_m, volume.base_m), strict=True)
    )
    rays = trace_rays(above, below, np.ones(n), np.ones(n), volume)
    # Tracks this close to the vertical: the planes are turned at random, so their sum is what counts.
    for got, expected in (
        ((rays.angle**2).sum(1), rays.noise[:, 0]),
        ((rays.angle * rays.shift_m).sum(1), rays.noise[:, 1]),
        ((rays.shift_m**2).sum(1), rays.noise[:, 2]),
    ):
        assert got.mean() == pytest.approx(2 * expected[0], rel=0.05)


class Measured(NamedTuple):
    """Rays of muons through uniform soil, and the sums of their W times the density of soil."""

    rays: Rays
    moments: np.ndarray
    length_m: np.ndarray


def through_soil(config: WallsConfig, seed: int, count: int) -> Measured:
    config = config.model_copy(update={"muons": config.muons.model_copy(update={"count": count})})
    walls = np.zeros(config.volume.shape, dtype=bool)
    parts, momenta = [], []
    for hits, momentum in scan_walls(np.random.default_rng(seed), walls, config):
        located = locate_scatterings(hits, momentum, config.volume.voxel_m, config.reconstruction)
        parts.append(
            trace_rays(
                located.above, located.below, momentum, hits.weight, config.volume,
                config.transport.azimuth_shrinks, config.transport,
            )
        )  # fmt: skip
        momenta.append(momentum)
    rays = Rays(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
    crossings = Crossings.of(rays, np.concatenate(momenta), config.volume)
    sums = np.concatenate([np.zeros((1, 3)), np.cumsum(crossings.moments, axis=0)])
    moments = (sums[crossings.start[1:]] - sums[crossings.start[:-1]]) / config.volume.soil.x0_m
    return Measured(rays, moments, crossings.length_m)


def fixed_momentum(momentum_gev: float) -> WallsConfig:
    config = full()
    return config.model_copy(
        update={
            "muons": config.muons.model_copy(update={"momentum_gev": momentum_gev}),
            "transport": config.transport.model_copy(update={"energy_loss": False}),
            "reconstruction": config.reconstruction.model_copy(update={"momentum": "known"}),
        }
    )


SETTINGS = {
    "challenge": challenge_2022(),
    "1 GeV": fixed_momentum(1.0),
    "4 GeV": fixed_momentum(4.0),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_covariance_of_simulated_muons(setting: str) -> None:
    """Angle and shift, whitened by the covariance predicted: variances 1, correlation 0, in both planes.

    In every range of zenith angles, for muons through the whole height. Beyond the statistical error 3% are
    allowed for 1 GeV, whose single angles of 90 mrad are not small: the worst of these ranges is off by 4%.
    """
    config = SETTINGS[setting]
    rays, moments, length_m = through_soil(config, 3, 60_000)
    whole = (length_m > 0.99 * config.volume.shape[0]) & (rays.weight > 0)
    theta = np.degrees(np.arctan(np.hypot(*rays.slope_in.T)))
    for low, high in ((0, 12), (12, 25), (25, 40), (40, 55)):
        for plane in range(2):
            used = whole & (theta >= low) & (theta < high) & np.isfinite(rays.angle[:, plane])
            d, s, v = rays.angle[used, plane], rays.shift_m[used, plane], rays.variance[used, plane]
            s0, s1, s2 = (v * moments[used, k] + rays.noise[used, k] for k in range(3))
            along, rest = d / np.sqrt(s0), (s - d * s1 / s0) / np.sqrt(s2 - s1**2 / s0)
            error = np.sqrt(2 / used.sum())
            physics = 0.005 if setting == "4 GeV" else 0.03
            assert (along**2).mean() == pytest.approx(1, abs=4 * error + physics), (low, plane)
            assert (rest**2).mean() == pytest.approx(1, abs=4 * error + physics), (low, plane)
            assert (along * rest).mean() == pytest.approx(0, abs=4 * error + physics), (low, plane)


@pytest.mark.parametrize("setting", SETTINGS)
def test_gain_is_trace_at_the_true_map(setting: str) -> None:
    """In uniform soil the likelihood has no slope, layer by layer; the outermost columns left out.

    There muons graze the volume, whose path inside is known no better than to a step. In the top layer the
    shallow ones of 1 GeV tell, whose angles are not small.
    """
    config = SETTINGS[setting]
    rays, _, _ = through_soil(config, 4, 60_000)
    statistics = RayStatistics(np.full(config.volume.shape, 1 / config.volume.soil.x0_m), config.volume)
    statistics.add(rays)
    gain, trace = (a[:, 1:-1, 1:-1].sum(axis=(1, 2)) for a in (statistics.gain, statistics.trace))
    np.testing.assert_allclose(gain[:-1] / trace[:-1], 1, atol=0.03)
    assert gain[-1] / trace[-1] == pytest.approx(1, abs=0.03 if setting == "4 GeV" else 0.1)


def symmetric(rays: Rays, how: str, volume: Volume) -> Rays:
    """Exchange x and y, or flip one of them."""
    names = ("entry_m", "exit_m", "slope_in", "slope_out")
    arrays = {name: np.array(getattr(rays, name)) for name in names}
    side = (volume.side_x_m, volume.side_y_m)
    for name, array in arrays.items():
        if how == "exchange":
            arrays[name] = array[:, ::-1].copy()
        else:
            axis = 0 if how == "flip x" else 1
            array[:, axis] = (side[axis] if name.endswith("_m") else 0) - array[:, axis]
    return unlike(rays, **arrays)


@pytest.mark.parametrize("how", ["exchange", "flip x", "flip y"])
@pytest.mark.parametrize("about_vertical", [False, True])
def test_no_direction_is_preferred(how: str, about_vertical: bool) -> None:
    volume = Volume(shape=(4, 5, 5), ground=(0, 0), least_height=1)
    plain = random_rays(5, 200, volume)
    maps, angles = [], []
    for rays in (plain, symmetric(plain, how, volume)):
        above = tracks(rays.entry_m, rays.slope_in, volume.top_m)
        below = tracks(rays.exit_m, rays.slope_out, volume.base_m)
        again = trace_rays(above, below, np.ones(200), rays.weight, volume, about_vertical)
        angles.append(np.abs(again.angle))
        statistics = RayStatistics(np.full(volume.shape, 4.0), volume)
        statistics.add(again)
        maps.append(np.stack([statistics.gain, statistics.trace, statistics.square]))
    np.testing.assert_allclose(angles[1], angles[0], rtol=1e-7)
    image = {
        "exchange": maps[1].swapaxes(-1, -2), "flip x": maps[1][:, :, ::-1], "flip y": maps[1][..., ::-1]
    }[how]  # fmt: skip
    np.testing.assert_allclose(image, maps[0], rtol=1e-7)


def test_blocks_add_up_and_information_is_linear_in_muons() -> None:
    rays, density = random_rays(6, 300), np.full(SMALL.shape, 4.0)
    whole, parts, twice = (RayStatistics(density, SMALL) for _ in range(3))
    whole.add(rays)
    for k in (slice(1), slice(1, 120), slice(120, None)):
        parts.add(part(rays, k))
    for _ in range(2):
        twice.add(rays)
    assert parts.used == whole.used
    assert twice.used == 2 * whole.used
    for name in ("gain", "trace", "square"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-12)
        np.testing.assert_allclose(getattr(twice, name), 2 * getattr(whole, name), rtol=1e-12)


RAY_ARRAYS = (
    "angle", "shift_m", "variance", "noise", "entry_m", "exit_m", "slope_in", "slope_out", "weight"
)  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "value"),
    [(name, value) for name in RAY_ARRAYS for value in (np.nan, np.inf)] + [("weight", 0.0)],
)
def test_muons_without_finite_numbers_are_left_out(spoil: str, value: float) -> None:
    rays = random_rays(7, 60)
    clean, spoilt = (RayStatistics(np.full(SMALL.shape, 4.0), SMALL) for _ in range(2))
    clean.add(part(rays, slice(50)))
    array = np.array(getattr(rays, spoil))
    array[50:] = value
    spoilt.add(unlike(rays, **{spoil: array}))
    for name in ("gain", "trace", "square"):
        np.testing.assert_array_equal(getattr(spoilt, name), getattr(clean, name))


def test_a_map_of_another_shape() -> None:
    with pytest.raises(ValueError, match="each voxel"):
        RayStatistics(np.ones((10, 10, 9)), Volume())
