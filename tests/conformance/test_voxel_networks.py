"""What every network on sparse events must do, whatever it is."""

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load, save
from torch import nn

from cloudchamber.model.registry import build_network

CASES: list[tuple[str, dict[str, Any]]] = [
    ("voxels-uresnet", {"levels": 3, "filters": 4}),
    ("voxels-uresnet", {"levels": 1, "filters": 8, "repetitions": 1}),
]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]['levels']}")
def network(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(1)
    name, options = request.param
    return build_network(name, options)


def _events(seed: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """Return features and coordinates of three events of clustered voxels."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(-1, 2, (3, 150, 3)).cumsum(axis=1) + 40
    rows = [np.unique(np.c_[np.full(150, event), walk], axis=0) for event, walk in enumerate(steps)]
    coordinates = torch.from_numpy(np.concatenate(rows))
    return torch.from_numpy(rng.gamma(2, 0.3, (len(coordinates), 1)).astype(np.float32)), coordinates


def _trained_a_little(network: nn.Module) -> nn.Module:
    """Return the network with running values that are its own."""
    network.train()
    with torch.no_grad():
        network(*_events(9))
    return network.eval()


def test_a_finite_logit_per_voxel_and_class(network: nn.Module) -> None:
    features, coordinates = _events()
    logits = network(features, coordinates)
    assert logits.shape == (len(features), 5)
    assert torch.isfinite(logits).all()


def test_every_parameter_learns(network: nn.Module) -> None:
    features, coordinates = _events()
    (network(features, coordinates) * torch.arange(1, 6)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


def test_the_order_of_the_voxels_changes_no_bit(network: nn.Module) -> None:
    features, coordinates = _events()
    order = torch.from_numpy(np.random.default_rng(1).permutation(len(features)))
    _trained_a_little(network)
    assert torch.equal(network(features, coordinates)[order], network(features[order], coordinates[order]))


def test_events_do_not_see_each_other(network: nn.Module) -> None:
    features, coordinates = _events()
    _trained_a_little(network)
    here = coordinates[:, 0] == 1
    alone = network(features[here], coordinates[here])
    torch.testing.assert_close(network(features, coordinates)[here], alone, atol=1e-5, rtol=1e-5)


def test_a_shift_by_the_coarsest_voxel_changes_nothing(network: nn.Module) -> None:
    features, coordinates = _events()
    _trained_a_little(network)
    moved = coordinates + torch.tensor([0, 16, -32, 48])
    torch.testing.assert_close(network(features, coordinates), network(features, moved), atol=1e-5, rtol=1e-5)


def test_same_seed_same_network_same_answer(network: nn.Module) -> None:
    features, coordinates = _events()
    _trained_a_little(network)
    assert torch.equal(network(features, coordinates), network(features, coordinates))


def test_weights_survive_a_file(network: nn.Module) -> None:
    features, coordinates = _events()
    _trained_a_little(network)
    wanted = network(features, coordinates)
    weights = load(save({name: value.contiguous() for name, value in network.state_dict().items()}))
    for parameter in network.parameters():
        parameter.data.zero_()
    network.load_state_dict(weights)
    assert torch.equal(network(features, coordinates), wanted)


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_unknown_options_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        build_network(name, {"none_such": 1})
