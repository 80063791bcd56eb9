"""Means over the cells of each sample, and factors that differ by sample."""

from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from cloudchamber.model.sparse.backend import compiled_for
from cloudchamber.model.sparse.geometry import Level


class Samples:
    """Which rows of a level are of which sample; rows of a sample stand together, samples in order."""

    def __init__(self, level: Level, samples: int) -> None:
        self.of = level.coordinates[:, 0]
        self.lengths = torch.bincount(self.of, minlength=samples)
        self.starts = torch.nn.functional.pad(self.lengths.cumsum(dim=0), (1, 0))

    def mean(self, features: Float[Tensor, "row channel"]) -> Float[Tensor, "sample channel"]:
        """Return the mean over the rows of each sample, 0 of a sample without rows."""
        apply: Any = _Sums.apply
        return cast(Tensor, apply(features, self)) / self.lengths.clamp(min=1)[:, None]

    def scale(
        self, features: Float[Tensor, "row channel"], factor: Float[Tensor, "sample channel"]
    ) -> Float[Tensor, "row channel"]:
        """Return each row times the factor of its sample."""
        apply: Any = _Scale.apply
        return cast(Tensor, apply(features, factor, self))

    def sums(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Return the sums over the rows of each sample of x, or of x y; without a gradient."""
        if compiled_for(x):
            from cloudchamber.model.sparse.compiled.samples import sample_sums

            return sample_sums(x.contiguous(), None if y is None else y.contiguous(), self.starts)
        product = x if y is None else x * y
        return torch.segment_reduce(product, "sum", lengths=self.lengths, axis=0)

    def scaled(self, x: Tensor, factor: Float[Tensor, "sample channel"]) -> Tensor:
        """Return what ``scale`` does, without a gradient."""
        if compiled_for(x):
            from cloudchamber.model.sparse.compiled.samples import sample_scaled

            return sample_scaled(x.contiguous(), factor.contiguous(), self.starts)
        return x * factor[self.of]


class _Sums(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, samples: Samples) -> Tensor:
        ctx.samples = samples
        return samples.sums(features)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return gradient[ctx.samples.of], None


class _Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, factor: Tensor, samples: Samples) -> Tensor:
        ctx.save_for_backward(features, factor)
        ctx.samples = samples
        return samples.scaled(features, factor)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        features, factor = ctx.saved_tensors
        return ctx.samples.scaled(gradient, factor), ctx.samples.sums(gradient, features), None
