import pytest
import torch
from torch import nn

from cloudchamber.model.walls_cnn import WallsCNN, WallsCNNConfig


def test_all_strides_are_one() -> None:
    network = WallsCNN(WallsCNNConfig())
    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv3d)]
    assert [layer.stride for layer in convolutions] == [(1, 1, 1)] * 5


def test_parameters() -> None:
    by_hand = 27 * 16 + 3 * 27 * 16**2 + 4 * 2 * 16 + 17
    assert sum(p.numel() for p in WallsCNN(WallsCNNConfig()).parameters()) == by_hand == 21_313


@pytest.mark.parametrize(("depth", "kernel"), [(1, 3), (3, 3), (2, 5)])
def test_how_far_a_voxel_sees(depth: int, kernel: int) -> None:
    config = WallsCNNConfig.model_validate({"depth": depth, "kernel": kernel, "features": 8})
    network = WallsCNN(config).eval()
    x = torch.randn(1, 1, 17, 17, 17, requires_grad=True)
    network(x)[0, 0, 8, 8, 8].backward()
    assert x.grad is not None
    seen = torch.nonzero(x.grad[0, 0])
    reach = depth * (kernel // 2)
    assert seen.min(dim=0).values.tolist() == [8 - reach] * 3
    assert seen.max(dim=0).values.tolist() == [8 + reach] * 3


def test_any_size() -> None:
    assert WallsCNN(WallsCNNConfig(kernel=5))(torch.randn(2, 1, 3, 7, 12)).shape == (2, 1, 3, 7, 12)
