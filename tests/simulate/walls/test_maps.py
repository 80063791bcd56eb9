"""Maps of the muons' tracks: what each of them counts, and what does not change them."""

import numpy as np
import pytest

from cloudchamber.simulate.walls import WallsConfig, challenge_2022, full, scan_walls, simulate_volume
from cloudchamber.simulate.walls.config import Muons
from cloudchamber.simulate.walls.maps import TrackMaps
from cloudchamber.simulate.walls.poca import Poca
from cloudchamber.simulate.walls.rays import Rays, trace_rays
from cloudchamber.simulate.walls.scan import locate_scatterings

CONFIG = WallsConfig(muons=Muons(count=2500))
NAMES = {"poca_count", "poca_theta2", "score", "score_information"}


def one_block(seed: int, walls: np.ndarray | None = None) -> tuple[Rays, Poca]:
    nothing = np.zeros(CONFIG.volume.shape, dtype=bool)
    ((hits, momentum),) = scan_walls(np.random.default_rng(seed), nothing if walls is None else walls, CONFIG)
    located = locate_scatterings(hits, momentum, 1.0, CONFIG.reconstruction)
    rays = trace_rays(located.above, located.below, momentum, hits.weight, CONFIG.volume, about_vertical=True)
    return rays, located.poca


def part(arrays: Rays | Poca, which: slice) -> list[np.ndarray]:
    return [array[which] for array in arrays]


def test_points_are_counted_where_they_lie() -> None:
    rays, poca = one_block(1)
    maps = TrackMaps(CONFIG.volume)
    maps.add(rays, poca)
    got = maps.maps()
    assert set(got) == NAMES
    inside = ((poca.position_m >= [0, 0, 1]) & (poca.position_m < [10, 10, 11])).all(1) & (rays.weight > 0)
    points, weights = poca.position_m[inside][:, [2, 0, 1]], rays.weight[inside]
    edges = [np.arange(11) + 1.0, np.arange(11.0), np.arange(11.0)]
    count, _ = np.histogramdd(points, edges, weights=weights)
    squares, _ = np.histogramdd(points, edges, weights=weights * poca.theta_msc[inside] ** 2)
    np.testing.assert_allclose(got["poca_count"], count, rtol=1e-10)
    np.testing.assert_allclose(
        got["poca_theta2"][count > 0], (squares / np.where(count, count, 1))[count > 0]
    )
    np.testing.assert_array_equal(got["poca_theta2"][count == 0], 0)


def test_blocks_add_up() -> None:
    rays, poca = one_block(2)
    whole, parts = TrackMaps(CONFIG.volume), TrackMaps(CONFIG.volume)
    whole.add(rays, poca)
    for k in (slice(3), slice(3, 1100), slice(1100, None)):
        parts.add(Rays(*part(rays, k)), Poca(*part(poca, k)))
    for name, values in whole.maps().items():
        np.testing.assert_allclose(parts.maps()[name], values, rtol=1e-10, atol=1e-12)


def test_information_and_counts_grow_with_muons_and_the_rest_does_not() -> None:
    rays, poca = one_block(3)
    once, thrice = TrackMaps(CONFIG.volume), TrackMaps(CONFIG.volume)
    once.add(rays, poca)
    for _ in range(3):
        thrice.add(rays, poca)
    for name, values in once.maps().items():
        factor = 3 if name in ("poca_count", "score_information") else 1
        np.testing.assert_allclose(thrice.maps()[name], factor * values, rtol=1e-10)


@pytest.mark.parametrize("name", ["theta_msc", "position_m", "weight"])
def test_bad_muons_are_left_out(name: str) -> None:
    rays, poca = one_block(4)
    clean, spoilt = TrackMaps(CONFIG.volume), TrackMaps(CONFIG.volume)
    clean.add(Rays(*part(rays, slice(2000))), Poca(*part(poca, slice(2000))))
    rays.weight[2000:] = 0 if name == "weight" else rays.weight[2000:]
    if name != "weight":
        rays.angle[2000:] = np.nan
        getattr(poca, name)[2000:] = np.nan
    spoilt.add(rays, poca)
    for key, values in clean.maps().items():
        np.testing.assert_array_equal(spoilt.maps()[key], values)


def test_without_muons_all_is_zero() -> None:
    for values in TrackMaps(CONFIG.volume).maps().values():
        np.testing.assert_array_equal(values, 0)


def test_the_score_of_soil_is_unit_noise_and_walls_stand_out() -> None:
    """Times the root of its information the score is close to unit variance in soil."""
    maps = TrackMaps(CONFIG.volume)
    walls = np.zeros(CONFIG.volume.shape, dtype=bool)
    walls[2:8, 3:5, 2:8] = True
    shone = TrackMaps(CONFIG.volume)
    for seed in range(8):
        maps.add(*one_block(seed))
        shone.add(*one_block(seed, walls))
    got = maps.maps()
    pull = (got["score"] * np.sqrt(got["score_information"]))[1:-1, 1:-1, 1:-1]
    assert pull.std() == pytest.approx(1, abs=0.35)
    score = shone.maps()["score"]
    assert np.median(score[walls]) > 5 * np.median(np.abs(score[1:9, 7:9, 1:9]))


@pytest.mark.parametrize("make", [challenge_2022, full])
def test_maps_come_with_the_volume_and_leave_the_x0_map_alone(make: type) -> None:
    config = make().model_copy(update={"muons": make().muons.model_copy(update={"count": 1500})})
    plain, mapped = (simulate_volume(1, 2, config, maps=maps) for maps in (False, True))
    assert plain.maps == {}
    assert set(mapped.maps) == NAMES
    np.testing.assert_array_equal(plain.x0_m, mapped.x0_m)
    assert all(np.isfinite(values).all() for values in mapped.maps.values())
