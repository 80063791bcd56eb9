"""Batch normalisation against torch's own."""

import pytest
import torch
from torch import nn

from cloudchamber.model.sparse.backend import sparse_backend
from cloudchamber.model.sparse.norm import SparseBatchNorm
from tests.model.sparse.dense import gradients_fit


def both(channels: int, rectify: bool) -> tuple[SparseBatchNorm, nn.Sequential]:
    torch.manual_seed(0)
    ours = SparseBatchNorm(channels, rectify=rectify)
    nn.init.uniform_(ours.weight, 0.5, 2)
    nn.init.normal_(ours.bias)
    theirs = nn.BatchNorm1d(channels, eps=1e-4)
    theirs.load_state_dict(ours.state_dict(), strict=False)
    return ours, nn.Sequential(theirs, nn.ReLU() if rectify else nn.Identity())


@pytest.mark.parametrize("backend", ["torch", "numba"])
@pytest.mark.parametrize("rectify", [True, False])
@pytest.mark.parametrize(("rows", "channels"), [(2, 16), (700, 48), (1500, 5), (33, 64)])
def test_against_torch(backend: str, rectify: bool, rows: int, channels: int) -> None:
    ours, theirs = both(channels, rectify)
    x = (3 * torch.randn(rows, channels) + 10).requires_grad_()
    y = x.detach().clone().requires_grad_()
    with sparse_backend(backend):
        for _ in range(2):
            out, expected = ours(x), theirs(y)
            torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-4)
        cotangent = torch.randn_like(out)
        found = torch.autograd.grad(out, [x, *ours.parameters()], cotangent)
        wanted = torch.autograd.grad(expected, [y, *theirs.parameters()], cotangent)
        for one, other in zip(found, wanted, strict=True):
            scale = max(1.0, float(other.abs().max()))
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4 * scale)
        torch.testing.assert_close(ours.running_mean, theirs[0].running_mean)
        torch.testing.assert_close(ours.running_var, theirs[0].running_var, rtol=1e-4, atol=1e-4)
        ours.eval(), theirs.eval()
        torch.testing.assert_close(ours(x), theirs(y), rtol=1e-4, atol=1e-4)
        with torch.no_grad():
            torch.testing.assert_close(ours(x), theirs(y), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rectify", [True, False])
def test_gradients_by_differences(rectify: bool) -> None:
    norm = SparseBatchNorm(3, rectify=rectify).double()
    x = torch.randn(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert gradients_fit(norm, x)


def test_a_small_spread_far_from_zero() -> None:
    """Sums of squares in float32 would lose it."""
    x = 1000 + 0.1 * torch.randn(5000, 16, generator=torch.Generator().manual_seed(0))
    norm = SparseBatchNorm(16, rectify=False, eps=1e-8)
    found = norm(x)
    expected = (x.double() - x.double().mean(dim=0)) / x.double().std(dim=0, correction=0)
    torch.testing.assert_close(found.double(), expected, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("backend", ["torch", "numba"])
def test_one_voxel_and_none(backend: str) -> None:
    norm = SparseBatchNorm(16)
    nn.init.uniform_(norm.bias, 0.5, 1)
    with sparse_backend(backend):
        torch.testing.assert_close(norm(torch.randn(1, 16)), norm.bias[None], rtol=1e-3, atol=1e-3)
        mean = norm.running_mean.clone()
        assert bool(torch.isfinite(norm.running_var).all())
        assert norm(torch.zeros(0, 16)).shape == (0, 16)
    assert torch.equal(norm.running_mean, mean)


def test_what_is_not_a_number_shows() -> None:
    norm = SparseBatchNorm(16)
    x = torch.randn(8, 16)
    x[3, 5] = torch.nan
    out = norm(x)
    assert bool(out[:, 5].isnan().all())
    assert not out[:, :5].isnan().any()


def test_compiled_sums_do_not_depend_on_the_number_of_threads() -> None:
    x = torch.randn(5000, 48, generator=torch.Generator().manual_seed(0)).requires_grad_()
    found = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        norm = SparseBatchNorm(48)
        out = norm(x)
        found.append([out, *torch.autograd.grad(out, [x, *norm.parameters()], x.detach())])
    for other in found[1:]:
        assert all(torch.equal(one, two) for one, two in zip(found[0], other, strict=True))
