"""Means and factors by sample, compiled and in torch, against loops over samples."""

import pytest
import torch

from cloudchamber.model.sparse.backend import sparse_backend
from cloudchamber.model.sparse.geometry import SparseGeometry
from cloudchamber.model.sparse.samples import Samples


@pytest.mark.parametrize("backend", ["torch", "numba"])
@pytest.mark.parametrize("channels", [1, 15, 33])
def test_against_loops(backend: str, channels: int) -> None:
    """Samples of 0, 1 and more rows than a tile; the last ones are empty."""
    torch.manual_seed(1)
    of = torch.tensor([0] * 70 + [2] + [3] * 32)
    geometry = SparseGeometry(torch.stack([of, torch.arange(len(of))], dim=1))
    x = torch.randn(len(of), channels, requires_grad=True)
    factor = torch.randn(6, channels, requires_grad=True)
    with sparse_backend(backend):
        samples = Samples(geometry.level(0), 6)
        mean, scaled = samples.mean(x), samples.scale(x, factor)
        weights = torch.randn_like(mean), torch.randn_like(scaled)
        loss = (mean * weights[0]).sum() + (scaled * weights[1]).sum()
        found = torch.autograd.grad(loss, [x, factor])
    rows = [x[of == sample] for sample in range(6)]
    means = torch.stack([each.mean(dim=0) if len(each) else torch.zeros(channels) for each in rows])
    torch.testing.assert_close(mean, means)
    torch.testing.assert_close(scaled, x * factor[of])
    plain = (means * weights[0]).sum() + (x * factor[of] * weights[1]).sum()
    for one, two in zip(found, torch.autograd.grad(plain, [x, factor]), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)


def test_threads_change_no_bit() -> None:
    of = torch.arange(8).repeat_interleave(50)
    level = SparseGeometry(torch.stack([of, torch.arange(400)], dim=1)).level(0)
    x, factor = torch.randn(400, 7), torch.randn(8, 7)
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        samples = Samples(level, 8)
        found.append((samples.mean(x), samples.scale(x, factor)))
    torch.set_num_threads(1)
    assert all(torch.equal(one, two) for one, two in zip(*found, strict=True))
