"""Sparse U-ResNet for the voxels of a LArTPC (Domine and Terao, PRD 102, 012005; "uns 5, uf 16")."""

from itertools import pairwise

import torch
from jaxtyping import Float, Int64
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from cloudchamber.model.sparse.geometry import SparseGeometry
from cloudchamber.model.sparse.modules import (
    NormRectify,
    SparseDown,
    SparseResidualBlock,
    SparseTensor,
    SparseUp,
    SubmanifoldConvolution,
)


class SparseUResNetConfig(BaseModel):
    """The network. The defaults are the authors': 2,741,477 parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dimension: int = Field(default=3, ge=1, le=6, description="axes of an image")
    levels: int = Field(default=5, ge=1, le=10, description="resolutions, each half of the one before")
    filters: int = Field(
        default=16, ge=1, le=256, description="channels at full resolution; level l has l + 1 times as many"
    )
    repetitions: int = Field(default=2, ge=1, description="residual blocks per level, down and up")
    channels_in: int = Field(default=1, ge=1, description="features per voxel")
    classes: int = Field(default=5, ge=2, description="classes per voxel")

    @property
    def planes(self) -> list[int]:
        """Channels at each level."""
        return [self.filters * (level + 1) for level in range(self.levels)]


class SparseUResNet(nn.Module):
    """From features of the voxels that are not empty to a logit per class.

    Two residual blocks per level on the way down and, after the skip is concatenated, on the way up; levels
    are joined by convolutions of 2 voxels a side and a stride of 2. No convolution has a bias.
    """

    def __init__(self, config: SparseUResNetConfig) -> None:
        super().__init__()
        self.config = config
        dim, planes = config.dimension, config.planes
        self.stem = SubmanifoldConvolution(dim, config.channels_in, planes[0])
        self.encoders = nn.ModuleList(self._blocks(width, width) for width in planes)
        self.downs, self.ups, self.decoders = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for fine, coarse in pairwise(planes):
            self.downs.append(nn.Sequential(NormRectify(fine), SparseDown(dim, fine, coarse)))
            self.ups.append(nn.Sequential(NormRectify(coarse), SparseUp(dim, coarse, fine)))
            self.decoders.append(self._blocks(2 * fine, fine))
        self.norm = NormRectify(planes[0])
        self.out = nn.Linear(planes[0], config.classes)

    def _blocks(self, channels_in: int, channels: int) -> nn.Sequential:
        dim, repetitions = self.config.dimension, self.config.repetitions
        widths = [channels_in] + [channels] * (repetitions - 1)
        return nn.Sequential(*(SparseResidualBlock(dim, width, channels) for width in widths))

    def forward(
        self,
        features: Float[Tensor, "row channel"],
        coordinates: Int64[Tensor, "row column"] | SparseGeometry,
    ) -> Float[Tensor, "row class"]:
        """Return logits in the order of the rows.

        ``coordinates`` are the sample and the place along each axis of every row, or the geometry made of
        them.

        Raises
        ------
        ValueError
            if the number of axes or of features is not that of the network.
        """
        geometry = coordinates if isinstance(coordinates, SparseGeometry) else SparseGeometry(coordinates)
        if geometry.dimension != self.config.dimension or features.shape[1] != self.config.channels_in:
            raise ValueError(
                f"the network takes {self.config.channels_in} features per voxel on {self.config.dimension} "
                f"axes, not {features.shape[1]} on {geometry.dimension}"
            )
        x = self.stem(SparseTensor(geometry.gather(features), geometry))
        skips = []
        for level, encoder in enumerate(self.encoders):
            x = encoder(x)
            if level < len(self.downs):
                skips.append(x)
                x = self.downs[level](x)
        for level in reversed(range(len(self.ups))):
            x = self.ups[level](x)
            x = self.decoders[level](x.with_features(torch.cat([skips[level].features, x.features], dim=1)))
        logits: Tensor = self.out(self.norm(x).features)
        return geometry.scatter(logits)
