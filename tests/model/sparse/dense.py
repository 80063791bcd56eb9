"""Dense counterparts: the slow way to know what sparse operators return."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def to_dense(features: Tensor, coordinates: Tensor, low: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return a grid (sample, channel, ...) whose corner is ``low``, zero where there is no voxel."""
    grid = features.new_zeros(*shape, features.shape[1])
    grid = grid.index_put(tuple((coordinates - low).unbind(dim=1)), features, accumulate=True)
    return grid.movedim(-1, 1)


def at(grid: Tensor, coordinates: Tensor, low: Tensor) -> Tensor:
    """Return the values (voxel, channel) of a grid at some places."""
    return grid.movedim(1, -1)[tuple((coordinates - low).unbind(dim=1))]


def correlate(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    """Return the correlation of a grid (sample, channel, ...) with a kernel (out, in, ...), without padding.

    By torch for up to three axes, as a sum over shifted copies for more.
    """
    kernel = weight.shape[2:]
    if len(kernel) <= 3:
        convolution = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[len(kernel)]
        out: Tensor = convolution(x, weight, stride=stride)
        return out
    sizes = [(n - k) // stride + 1 for n, k in zip(x.shape[2:], kernel, strict=True)]
    out = x.new_zeros(len(x), len(weight), *sizes)
    for place in torch.cartesian_prod(*(torch.arange(k) for k in kernel)).reshape(-1, len(kernel)).tolist():
        window = x
        for axis, (start, size) in enumerate(zip(place, sizes, strict=True)):
            stop = start + stride * (size - 1) + 1
            window = window.movedim(axis + 2, 0)[start:stop:stride].movedim(0, axis + 2)
        out = out + torch.einsum("ni...,oi->no...", window, weight[(slice(None), slice(None), *place)])
    return out


def gradients_fit(function: Callable[..., Tensor], *inputs: Tensor) -> bool:
    """Tell whether gradients are those found by differences, in float64."""
    check: Any = torch.autograd.gradcheck
    return bool(check(function, [each.detach().requires_grad_() for each in inputs]))
