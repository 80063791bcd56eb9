import numpy as np
import pytest
import torch

from cloudchamber.model.walls_conv_dense import WallsConvDense, WallsConvDenseConfig


def test_gonzalez_to_the_last_parameter() -> None:
    network = WallsConvDense(WallsConvDenseConfig())
    assert {name: tuple(p.shape) for name, p in network.named_parameters()} == {
        "conv.weight": (25, 1, 5, 2, 1),
        "conv.bias": (25,),
        "hidden.weight": (100, 6750),
        "hidden.bias": (100,),
        "out.weight": (1000, 100),
        "out.bias": (1000,),
    }
    assert sum(p.numel() for p in network.parameters()) == 776_375


def test_against_numpy() -> None:
    torch.manual_seed(0)
    network = WallsConvDense(WallsConvDenseConfig(size=(8, 4, 5), filters=3, hidden=6))
    weights = {name: p.detach().numpy() for name, p in network.named_parameters()}
    x = np.random.default_rng(0).normal(size=(2, 1, 8, 4, 5)).astype(np.float32)
    features = np.zeros((2, 3, 2, 3, 5))
    for z in range(2):
        for i in range(3):
            for j in range(5):
                patch = x[:, 0, 2 * z : 2 * z + 5, i : i + 2, j]
                features[:, :, z, i, j] = np.einsum(
                    "nzx,fzx->nf", patch, weights["conv.weight"][:, 0, ..., 0]
                )
    hidden = np.maximum(features, 0).reshape(2, -1) @ weights["hidden.weight"].T
    expected = np.maximum(hidden, 0) @ weights["out.weight"].T
    found = network(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(found.reshape(2, -1), expected, rtol=1e-4, atol=1e-5)


def test_weights_start_as_in_keras() -> None:
    network = WallsConvDense(WallsConvDenseConfig())
    for layer, fan in ((network.conv, 10 * (1 + 25)), (network.hidden, 6850), (network.out, 1100)):
        limit = (6 / fan) ** 0.5
        assert 0.95 * limit < float(layer.weight.detach().abs().max()) <= limit
        assert layer.bias is not None
        assert not layer.bias.any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": (4, 10, 10)}, "larger than the volume"),
        ({"stride": (0, 1, 1)}, "1 or more"),
        ({"kernel": (5, 2)}, "kernel"),
    ],
)
def test_options_out_of_range(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WallsConvDenseConfig.model_validate(options)


def test_volumes_of_another_size() -> None:
    with pytest.raises(ValueError, match="10x10x10 got 10x9x10"):
        WallsConvDense(WallsConvDenseConfig())(torch.zeros(1, 1, 10, 9, 10))
