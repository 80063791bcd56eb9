from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cloudchamber.model.walls_mlp import EDGE, MUNKES, WallsMLP, WallsMLPConfig, logit_of_relu
from cloudchamber.train.losses import LOSSES

ACTIVATION = {nn.Tanh: "T", nn.ReLU: "R", nn.Sigmoid: "S"}


def _network(options: dict[str, Any]) -> WallsMLP:
    return WallsMLP(WallsMLPConfig.model_validate(options))


@pytest.mark.parametrize(
    ("options", "structure", "shapes"),
    [
        (MUNKES[0], "LTLR", [(1000, 1280), (1280, 1000)]),
        (MUNKES[1], "LTLR", [(1000, 1000)] * 2),
        (MUNKES[2], "TLRLR", [(1000, 1000)] * 2),
        (MUNKES[3], "LTLRLRLR", [(1000, 1100), (1100, 1000), (1000, 1000), (1000, 1000)]),
        (MUNKES[4], "LTLRLTLR", [(1000, 1000)] * 4),
    ],
    ids=range(1, 6),
)
def test_munkes_to_the_last_layer(options: dict[str, Any], structure: str, shapes: list[Any]) -> None:
    layers = list(_network(options).layers)
    kinds = "".join(ACTIVATION.get(type(layer), "L") for layer in layers)
    assert kinds + options["layers"][-1][0].upper() == structure
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in linear] == shapes


def test_munkes_to_the_last_parameter() -> None:
    numbers = [sum(p.numel() for p in _network(options).parameters()) for options in MUNKES]
    assert numbers == [2_562_280, 2_002_000, 2_002_000, 4_204_100, 4_004_000]


def test_the_default_is_his_first() -> None:
    assert WallsMLPConfig() == WallsMLPConfig.model_validate(MUNKES[0])


@pytest.mark.parametrize("last", ["relu", "sigmoid"])
def test_probability_against_numpy(last: str) -> None:
    torch.manual_seed(0)
    network = _network({"size": (3, 2, 2), "layers": ["tanh", 7, "relu", 12, last]})
    a, b = (layer for layer in network.layers if isinstance(layer, nn.Linear))
    x = np.random.default_rng(0).normal(size=(4, 1, 3, 2, 2)).astype(np.float32)
    hidden = np.maximum(np.tanh(x.reshape(4, -1)) @ a.weight.detach().numpy().T + a.bias.detach().numpy(), 0)
    value = hidden @ b.weight.detach().numpy().T + b.bias.detach().numpy()
    expected = 1 / (1 + np.exp(-value)) if last == "sigmoid" else np.clip(value, EDGE, 1 - EDGE)
    found = network(torch.from_numpy(x)).sigmoid().detach().numpy()
    np.testing.assert_allclose(found.reshape(4, -1), expected, rtol=1e-4, atol=1e-6)


def test_voxels_keep_their_place() -> None:
    network = _network({"size": (2, 3, 4), "layers": [24, "relu"]})
    (linear,) = (layer for layer in network.layers if isinstance(layer, nn.Linear))
    nn.init.eye_(linear.weight)
    nn.init.zeros_(linear.bias)
    x = torch.rand(2, 1, 2, 3, 4) * 0.8 + 0.1
    torch.testing.assert_close(network(x).sigmoid(), x)


def test_squared_error_has_its_gradient_at_the_value() -> None:
    value = torch.tensor([[0.0, 0.3, 0.7, 0.999, 1.5, 40.0, 1e30, -0.2, -1e30]], requires_grad=True)
    target = torch.tensor([[0.0, 1, 0, 1, 0, 1, 0, 1, 0]])
    LOSSES["mse"](logit_of_relu(value), target).backward()
    expected = 2 * (value.detach().clamp(EDGE, 1 - EDGE) - target) / 9
    at_rest = torch.tensor([[True, 0, 0, 0, 0, 1, 0, 0, 1]]).bool()  # beyond an edge, and rightly so
    expected[at_rest] = 0.0
    assert value.grad is not None
    torch.testing.assert_close(value.grad, expected, rtol=2e-3, atol=1e-6)


def test_half_precision_values() -> None:
    value = torch.tensor([-2.0, 0.0, 0.35, 1.0, 3.0], dtype=torch.bfloat16)
    logits = logit_of_relu(value)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits.sigmoid(), value.float().clamp(EDGE, 1 - EDGE))


@pytest.mark.parametrize("options", MUNKES, ids=range(1, 6))
def test_it_learns_and_no_output_dies(options: dict[str, Any]) -> None:
    """A ReLU at the end must let every voxel learn: a sixteenth the size, walls where the map is low."""
    layers = [round(layer / 15.625) if isinstance(layer, int) else layer for layer in options["layers"]]
    torch.manual_seed(0)
    network = _network({**options, "layers": layers, "size": (4, 4, 4)})
    x = torch.randn(256, 1, 4, 4, 4)
    target = (x < -0.8).float()
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    losses = []
    for _ in range(400):
        loss = LOSSES["mse"](network(x), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.35 * float(target.var())
    dead = (network(x).sigmoid() < 0.01).flatten(1).all(dim=0)
    assert not dead.any()


@pytest.mark.parametrize(
    "layers",
    [[], [1000], ["relu"], [1280, "relu"], [1000, "tanh"], [1000, "relu", 1000], [0, "tanh", 1000, "relu"]],
)
def test_layers_that_end_in_no_probability(layers: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"end in 1000|greater than 0"):
        WallsMLPConfig.model_validate({"layers": layers})


def test_unknown_activations() -> None:
    with pytest.raises(ValueError, match="layers"):
        WallsMLPConfig.model_validate({"layers": [1280, "swish", 1000, "relu"]})


def test_volumes_of_another_size() -> None:
    with pytest.raises(ValueError, match="10x10x10 got 5x10x20"):
        _network({})(torch.zeros(1, 1, 5, 10, 20))
