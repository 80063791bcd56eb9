"""Batch normalisation by running sums, the same in training and inference, with the Swish that may follow."""

import math
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from cloudchamber.model.sparse.backend import compiled_for

LEAST_VARIANCE, WARM_UP = 0.01, 20  # no smaller variance before so many samples have been seen


class RunningBatchNorm(nn.Module):
    """Normalise each channel by running averages of the sums of x and x^2 and of the number of values.

    In training the sums of the present batch of n samples enter first, with the weight
    1 - (1 - momentum) / sqrt(n - 1): 0.94 at n = 256, the momentum at n = 1 or 2. What is applied is then
    what is applied in inference. Gradients flow through the sums of the present batch. All of the state is
    in buffers. Before any training values pass unchanged but for weight and bias.

    Source: the course of fast.ai (2019, lesson 10), whose rule the layer of the muon regression
    (arXiv:2107.02119) follows.

    Parameters
    ----------
    swish : x sigmoid(x) of the result.
    """

    sums: Tensor
    squares: Tensor
    count: Tensor
    seen: Tensor

    def __init__(
        self, channels: int, *, swish: bool = False, momentum: float = 0.1, eps: float = 1e-5
    ) -> None:
        super().__init__()
        self.swish, self.momentum, self.eps = swish, momentum, eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("sums", torch.zeros(channels))
        self.register_buffer("squares", torch.zeros(channels))
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("seen", torch.zeros(()))

    def forward(
        self, x: Float[Tensor, "n channel *size"], samples: int | None = None
    ) -> Float[Tensor, "n channel *size"]:
        """Return x normalised; ``samples`` is the size of the batch where n counts something else."""
        if not self.training or x.numel() == 0:
            count = self.count.clamp(min=torch.finfo(self.count.dtype).tiny)
            mean = self.sums / count
            variance = torch.where(self.count > 0, self.squares / count - mean**2, 1.0)
            factor = self.weight * torch.rsqrt(_not_too_small(variance, self.seen) + self.eps)
            line = torch.stack([factor, self.bias - mean * factor]).to(x.dtype)
            out = x * _along(line[0], x) + _along(line[1], x)
            return F.silu(out) if self.swish else out
        n = x.shape[0] if samples is None else samples
        new = 1 - (1 - self.momentum) / math.sqrt(max(n - 1, 1))
        if x.ndim == 2 and compiled_for(x) and self.weight.dtype == torch.float32:
            from cloudchamber.model.sparse.compiled.running import normalise

            return normalise(x, self, n, new)
        with torch.no_grad():
            self.count.lerp_(self.count.new_tensor(x.numel() / x.shape[1]), new)
            self.seen += n
        apply: Any = _Normalise.apply
        state = (self.sums, self.squares, self.count, self.seen)
        out, sums, squares = apply(x, self.weight, self.bias, *state, new, self.eps, self.swish)
        with torch.no_grad():
            self.sums.copy_(sums)
            self.squares.copy_(squares)
        return cast(Tensor, out)


def _not_too_small(variance: Float[Tensor, "channel"], seen: Float[Tensor, ""]) -> Float[Tensor, "channel"]:
    return variance.maximum(LEAST_VARIANCE * ((seen > 0) & (seen < WARM_UP)).to(variance.dtype))


def _along(values: Float[Tensor, "channel"], x: Tensor) -> Tensor:
    return values.view(1, -1, *[1] * (x.ndim - 2))


class _Normalise(torch.autograd.Function):
    """y = f x + o in two passes forward and two backward.

    With S, Q and N the running sums of x, x^2 and 1, f = w / sqrt(Q/N - (S/N)^2 + eps), o = b - f S/N, and a
    the weight of the present batch: dx = f g + a dL/dS + 2 a x dL/dQ.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, sums: Tensor, squares: Tensor, count: Tensor,
        seen: Tensor, new: float, eps: float, swish: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        over = [axis for axis in range(x.ndim) if axis != 1]
        wide = x.to(weight.dtype)
        present = torch.stack([wide.sum(over), wide.square().sum(over)])
        sums, squares = torch.lerp(torch.stack([sums, squares]), present, new)
        mean = sums / count
        variance = squares / count - mean**2
        kept = _not_too_small(variance, seen)
        inverse = torch.rsqrt(kept + eps)
        factor = weight * inverse
        line = torch.stack([factor, bias - mean * factor]).to(x.dtype)
        ctx.save_for_backward(x, weight, mean, inverse, kept == variance, line, new / count)
        ctx.over, ctx.swish = over, swish
        ctx.mark_non_differentiable(sums, squares)
        out = x * _along(line[0], x) + _along(line[1], x)
        return F.silu(out) if swish else out, sums, squares

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, inverse, free, line, share = ctx.saved_tensors
        inner = gradient
        if ctx.swish:
            z = x * _along(line[0], x) + _along(line[1], x)
            inner = torch.ops.aten.silu_backward(gradient, z)
        wide = inner.to(weight.dtype)
        of_bias, of_factor = wide.sum(ctx.over), (wide * x).sum(ctx.over)
        of_factor = of_factor - mean * of_bias
        factor = weight * inverse
        of_variance = -0.5 * of_factor * factor * inverse**2 * free
        of_sums = share * (-factor * of_bias - 2 * mean * of_variance)
        of_squares = share * of_variance
        lines = torch.stack([line[0], (2 * of_squares).to(x.dtype), of_sums.to(x.dtype)])
        out = inner * _along(lines[0], x) + x * _along(lines[1], x) + _along(lines[2], x)
        return (out, of_factor * inverse, of_bias, *[None] * 7)
