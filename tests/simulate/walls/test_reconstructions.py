"""All reconstructions alike: one call, any hits, no preferred direction; and a lead block in beryllium."""

from functools import cache

import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.simulate.walls import WallsConfig, challenge_2022, full, reconstruct, scan_walls
from cloudchamber.simulate.walls.config import Material, Muons, Panels, Reconstruction, Volume
from cloudchamber.simulate.walls.panels import Hits
from cloudchamber.simulate.walls.reconstructions import (
    RECONSTRUCTIONS,
    Asr,
    Block,
    Method,
    Mlem,
    reconstruct_with,
    trace_blocks,
)
from cloudchamber.simulate.walls.scan import locate_scatterings

CONFIG = WallsConfig(muons=Muons(count=3000))
RULES = Reconstruction(fit_precision="double", uncertainty="independent")


@cache
def some_blocks(count: int = 3000) -> list[Block]:
    walls = np.zeros(CONFIG.volume.shape, dtype=bool)
    walls[2:8, 3:6, 2:8] = True
    config = CONFIG.model_copy(update={"muons": Muons(count=count)})
    return list(scan_walls(np.random.default_rng(1), walls, config))


def joined(blocks: list[Block]) -> tuple[Hits, np.ndarray]:
    hits = [h for h, _ in blocks]
    return hits[0]._replace(
        position_m=np.concatenate([h.position_m for h in hits]),
        sigma_m=np.concatenate([h.sigma_m for h in hits]),
        weight=np.concatenate([h.weight for h in hits]),
    ), np.concatenate([p for _, p in blocks])


@pytest.mark.parametrize("name", RECONSTRUCTIONS)
def test_every_method_gives_a_map(name: str) -> None:
    x0_m = reconstruct_with(name, some_blocks(), CONFIG.volume, RULES, CONFIG.transport)
    assert x0_m.shape == CONFIG.volume.shape
    assert np.isfinite(x0_m).all()
    assert (x0_m > 0).all()
    assert np.median(x0_m[3:7, 3:6, 2:8]) < 0.8 * np.median(x0_m[3:7, 7:])


@pytest.mark.parametrize("name", RECONSTRUCTIONS)
def test_blocks_are_cut_anywhere_and_read_once(name: str) -> None:
    hits, momentum = joined(some_blocks())
    rng = np.random.default_rng(2)
    order = rng.permutation(len(momentum))
    parts = []
    for which in np.split(order, [1, 700, 701, 2000]):
        arrays = {key: getattr(hits, key)[which] for key in ("position_m", "sigma_m", "weight")}
        parts.append((hits._replace(**arrays), momentum[which]))
    whole, cut = (
        reconstruct_with(name, blocks, CONFIG.volume, RULES, CONFIG.transport)
        for blocks in ([(hits, momentum)], iter(parts))
    )
    np.testing.assert_allclose(cut, whole, rtol=1e-6)


@pytest.mark.parametrize("name", RECONSTRUCTIONS)
@pytest.mark.parametrize("how", ["exchange", "flip x", "flip y"])
def test_no_direction_is_preferred(name: str, how: str) -> None:
    hits, momentum = joined(some_blocks())
    position_m, sigma_m = hits.position_m.copy(), hits.sigma_m.copy()
    if how == "exchange":
        position_m, sigma_m = position_m[..., ::-1].copy(), sigma_m[..., ::-1].copy()
    else:
        axis = 0 if how == "flip x" else 1
        position_m[..., axis] = 10 - position_m[..., axis]
    one, other = (
        reconstruct_with(name, [(h, momentum)], CONFIG.volume, RULES, CONFIG.transport)
        for h in (hits, hits._replace(position_m=position_m, sigma_m=sigma_m))
    )
    image = {"exchange": other.swapaxes(1, 2), "flip x": other[:, ::-1], "flip y": other[:, :, ::-1]}[how]
    np.testing.assert_allclose(image, one, rtol=1e-4)


