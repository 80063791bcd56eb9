"""What every network for the energy of muons must do, whatever it is and whatever it reads."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load, save
from torch import Tensor, nn

from cloudchamber.model.energy_inputs import read_muons
from cloudchamber.model.registry import NETWORKS, build_network

SHAPE = (12, 8, 10)
DENSE = {"shape": SHAPE, "filters": 4, "stages": 2, "blocks": 2, "hidden": (10,), "features": 3}
SPARSE = {"shape": SHAPE, "widths": (5, 6), "blocks": (2, 1), "hidden": (10,), "features": 3}
CNN = {"shape": SHAPE, "channels": (4, 6), "hidden": (10,)}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("energy-cnn", CNN),
    ("energy-cnn", {**CNN, "deeper": 1, "features": 3, "cells": "log"}),
    ("energy-paper", DENSE),
    ("energy-paper", {**DENSE, "norm": "nominal", "outputs": 3}),
    ("energy-paper", {**DENSE, "norm": "off", "cells": "log"}),
    ("energy-paper", {**DENSE, "identity": False, "e_pass": False}),
    ("energy-paper", {**DENSE, "excitation": False, "pooling": "flatten"}),
    ("energy-paper", {**DENSE, "cnn": False}),
    ("energy-sparse", SPARSE),
    ("energy-sparse", {**SPARSE, "norm": "nominal", "outputs": 3}),
    ("energy-sparse", {**SPARSE, "norm": "off", "cells": "log"}),
    ("energy-sparse", {**SPARSE, "identity": False, "e_pass": False}),
    ("energy-sparse", {**SPARSE, "excitation": False, "pooling": "flatten", "least_mev": 20.0}),
]
Muons = tuple[Tensor, Tensor, Tensor]


@pytest.fixture(params=CASES, ids=[f"{name}-{number}" for number, (name, _) in enumerate(CASES)])
def network(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(1)
    name, options = request.param
    return build_network(name, options)


def muons(n: int = 5, seed: int = 3) -> Muons:
    """Return energies, coordinates and features of muons of random cells."""
    generator = torch.Generator().manual_seed(seed)
    coordinates = (torch.rand(n, *SHAPE, generator=generator) < 0.15).nonzero()
    energy = torch.rand(len(coordinates), generator=generator) ** 2
    return energy, coordinates, torch.randn(n, 3, generator=generator)


def trained_a_little(network: nn.Module) -> nn.Module:
    """Return the network with running values that are its own."""
    network.train()
    with torch.no_grad():
        read_muons(network, *muons(24, 9))
    return network.eval()


def test_finite_outputs_for_every_muon(network: nn.Module) -> None:
    out = read_muons(network, *muons())
    outputs: int = network.config.outputs  # type: ignore[assignment, union-attr]
    assert out.shape == (5, outputs)
    assert torch.isfinite(out).all()


def test_every_parameter_learns(network: nn.Module) -> None:
    read_muons(network, *muons(24)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


def test_the_order_of_the_cells_changes_no_bit(network: nn.Module) -> None:
    energy, coordinates, features = muons()
    order = torch.randperm(len(energy), generator=torch.Generator().manual_seed(1))
    trained_a_little(network)
    one = read_muons(network, energy, coordinates, features)
    assert torch.equal(one, read_muons(network, energy[order], coordinates[order], features))


def test_a_muon_does_not_depend_on_its_batch(network: nn.Module) -> None:
    energy, coordinates, features = muons()
    trained_a_little(network)
    alone = []
    for muon in range(5):
        here = coordinates[:, 0] == muon
        own = coordinates[here] - torch.tensor([muon, 0, 0, 0])
        alone.append(read_muons(network, energy[here], own, features[muon : muon + 1]))
    together = read_muons(network, energy, coordinates, features)
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "options"), [case for case in CASES if case[1].get("norm", "running") != "nominal"]
)
def test_running_and_no_norm_infer_as_they_train(name: str, options: dict[str, Any]) -> None:
    torch.manual_seed(1)
    network, batch = build_network(name, options).train(), muons(24)
    with torch.no_grad():
        trained = read_muons(network, *batch)
        torch.testing.assert_close(read_muons(network.eval(), *batch), trained, rtol=1e-4, atol=1e-4)


def test_weights_survive_a_file(network: nn.Module) -> None:
    batch = muons()
    trained_a_little(network)
    wanted = read_muons(network, *batch)
    weights = load(save({name: value.contiguous() for name, value in network.state_dict().items()}))
    for parameter in network.parameters():
        parameter.data.zero_()
    network.load_state_dict(weights)
    assert torch.equal(read_muons(network, *batch), wanted)


def test_it_can_learn_one_batch(network: nn.Module) -> None:
    energy, coordinates, features = muons(24)
    target = torch.zeros(24).index_add(0, coordinates[:, 0], energy) / 10 - 5 + features[:, 0]
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        out = read_muons(network, energy, coordinates, features)
        loss = (out.mean(dim=1) - target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_unknown_options_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        build_network(name, {"none_such": 1})


def test_all_networks_of_the_task_are_here() -> None:
    assert {name for name in NETWORKS if name.startswith("energy-")} == {name for name, _ in CASES}
