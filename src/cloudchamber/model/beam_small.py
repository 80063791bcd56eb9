"""A U-Net for wire images that a CPU trains in a fraction of a second per image."""

from itertools import pairwise

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from cloudchamber.model.beam_inputs import FineInput, check_planes


class BeamSmallConfig(BaseModel):
    """The network. With the defaults an image of 320 x 320 pixels is 5 x 5 at the bottom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: int = Field(default=3, ge=1, description="channels that are read")
    fine: int = Field(default=1, ge=1, le=8, description="pixels read per pixel labelled, a side")
    classes: int = Field(default=3, ge=2)
    patch: int = Field(
        default=2, ge=1, le=4, description="pixels, a side, that become the channels of one at the top level"
    )
    widths: tuple[int, ...] = Field(
        default=(24, 40, 64, 96, 112, 112), min_length=1, description="channels of each level"
    )
    blocks: tuple[int, ...] = Field(
        default=(1, 2, 2, 2, 2, 2), min_length=1, description="residual blocks of each level on the way down"
    )
    up_blocks: int = Field(default=1, ge=1, description="residual blocks of each level on the way up")
    detail: int = Field(
        default=8, ge=1, description="maps of the pixels as they are read, beside the levels'"
    )


class Residual(nn.Module):
    """Pre-activation residual block (He et al., arXiv:1603.05027): norm, rectifier, convolution, twice."""

    def __init__(self, channels_in: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.norm_a = nn.BatchNorm2d(channels_in)
        self.conv_a = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.norm_b = nn.BatchNorm2d(channels)
        self.conv_b = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.stride = stride
        same = stride == 1 and channels_in == channels
        self.short = None if same else nn.Conv2d(channels_in, channels, 1, bias=False)

    def forward(self, x: Float[Tensor, "n c wire drift"]) -> Float[Tensor, "n d wire2 drift2"]:
        """Return shortcut plus branch; a shortcut that halves the image takes means of 2 x 2 pixels."""
        active = F.relu(self.norm_a(x))
        short = x
        if self.short is not None:
            short = self.short(F.avg_pool2d(active, self.stride) if self.stride > 1 else active)
        out: Tensor = short + self.conv_b(F.relu(self.norm_b(self.conv_a(active))))
        return out


class BeamSmall(nn.Module):
    """From images to a logit per pixel and class; the sides must be multiples of ``stride``.

    The ``patch`` x ``patch`` pixels of a square are the channels of one pixel of the top level: nothing is
    lost, but most convolutions work on fewer pixels. Down: residual blocks, the first of a level halving the
    image. Up: nearest neighbours of a 1x1 convolution of what is below are added to a level's own maps, then
    residual blocks. The last two layers work on single pixels again: on maps of the levels, taken apart, and
    on those of a convolution of what is read.
    """

    def __init__(self, config: BeamSmallConfig) -> None:
        super().__init__()
        if len(config.blocks) != len(config.widths):
            raise ValueError(f"{len(config.widths)} levels and blocks for {len(config.blocks)}")
        self.config = config
        widths = config.widths
        self.fine = FineInput(config.inputs, config.fine) if config.fine > 1 else None
        read = config.inputs if self.fine is None else self.fine.channels
        self.stem = nn.Conv2d(read * config.patch**2, widths[0], 3, padding=1)
        self.first = nn.Sequential(*(Residual(widths[0], widths[0]) for _ in range(config.blocks[0])))
        self.down = nn.ModuleList(
            nn.Sequential(Residual(above, width, 2), *(Residual(width, width) for _ in range(blocks - 1)))
            for (above, width), blocks in zip(pairwise(widths), config.blocks[1:], strict=True)
        )
        self.lift, self.up = nn.ModuleList(), nn.ModuleList()
        for width, below in reversed(list(pairwise(widths))):
            self.lift.append(nn.Conv2d(below, width, 1, bias=False))
            self.up.append(nn.Sequential(*(Residual(width, width) for _ in range(config.up_blocks))))
        self.norm = nn.BatchNorm2d(widths[0])
        self.apart = nn.Conv2d(widths[0], config.detail * config.patch**2, 1, bias=False)
        self.detail = nn.Conv2d(read, config.detail, 3, padding=1, bias=False)
        self.norm_pixels = nn.BatchNorm2d(2 * config.detail)
        self.mix = nn.Conv2d(2 * config.detail, 2 * config.detail, 3, padding=1)
        self.out = nn.Conv2d(2 * config.detail, config.classes, 1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def stride(self) -> int:
        """What the sides of an image must be multiples of."""
        halvings = len(self.config.widths) - 1
        return (1 << halvings) * self.config.patch * self.config.fine

    @property
    def margin(self) -> int:
        """How many pixels to each side a pixel's logits can depend on, at most."""
        config = self.config
        reach, last = 1, len(config.widths) - 1
        for level, blocks in enumerate(config.blocks):
            convolutions = 2 * (blocks + (config.up_blocks if level < last else 0))
            reach += convolutions << level
        return ((reach + (1 << last)) * config.patch + 2) * config.fine

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
        detail = self.detail(x)
        x = self.first(self.stem(F.pixel_unshuffle(x, self.config.patch)))
        skips = [x]
        for level in self.down:
            x = level(x)
            skips.append(x)
        x = skips.pop()
        for lift, level in zip(self.lift, self.up, strict=True):
            x = level(skips.pop() + F.interpolate(lift(x), scale_factor=2.0, mode="nearest"))
        pixels = F.pixel_shuffle(self.apart(F.relu(self.norm(x))), self.config.patch)
        mixed = self.mix(F.relu(self.norm_pixels(torch.cat([pixels, detail], dim=1))))
        out: Tensor = self.out(F.relu(mixed))
        return out