@pytest.mark.parametrize("name", RECONSTRUCTIONS)
def test_muons_that_were_not_seen_do_no_harm(name: str) -> None:
    hits, momentum = joined(some_blocks())
    clean = hits._replace(**{k: getattr(hits, k)[:2500] for k in ("position_m", "sigma_m", "weight")})
    spoilt = hits._replace(
        position_m=hits.position_m.copy(), sigma_m=hits.sigma_m.copy(), weight=hits.weight.copy()
    )
    spoilt.weight[2500:2600] = 0
    spoilt.weight[2600:2650] = np.nan
    spoilt.position_m[2650:2800, 2] = np.nan
    spoilt.sigma_m[2800:, 5:] = np.inf
    with np.errstate(invalid="ignore", divide="ignore"):
        one, other = (
            reconstruct_with(name, [block], CONFIG.volume, RULES, CONFIG.transport)
            for block in ((clean, momentum[:2500]), (spoilt, momentum))
        )
    np.testing.assert_allclose(other, one, rtol=1e-9)


@pytest.mark.parametrize("name", RECONSTRUCTIONS)
def test_without_muons(name: str) -> None:
    hits, momentum = joined(some_blocks())
    unseen = hits._replace(weight=np.zeros(len(momentum)))
    for blocks in ([], [(unseen, momentum)]):
        with pytest.raises(ValueError, match="no muon"):
            reconstruct_with(name, blocks, CONFIG.volume, RULES, CONFIG.transport)


def test_unknown_names() -> None:
    with pytest.raises(InputError, match=r"poca, poca-rms, asr, mlem"):
        reconstruct_with("fbp", [], CONFIG.volume, RULES)


def test_poca_is_the_map_of_the_challenge() -> None:
    hits, momentum = joined(some_blocks())
    np.testing.assert_array_equal(
        reconstruct_with("poca", [(hits, momentum)], CONFIG.volume, RULES),
        reconstruct(hits, momentum, CONFIG.volume, RULES),
    )


def test_poca_rms_where_points_are_sharp() -> None:
    """With points known to less than a voxel it is the mean square angle of those inside, inverted."""
    hits, momentum = joined(some_blocks())
    poca = locate_scatterings(hits, momentum, 1.0, RULES).poca
    got = RECONSTRUCTIONS["poca-rms"]([(hits, momentum)], CONFIG.volume, RULES)
    poca = poca._replace(sigma_m=np.full_like(poca.sigma_m, 1e-9))
    voxel = np.floor(poca.position_m[:, [2, 0, 1]] - [1, 0, 0]).astype(int)
    ratios = []
    for at in np.ndindex(10, 10, 10):
        here = (voxel == at).all(axis=1)
        if here.sum() >= 5:
            cos = 0.5 * (np.cos(poca.theta_in[here]) + np.cos(poca.theta_out[here]))
            square = np.average((poca.theta_msc[here] * momentum[here]) ** 2 * cos, weights=hits.weight[here])
            ratios.append(got[at] / (2 * 0.0136**2 / square))
    assert len(ratios) > 50
    assert np.median(ratios) == pytest.approx(1, abs=0.02)


def test_energy_loss_is_followed_down() -> None:
    """A spectrum of muons in 10 m of soil: without their loss the lowest layers are 3 times too dense."""
    config = full()
    config = config.model_copy(
        update={
            "muons": config.muons.model_copy(update={"count": 40_000}),
            "reconstruction": config.reconstruction.model_copy(update={"momentum": "known"}),
        }
    )
    blocks = list(scan_walls(np.random.default_rng(1), np.zeros((10, 10, 10), dtype=bool), config))
    layers = {}
    for loses in (True, False):
        law = config.transport.model_copy(update={"energy_loss": loses})
        x0_m = Mlem(iterations=20)(blocks, config.volume, config.reconstruction, law)
        layers[loses] = config.volume.soil.x0_m / np.median(x0_m[:, 1:-1, 1:-1], axis=(1, 2))
    np.testing.assert_allclose(layers[True][1:], 1, atol=0.15)
    assert layers[False][1] > 3


LEAD_X0_M, BERYLLIUM_X0_M = 0.005612, 0.3528


