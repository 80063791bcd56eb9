"""The network of Timilsina to the last parameter, and its small companion."""

import pytest
import torch
from torch import nn

from cloudchamber.model.beam_inputs import FineInput
from cloudchamber.model.beam_small import BeamSmall, BeamSmallConfig
from cloudchamber.model.tiramisu import LIGHT, DenseBlock, Tiramisu, TiramisuConfig


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def test_as_many_parameters_as_published() -> None:
    assert parameters(Tiramisu(TiramisuConfig())) == 9_319_171
    assert parameters(Tiramisu(TiramisuConfig(**LIGHT))) == 253_475


def test_the_order_of_a_layer_and_the_depth_are_the_published_ones() -> None:
    network = Tiramisu(TiramisuConfig())
    blocks = [each for each in network.modules() if isinstance(each, DenseBlock)]
    layer = blocks[0].layers[0]
    assert [type(part) for part in layer.children()] == [nn.ReLU, nn.BatchNorm2d, nn.Conv2d, nn.Dropout]
    shrink = list(network.shrink[0].children())[2]
    assert isinstance(shrink, nn.Conv2d)
    assert (shrink.kernel_size, shrink.stride) == ((1, 1), (2, 2))
    assert [len(each.layers) for each in blocks] == [4, 5, 7, 10, 12, 15, 12, 10, 7, 5, 4]
    grow = network.grow[0]
    assert isinstance(grow, nn.ConvTranspose2d)
    assert grow.in_channels == 15 * 16  # of the newest maps alone
    assert network.stride == 32


def test_the_small_network_is_small_and_reaches_across_an_image() -> None:
    network = BeamSmall(BeamSmallConfig())
    assert parameters(network) <= 2_000_000
    assert network.stride == 64
    assert network.margin >= 320
    with pytest.raises(ValueError, match="levels"):
        BeamSmall(BeamSmallConfig(widths=(8, 8)))


def test_learned_downsampling_can_be_the_mean() -> None:
    front = FineInput(1, 2, 1)
    with torch.no_grad():
        front.convolution.weight.zero_()
        front.convolution.weight[:, :, 1:3, 1:3] = 0.25
        assert front.convolution.bias is not None
        front.convolution.bias.zero_()
    x = torch.rand(1, 1, 6, 8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(front(x), nn.functional.avg_pool2d(x, 2))
