"""Layers on sparse tensors."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cloudchamber.model.sparse.functional import convolve
from cloudchamber.model.sparse.geometry import Level, SparseGeometry
from cloudchamber.model.sparse.norm import SparseBatchNorm
from cloudchamber.model.sparse.pooling import average_pool, max_pool


@dataclass(frozen=True)
class SparseTensor:
    """Features of the voxels at one level of a geometry, in that level's order."""

    features: Float[Tensor, "voxel channel"]
    geometry: SparseGeometry
    level: int = 0

    @property
    def voxels(self) -> Level:
        """Where the voxels are."""
        return self.geometry.level(self.level)

    def with_features(self, features: Float[Tensor, "voxel channel"]) -> "SparseTensor":
        """Return other features of the same voxels."""
        return replace(self, features=features)


class SparseConvolution(nn.Module):
    """A kernel of shape (channel_out, place, channel_in), places in the order of axes, the last fastest."""

    def __init__(self, channels_in: int, channels_out: int, places: int, bias: bool, fan: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels_out, places, channels_in))
        self.bias = nn.Parameter(torch.zeros(channels_out)) if bias else None
        nn.init.normal_(self.weight, std=math.sqrt(2 / (fan * channels_in)))

    def _biased(self, features: Tensor) -> Tensor:
        return features if self.bias is None else features + self.bias


class SubmanifoldConvolution(SparseConvolution):
    """Kernel of 1 or 3 voxels a side, centred; the voxels stay those that they are (Graham et al., 2018).

    Weights start normal with variance 2 / (channels_in * places), as in a dense convolution.
    """

    def __init__(
        self, dimension: int, channels_in: int, channels_out: int, kernel: int = 3, bias: bool = False
    ) -> None:
        if kernel not in (1, 3):
            raise ValueError(f"the kernel of a submanifold convolution is 1 or 3, not {kernel}")
        super().__init__(channels_in, channels_out, kernel**dimension, bias, kernel**dimension)
        self.kernel = kernel

    def forward(self, x: SparseTensor, plus: SparseTensor | None = None) -> SparseTensor:
        """Return the convolution at the same voxels, added to ``plus`` if given."""
        rulebook = x.voxels.itself if self.kernel == 1 else x.voxels.neighbours
        out = convolve(x.features, self.weight, rulebook, None if plus is None else plus.features)
        return x.with_features(self._biased(out))


class SparseDown(SparseConvolution):
    """Kernel of 2 voxels a side and a stride of 2, to the next coarser level."""

    def __init__(self, dimension: int, channels_in: int, channels_out: int, bias: bool = False) -> None:
        super().__init__(channels_in, channels_out, 2**dimension, bias, 2**dimension)

    def forward(self, x: SparseTensor) -> SparseTensor:
        """Return the convolution at the parents of the voxels."""
        out = self._biased(convolve(x.features, self.weight, x.voxels.down))
        return SparseTensor(out, x.geometry, x.level + 1)


class SparseUp(SparseConvolution):
    """The transpose of ``SparseDown``, from a level to the next finer one that the geometry has."""

    def __init__(self, dimension: int, channels_in: int, channels_out: int, bias: bool = False) -> None:
        super().__init__(channels_in, channels_out, 2**dimension, bias, 1)

    def forward(self, x: SparseTensor) -> SparseTensor:
        """Return the convolution at the voxels whose parents these are.

        Raises
        ------
        ValueError
            at the finest level.
        """
        if x.level == 0:
            raise ValueError("there is no finer level than 0")
        rulebook = x.geometry.level(x.level - 1).up
        return SparseTensor(
            self._biased(convolve(x.features, self.weight, rulebook)), x.geometry, x.level - 1
        )


class SparsePool(nn.Module):
    """Mean or largest value over the voxels that a parent has, to the next coarser level."""

    def __init__(self, kind: str = "average") -> None:
        super().__init__()
        pools = {"average": average_pool, "max": max_pool}
        if kind not in pools:
            raise ValueError(f"pooling is average or max, not {kind!r}")
        self.pool = pools[kind]

    def forward(self, x: SparseTensor) -> SparseTensor:
        """Return the pooled features at the parents of the voxels."""
        return SparseTensor(self.pool(x.features, x.voxels.down), x.geometry, x.level + 1)


class NormRectify(SparseBatchNorm):
    """Batch normalisation and a rectifier on a sparse tensor."""

    def forward(self, x: SparseTensor) -> SparseTensor:  # type: ignore[override]
        """Return the tensor, normalised."""
        return x.with_features(super().forward(x.features))


class SparseResidualBlock(nn.Module):
    """Pre-activation block: twice normalisation, rectifier and submanifold convolution, plus the input.

    The input goes through a linear map where the number of channels changes (He et al., arXiv:1603.05027).
    """

    def __init__(self, dimension: int, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.norm1 = NormRectify(channels_in)
        self.conv1 = SubmanifoldConvolution(dimension, channels_in, channels_out)
        self.norm2 = NormRectify(channels_out)
        self.conv2 = SubmanifoldConvolution(dimension, channels_out, channels_out)
        self.short = (
            SubmanifoldConvolution(dimension, channels_in, channels_out, kernel=1)
            if channels_in != channels_out
            else None
        )

    def forward(self, x: SparseTensor) -> SparseTensor:
        """Return the sum of both ways."""
        short = x if self.short is None else self.short(x)
        out: SparseTensor = self.conv2(self.norm2(self.conv1(self.norm1(x))), plus=short)
        return out
