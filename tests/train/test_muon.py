import numpy as np
import pytest
import torch
from torch import nn

from cloudchamber.model.registry import build_network
from cloudchamber.train.muon import Muon, orthogonalise, split_parameters


@pytest.mark.parametrize("shape", [(20, 20), (12, 90), (90, 12)])
def test_singular_values_come_near_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    matrix = torch.randn(shape, dtype=torch.float64)
    u, _, v = np.linalg.svd(matrix.numpy(), full_matrices=False)
    found = orthogonalise(matrix).numpy()
    values = np.diag(u.T @ found @ v.T)
    assert values.min() > 0.5
    assert values.max() < 1.3
    np.testing.assert_allclose(u @ np.diag(values) @ v, found, atol=1e-6)  # the same singular vectors


def test_the_ends_and_vectors_are_adams() -> None:
    network = build_network("walls-resnet", {"features": 16, "blocks": 2, "structure": True})
    inner, rest = split_parameters(network)
    assert len(inner) + len(rest) == len(list(network.parameters()))
    assert all(p.ndim >= 2 for p in inner)
    names = {id(p): name for name, p in network.named_parameters()}
    assert {names[id(p)].split(".")[0] for p in inner} == {"blocks"}


def test_adams_half_is_torchs_adam() -> None:
    torch.manual_seed(2)
    ours, theirs = nn.LayerNorm(5), nn.LayerNorm(5)
    first, second = Muon(ours, 0.1, adam_rate=0.01), torch.optim.Adam(theirs.parameters(), 0.01, (0.9, 0.99))
    x = torch.randn(7, 5)
    for _ in range(5):
        for layer, optimiser in ((ours, first), (theirs, second)):
            optimiser.zero_grad()
            (layer(x) - x.roll(1, 0)).square().sum().backward()
            optimiser.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_the_first_step_has_the_size_of_the_rate() -> None:
    layer = nn.Linear(30, 20, bias=False)
    before = layer.weight.detach().clone()
    optimiser = Muon(layer, 0.05)
    layer(torch.randn(64, 30)).square().mean().backward()
    optimiser.step()
    moved = torch.linalg.svdvals(layer.weight.detach() - before)
    assert float(moved.min()) > 0.5 * 0.05
    assert float(moved.max()) < 1.3 * 0.05
