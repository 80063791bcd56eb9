"""Running batch normalisation against its definition, written out with automatic differentiation."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from cloudchamber.model.running_norm import RunningBatchNorm
from cloudchamber.model.sparse.backend import sparse_backend

SHAPES = [(30, 3), (24, 3, 4, 2, 3), (2, 3, 5)]


class Literal:
    """S, Q and N as the definition has them, the gradient flowing through the present batch."""

    def __init__(self, norm: RunningBatchNorm) -> None:
        self.weight = norm.weight.detach().clone().requires_grad_()
        self.bias = norm.bias.detach().clone().requires_grad_()
        self.sums = self.squares = torch.zeros_like(self.weight)
        self.count, self.swish, self.eps = 0.0, norm.swish, norm.eps

    def __call__(self, x: Tensor, samples: int) -> Tensor:
        new = 1 - 0.9 / math.sqrt(max(samples - 1, 1))
        over = [axis for axis in range(x.ndim) if axis != 1]
        self.sums = self.sums.detach() * (1 - new) + new * x.sum(over)
        self.squares = self.squares.detach() * (1 - new) + new * x.square().sum(over)
        self.count = self.count * (1 - new) + new * x.numel() / x.shape[1]
        mean = self.sums / self.count
        variance = self.squares / self.count - mean**2
        shape = (1, -1, *[1] * (x.ndim - 2))
        z = (x - mean.view(shape)) / torch.sqrt(variance + self.eps).view(shape)
        z = z * self.weight.view(shape) + self.bias.view(shape)
        return z * torch.sigmoid(z) if self.swish else z


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("swish", [False, True])
def test_values_and_gradients_of_several_batches(shape: tuple[int, ...], swish: bool) -> None:
    torch.manual_seed(1)
    norm = RunningBatchNorm(3, swish=swish).double()
    torch.nn.init.uniform_(norm.weight, 0.5, 2)
    torch.nn.init.normal_(norm.bias)
    literal, samples = Literal(norm), max(shape[0], 20)
    for step in range(3):
        x = (2 * torch.randn(shape, dtype=torch.float64) + step).requires_grad_()
        same = x.detach().clone().requires_grad_()
        ours, theirs = norm(x, samples), literal(same, samples)
        g = torch.randn_like(x)
        torch.testing.assert_close(ours, theirs)
        for one, two in zip(
            torch.autograd.grad(ours, [x, norm.weight, norm.bias], g),
            torch.autograd.grad(theirs, [same, literal.weight, literal.bias], g),
            strict=True,
        ):
            torch.testing.assert_close(one, two, rtol=1e-8, atol=1e-10)


def test_training_and_inference_are_the_same_transformation() -> None:
    torch.manual_seed(2)
    norm = RunningBatchNorm(4, swish=True)
    for _ in range(3):
        norm(torch.randn(32, 4, 3, 3, 3) * 3 + 1)
    x = torch.randn(32, 4, 3, 3, 3)
    trained = norm(x)
    torch.testing.assert_close(norm.eval()(x), trained)


@pytest.mark.parametrize(("samples", "weight"), [(256, 0.94), (2, 0.1), (1, 0.1), (64, 0.887)])
def test_weight_of_the_present_batch(samples: int, weight: float) -> None:
    norm = RunningBatchNorm(1)
    norm(torch.zeros(10, 1), samples)
    norm(torch.ones(10, 1), samples)
    first = 1 - 0.9 / math.sqrt(max(samples - 1, 1))
    assert float(norm.sums) == pytest.approx(10 * first, rel=1e-5)
    assert first == pytest.approx(weight, abs=5e-3)


def test_a_common_batch_norm_where_the_first_batch_is_all_there_is() -> None:
    torch.manual_seed(3)
    x = torch.randn(40, 5) * 2 + 3
    norm = RunningBatchNorm(5, eps=1e-5)
    torch.testing.assert_close(norm(x), F.batch_norm(x, None, None, training=True), rtol=1e-4, atol=1e-5)


def test_small_variances_wait_for_twenty_samples() -> None:
    x = 1e-3 * torch.randn(10, 1, 4, dtype=torch.float64)
    norm = RunningBatchNorm(1).double()
    early = norm(x).detach()
    assert float(early.std()) < 0.05
    norm(x)
    late = norm(x).detach()
    assert float(late.std()) == pytest.approx(
        float(x.std() / torch.sqrt(x.var(correction=0) + 1e-5)), rel=0.01
    )


def test_before_any_training_and_on_nothing() -> None:
    norm = RunningBatchNorm(2).eval()
    x = torch.randn(3, 2)
    torch.testing.assert_close(norm(x), x / math.sqrt(1 + 1e-5))
    norm.train()
    assert norm(torch.zeros(0, 2)).shape == (0, 2)
    assert float(norm.seen) == 0


def test_state_is_in_buffers() -> None:
    norm, other = RunningBatchNorm(3), RunningBatchNorm(3)
    for _ in range(2):
        norm(torch.randn(30, 3) + 5)
    other.load_state_dict(norm.state_dict())
    x = torch.randn(30, 3)
    assert torch.equal(norm(x), other(x))
    assert set(dict(norm.named_buffers())) == {"sums", "squares", "count", "seen"}


@pytest.mark.parametrize("swish", [False, True])
@pytest.mark.parametrize(("rows", "channels"), [(1500, 15), (513, 1), (31, 48)])
def test_compiled_loops_agree_with_torch(rows: int, channels: int, swish: bool) -> None:
    torch.manual_seed(5)
    x, g = 30 * torch.randn(rows, channels) + 1, torch.randn(rows, channels)
    found = []
    for backend, threads in (("torch", 1), ("numba", 1), ("numba", 2)):
        torch.manual_seed(6)
        norm = RunningBatchNorm(channels, swish=swish)
        torch.nn.init.normal_(norm.weight, std=10.0)
        torch.nn.init.normal_(norm.bias)
        read = x.clone().requires_grad_()
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        with sparse_backend(backend):
            out = norm(read, 32)
            gradients = torch.autograd.grad(out, [read, norm.weight, norm.bias], g)
        torch.set_num_threads(before)
        found.append([out.detach(), *gradients, norm.sums, norm.squares, norm.count, norm.seen])
    for one, two, three in zip(*found, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-4 * float(one.abs().max()))
        assert torch.equal(two, three)
