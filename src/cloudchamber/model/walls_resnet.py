"""A residual network at full resolution for buried walls, with layers as channels."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from cloudchamber.model.blocks import ResidualBlock, batch_norm, convolution


class WallsResNetConfig(BaseModel):
    """The network."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layers: int = Field(default=10, ge=1, description="layers of the volume, which become channels")
    inputs: int = Field(default=1, ge=1, description="maps it reads")
    features: int = Field(default=128, ge=1, description="channels")
    blocks: int = Field(default=4, ge=1, description="residual blocks")
    structure: bool = Field(default=False, description="heads for columns, tops and the common base")


class Structure(NamedTuple):
    """Logits of what makes up walls that stand upright on one level.

    ``occupied``: the column holds wall; ``top``: its highest layer of wall; ``base``: the layer that all
    walls of the volume stand on.
    """

    occupied: Float[Tensor, "n x y"]
    top: Float[Tensor, "n z x y"]
    base: Float[Tensor, "n z"]


class WallsResNet(nn.Module):
    """From standardised maps to a logit per voxel, without changing resolution.

    Layers as channels after Bury (MODE challenge, 2022): the network sees whole columns at once, knows each
    depth by its number and spends its arithmetic in large matrix products. Pre-activation residual blocks
    with squeeze-excitation and Swish as in Strong's U-Net, but none of its pooling: a footprint of 10x10
    columns fits into the receptive field of five 3x3 convolutions, and the means of squeeze-excitation carry
    what all columns share, such as the level that walls stand on.
    """

    def __init__(self, config: WallsResNetConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = convolution(2, config.layers * config.inputs, config.features, 3, bias=True)
        self.blocks = nn.Sequential(
            *(ResidualBlock(2, config.features, config.features) for _ in range(config.blocks))
        )
        self.norm = batch_norm(2, config.features)
        self.out = convolution(2, config.features, config.layers, 1, bias=True)
        if config.structure:
            self.columns = convolution(2, config.features, 1 + config.layers, 1, bias=True)
            self.base = nn.Linear(2 * config.features, config.layers)
        for p in self.parameters():
            if p.ndim == 4:  # faster on a CPU
                p.data = p.data.contiguous(memory_format=torch.channels_last)

    def forward(self, x: Float[Tensor, "n map z x y"]) -> Float[Tensor, "n 1 z x y"]:
        """Return logits.

        Raises
        ------
        ValueError
            if the volume has another number of layers or of maps than the network.
        """
        logits: Tensor = self.out(self._features(x))
        return logits[:, None]

    def describe(self, x: Float[Tensor, "n map z x y"]) -> tuple[Float[Tensor, "n 1 z x y"], Structure]:
        """Return logits, and those of the walls' structure (for networks with ``structure``)."""
        features = self._features(x)
        columns = self.columns(features)
        pooled = torch.cat([features.mean(dim=(2, 3)), features.amax(dim=(2, 3))], dim=1)
        logits: Tensor = self.out(features)
        return logits[:, None], Structure(columns[:, 0], columns[:, 1:], self.base(pooled))

    def _features(self, x: Float[Tensor, "n map z x y"]) -> Float[Tensor, "n f x y"]:
        """Return what all heads read.

        Raises
        ------
        ValueError
            if the volume has another number of layers or of maps than the network.
        """
        config = self.config
        if x.shape[1:3] != (config.inputs, config.layers):
            wanted = f"{config.inputs} maps of {config.layers} layers"
            raise ValueError(f"a network for {wanted} got {x.shape[1]} of {x.shape[2]}")
        columns = x.flatten(1, 2).contiguous(memory_format=torch.channels_last)
        features: Tensor = F.silu(self.norm(self.blocks(self.stem(columns))))
        return features
