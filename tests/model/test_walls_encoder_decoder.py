import pytest
import torch
from torch import nn

from cloudchamber.model.walls_encoder_decoder import WallsEncoderDecoder, WallsEncoderDecoderConfig

# The challenge's deck prints Bury's network layer by layer: (kind, in, out, kernel).
ENCODER = [("Conv2d", 10, 50, 3), ("Conv2d", 50, 100, 2), ("Conv2d", 100, 150, 2), ("Conv2d", 150, 200, 1)]
DECODER = [
    ("ConvTranspose2d", 200, 150, 1),
    ("ConvTranspose2d", 150, 100, 2),
    ("ConvTranspose2d", 100, 50, 2),
    ("ConvTranspose2d", 50, 10, 3),
]


def _described(layers: nn.Sequential) -> list[object]:
    rows: list[object] = []
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            assert layer.stride == (1, 1)
            assert layer.padding == (0, 0)
            assert layer.kernel_size[0] == layer.kernel_size[1]
            rows.append((type(layer).__name__, layer.in_channels, layer.out_channels, layer.kernel_size[0]))
        else:
            rows.append(type(layer).__name__)
            if isinstance(layer, nn.BatchNorm2d):
                assert (layer.eps, layer.momentum) == (1e-5, 0.1)
    return rows


def test_bury_to_the_last_layer() -> None:
    network = WallsEncoderDecoder(WallsEncoderDecoderConfig())
    assert _described(network.encoder) == [part for row in ENCODER for part in (row, "SELU", "BatchNorm2d")]
    decoder = [part for row in DECODER for part in (row, "SELU", "BatchNorm2d")]
    del decoder[-2]
    assert _described(network.decoder) == decoder


def test_bury_to_the_last_parameter() -> None:
    parameters = sum(p.numel() for p in WallsEncoderDecoder(WallsEncoderDecoderConfig()).parameters())
    by_hand = sum(a * b * k * k + b + 2 * b for _, a, b, k in ENCODER + DECODER)
    assert parameters == by_hand == 231_430
    assert parameters == pytest.approx(231_000, rel=0.01)  # "about 231k"


def test_the_latent_space_is_6x6() -> None:
    network = WallsEncoderDecoder(WallsEncoderDecoderConfig())
    assert network.encoder(torch.randn(2, 10, 10, 10)).shape == (2, 200, 6, 6)


@pytest.mark.parametrize("size", [(10, 13, 11), (10, 5, 5)])
def test_any_number_of_columns(size: tuple[int, int, int]) -> None:
    x = torch.randn(2, 1, *size)
    assert WallsEncoderDecoder(WallsEncoderDecoderConfig())(x).shape == x.shape


def test_wrong_number_of_layers() -> None:
    with pytest.raises(ValueError, match="10 layers got a volume of 9"):
        WallsEncoderDecoder(WallsEncoderDecoderConfig())(torch.randn(1, 1, 9, 10, 10))


def test_features_without_kernels() -> None:
    with pytest.raises(ValueError, match="3 features, 4 kernels"):
        WallsEncoderDecoderConfig(features=(1, 2, 3))
