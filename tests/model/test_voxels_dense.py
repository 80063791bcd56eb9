"""The dense U-ResNets."""

import re
from itertools import pairwise

import pytest
import torch

from cloudchamber.model.voxels_dense import (
    MatchedUResNet,
    MatchedUResNetConfig,
    PublishedUResNet,
    PublishedUResNetConfig,
)
from cloudchamber.model.voxels_uresnet import SparseUResNet, SparseUResNetConfig


def sizes(network: torch.nn.Module) -> list[int]:
    return [p.numel() for p in network.parameters()]


@pytest.mark.parametrize("dimension", [2, 3])
def test_matched_has_the_layers_of_the_sparse_one(dimension: int) -> None:
    matched = MatchedUResNet(MatchedUResNetConfig.model_validate({"dimension": dimension}))
    assert sorted(sizes(matched)) == sorted(sizes(SparseUResNet(SparseUResNetConfig(dimension=dimension))))


def test_matched_is_the_sparse_one_where_all_is_filled() -> None:
    """On a full image, away from nothing, both compute the same."""
    torch.manual_seed(0)
    side, options = 8, {"dimension": 2, "levels": 3, "filters": 8, "repetitions": 1, "channels_in": 2}
    sparse = SparseUResNet(SparseUResNetConfig.model_validate(options)).eval()
    matched = MatchedUResNet(MatchedUResNetConfig.model_validate(options)).eval()
    theirs = matched.state_dict()
    for name, value in sparse.state_dict().items():
        same = re.sub(r"(norm\d?|(?:downs|ups)\.\d\.0)\.", r"\1.0.", name)
        if value.ndim == 3:
            kernel = round(value.shape[1] ** 0.5)
            value = value.permute(0, 2, 1).reshape(len(value), value.shape[2], kernel, kernel)
            value = value.transpose(0, 1) if name.startswith("ups") else value
        theirs[same].copy_(value.reshape(theirs[same].shape))
    matched.load_state_dict(theirs)
    image = torch.randn(1, 2, side, side)
    grid = torch.cartesian_prod(torch.arange(1), torch.arange(side), torch.arange(side))
    found = sparse(image[0].flatten(1).T, grid)
    torch.testing.assert_close(found, matched(image)[0].flatten(1).T, rtol=1e-4, atol=1e-5)


def test_published_part_by_part() -> None:
    """By hand: convolutions of 27 a b + b, of a b + b for a linear map, each with a normalisation of 2 b."""

    def block(a: int, b: int) -> int:
        return 27 * a * b + 27 * b * b + 2 * b + 4 * b + (a * b + 3 * b if a != b else 0)

    def double(a: int, b: int) -> int:
        return block(a, b) + block(b, b)

    widths = [16, 32, 64, 128, 256, 512]
    expected = 27 * 16 + 3 * 16 + (27 * 16 * 16 + 3 * 16) + (27 * 16 * 5 + 3 * 5)
    for fine, coarse in pairwise(widths):
        expected += double(fine, coarse) + double(coarse, fine) + 27 * fine * coarse + 3 * fine
    assert sum(sizes(PublishedUResNet(PublishedUResNetConfig()))) == expected


@pytest.mark.parametrize("dimension", [2, 3])
def test_shapes(dimension: int) -> None:
    image = torch.randn(2, 1, *[8] * dimension)
    options = {"dimension": dimension, "filters": 4}
    matched = MatchedUResNet(MatchedUResNetConfig.model_validate(options | {"levels": 4}))
    published = PublishedUResNet(PublishedUResNetConfig.model_validate(options | {"strides": 3}))
    for network in (matched, published):
        assert network(image).shape == (2, 5, *[8] * dimension)
        with pytest.raises(ValueError, match="multiples of"):
            network(torch.randn(2, 1, *[8] * (dimension - 1), 12))
