"""Layers on sparse tensors."""

import pytest
import torch

from cloudchamber.model.sparse.geometry import SparseGeometry
from cloudchamber.model.sparse.modules import (
    NormRectify,
    SparseDown,
    SparsePool,
    SparseResidualBlock,
    SparseTensor,
    SparseUp,
    SubmanifoldConvolution,
)


@pytest.fixture
def x() -> SparseTensor:
    generator = torch.Generator().manual_seed(0)
    geometry = SparseGeometry(torch.randint(0, 6, (50, 3), generator=generator))
    return SparseTensor(torch.randn(len(geometry.level(0)), 4, generator=generator), geometry)


def test_a_kernel_of_one_is_a_linear_map(x: SparseTensor) -> None:
    layer = SubmanifoldConvolution(2, 4, 6, kernel=1, bias=True)
    assert layer.bias is not None
    torch.nn.init.normal_(layer.bias)
    expected = x.features @ layer.weight[:, 0].T + layer.bias
    torch.testing.assert_close(layer(x).features, expected)


def test_levels_go_down_and_up(x: SparseTensor) -> None:
    coarse = SparseDown(2, 4, 8, bias=True)(x)
    assert coarse.level == 1
    assert coarse.features.shape == (len(x.geometry.level(1)), 8)
    fine = SparseUp(2, 8, 4)(coarse)
    assert fine.level == 0
    assert fine.features.shape == x.features.shape
    for kind in ("average", "max"):
        assert SparsePool(kind)(x).features.shape == (len(coarse.voxels), 4)


def test_a_residual_block_step_by_step(x: SparseTensor) -> None:
    torch.manual_seed(0)
    block = SparseResidualBlock(2, 4, 6)
    assert block.short is not None
    inner = block.conv2(block.norm2(block.conv1(block.norm1(x))))
    expected = inner.features + block.short(x).features
    torch.testing.assert_close(block(x).features, expected)
    assert SparseResidualBlock(2, 4, 4).short is None


def test_norm_rectify_is_never_negative(x: SparseTensor) -> None:
    out = NormRectify(4)(x).features
    assert bool((out >= 0).all())
    assert bool((out == 0).any())


def test_what_cannot_be(x: SparseTensor) -> None:
    with pytest.raises(ValueError, match="1 or 3, not 2"):
        SubmanifoldConvolution(2, 4, 4, kernel=2)
    with pytest.raises(ValueError, match="no finer level"):
        SparseUp(2, 4, 4)(x)
    with pytest.raises(ValueError, match="average or max, not 'median'"):
        SparsePool("median")


def test_weights_keep_the_size_of_signals() -> None:
    """In a filled image the variance after a convolution and a rectifier is that before, about."""
    torch.manual_seed(0)
    side = 24
    grid = torch.cartesian_prod(torch.arange(1), torch.arange(side), torch.arange(side))
    geometry = SparseGeometry(grid)
    features = torch.randn(side * side, 32).relu()
    out = SubmanifoldConvolution(2, 32, 32)(SparseTensor(features, geometry)).features.detach()
    assert float(out.square().mean()) == pytest.approx(2 * float(features.square().mean()), rel=0.2)
