from itertools import pairwise

import pytest
import torch
from torch import nn

from cloudchamber.model.walls_dncnn import WallsDnCNN, WallsDnCNNConfig


def test_conv_relu_then_blocks_then_conv() -> None:
    kinds = [type(layer).__name__ for layer in WallsDnCNN(WallsDnCNNConfig(blocks=2)).layers]
    assert kinds == ["Conv3d", "ReLU", *["Conv3d", "BatchNorm3d", "ReLU"] * 2, "Conv3d"]


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize(("features", "blocks"), [(10, 10), (4, 7), (1, 0)])
def test_parameters(kernel: int, features: int, blocks: int) -> None:
    config = WallsDnCNNConfig.model_validate({"kernel": kernel, "features": features, "blocks": blocks})
    first, last = kernel**3 * features + features, kernel**3 * features + 1
    block = kernel**3 * features**2 + 2 * features
    assert sum(p.numel() for p in WallsDnCNN(config).parameters()) == first + blocks * block + last


def test_the_defaults_and_the_largest() -> None:
    sizes = [sum(p.numel() for p in WallsDnCNN(WallsDnCNNConfig(kernel=k)).parameters()) for k in (3, 5)]
    assert sizes == [27_751, 127_711]


def test_it_is_the_same_wherever_it_stands() -> None:
    network = WallsDnCNN(WallsDnCNNConfig(blocks=1, features=4)).eval()
    x = torch.zeros(1, 1, 12, 12, 12)
    x[..., 4:6, 4:7, 4:6] = torch.randn(2, 3, 2)
    shifted = x.roll((1, 2, 3), dims=(2, 3, 4))
    there, back = network(shifted), network(x)
    torch.testing.assert_close(there[..., 4:9, 5:9, 6:9], back[..., 3:8, 3:7, 3:6])


def test_any_size() -> None:
    assert WallsDnCNN(WallsDnCNNConfig(kernel=5))(torch.randn(2, 1, 3, 7, 12)).shape == (2, 1, 3, 7, 12)


@pytest.mark.parametrize("options", [{"kernel": 4}, {"features": 11}, {"blocks": 11}])
def test_options_out_of_range(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        WallsDnCNNConfig.model_validate(options)


def test_no_bias_where_batch_normalisation_follows() -> None:
    layers = list(WallsDnCNN(WallsDnCNNConfig()).layers)
    for layer, after in pairwise(layers):
        if isinstance(layer, nn.Conv3d):
            assert (layer.bias is None) == isinstance(after, nn.BatchNorm3d)
