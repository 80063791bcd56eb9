"""FC-DenseNet ("Tiramisu", arXiv:1611.09326), as Timilsina used it on ProtoDUNE images (2018)."""

from typing import Any

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from cloudchamber.model.beam_inputs import FineInput, check_planes

LIGHT: dict[str, Any] = {"blocks": (2, 3, 4), "bottleneck": 5, "growth": 8}
"""Options of a smaller one, for trials on CPUs: 253,659 parameters."""


class TiramisuConfig(BaseModel):
    """The network. The defaults are Timilsina's: 9,319,171 parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: int = Field(default=1, ge=1, description="channels that are read")
    fine: int = Field(default=1, ge=1, le=8, description="pixels read per pixel labelled, a side")
    classes: int = Field(default=3, ge=2)
    filters: int = Field(default=48, ge=1, description="channels of the first convolution")
    blocks: tuple[int, ...] = Field(
        default=(4, 5, 7, 10, 12),
        min_length=1,
        max_length=7,
        description="layers of the blocks on the way down",
    )
    bottleneck: int = Field(default=15, ge=1, description="layers of the block at the bottom")
    growth: int = Field(default=16, ge=1, description="channels that each layer adds")
    dropout: float = Field(default=0.2, ge=0, lt=1)


def _he(convolution: nn.Conv2d | nn.ConvTranspose2d) -> nn.Module:
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return convolution


def _layer(channels: int, made: int, kernel: int, stride: int, dropout: float) -> nn.Sequential:
    """Return a rectifier, batch normalisation, a convolution and dropout, in Timilsina's order."""
    convolution = _he(nn.Conv2d(channels, made, kernel, stride, kernel // 2))
    return nn.Sequential(nn.ReLU(), nn.BatchNorm2d(channels), convolution, nn.Dropout(dropout))


class DenseBlock(nn.Module):
    """Layers each of which reads the block's input and all that the layers before it made."""

    def __init__(self, channels: int, layers: int, growth: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            _layer(channels + k * growth, growth, 3, 1, dropout) for k in range(layers)
        )

    def forward(self, x: Float[Tensor, "n c wire drift"]) -> list[Float[Tensor, "n g wire drift"]]:
        """Return the input, then what each layer made."""
        found = [x]
        for layer in self.layers:
            found.append(layer(torch.cat(found, dim=1)))
        return found


class Tiramisu(nn.Module):
    """From images to a logit per pixel and class; the sides must be multiples of ``stride``.

    Down: a dense block, whose input and new maps go to the other side, and a transition: rectifier, batch
    normalisation, a 1x1 convolution of stride 2, dropout. Up: a transposed 3x3 convolution of stride 2 on the
    new maps alone of the block below, then a dense block on these and on what comes from the other side. The
    last layer is a 1x1 convolution on all maps. Weights begin as He et al. (arXiv:1502.01852) propose.
    """

    def __init__(self, config: TiramisuConfig) -> None:
        super().__init__()
        self.config = config
        growth, dropout = config.growth, config.dropout
        self.fine = FineInput(config.inputs, config.fine) if config.fine > 1 else None
        read = config.inputs if self.fine is None else self.fine.channels
        self.stem = _he(nn.Conv2d(read, config.filters, 3, padding=1))
        self.down, self.shrink = nn.ModuleList(), nn.ModuleList()
        channels, skips = config.filters, []
        for layers in config.blocks:
            self.down.append(DenseBlock(channels, layers, growth, dropout))
            channels += layers * growth
            skips.append(channels)
            self.shrink.append(_layer(channels, channels, 1, 2, dropout))
        self.bottom = DenseBlock(channels, config.bottleneck, growth, dropout)
        self.grow, self.up = nn.ModuleList(), nn.ModuleList()
        made = config.bottleneck * growth
        for layers, skip in zip(reversed(config.blocks), reversed(skips), strict=True):
            self.grow.append(_he(nn.ConvTranspose2d(made, made, 3, 2, 1, output_padding=1)))
            self.up.append(DenseBlock(made + skip, layers, growth, dropout))
            channels, made = made + skip + layers * growth, layers * growth
        self.out = _he(nn.Conv2d(channels, config.classes, 1))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def stride(self) -> int:
        """What the sides of an image must be multiples of."""
        halvings = len(self.config.blocks)
        return (1 << halvings) * self.config.fine

    @property
    def margin(self) -> int:
        """How many pixels to each side a pixel's logits can depend on, at most."""
        reach = 1
        for level, layers in enumerate(self.config.blocks):
            reach += (2 * layers << level) + (2 << level)
        reach += self.config.bottleneck << len(self.config.blocks)
        return (reach + 1) * self.config.fine

    def forward(self, x: Float[Tensor, "n c wire drift"]) -> Float[Tensor, "n class wire2 drift2"]:
        """Return logits; of images ``fine`` times as wide they are of the coarser pixels.

        Raises
        ------
        ValueError
            if channels or sides are not those that the network reads.
        """
        check_planes(x, self.config.inputs, self.stride)
        if self.fine is not None:
            x = self.fine(x)
        x = self.stem(x)
        skips = []
        for block, shrink in zip(self.down, self.shrink, strict=True):
            joined = torch.cat(block(x), dim=1)
            skips.append(joined)
            x = shrink(joined)
        found = self.bottom(x)
        for grow, block in zip(self.grow, self.up, strict=True):
            above = grow(torch.cat(found[1:], dim=1))
            found = block(torch.cat([above, skips.pop()], dim=1))
        out: Tensor = self.out(torch.cat(found, dim=1))
        return out