def lead_in_beryllium(muons: int) -> WallsConfig:
    """1 m^3 of beryllium in voxels of 0.1 m, for muons of 3 GeV."""
    config = full()
    return WallsConfig(
        volume=Volume(
            voxel_m=0.1,
            soil=Material(x0_m=BERYLLIUM_X0_M, density_g_cm3=1.848),
            wall=Material(x0_m=LEAD_X0_M, density_g_cm3=11.35),
        ),
        muons=config.muons.model_copy(update={"count": muons, "momentum_gev": 3.0, "margin_deg": 30.0}),
        transport=config.transport.model_copy(update={"energy_loss": False}),
        panels=Panels(
            above_m=(3.0, 2.75, 2.5, 2.25), below_m=(0.75, 0.5, 0.25, 0.0), response="hard", span_m=5.0
        ),
        reconstruction=RULES,
    )


BLOCK = np.zeros((10, 10, 10), dtype=bool)
BLOCK[4:6, 3:7, 3:7] = True


def ghosting(x0_m: np.ndarray) -> float:
    """Mean excess density right above and below the block over that of the block itself."""
    density = 1 / x0_m
    far = np.ones((10, 10), dtype=bool)
    far[2:8, 2:8] = False
    excess = density - np.median(density[:, far], axis=1)[:, None, None]
    return float(excess[[3, 6], 3:7, 3:7].mean() / excess[BLOCK].mean())


@cache
def lead_maps() -> dict[str, np.ndarray]:
    config = lead_in_beryllium(30_000)
    blocks = list(scan_walls(np.random.default_rng(3), BLOCK, config))
    methods: dict[str, Method] = {**RECONSTRUCTIONS, "mlem": Mlem(iterations=100)}
    return {
        name: method(blocks, config.volume, config.reconstruction, config.transport)
        for name, method in methods.items()
    }


def test_ghosts_of_a_lead_block() -> None:
    ghosts = {name: ghosting(x0_m) for name, x0_m in lead_maps().items()}
    assert ghosts["mlem"] < 0.12
    assert ghosts["mlem"] < 0.5 * min(ghosts["poca"], ghosts["poca-rms"])
    assert ghosts["poca"] > 0.2
    assert ghosts["asr"] > ghosts["poca"]  # it has no point of scattering, only paths


def test_x0_of_a_lead_block() -> None:
    maps = lead_maps()
    x0_m = {name: 1 / (1 / x0_m[BLOCK]).mean() for name, x0_m in maps.items()}
    assert x0_m["mlem"] == pytest.approx(LEAD_X0_M, rel=0.2)
    assert np.median(maps["mlem"][~BLOCK]) == pytest.approx(BERYLLIUM_X0_M, rel=0.1)
    assert x0_m["poca"] < 0.3 * LEAD_X0_M


def test_asr_takes_options() -> None:
    blocks, volume = some_blocks(), CONFIG.volume
    rays, crossings = trace_blocks(blocks, volume, RULES, CONFIG.transport)
    assert len(rays.weight) == len(crossings.length_m) == 3000
    near, far = (Asr(reach_m=r)(blocks, volume, RULES, CONFIG.transport) for r in (0.1, 2.0))
    # A reach of 0.1 m leaves voxels without muons: those are soil.
    assert (near == volume.soil.x0_m).any()
    assert far.std() < near.std()


def test_the_law_sets_the_scale() -> None:
    """The logarithm of the whole height in place of that of a step: 1.14 of theta0 against 0.94."""
    config = challenge_2022()
    whole = config.transport.model_copy(update={"log_term": "volume"})
    step, height = (
        np.median(Mlem(iterations=200)(some_blocks(), config.volume, RULES, law))
        for law in (config.transport, whole)
    )
    n = np.array([0.05, 10]) / config.volume.soil.x0_m * 1.1
    low, high = (1 + 0.038 * np.log(n)) ** 2
    assert height / step == pytest.approx(high / low, rel=0.05)


def test_muons_too_slow_to_come_through() -> None:
    """Those of the challenge lose no energy. In nature 1 GeV is not enough for 10 m of soil."""
    with pytest.raises(ValueError, match="would have stopped"):
        reconstruct_with("mlem", some_blocks(), CONFIG.volume, RULES)
