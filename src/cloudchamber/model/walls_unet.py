"""U-Net with GravNet for buried walls, after Strong (MODE challenge, 2022: .822 public, .824 private IOU)."""

from itertools import pairwise
from typing import Self

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from cloudchamber.model.blocks import (
    BlurredPixelShuffle,
    Dimensions,
    ResidualBlock,
    batch_norm,
    convolution,
)
from cloudchamber.model.gravnet import GravNet, GravNetConfig


class WallsUNetConfig(BaseModel):
    """The network. The defaults are Strong's U-Net with GravNet.

    His plain U-Net (10-5-3-2-3-5-10) is ``levels=3, gravnet=None``. With ``layers`` given, the layers of the
    volume are the channels of a two-dimensional network, as in Bury's solution: it sees all depths at once,
    knows each by its number, and spends its arithmetic in large matrix products, which suits CPUs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: int = Field(default=32, ge=1, description="channels at full size")
    growth: float = Field(default=2.0, ge=1, description="channels grow by this at each level")
    levels: int = Field(default=1, ge=1, le=4, description="how often the size is halved")
    blocks: int = Field(default=2, ge=1, description="residual blocks per level")
    entry_blocks: int = Field(
        default=0, ge=0, description="residual blocks at full size before the first level"
    )
    layers: int | None = Field(default=None, ge=1, description="2D network on this many layers as channels")
    gravnet: GravNetConfig | None = Field(
        default=GravNetConfig(), description="GravNet on the nodes of the first halved size (5x5x5)"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if int(self.features * self.growth**self.levels) > 4096:
            raise ValueError("more than 4096 channels at the last level")
        return self


def _stage(
    dimensions: Dimensions, channels_in: int, channels: int, blocks: int, stride: int
) -> nn.Sequential:
    first = ResidualBlock(dimensions, channels_in, channels, stride)
    return nn.Sequential(first, *(ResidualBlock(dimensions, channels, channels) for _ in range(blocks - 1)))


class WallsUNet(nn.Module):
    """From one channel of standardised radiation lengths to a logit per voxel.

    Down: residual blocks at each level, the first halving the size. GravNet works on the first halved size,
    where 10x10x10 voxels have become 125 nodes (10x10 columns 25). Up: blurred pixel shuffle, the encoder's
    features concatenated, residual blocks. In 3D a second channel holds the height of each voxel.
    """

    def __init__(self, config: WallsUNetConfig) -> None:
        super().__init__()
        self.config = config
        dim: Dimensions = 2 if config.layers else 3
        widths = [int(config.features * config.growth**level) for level in range(config.levels + 1)]
        self.stem = convolution(dim, config.layers or 2, widths[0], 3, bias=True)
        self.entry = nn.Sequential(
            *(ResidualBlock(dim, widths[0], widths[0]) for _ in range(config.entry_blocks))
        )
        self.down = nn.ModuleList(_stage(dim, a, b, config.blocks, 2) for a, b in pairwise(widths))
        self.gravnet = GravNet(dim, widths[1], config.gravnet) if config.gravnet else None
        skips = list(widths)
        if self.gravnet is not None:
            skips[1] = self.gravnet.channels_out
        self.shuffle, self.up = nn.ModuleList(), nn.ModuleList()
        below = skips[-1]
        for level in reversed(range(config.levels)):
            self.shuffle.append(BlurredPixelShuffle(dim, below, widths[level]))
            self.up.append(_stage(dim, widths[level] + skips[level], widths[level], config.blocks, 1))
            below = widths[level]
        self.norm = batch_norm(dim, widths[0])
        self.out = convolution(dim, widths[0], config.layers or 1, 1, bias=True)
        if dim == 2:  # a third faster to train on a CPU
            for p in self.parameters():
                if p.ndim == 4:
                    p.data = p.data.contiguous(memory_format=torch.channels_last)

    def forward(self, x: Float[Tensor, "n 1 z x y"]) -> Float[Tensor, "n 1 z x y"]:
        """Return logits.

        Raises
        ------
        ValueError
            if the network has layers as channels and the volume another number of layers.
        """
        if self.config.layers is None:
            height = torch.linspace(-1, 1, x.shape[2], device=x.device, dtype=x.dtype)
            inputs = torch.cat([x, height.view(1, 1, -1, 1, 1).expand_as(x)], dim=1)
        elif x.shape[2] == self.config.layers:
            inputs = x[:, 0]
        else:
            raise ValueError(f"a network for {self.config.layers} layers got a volume of {x.shape[2]}")
        skips = [self.entry(self.stem(inputs))]
        deepest = skips[0]
        for level, stage in enumerate(self.down):
            deepest = stage(deepest)
            skips.append(self.gravnet(deepest) if level == 0 and self.gravnet is not None else deepest)
        decoded = skips[-1]
        for level, shuffle, stage in zip(
            reversed(range(self.config.levels)), self.shuffle, self.up, strict=True
        ):
            decoded = shuffle(decoded, tuple(skips[level].shape[2:]))
            decoded = stage(torch.cat([decoded, skips[level]], dim=1))
        logits = self.out(F.silu(self.norm(decoded)))
        shaped: Tensor = logits.view_as(x)
        return shaped
