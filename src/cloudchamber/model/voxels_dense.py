"""Dense counterparts of the sparse U-ResNet: matched layer by layer, and as its authors published it."""

from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from cloudchamber.model.blocks import Dimensions, batch_norm, convolution

_TRANSPOSED: dict[int, type[nn.ConvTranspose2d] | type[nn.ConvTranspose3d]] = {
    2: nn.ConvTranspose2d,
    3: nn.ConvTranspose3d,
}
_CONV: dict[int, type[nn.Conv2d] | type[nn.Conv3d]] = {2: nn.Conv2d, 3: nn.Conv3d}
_NORM: dict[int, type[nn.BatchNorm2d] | type[nn.BatchNorm3d]] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
_SPARSE_EPS = 1e-4  # of the sparse network's normalisation


class MatchedUResNetConfig(BaseModel):
    """The network; the same options and defaults as ``SparseUResNetConfig``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dimension: Literal[2, 3] = Field(default=3, description="axes of an image")
    levels: int = Field(default=5, ge=1, le=10, description="resolutions, each half of the one before")
    filters: int = Field(default=16, ge=1, le=256, description="channels at full size; level l: l + 1 times")
    repetitions: int = Field(default=2, ge=1, description="residual blocks per level, down and up")
    channels_in: int = Field(default=1, ge=1, description="features per voxel")
    classes: int = Field(default=5, ge=2, description="classes per voxel")


class PublishedUResNetConfig(BaseModel):
    """The network of Domine and Terao's dense comparisons."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dimension: Literal[2, 3] = Field(default=3, description="axes of an image")
    strides: int = Field(default=5, ge=1, le=8, description="how often the size is halved")
    filters: int = Field(default=16, ge=1, le=256, description="channels at full size; they double")
    channels_in: int = Field(default=1, ge=1, description="features per voxel")
    classes: int = Field(default=5, ge=2, description="classes per voxel")


def _check(x: Tensor, dimension: int, channels: int, halvings: int) -> None:
    multiple = 2**halvings
    if x.ndim != dimension + 2 or x.shape[1] != channels or any(side % multiple for side in x.shape[2:]):
        raise ValueError(
            f"the network takes {channels} channels on {dimension} axes whose sizes are multiples of "
            f"{multiple}, not an image of shape {tuple(x.shape[1:])}"
        )


class _NormRectify(nn.Sequential):
    def __init__(self, dimension: Dimensions, channels: int, eps: float = 1e-5) -> None:
        super().__init__(_NORM[dimension](channels, eps), nn.ReLU(inplace=True))


