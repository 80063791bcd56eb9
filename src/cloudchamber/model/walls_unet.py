"""U-Net with GravNet for buried walls, after Strong (MODE challenge, 2022: .822 public, .824 private IOU)."""

from itertools import pairwise
from typing import Any, Literal, Self

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
from cloudchamber.model.walls_maps import check_layers, check_maps

STRONG: dict[str, Any] = {
    "features": 64,
    "levels": 1,
    "entry_blocks": 2,
    "stem_kernel": 1,
    "out_kernel": 3,
    "gravnet": {"depth": 2, "attention_width": 12, "norm": False, "mapped": True},
}
"""Options of Strong's best network: 2,695,606 parameters, as he gives.

Published are f = 64, two blocks a stage, the first halving and the last doubling alone beside GravNet, and
GravNet's numbers. The kernels of the first and the last convolution and the four options of GravNet are
inferred: this set has the published number exactly, but a few others that differ in small parts have it too.
With the defaults for what is inferred the number is 2,733,754, 1.4 % more.
"""


class WallsUNetConfig(BaseModel):
    """The network. The defaults are near Strong's U-Net with GravNet at f = 32; ``STRONG`` is his best.

    His plain U-Net (10-5-3-2-3-5-10) is ``features=8, levels=3, entry_blocks=2, gravnet=None``. With
    ``layers`` given, the layers of the volume are the channels of a two-dimensional network, as in Bury's
    solution: it sees all depths at once, knows each by its number, and spends its arithmetic in large matrix
    products, which suits CPUs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: int = Field(default=1, ge=1, description="maps per volume")
    features: int = Field(default=32, ge=1, description="channels at full size")
    growth: float = Field(default=2.0, ge=1, description="channels grow by this at each level")
    levels: int = Field(default=1, ge=1, le=4, description="how often the size is halved")
    blocks: int = Field(default=2, ge=1, description="residual blocks per level")
    entry_blocks: int = Field(
        default=0, ge=0, description="residual blocks at full size before the first level"
    )
    stem_kernel: Literal[1, 3] = Field(default=3, description="kernel of the first convolution")
    out_kernel: Literal[1, 3] = Field(default=1, description="kernel of the last convolution")
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
    """From standardised maps (radiation length first) to a logit per voxel.

    Down: residual blocks at each level, the first halving the size. GravNet works on the first halved size,
    where 10x10x10 voxels have become 125 nodes (10x10 columns 25). Up: blurred pixel shuffle, the encoder's
    features concatenated, residual blocks. In 3D one more channel holds the height of each voxel.
    A first convolution with a kernel of 1 has no bias.
    """

    def __init__(self, config: WallsUNetConfig) -> None:
        super().__init__()
        self.config = config
        dim: Dimensions = 2 if config.layers else 3
        channels = config.inputs * config.layers if config.layers else config.inputs + 1
        widths = [int(config.features * config.growth**level) for level in range(config.levels + 1)]
        self.stem = convolution(dim, channels, widths[0], config.stem_kernel, bias=config.stem_kernel > 1)
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
        self.out = convolution(dim, widths[0], config.layers or 1, config.out_kernel, bias=True)
        if dim == 2:  # a third faster to train on a CPU
            for p in self.parameters():
                if p.ndim == 4:
                    p.data = p.data.contiguous(memory_format=torch.channels_last)

    def forward(self, x: Float[Tensor, "n c z x y"]) -> Float[Tensor, "n 1 z x y"]:
        """Return logits.

        Raises
        ------
        ValueError
            if the number of maps is not that of the network, or the network has layers as channels and the
            volume another number of layers.
        """
        check_maps(x, self.config.inputs)
        if self.config.layers is None:
            height = torch.linspace(-1, 1, x.shape[2], device=x.device, dtype=x.dtype)
            inputs = torch.cat([x, height.view(1, 1, -1, 1, 1).expand_as(x[:, :1])], dim=1)
        else:
            check_layers(x, self.config.layers)
            inputs = x.flatten(1, 2)
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
        shaped: Tensor = logits.view(len(x), 1, *x.shape[2:])
        return shaped
