"""Every sparse operator against its dense counterpart, masked to the voxels that there are."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.model.sparse.backend import sparse_backend
from cloudchamber.model.sparse.functional import convolve
from cloudchamber.model.sparse.geometry import SparseGeometry
from cloudchamber.model.sparse.pooling import average_pool, max_pool
from tests.model.sparse.batches import batches
from tests.model.sparse.dense import at, correlate, gradients_fit, to_dense

BACKENDS = ["torch", "numba"]


def grid(coordinates: torch.Tensor, around: int) -> tuple[torch.Tensor, tuple[int, ...]]:
    """Corner (even along the axes) and size of a grid that has room around the voxels."""
    low = coordinates.amin(dim=0) - around
    low[1:] -= low[1:] % 2
    low[0] = 0
    size = coordinates.amax(dim=0) + around + 2 - low
    size[1:] += size[1:] % 2
    return low, tuple(size.tolist())


@pytest.mark.parametrize("backend", BACKENDS)
@given(
    batches(), st.sampled_from([(1, 16), (3, 5), (32, 8), (16, 80)]), st.sampled_from(["same", "down", "up"])
)
@settings(max_examples=30)
def test_convolutions_are_dense_ones_at_the_voxels(
    backend: str, coordinates: torch.Tensor, channels: tuple[int, int], kind: str
) -> None:
    torch.manual_seed(0)
    dimension = coordinates.shape[1] - 1
    side = 3 if kind == "same" else 2
    weight = torch.randn(channels[1], side**dimension, channels[0]).requires_grad_()
    kernel = weight.movedim(1, 2).reshape(channels[1], channels[0], *[side] * dimension)
    with sparse_backend(backend):
        geometry = SparseGeometry(coordinates)
        fine, coarse = geometry.level(0), geometry.level(1)
        rulebook = {"same": fine.neighbours, "down": fine.down, "up": fine.up}[kind]
        features = torch.randn(rulebook.rows_in, channels[0], requires_grad=True)
        out = convolve(features, weight, rulebook)
        cotangent = torch.randn_like(out)
        found = torch.autograd.grad(out, (features, weight), cotangent)
    low, shape = grid(coordinates, 1)
    half_low = low.clone()
    half_low[1:] = low[1:] // 2
    half_shape = (shape[0], *(n // 2 for n in shape[1:]))
    if kind == "same":
        dense = correlate(to_dense(features, fine.coordinates, low, shape), kernel, 1)
        expected = at(dense, fine.coordinates, low + torch.tensor([0, *[1] * dimension]))
    elif kind == "down":
        dense = correlate(to_dense(features, fine.coordinates, low, shape), kernel, 2)
        expected = at(dense, coarse.coordinates, half_low)
    else:
        # The transpose: the gradient of the strided correlation that it transposes.
        x = torch.zeros(shape[0], channels[1], *shape[1:], requires_grad=True)
        strided = correlate(x, kernel.transpose(0, 1), 2)
        sparse = to_dense(features, coarse.coordinates, half_low, half_shape)
        (dense,) = torch.autograd.grad(strided, x, sparse, create_graph=True)
        expected = at(dense, fine.coordinates, low)
    wanted = torch.autograd.grad(expected, (features, weight), cotangent)
    scale = max(1.0, float(expected.detach().abs().max()))
    torch.testing.assert_close(out, expected, rtol=1e-5, atol=1e-5 * scale)
    for ours, dense_one in zip(found, wanted, strict=True):
        scale = max(1.0, float(dense_one.abs().max()))
        torch.testing.assert_close(ours, dense_one, rtol=1e-5, atol=1e-5 * scale)


@pytest.mark.parametrize("kind", ["same", "down", "up"])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_gradients_by_differences(dimension: int, kind: str) -> None:
    generator = torch.Generator().manual_seed(dimension)
    coordinates = torch.randint(0, 3, (12, 1 + dimension), generator=generator)
    level = SparseGeometry(coordinates).level(0)
    rulebook = {"same": level.neighbours, "down": level.down, "up": level.up}[kind]
    shapes = ((rulebook.rows_in, 2), (3, rulebook.places, 2), (rulebook.rows_out, 3))
    inputs = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
    assert gradients_fit(lambda x, w, plus: convolve(x, w, rulebook, plus), *inputs)


@pytest.mark.parametrize("pool", [average_pool, max_pool])
@given(batches())
@settings(max_examples=30)
def test_pools_against_loops(pool: Callable[..., torch.Tensor], coordinates: torch.Tensor) -> None:
    level = SparseGeometry(coordinates).level(0)
    features = torch.randn(len(level), 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    out = pool(features, level.down)
    parents = level.coarser.row
    groups = [features[parents == parent] for parent in range(len(out))]
    expected = torch.stack([x.mean(dim=0) if pool is average_pool else x.amax(dim=0) for x in groups])
    torch.testing.assert_close(out, expected)
    cotangent = torch.randn_like(out)
    (ours,) = torch.autograd.grad(out, features, cotangent)
    (loops,) = torch.autograd.grad(expected, features, cotangent)
    torch.testing.assert_close(ours, loops)


def test_gradients_of_pools_by_differences() -> None:
    down = SparseGeometry(torch.tensor([[0, 0, 0], [0, 0, 1], [0, 1, 1], [0, 4, 5], [1, 0, 0]])).level(0).down
    features = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for pool in (average_pool, max_pool):
        assert gradients_fit(partial(pool, rulebook=down), features)


def everything(coordinates: torch.Tensor, features: torch.Tensor, backend: str) -> list[torch.Tensor]:
    """Output in the order of the voxels, and gradients, of a convolution, down and up again."""
    torch.manual_seed(1)
    weights = [torch.randn(24, 27, 16), torch.randn(48, 8, 24), torch.randn(16, 8, 48)]
    with sparse_backend(backend):
        geometry = SparseGeometry(coordinates)
        level = geometry.level(0)
        x = geometry.gather(features).requires_grad_()
        for weight in weights:
            weight.requires_grad_()
        same = convolve(x, weights[0], level.neighbours)
        out = convolve(convolve(same, weights[1], level.down), weights[2], level.up, plus=x)
        gradients = torch.autograd.grad(out.square().sum(), [x, *weights])
    return [geometry.scatter(out).detach(), geometry.scatter(gradients[0]), *gradients[1:]]


def many(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    coordinates = torch.randint(0, 9, (900, 4), generator=generator)
    coordinates[:, 0] %= 3
    coordinates = torch.unique(coordinates, dim=0)
    return coordinates, torch.randn(len(coordinates), 16, generator=generator)


@pytest.mark.parametrize("backend", BACKENDS)
def test_same_bits_in_any_order_of_voxels_and_run(backend: str) -> None:
    coordinates, features = many()
    first = everything(coordinates, features, backend)
    for one, again in zip(first, everything(coordinates, features, backend), strict=True):
        assert torch.equal(one, again)
    order = torch.randperm(len(features), generator=torch.Generator().manual_seed(5))
    shuffled = everything(coordinates[order], features[order], backend)
    for number, (one, other) in enumerate(zip(first, shuffled, strict=True)):
        assert torch.equal(one[order] if number < 2 else one, other)


def test_compiled_loops_give_the_same_bits_for_any_number_of_threads() -> None:
    coordinates, features = many()
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(everything(coordinates, features, "numba"))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(one, two) for one, two in zip(found[0], other, strict=True))


def test_compiled_loops_agree_with_torch() -> None:
    coordinates, features = many()
    for ours, oracle in zip(
        everything(coordinates, features, "numba"), everything(coordinates, features, "torch"), strict=True
    ):
        torch.testing.assert_close(ours, oracle, rtol=1e-5, atol=1e-5 * float(oracle.abs().max()))


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_voxels(backend: str) -> None:
    weight = torch.randn(16, 27, 3, requires_grad=True)
    with sparse_backend(backend):
        level = SparseGeometry(torch.zeros(0, 4, dtype=torch.int64)).level(0)
        out = convolve(torch.zeros(0, 3), weight, level.neighbours)
        (gradient,) = torch.autograd.grad(out.sum(), weight)
    assert out.shape == (0, 16)
    assert not gradient.any()
