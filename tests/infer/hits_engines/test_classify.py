"""All engines against the network itself on patches that are cut by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cloudchamber.errors import InputError
from cloudchamber.infer.hits_engines import choose
from cloudchamber.infer.hits_engines.choose import classify, expected_seconds
from cloudchamber.infer.hits_engines.layers import take_apart
from cloudchamber.infer.hits_engines.overlap_save import choose_tile
from cloudchamber.infer.hits_engines.places import find_places
from cloudchamber.model.hits_patch import HitsPatch
from tests.infer.hits_engines.planes import Toy, patch_network, plane_network, toy_plane

EXACT = ("patches", "shared-maps", "overlap-save")


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudchamber.infer.hits_engines.overlap_save.TILES", ((36, 30), (28, 24)))


@torch.inference_mode()
def by_hand(network: HitsPatch, toy: Toy) -> np.ndarray:
    """Cut [w - side/2, w + side/2) x likewise with zeros outside, pixel by pixel, and run the network."""
    side = network.config.patch
    wires, drifts = toy.plane.shape
    patches = np.zeros((len(toy.wire), 1, side, side), np.float32)
    for hit, (wire, drift) in enumerate(zip(toy.wire, toy.drift, strict=True)):
        for i in range(side):
            for j in range(side):
                w, d = wire - side // 2 + i, drift - side // 2 + j
                if 0 <= w < wires and 0 <= d < drifts:
                    patches[hit, 0, i, j] = toy.plane[w, d]
    classes, michel = network(torch.from_numpy(patches))
    return torch.cat([classes.softmax(dim=1), michel.sigmoid()], dim=1).numpy()


def check(network: HitsPatch, toy: Toy, wanted: np.ndarray, engine: str, **options: object) -> None:
    found = classify(network, toy.plane, toy.wire, toy.drift, engine=engine, **options)  # type: ignore[arg-type]
    assert found.shape == (len(toy.wire), 4)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(found[:, :3].argmax(axis=1), wanted[:, :3].argmax(axis=1))


@pytest.mark.parametrize("engine", ["auto", *EXACT])
@pytest.mark.parametrize("shape", [(40, 70), (5, 90), (1, 1), (17, 3)])
def test_every_engine_gives_what_the_network_gives(engine: str, shape: tuple[int, int]) -> None:
    network, toy = patch_network(), toy_plane(*shape, hits=60)
    check(network, toy, by_hand(network, toy), engine)


@pytest.mark.parametrize("options", [
    {"patch": 15, "kernel": 4}, {"patch": 9, "kernel": 1, "hidden": (7,)}, {"michel": False},
    {"em_trk_none": False, "filters": 1}, {"patch": 5, "kernel": 5},
])  # fmt: skip
def test_other_sizes_and_single_heads(options: dict[str, object]) -> None:
    network, toy = patch_network(**options), toy_plane(30, 31, hits=20)
    wanted = by_hand(network, toy)
    for engine in EXACT:
        check(network, toy, wanted, engine)


@settings(max_examples=25)
@given(
    wires=st.integers(1, 45), drifts=st.integers(1, 60), hits=st.integers(1, 30), seed=st.integers(0, 2**16),
    memory=st.sampled_from([3.0, 6.0, 500.0]),
)  # fmt: skip
def test_engines_agree(wires: int, drifts: int, hits: int, seed: int, memory: float) -> None:
    network, toy = patch_network(), toy_plane(wires, drifts, hits, seed)
    wanted = classify(network, toy.plane, toy.wire, toy.drift, engine="patches")
    for engine in ("shared-maps", "overlap-save"):
        check(network, toy, wanted, engine, memory_mib=memory)


def test_what_lies_outside_of_a_patch_does_not_matter() -> None:
    network, toy = patch_network(), toy_plane(60, 60, hits=1)
    toy.wire[:], toy.drift[:] = 30, 30
    other = toy.plane.copy()
    other[:22], other[38:], other[:, :22], other[:, 38:] = 7, -7, 9, 3
    for engine in EXACT:
        once, again = (
            classify(network, plane, toy.wire, toy.drift, engine=engine) for plane in (toy.plane, other)
        )
        np.testing.assert_allclose(once, again, atol=2e-6)
    other[22, 37] += 5  # a corner of the patch
    assert np.abs(classify(network, other, toy.wire, toy.drift) - once).max() > 1e-5


def test_hits_that_share_a_pixel_are_done_once(monkeypatch: pytest.MonkeyPatch) -> None:
    network, toy = patch_network(), toy_plane(20, 20, hits=6)
    seen = []
    forward = network.forward

    def counted(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen.append(len(x))
        return forward(x)

    monkeypatch.setattr(network, "forward", counted)
    twice = [np.tile(each, 3) for each in (toy.wire, toy.drift)]
    found = classify(network, toy.plane, *twice, engine="patches")
    assert sum(seen) == 6
    np.testing.assert_array_equal(found[:6], found[6:12])
    np.testing.assert_array_equal(found[:6], found[12:])


@pytest.mark.parametrize("engine", ["auto", *EXACT])
def test_no_hits_no_scores(engine: str) -> None:
    none = np.empty(0, np.int64)
    assert classify(patch_network(), np.ones((4, 5)), none, none, engine=engine).shape == (0, 4)


def test_network_and_threads_are_left_as_they_were() -> None:
    network, toy = patch_network().train(), toy_plane(20, 20, hits=5)
    before = torch.get_num_threads()
    for engine in EXACT:
        first = classify(network, toy.plane, toy.wire, toy.drift, engine=engine, threads=before + 1)
        np.testing.assert_array_equal(
            first, classify(network, toy.plane, toy.wire, toy.drift, engine=engine, threads=before + 1)
        )  # no dropout
    assert torch.get_num_threads() == before
    assert network.training


def test_threads_inside() -> None:
    network, toy = patch_network(), toy_plane(20, 20, hits=5)
    seen = []
    network.register_forward_pre_hook(lambda *_: seen.append(torch.get_num_threads()))
    for threads in (1, 2):
        classify(network, toy.plane, toy.wire, toy.drift, engine="patches", threads=threads)
    assert seen == [1, 2]


def test_weights_that_change_are_seen() -> None:
    network, toy = patch_network(), toy_plane(30, 40, hits=9)
    first = classify(network, toy.plane, toy.wire, toy.drift, engine="overlap-save")
    with torch.no_grad():
        network.trunk.dense[0].weight.mul_(1.5)  # type: ignore[operator]
    wanted = by_hand(network, toy)
    assert np.abs(first - wanted).max() > 1e-3
    check(network, toy, wanted, "overlap-save")


@pytest.mark.parametrize(("memory", "parts"), [(500.0, 1), (1e-3, 12)])
def test_planes_in_parts_are_as_whole_planes(
    memory: float, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, toy = plane_network(), toy_plane(70, 131, hits=300)
    with torch.inference_mode():
        classes, michel = network(torch.from_numpy(toy.plane)[None, None])
        whole = torch.cat([classes.softmax(dim=1), michel.sigmoid()], dim=1)[0].numpy()
    calls = []
    network.register_forward_pre_hook(lambda _, x: calls.append(x[0].shape))
    found = classify(network, toy.plane, toy.wire, toy.drift, memory_mib=memory)
    np.testing.assert_allclose(found, whole[:, toy.wire, toy.drift].T, atol=1e-6)
    assert len(calls) >= parts
    assert (len(calls) == 1) == (parts == 1)


def test_only_parts_with_hits_are_worked_out() -> None:
    network, toy = plane_network(), toy_plane(300, 300, hits=2)
    toy.wire[:], toy.drift[:] = (10, 280), (12, 290)
    seen = []
    network.register_forward_pre_hook(lambda _, x: seen.append(x[0].numel()))
    found = classify(network, toy.plane, toy.wire, toy.drift, memory_mib=0.1)
    assert len(seen) == 2
    assert sum(seen) < 0.2 * toy.plane.size
    np.testing.assert_allclose(found, classify(network, toy.plane, toy.wire, toy.drift), atol=1e-6)


def test_the_engine_is_chosen_by_the_number_of_hits() -> None:
    """With the published network: few hits go by patches, very many in one place by overlap-save."""
    layers = take_apart(patch_network(patch=48, filters=48, hidden=(128, 32)))
    rng = np.random.default_rng(1)
    chosen = []
    for hits in (20, 20_000):
        places = find_places((480, 1000), rng.integers(0, 480, hits), rng.integers(0, 1000, hits))
        chosen.append(choose.fastest(layers, places, choose_tile(layers, 1500)))
        costs = expected_seconds(layers, places, choose_tile(layers, 1500))
        assert chosen[-1] == min(costs, key=lambda name: costs[name])
        assert "overlap-save" not in expected_seconds(layers, places, None)
    assert chosen == ["patches", "overlap-save"]


@pytest.mark.parametrize(("network", "changed", "message"), [
    (patch_network(), {"engine": "fastest"}, "engine: expected one of auto, patches"),
    (patch_network(), {"engine": "whole-plane"}, "a network that reads patches"),
    (plane_network(), {"engine": "patches"}, "whole-plane"),
    (nn.Linear(2, 2), {}, "network: expected .* found Linear"),
    (patch_network(), {"threads": 0}, "threads: expected at least one, found 0"),
    (patch_network(), {"engine": "overlap-save", "memory_mib": 0.01}, "more memory"),
    (patch_network(), {"plane": np.full((4, 5), np.nan)}, "plane: wire 0, drift 0"),
    (patch_network(), {"plane": np.ones(5)}, r"shape \(5,\)"),
    (patch_network(), {"hits_wire": np.array([0, 4])}, "wire, hit 1: expected 0 to 3, found 4"),
    (patch_network(), {"hits_drift": np.array([-1, 4])}, "drift, hit 0: expected 0 to 4, found -1"),
    (patch_network(), {"hits_drift": np.array([1])}, "a wire and a drift"),
    (patch_network(), {"hits_drift": np.array([0.5, 1])}, "whole numbers"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(network: nn.Module, changed: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {
        "plane": np.ones((4, 5)), "hits_wire": np.array([0, 1]), "hits_drift": np.array([0, 1])
    }  # fmt: skip
    with pytest.raises(InputError, match=message):
        classify(network, **(arguments | changed))  # type: ignore[arg-type]