class _MatchedBlock(nn.Module):
    def __init__(self, dimension: Dimensions, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.norm1 = _NormRectify(dimension, channels_in, _SPARSE_EPS)
        self.conv1 = convolution(dimension, channels_in, channels_out, 3)
        self.norm2 = _NormRectify(dimension, channels_out, _SPARSE_EPS)
        self.conv2 = convolution(dimension, channels_out, channels_out, 3)
        same = channels_in == channels_out
        self.short = None if same else convolution(dimension, channels_in, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        short = x if self.short is None else self.short(x)
        out: Tensor = self.conv2(self.norm2(self.conv1(self.norm1(x)))) + short
        return out


class MatchedUResNet(nn.Module):
    """The layers of ``SparseUResNet`` on dense grids: as many parameters of the same sizes.

    Values differ from the sparse network's, since a dense convolution also fills empty voxels.
    """

    def __init__(self, config: MatchedUResNetConfig) -> None:
        super().__init__()
        self.config = config
        dim: Dimensions = config.dimension
        planes = [config.filters * (level + 1) for level in range(config.levels)]
        self.stem = convolution(dim, config.channels_in, planes[0], 3)
        self.encoders = nn.ModuleList(self._blocks(width, width) for width in planes)
        self.downs, self.ups, self.decoders = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for fine, coarse in pairwise(planes):
            down = _CONV[dim](fine, coarse, 2, stride=2, bias=False)
            up = _TRANSPOSED[dim](coarse, fine, 2, stride=2, bias=False)
            self.downs.append(nn.Sequential(_NormRectify(dim, fine, _SPARSE_EPS), down))
            self.ups.append(nn.Sequential(_NormRectify(dim, coarse, _SPARSE_EPS), up))
            self.decoders.append(self._blocks(2 * fine, fine))
        self.norm = _NormRectify(dim, planes[0], _SPARSE_EPS)
        self.out = convolution(dim, planes[0], config.classes, 1, bias=True)

    def _blocks(self, channels_in: int, channels: int) -> nn.Sequential:
        widths = [channels_in] + [channels] * (self.config.repetitions - 1)
        return nn.Sequential(*(_MatchedBlock(self.config.dimension, width, channels) for width in widths))

    def forward(self, x: Float[Tensor, "n channel *size"]) -> Float[Tensor, "n class *size"]:
        """Return logits.

        Raises
        ------
        ValueError
            if an image has another number of axes or channels, or sizes that cannot be halved so often.
        """
        _check(x, self.config.dimension, self.config.channels_in, self.config.levels - 1)
        x = self.stem(x)
        skips = []
        for level, encoder in enumerate(self.encoders):
            x = encoder(x)
            if level < len(self.downs):
                skips.append(x)
                x = self.downs[level](x)
        for level in reversed(range(len(self.ups))):
            x = self.decoders[level](torch.cat([skips[level], self.ups[level](x)], dim=1))
        logits: Tensor = self.out(self.norm(x))
        return logits


class _PublishedBlock(nn.Module):
    """Two normalised convolutions plus the input or a linear map of it, then the rectifier; none between."""

    def __init__(self, dimension: Dimensions, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()

        def conv(channels: int, kernel: int, stride: int) -> nn.Sequential:
            made = _CONV[dimension](
                channels, channels_out, kernel, stride, kernel // 2, padding_mode="replicate"
            )
            return nn.Sequential(made, batch_norm(dimension, channels_out))

        self.residual = nn.Sequential(conv(channels_in, 3, stride), conv(channels_out, 3, 1))
        self.short = (
            conv(channels_in, 1, stride) if channels_in != channels_out or stride > 1 else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.short(x) + self.residual(x))


class PublishedUResNet(nn.Module):
    """The authors' dense U-ResNet: channels double at each of five strides, activation after the sum.

    Source: uresnet_dense.py of the authors' public code. Convolutions have a bias and pad by replication.
    """

    def __init__(self, config: PublishedUResNetConfig) -> None:
        super().__init__()
        self.config = config
        dim: Dimensions = config.dimension
        widths = [config.filters * 2**step for step in range(config.strides + 1)]
        self.stem = self._convolved(config.channels_in, widths[0])
        self.encoders = nn.ModuleList(self._double(a, b, 2) for a, b in pairwise(widths))
        self.ups, self.decoders = nn.ModuleList(), nn.ModuleList()
        for fine, coarse in reversed(list(pairwise(widths))):
            up = _TRANSPOSED[dim](coarse, fine, 3, stride=2, padding=1, output_padding=1)
            self.ups.append(nn.Sequential(up, _NormRectify(dim, fine)))
            self.decoders.append(self._double(coarse, fine, 1))
        self.last = self._convolved(widths[0], widths[0])
        self.out = nn.Sequential(
            _CONV[dim](widths[0], config.classes, 3, padding=1, padding_mode="replicate"),
            batch_norm(dim, config.classes),
        )

    def _convolved(self, channels_in: int, channels_out: int) -> nn.Sequential:
        dim: Dimensions = self.config.dimension
        conv = _CONV[dim](channels_in, channels_out, 3, padding=1, padding_mode="replicate")
        return nn.Sequential(conv, _NormRectify(dim, channels_out))

    def _double(self, channels_in: int, channels_out: int, stride: int) -> nn.Sequential:
        dim: Dimensions = self.config.dimension
        first = _PublishedBlock(dim, channels_in, channels_out, stride)
        return nn.Sequential(first, _PublishedBlock(dim, channels_out, channels_out, 1))

    def forward(self, x: Float[Tensor, "n channel *size"]) -> Float[Tensor, "n class *size"]:
        """Return logits.

        Raises
        ------
        ValueError
            if an image has another number of axes or channels, or sizes that cannot be halved so often.
        """
        _check(x, self.config.dimension, self.config.channels_in, self.config.strides)
        x = self.stem(x)
        skips = []
        for encoder in self.encoders:
            skips.append(x)
            x = encoder(x)
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            x = decoder(torch.cat([up(x), skips.pop()], dim=1))
        logits: Tensor = self.out(self.last(x))
        return logits
