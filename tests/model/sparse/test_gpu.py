"""The Triton kernel, on a CUDA device or in Triton's interpreter (TRITON_INTERPRET=1)."""

import importlib.util
import os

import pytest
import torch

from cloudchamber.model.sparse.backend import sparse_backend
from cloudchamber.model.sparse.functional import convolve, pair_sums
from cloudchamber.model.sparse.geometry import Level, SparseGeometry

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None or not (INTERPRETED or torch.cuda.is_available()),
    reason="needs Triton, and a CUDA device or its interpreter",
)


def level(device: str, dimension: int = 3) -> Level:
    generator = torch.Generator().manual_seed(0)
    coordinates = torch.randint(0, 7, (150, 1 + dimension), generator=generator)
    return SparseGeometry(coordinates.to(device)).level(0)


@pytest.mark.parametrize(("inward", "outward"), [(1, 16), (16, 16), (40, 70)])
@pytest.mark.parametrize("kind", ["neighbours", "down", "up"])
def test_sums_are_those_of_torch(inward: int, outward: int, kind: str) -> None:
    from cloudchamber.model.sparse.compiled.gpu import triton_sums

    device = "cpu" if INTERPRETED else "cuda"
    rulebook = getattr(level(device), kind)
    x = torch.randn(rulebook.rows_in, inward, device=device)
    matrices = torch.randn(rulebook.places, inward, outward, device=device)
    expected = pair_sums(x, matrices, rulebook)
    scale = float(expected.abs().max())
    found = triton_sums(x, matrices, rulebook)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5 * scale)
    assert torch.equal(found, triton_sums(x, matrices, rulebook))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_gradients_on_a_gpu() -> None:
    found = []
    for device, backend in (("cpu", "torch"), ("cuda", "torch"), ("cuda", "triton")):
        torch.manual_seed(0)
        with sparse_backend(backend):
            rulebook = level(device).neighbours
            x = torch.randn(rulebook.rows_in, 16).to(device).requires_grad_()
            weight = torch.randn(32, 27, 16).to(device).requires_grad_()
            out = convolve(x, weight, rulebook)
            found.append([each.cpu() for each in torch.autograd.grad(out.square().sum(), (x, weight))])
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-4 * float(one.abs().max()))
