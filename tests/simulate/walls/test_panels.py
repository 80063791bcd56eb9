"""Panels: resolution, errors, efficiencies, the soft and the hard response."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.simulate.walls.config import Panels, WallsConfig, challenge_2022
from cloudchamber.simulate.walls.muons import Muons
from cloudchamber.simulate.walls.panels import Hits, at_least_two, record_hits
from cloudchamber.simulate.walls.transport import Exits

HARD = WallsConfig(panels=Panels(response="hard", span_m=20.0, efficiency=0.9))


def beam(config: WallsConfig, n: int, x: float, y: float, slope: float = 0.0, alive: bool = True) -> Hits:
    """Record n equal muons that cross the height of the first panel at (x, y) and are not scattered."""
    direction = np.tile(np.array([slope, 0, -1]) / np.hypot(1, slope), (n, 1))
    top = config.panels.above_m[0]
    muons = Muons(np.tile([x, y, top], (n, 1)), direction, np.ones(n))
    below = np.tile([x + slope * (top - config.volume.base_m), y, config.volume.base_m], (n, 1))
    exits = Exits(below, direction, np.ones(n), np.full(n, alive))
    return record_hits(np.random.default_rng(1), muons, exits, config)


def test_soft_panels_fade_as_a_gaussian() -> None:
    config = challenge_2022()
    x, y, slope, n = 9.0, -2.0, -0.3, 20_000
    hits = beam(config, n, x, y, slope)
    heights = np.array(config.panels.above_m + config.panels.below_m)
    np.testing.assert_array_equal(hits.height_m, heights)
    assert hits.n_above == 4
    at = np.stack([x + slope * (12 - heights), np.full(8, y)], axis=1)
    g = np.exp(-((at - 5) ** 2) / (2 * 10**2))
    # The hit error is resolution/g; the error given to the fit is divided by g once more.
    np.testing.assert_allclose(hits.position_m.mean(0), at, atol=5e-4 / np.sqrt(n))
    np.testing.assert_allclose(hits.position_m.std(0), 1e-4 / g, rtol=4 / np.sqrt(2 * n))
    np.testing.assert_allclose(hits.sigma_m, np.broadcast_to(1e-4 / g**2, hits.sigma_m.shape), rtol=1e-12)
    efficiency = g.prod(1)
    expected = by_enumeration(efficiency[:4]) * by_enumeration(efficiency[4:])
    np.testing.assert_allclose(hits.weight, expected, rtol=1e-12)


def by_enumeration(efficiency: np.ndarray) -> float:
    total = 0.0
    for seen in product((False, True), repeat=len(efficiency)):
        if sum(seen) >= 2:
            total += float(np.prod(np.where(seen, efficiency, 1 - efficiency)))
    return total


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_two_or_more_hits_against_enumeration(efficiency: list[float]) -> None:
    array = np.array(efficiency)
    assert at_least_two(array) == pytest.approx(by_enumeration(array), abs=1e-12)


def test_weight_of_challenge_muons() -> None:
    from cloudchamber.simulate.walls.scan import scan_walls

    blocks = scan_walls(np.random.default_rng(2), np.zeros((10, 10, 10), dtype=bool), challenge_2022())
    weight = np.concatenate([hits.weight for hits, _ in blocks])
    assert weight.mean() == pytest.approx(0.865, abs=0.01)


def test_hard_panels_have_one_resolution_and_one_efficiency() -> None:
    n = 20_000
    hits = beam(HARD, n, 5.0, 5.0)
    seen = np.isfinite(hits.sigma_m)
    np.testing.assert_array_equal(seen[..., 0], seen[..., 1])
    assert (hits.sigma_m[seen] == 1e-4).all()
    np.testing.assert_allclose(seen[..., 0].mean(0), 0.9, atol=4 * np.sqrt(0.09 / n))
    assert (hits.position_m - 5)[seen].std() == pytest.approx(1e-4, rel=0.01)
    assert np.isfinite(hits.position_m).all(), "a missing hit must not hold a number that spreads"
    enough = (seen[:, :4, 0].sum(1) >= 2) & (seen[:, 4:, 0].sum(1) >= 2)
    np.testing.assert_array_equal(hits.weight, enough)


@pytest.mark.parametrize(
    ("x", "inside"), [(24.999, True), (25.001, False), (-14.999, True), (-15.001, False)]
)
def test_hard_panels_end_at_their_edges(x: float, inside: bool) -> None:
    config = WallsConfig(panels=Panels(response="hard", span_m=20.0))
    hits = beam(config, 10, x, 5.0)
    assert (np.isfinite(hits.sigma_m) == inside).all()
    assert (hits.weight == inside).all()


@pytest.mark.parametrize("config", [challenge_2022(), HARD])
def test_lost_muons_have_no_weight(config: WallsConfig) -> None:
    assert (beam(config, 10, 5.0, 5.0, alive=False).weight == 0).all()


def test_muons_far_away_do_no_harm() -> None:
    """The soft response of a panel is nil 400 m away: weight 0, no warning, no NaN."""
    hits = beam(challenge_2022(), 5, 400.0, 5.0)
    assert (hits.weight == 0).all()
    assert not np.isnan(hits.weight).any()
