"""The sparse U-ResNet: its size, and what it must not depend on."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

from cloudchamber.model.sparse.backend import sparse_backend
from cloudchamber.model.sparse.geometry import SparseGeometry
from cloudchamber.model.voxels_uresnet import SparseUResNet, SparseUResNetConfig
from cloudchamber.train.muon import split_parameters

SMALL = SparseUResNetConfig(dimension=3, levels=3, filters=16, repetitions=1)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def events(samples: int = 3, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    coordinates = torch.randint(0, 9, (500, 4), generator=generator)
    coordinates[:, 0] %= samples
    coordinates = torch.unique(coordinates, dim=0)
    coordinates = coordinates[torch.randperm(len(coordinates), generator=generator)]
    return torch.rand(len(coordinates), 1, generator=generator), coordinates


def small() -> SparseUResNet:
    torch.manual_seed(0)
    return SparseUResNet(SMALL)


def test_the_published_number_of_parameters() -> None:
    network = SparseUResNet(SparseUResNetConfig())
    assert sum(p.numel() for p in network.parameters()) == 2_741_477


def test_the_number_part_by_part() -> None:
    """By hand: 27 a b for a submanifold convolution, 8 a b for a strided one, 2 a for a normalisation."""

    def block(a: int, b: int) -> int:
        return 2 * a + 27 * a * b + 2 * b + 27 * b * b + (a * b if a != b else 0)

    planes = [16, 32, 48, 64, 80]
    steps = list(pairwise(planes))
    parts = {
        "stem": 27 * 16,
        "encoders": sum(2 * block(a, a) for a in planes),
        "downs": sum(2 * a + 8 * a * b for a, b in steps),
        "ups": sum(2 * b + 8 * b * a for a, b in steps),
        "decoders": sum(block(2 * a, a) + block(a, a) for a, _ in steps),
        "norm": 2 * 16,
        "out": 16 * 5 + 5,
    }
    network = SparseUResNet(SparseUResNetConfig())
    found = {name: sum(p.numel() for p in part.parameters()) for name, part in network.named_children()}
    assert found == parts


@pytest.mark.parametrize("backend", ["torch", "numba"])
def test_same_bits_in_any_order_of_voxels(backend: str) -> None:
    features, coordinates = events()
    order = torch.randperm(len(features), generator=torch.Generator().manual_seed(1))
    found = []
    for x, places in (
        (features, coordinates),
        (features[order], coordinates[order]),
        (features, coordinates),
    ):
        network = small()
        with sparse_backend(backend):
            logits = network(x, places)
            # Each voxel's logit weighted by itself: torch's own sum over rows would depend on their order.
            network.zero_grad()
            logits.backward(logits.detach())
        found.append((logits.detach(), [p.grad for p in network.parameters() if p.grad is not None]))
    assert torch.equal(found[0][0], found[2][0])
    assert torch.equal(found[0][0][order], found[1][0])
    for other in found[1:]:
        assert all(torch.equal(one, two) for one, two in zip(found[0][1], other[1], strict=True))


def test_backends_agree() -> None:
    features, coordinates = events()
    found = []
    for backend in ("torch", "numba"):
        network = small().eval()
        with sparse_backend(backend):
            found.append(network(features, coordinates))
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)


def test_an_event_does_not_depend_on_its_companions() -> None:
    features, coordinates = events(samples=4)
    network = small().eval()
    together = network(features, coordinates)
    for sample in range(4):
        own = coordinates[:, 0] == sample
        alone = network(features[own], coordinates[own])
        torch.testing.assert_close(alone, together[own], rtol=1e-5, atol=1e-6)


def test_an_event_may_be_moved_by_whole_blocks() -> None:
    """16 voxels are one of the third level: four of them, far and negative, change nothing."""
    features, coordinates = events()
    network = small().eval()
    moved = coordinates + torch.tensor([5, -4 * 16, 2**20, 16 * 977])
    assert torch.equal(network(features, moved), network(features, coordinates))


def test_prebuilt_geometry_duplicates_and_nothing() -> None:
    features, coordinates = events()
    network = small().eval()
    expected = network(features, coordinates)
    assert torch.equal(network(features, SparseGeometry(coordinates)), expected)
    halves = torch.cat([features, features]) / 2
    twice = network(halves, torch.cat([coordinates, coordinates]))
    assert torch.equal(twice, torch.cat([expected, expected]))
    assert network(features[:0], coordinates[:0]).shape == (0, 5)
    network.train()
    assert network(features[:1], coordinates[:1]).shape == (1, 5)


@pytest.mark.parametrize(("dimension", "channels_in", "filters"), [(1, 2, 8), (2, 3, 16), (4, 1, 5)])
def test_other_shapes_learn(dimension: int, channels_in: int, filters: int) -> None:
    torch.manual_seed(0)
    coordinates = torch.unique(torch.randint(0, 6, (100, 1 + dimension)), dim=0)
    features = torch.randn(len(coordinates), channels_in)
    labels = (features[:, 0] > 0).long()
    network = SparseUResNet(
        SparseUResNetConfig(
            dimension=dimension, levels=2, filters=filters, repetitions=1, channels_in=channels_in, classes=2
        )
    )
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(15):
        loss = F.cross_entropy(network(features, coordinates), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_what_it_does_not_take() -> None:
    features, coordinates = events()
    with pytest.raises(ValueError, match="1 features per voxel on 3 axes, not 2 on 3"):
        small()(features.repeat(1, 2), coordinates)
    with pytest.raises(ValueError, match="not 1 on 2"):
        small()(features, coordinates[:, :3])


def test_muon_takes_the_kernels_inside() -> None:
    network = SparseUResNet(SparseUResNetConfig())
    inner, rest = split_parameters(network)
    assert sum(p.numel() for p in inner) > 2_700_000
    assert all(p.ndim == 3 for p in inner)
    assert {id(network.stem.weight), id(network.out.weight)} <= {id(p) for p in rest}
