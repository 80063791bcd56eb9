import pytest
import torch

from cloudchamber.model.blocks import BlurredPixelShuffle, ResidualBlock
from cloudchamber.model.gravnet import GravNet, GravNetConfig, GravNetLayer
from cloudchamber.model.walls_unet import WallsUNet, WallsUNetConfig


@pytest.mark.parametrize(
    ("options", "size"),
    [
        (WallsUNetConfig(features=4, levels=3, gravnet=None), (10, 10, 10)),
        (WallsUNetConfig(features=4, levels=3, gravnet=None), (16, 12, 9)),
        (WallsUNetConfig(features=4, levels=2, layers=7, gravnet=None), (7, 13, 11)),
        (WallsUNetConfig(features=4, levels=1, gravnet=GravNetConfig(neighbours=4)), (6, 7, 5)),
    ],
)
def test_any_size(options: WallsUNetConfig, size: tuple[int, int, int]) -> None:
    x = torch.randn(2, 1, *size)
    assert WallsUNet(options)(x).shape == x.shape


def test_plain_unet_halves_as_strongs_does() -> None:
    network = WallsUNet(WallsUNetConfig(features=4, levels=3, gravnet=None))
    sizes = []
    for stage in network.down:
        stage.register_forward_hook(lambda module, inputs, output: sizes.append(tuple(output.shape[1:])))
    network(torch.randn(2, 1, 10, 10, 10))
    assert sizes == [(8, 5, 5, 5), (16, 3, 3, 3), (32, 2, 2, 2)]


def test_wrong_number_of_layers() -> None:
    with pytest.raises(ValueError, match="10 layers got a volume of 9"):
        WallsUNet(WallsUNetConfig(features=4, layers=10))(torch.randn(1, 1, 9, 10, 10))


def test_pixel_shuffle_puts_subvoxels_in_place() -> None:
    shuffle = BlurredPixelShuffle(2, 4, 3).eval()
    setattr(shuffle, "blur", torch.nn.Identity())  # noqa: B010
    x = torch.randn(2, 4, 5, 6)
    padded = torch.nn.functional.silu(shuffle.norm(x))
    expected = torch.nn.functional.pixel_shuffle(shuffle.conv(padded), 2)
    torch.testing.assert_close(shuffle(x, (11, 13))[:, :, 1:, 1:], expected)


def test_pixel_shuffle_crops() -> None:
    assert BlurredPixelShuffle(3, 4, 2)(torch.randn(1, 4, 3, 3, 2), (5, 6, 3)).shape == (1, 2, 5, 6, 3)


def test_residual_block_keeps_the_identity_where_nothing_changes() -> None:
    block = ResidualBlock(3, 4, 4).eval()
    for p in block.conv_b.parameters():
        torch.nn.init.zeros_(p)
    x = torch.randn(2, 4, 3, 3, 3)
    torch.testing.assert_close(block(x), x)


def _brute_force(layer: GravNetLayer, x: torch.Tensor) -> torch.Tensor:
    """GravNet by loops over nodes and neighbours, without attention."""
    space, message = layer.to_space(x), layer.to_message(x)
    rows = []
    for sample in range(len(x)):
        for node in range(x.shape[1]):
            distance2 = (space[sample] - space[sample, node]).square().sum(dim=1)
            near = distance2.argsort()[: layer.config.neighbours]
            weighted = message[sample, near] * torch.exp(-10 * distance2[near])[:, None]
            absmax = weighted.gather(0, weighted.abs().argmax(dim=0, keepdim=True))[0]
            rows.append(torch.cat([x[sample, node], weighted.mean(dim=0), absmax]))
    out: torch.Tensor = torch.nn.functional.silu(layer.norm(layer.out(torch.stack(rows))))
    return out.view(*x.shape[:2], -1)


def test_gravnet_against_brute_force() -> None:
    torch.manual_seed(0)
    layer = GravNetLayer(5, 7, GravNetConfig(neighbours=4, attention=False)).eval()
    x = torch.randn(2, 9, 5)
    torch.testing.assert_close(layer(x), _brute_force(layer, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("attention", [False, True])
def test_gravnet_layers_do_not_know_the_order_of_nodes(attention: bool) -> None:
    torch.manual_seed(0)
    layer = GravNetLayer(5, 7, GravNetConfig(neighbours=4, attention=attention)).eval()
    x, order = torch.randn(2, 9, 5), torch.randperm(9)
    torch.testing.assert_close(layer(x[:, order]), layer(x)[:, order], rtol=1e-4, atol=1e-5)


def test_gravnet_keeps_the_grid() -> None:
    gravnet = GravNet(3, 6, GravNetConfig(neighbours=3, outputs=(4, 5)))
    x = torch.randn(2, 6, 2, 3, 4)
    out = gravnet(x)
    assert out.shape == (2, 15, 2, 3, 4)
    assert torch.equal(out[:, :6], x)
