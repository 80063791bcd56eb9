"""Batch normalisation over voxels, with the rectifier that follows it."""

from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from cloudchamber.model.sparse.backend import compiled_for


class SparseBatchNorm(nn.Module):
    """Normalise each channel over all voxels of the batch; optionally set negative results to zero.

    In training a batch of a single voxel is not normalised by its own spread, which is none: it comes out as
    the bias. An empty batch stays empty and leaves the running values as they are.

    Parameters
    ----------
    momentum : weight of the present batch in the running mean and (unbiased) variance.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self, channels: int, *, rectify: bool = True, eps: float = 1e-4, momentum: float = 0.1
    ) -> None:
        super().__init__()
        self.rectify, self.eps, self.momentum = rectify, eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, features: Float[Tensor, "voxel channel"]) -> Float[Tensor, "voxel channel"]:
        """Return the normalised features."""
        if not self.training or len(features) == 0:
            scale = self.weight / torch.sqrt(self.running_var + self.eps)
            shift = self.bias - self.running_mean * scale
            if _compiled(features) and not torch.is_grad_enabled():
                from cloudchamber.model.sparse.compiled.norm import rescale

                return rescale(features.contiguous(), torch.stack([scale, shift]), self.rectify)
            out = torch.addcmul(shift, features, scale)
            return F.relu(out) if self.rectify else out
        apply: Any = _Normalise.apply
        out, mean, variance = apply(features, self.weight, self.bias, self.eps, self.rectify)
        with torch.no_grad():
            unbiased = variance * (len(features) / max(len(features) - 1, 1))
            self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
            self.running_var.lerp_(unbiased.to(self.running_var.dtype), self.momentum)
        return cast(Tensor, out)


def _compiled(features: Tensor) -> bool:
    if not compiled_for(features):
        return False
    from cloudchamber.model.sparse.compiled.norm import takes

    return takes(features)


class _Normalise(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, eps: float, rectify: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        ctx.compiled = _compiled(features)
        ctx.rectify = rectify
        features = features.contiguous()
        if ctx.compiled:
            from cloudchamber.model.sparse.compiled.norm import normalise

            out, moments, line = normalise(features, weight, bias, eps, rectify)
        else:
            variance, mean = torch.var_mean(features, dim=0, correction=0)
            spread = torch.rsqrt(variance + eps)
            moments = torch.stack([mean, variance, spread])
            line = torch.stack([weight * spread, bias - mean * weight * spread])
            out = torch.addcmul(line[1], features, line[0])
            out = F.relu_(out) if rectify else out
        ctx.save_for_backward(features, weight, moments, line)
        mean, variance = moments[0], moments[1]
        ctx.mark_non_differentiable(mean, variance)
        return out, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of features, weight and bias.

        With h the gradient behind the rectifier, z the normalised features and s their spread's inverse:
        d bias = sum h, d weight = sum h z, d x = w s (h - mean h - z mean(h z)).
        """
        features, weight, moments, line = ctx.saved_tensors
        gradient = gradient.contiguous()
        if ctx.compiled:
            from cloudchamber.model.sparse.compiled.norm import normalise_back

            gradients = normalise_back(features, gradient, weight, moments, line, ctx.rectify)
            return (*gradients, None, None)
        if ctx.rectify:
            gradient = gradient * (torch.addcmul(line[1], features, line[0]) > 0)
        z = (features - moments[0]) * moments[2]
        of_bias, of_weight = gradient.sum(dim=0), (gradient * z).sum(dim=0)
        of_features = line[0] * (gradient - of_bias / len(z) - z * (of_weight / len(z)))
        return of_features, of_weight, of_bias, None, None
