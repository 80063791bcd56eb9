"""A whole scan: repeatable, without a preferred direction, in any sensible configuration."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from cloudchamber.simulate.walls import (
    SETTINGS,
    WallsConfig,
    challenge_2022,
    full,
    reconstruct,
    scan_walls,
    simulate_volume,
)
from cloudchamber.simulate.walls.config import Muons, Panels, Reconstruction, Volume
from cloudchamber.simulate.walls.scan import BLOCK, believed_momentum, volume_rng

FEW = Muons(count=1500)


def test_a_volume_is_a_function_of_seed_and_index() -> None:
    config = WallsConfig(muons=FEW)
    one, again = (simulate_volume(1, 5, config) for _ in range(2))
    np.testing.assert_array_equal(one.x0_m, again.x0_m)
    np.testing.assert_array_equal(one.walls, again.walls)
    for seed, index in ((1, 6), (2, 5), (5, 1)):
        assert not np.array_equal(one.x0_m, simulate_volume(seed, index, config).x0_m)


def test_muons_come_in_blocks_of_any_number() -> None:
    for count in (1, BLOCK, BLOCK + 1, 2 * BLOCK + 7):
        config = WallsConfig(muons=Muons(count=count))
        blocks = list(scan_walls(np.random.default_rng(1), np.zeros((10, 10, 10), dtype=bool), config))
        assert sum(len(momentum) for _, momentum in blocks) == count
        assert all(len(hits.weight) <= BLOCK for hits, _ in blocks)


def test_no_direction_is_preferred() -> None:
    """Mirrors in x, in y and in both diagonals make all 8 symmetries; uniform soil must show none broken."""
    config = WallsConfig(muons=Muons(count=BLOCK))
    nothing = np.zeros((10, 10, 10), dtype=bool)
    asymmetries = []
    i, j = np.indices((10, 10))
    for seed in range(60):
        ((hits, momentum),) = scan_walls(np.random.default_rng(seed), nothing, config)
        plan = np.log(reconstruct(hits, momentum, config.volume, config.reconstruction)).mean(0)
        asymmetries.append([
            plan[:5].mean() - plan[5:].mean(), plan[:, :5].mean() - plan[:, 5:].mean(),
            plan[i > j].mean() - plan[i < j].mean(), plan[i + j > 9].mean() - plan[i + j < 9].mean(),
        ])  # fmt: skip
    p = stats.ttest_1samp(np.array(asymmetries), 0).pvalue
    assert np.min(p) > 1e-3


def test_scattering_angles_and_points_of_the_challenge() -> None:
    """Reference simulation: RMS 84 mrad, median 57 mrad, PoCA sigma (6, 6, 24) mm, 79% of points inside."""
    from cloudchamber.simulate.walls.geometry import generate_walls
    from cloudchamber.simulate.walls.scan import locate_scatterings

    config = WallsConfig(muons=Muons(count=BLOCK))
    pocas = []
    for index in range(40):
        rng = volume_rng(1, index)
        ((hits, momentum),) = scan_walls(rng, generate_walls(rng, config.volume), config)
        pocas.append(locate_scatterings(hits, momentum, 1.0, config.reconstruction).poca)
    msc = np.concatenate([p.theta_msc for p in pocas])
    position, sigma = (
        np.concatenate(a) for a in zip(*[(p.position_m, p.sigma_m) for p in pocas], strict=True)
    )
    assert np.median(msc) == pytest.approx(0.057, rel=0.05)
    assert np.sqrt((msc**2).mean()) == pytest.approx(0.084, rel=0.05)
    np.testing.assert_allclose(np.median(sigma, axis=0), [0.006, 0.006, 0.024], rtol=0.12)
    inside = ((position > [0, 0, 1]) & (position < [10, 10, 11])).all(1)
    assert inside.mean() == pytest.approx(0.79, abs=0.02)


def test_a_large_fine_volume() -> None:
    config = WallsConfig(
        volume=Volume(shape=(32, 64, 64), voxel_m=0.5, n_walls=(2, 9), ground=(0, 10), least_height=8),
        panels=Panels(above_m=(18.0, 17.75, 17.5, 17.25), span_m=30.0),
        muons=Muons(count=3000, margin_deg=30.0),
    )
    scan = simulate_volume(1, 0, config)
    assert scan.x0_m.shape == scan.walls.shape == (32, 64, 64)
    assert np.isfinite(scan.x0_m).all()
    assert (scan.x0_m > 0).all()


@pytest.mark.parametrize("momentum", ["known", "smeared", "unknown"])
def test_full_setting(momentum: str) -> None:
    config = full()
    rules = Reconstruction.model_validate(config.reconstruction.model_dump() | {"momentum": momentum})
    config = config.model_copy(
        update={"reconstruction": rules, "muons": config.muons.model_copy(update={"count": 4000})}
    )
    scan = simulate_volume(1, 0, config)
    assert np.isfinite(scan.x0_m).all()
    assert (scan.x0_m > 0).all()


def test_believed_momentum() -> None:
    rng, true = np.random.default_rng(1), np.geomspace(0.5, 50, 20_000)
    known, smeared, unknown = (
        believed_momentum(
            rng, true, Reconstruction.model_validate({"momentum": m, "momentum_resolution": 0.3})
        )
        for m in ("known", "smeared", "unknown")
    )
    np.testing.assert_array_equal(known, true)
    assert np.log(smeared / true).std() == pytest.approx(0.3, rel=0.03)
    assert (unknown == 4.0).all()


def test_settings_by_name() -> None:
    assert SETTINGS["challenge-2022"]() == challenge_2022() == WallsConfig()
    assert SETTINGS["full"]() == full()
    for make in SETTINGS.values():
        assert WallsConfig.model_validate(make().model_dump()) == make()
        assert WallsConfig.model_validate_json(make().model_dump_json()) == make()


@pytest.mark.parametrize(
    "bad",
    [
        {"muon": {}},
        {"muons": {"count": 0}},
        {"muons": {"count": 10.5}},
        {"muons": {"theta_max_deg": 90}},
        {"muons": {"momentum": 1.0}},
        {"volume": {"shape": (10, 10)}},
        {"volume": {"shape": (0, 10, 10)}},
        {"volume": {"voxel_m": -1}},
        {"volume": {"n_walls": (4, 1)}},
        {"volume": {"ground": (0, 8)}},
        {"volume": {"soil": {"x0_m": 0}}},
        {"volume": {"shape": (12, 10, 10)}},  # would reach the panels
        {"panels": {"above_m": (12.0,)}},
        {"panels": {"above_m": (11.0, 12.0)}},
        {"panels": {"below_m": (2.0, 1.0)}},
        {"panels": {"efficiency": 1.1}},
        {"transport": {"step_m": 0}},
        {"transport": {"log_term": "layer"}},
        {"reconstruction": {"uncertainty": "none"}},
    ],
)
def test_bad_configurations(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WallsConfig.model_validate(bad)


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        challenge_2022().muons.count = 3  # type: ignore[misc]
