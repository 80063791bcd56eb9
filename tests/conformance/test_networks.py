"""What every network of the registry must do, whatever it is."""

from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from cloudchamber.errors import InputError
from cloudchamber.model.registry import NETWORKS, build_network
from cloudchamber.model.walls_unet import STRONG

SMALL: dict[str, list[dict[str, Any]]] = {
    "ensemble": [
        {
            "members": [
                {"name": "walls-conv-dense", "options": {"filters": 4, "hidden": 20}},
                {"name": "walls-unet", "options": {"features": 8, "layers": 10, "gravnet": None}},
            ]
        }
    ],
    "walls-cnn": [{"features": 8, "depth": 2}],
    "walls-conv-dense": [{"filters": 4, "hidden": 20}],
    "walls-dncnn": [{"features": 4, "blocks": 2}, {"features": 4, "blocks": 1, "kernel": 5}],
    "walls-encoder-decoder": [{}],
    "walls-mlp": [
        {"layers": [40, "tanh", 1000, "sigmoid"]},
        {"layers": ["tanh", 100, "relu", 1000, "relu"]},
    ],
    "walls-resnet": [{"features": 8, "blocks": 2}],
    "walls-unet": [
        {"features": 4, "levels": 1, "gravnet": {"neighbours": 5, "features": 4, "outputs": [6, 6]}},
        {"features": 4, "levels": 3, "gravnet": None},
        {"features": 8, "levels": 2, "layers": 10, "gravnet": {"neighbours": 5, "attention": False}},
        {"features": 8, "levels": 1, "layers": 10, "entry_blocks": 1, "gravnet": None},
        {**STRONG, "features": 4, "gravnet": {**STRONG["gravnet"], "neighbours": 5, "outputs": [6, 6]}},
    ],
}
# Those are in test_{voxel,energy,beam,hits}_networks.py.
ELSEWHERE = {
    "voxels-uresnet", "energy-cnn", "energy-paper", "energy-sparse", "hits-patch", "hits-plane",
    "hits-vertex", "beam-small", "beam-tiramisu",
}  # fmt: skip
CASES = [(name, options) for name in NETWORKS if name not in ELSEWHERE for options in SMALL[name]]


@pytest.fixture(params=CASES, ids=[f"{name}-{SMALL[name].index(options)}" for name, options in CASES])
def network(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(1)
    name, options = request.param
    return build_network(name, options)


def _volumes(n: int = 3) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(3).normal(size=(n, 1, 10, 10, 10)).astype(np.float32))


def test_a_logit_per_voxel(network: nn.Module) -> None:
    logits = network(_volumes())
    assert logits.shape == (3, 1, 10, 10, 10)
    assert torch.isfinite(logits).all()


def _with_inputs(options: dict[str, Any], inputs: int) -> dict[str, Any]:
    if "members" not in options:
        return {**options, "inputs": inputs}
    members = [{**each, "options": _with_inputs(each["options"], inputs)} for each in options["members"]]
    return {**options, "members": members}


@pytest.mark.parametrize(("name", "options"), CASES)
def test_several_maps_a_volume(name: str, options: dict[str, Any]) -> None:
    network = build_network(name, _with_inputs(options, 2))
    assert network(_volumes(6).view(3, 2, 10, 10, 10)).shape == (3, 1, 10, 10, 10)
    with pytest.raises(ValueError, match=r"2 maps.* got 1"):
        network(_volumes())


def test_every_parameter_learns(network: nn.Module) -> None:
    network(_volumes(8)).square().mean().backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


def test_a_sample_does_not_depend_on_its_batch(network: nn.Module) -> None:
    network.eval()
    x = _volumes()
    alone = torch.cat([network(x[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(network(x), alone, rtol=1e-4, atol=1e-5)


def test_the_same_seed_gives_the_same_output(network: nn.Module) -> None:
    network.eval()
    assert torch.equal(network(_volumes()), network(_volumes()))


def test_weights_survive_a_file(network: nn.Module) -> None:
    network.eval()
    before = network(_volumes())
    stored = load(save({k: v.contiguous() for k, v in network.state_dict().items()}))
    for p in network.parameters():
        nn.init.zeros_(p)
    network.load_state_dict(stored)
    assert torch.equal(network(_volumes()), before)


def test_it_can_learn_one_batch(network: nn.Module) -> None:
    x = _volumes(8)
    target = (x > 0.7).float()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(40):
        loss = nn.functional.binary_cross_entropy_with_logits(network(x), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize("name", NETWORKS)
def test_unknown_options_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="extra"):
        build_network(name, {"feetures": 3})


def test_unknown_networks_are_refused() -> None:
    with pytest.raises(InputError, match="walls-unet"):
        build_network("unet", {})
