import pytest
import torch

from cloudchamber.model.blocks import BlurredPixelShuffle, ResidualBlock
from cloudchamber.model.gravnet import GravNet, GravNetConfig, GravNetLayer, OffsetAttention
from cloudchamber.model.walls_unet import STRONG, WallsUNet, WallsUNetConfig


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
    hidden = layer.hidden(x)
    space, message = layer.to_space(hidden), layer.to_message(hidden)
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


def _parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def _strong(**changes: object) -> WallsUNet:
    return WallsUNet(WallsUNetConfig.model_validate({**STRONG, **changes}))


def test_strong_to_the_last_parameter() -> None:
    assert _parameters(_strong()) == 2_695_606


def test_strong_from_what_is_published_alone() -> None:
    """Without what is inferred the number is 1.4 % too large, most of all by features joined, not mapped."""
    published = WallsUNet(WallsUNetConfig(features=64, levels=1, entry_blocks=2))
    assert _parameters(published) == 2_733_754
    assert _parameters(published) == pytest.approx(2_695_606, rel=0.015)


def test_strong_part_by_part() -> None:
    """The number once more, by hand from the shapes of the published layers."""

    def block(a: int, b: int) -> int:
        excitation = b * (b // 4) + b // 4 + (b // 4) * b + b
        return 2 * a + 27 * a * b + 2 * b + 27 * b * b + excitation + (a * b if a != b else 0)

    def gravnet(a: int) -> int:
        attention = 2 * (25 * 12 + 12) + 2 * (25 * 25 + 25)
        return (a * 37 + 37) + (37 * 31 + 31) + attention + (a + 50) * 50 + 50

    parts = {
        "stem": 2 * 64,
        "entry": 2 * block(64, 64),
        "down": block(64, 128) + block(128, 128),
        "gravnet": gravnet(128 + 3) + gravnet(50) + 100 * 128 + 128,
        "shuffle": 2 * 128 + 128 * 8 * 64 + 8 * 64,
        "up": block(128, 64) + block(64, 64),
        "norm": 2 * 64,
        "out": 27 * 64 + 1,
    }
    assert {name: _parameters(part) for name, part in _strong().named_children()} == parts


def test_strong_on_a_volume() -> None:
    network = _strong(features=8)
    sizes = []
    assert network.gravnet is not None
    network.gravnet.register_forward_hook(lambda module, inputs, output: sizes.append(tuple(output.shape)))
    assert network(torch.randn(2, 1, 10, 10, 10)).shape == (2, 1, 10, 10, 10)
    assert sizes == [(2, 16, 5, 5, 5)]


def test_several_maps() -> None:
    for layers in (None, 10):
        network = WallsUNet(WallsUNetConfig(features=4, inputs=3, layers=layers, gravnet=None)).eval()
        x = torch.randn(2, 3, 10, 10, 10)
        swapped = x[:, [0, 2, 1]]
        assert network(x).shape == (2, 1, 10, 10, 10)
        assert not torch.equal(network(x), network(swapped))


def test_mapped_gravnet_has_the_width_of_its_input() -> None:
    config = GravNetConfig(neighbours=3, outputs=(4, 5), depth=3, attention_width=2, norm=False, mapped=True)
    gravnet = GravNet(3, 6, config)
    x = torch.randn(2, 6, 2, 3, 4)
    assert gravnet(x).shape == x.shape
    assert gravnet.channels_out == 6


@pytest.mark.parametrize("options", [{"depth": 2}, {"norm": False}, {"depth": 3, "norm": False}])
def test_gravnet_options_against_brute_force(options: dict[str, int]) -> None:
    torch.manual_seed(0)
    layer = GravNetLayer(5, 7, GravNetConfig.model_validate({"neighbours": 4, "attention": False, **options}))
    layer.eval()
    x = torch.randn(2, 9, 5)
    torch.testing.assert_close(layer(x), _brute_force(layer, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("width", [None, 3])
def test_offset_attention_against_loops(width: int | None) -> None:
    torch.manual_seed(0)
    attention = OffsetAttention(5, width)
    x = torch.randn(2, 4, 5)
    w = width or 5
    weight, bias = attention.query_key_value.weight, attention.query_key_value.bias
    assert (bias is None) == (width is None)
    for sample in range(2):
        joint = x[sample] @ weight.T + (0 if bias is None else bias)
        query, key, value = joint[:, :w], joint[:, w : 2 * w], joint[:, 2 * w :]
        share = torch.stack([torch.exp(key @ q / w**0.5) for q in query])
        attended = (share / share.sum(dim=1, keepdim=True)) @ value
        expected = x[sample] + torch.nn.functional.silu(attention.mix(x[sample] - attended))
        torch.testing.assert_close(attention(x)[sample], expected, rtol=1e-4, atol=1e-5)
