"""Building blocks that several networks share, in two or three dimensions."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

Dimensions = Literal[2, 3]

_CONV: dict[int, type[nn.Conv2d] | type[nn.Conv3d]] = {2: nn.Conv2d, 3: nn.Conv3d}
_NORM: dict[int, type[nn.Module]] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
_POOL: dict[int, type[nn.AvgPool2d] | type[nn.AvgPool3d]] = {2: nn.AvgPool2d, 3: nn.AvgPool3d}


def convolution(
    dimensions: Dimensions,
    channels_in: int,
    channels_out: int,
    kernel: int,
    stride: int = 1,
    bias: bool = False,
) -> nn.Module:
    """Return a convolution whose padding keeps the size (but for the stride)."""
    return _CONV[dimensions](channels_in, channels_out, kernel, stride=stride, padding=kernel // 2, bias=bias)


def batch_norm(dimensions: Dimensions, channels: int) -> nn.Module:
    """Return batch normalisation."""
    return _NORM[dimensions](channels)


class SqueezeExcitation(nn.Module):
    """Reweight channels by a small network on their means (Hu et al., arXiv:1709.01507)."""

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        inner = max(1, channels // reduction)
        self.squeeze = nn.Linear(channels, inner)
        self.excite = nn.Linear(inner, channels)

    def forward(self, x: Float[Tensor, "n c *size"]) -> Float[Tensor, "n c *size"]:
        """Return x with its channels reweighted."""
        weight = torch.sigmoid(self.excite(F.silu(self.squeeze(x.flatten(2).mean(dim=2)))))
        return x * weight.view(*weight.shape, *([1] * (x.ndim - 2)))


class ResidualBlock(nn.Module):
    """Pre-activation residual block (He et al., arXiv:1603.05027) with squeeze-excitation and Swish.

    With ``stride=2`` the shortcut is average pooling and a 1x1 convolution (He et al., arXiv:1812.01187);
    odd sizes are rounded up. A change of channels alone gets a 1x1 shortcut.
    """

    def __init__(self, dimensions: Dimensions, channels_in: int, channels_out: int, stride: int = 1) -> None:
        super().__init__()
        self.norm_a = batch_norm(dimensions, channels_in)
        self.conv_a = convolution(dimensions, channels_in, channels_out, 3, stride)
        self.norm_b = batch_norm(dimensions, channels_out)
        self.conv_b = convolution(dimensions, channels_out, channels_out, 3)
        self.excitation = SqueezeExcitation(channels_out)
        shortcut: list[nn.Module] = []
        if stride > 1:
            shortcut.append(_POOL[dimensions](stride, ceil_mode=True, count_include_pad=False))
        if channels_in != channels_out:
            shortcut.append(convolution(dimensions, channels_in, channels_out, 1))
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x: Float[Tensor, "n c *size"]) -> Float[Tensor, "n d *size2"]:
        """Return shortcut plus branch; the shortcut of a changing block takes the activated input."""
        active = F.silu(self.norm_a(x))
        short = self.shortcut(active) if len(self.shortcut) else x
        branch = self.conv_b(F.silu(self.norm_b(self.conv_a(active))))
        out: Tensor = short + self.excitation(branch)
        return out


class BlurredPixelShuffle(nn.Module):
    """Double the size by learning each voxel's 2^d sub-voxels, then blur against checkerboards.

    Sub-pixel convolution (Shi et al., arXiv:1609.05158) with the blur of Sugawara et al. (arXiv:1801.04406):
    an average over neighbours, two a side.
    """

    def __init__(self, dimensions: Dimensions, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.norm = batch_norm(dimensions, channels_in)
        self.conv = convolution(dimensions, channels_in, 2**dimensions * channels_out, 1, bias=True)
        self.blur = _POOL[dimensions](2, stride=1)
        self.channels_out = channels_out

    def forward(self, x: Float[Tensor, "n c *size"], size: tuple[int, ...]) -> Float[Tensor, "n d *size2"]:
        """Return x doubled in size and cropped to ``size`` (which may be one less than double)."""
        n, d = len(x), x.ndim - 2
        fine = self.conv(F.silu(self.norm(x))).view(n, self.channels_out, *([2] * d), *x.shape[2:])
        order = [axis for i in range(d) for axis in (2 + d + i, 2 + i)]
        fine = fine.permute(0, 1, *order).reshape(n, self.channels_out, *(2 * s for s in x.shape[2:]))
        blurred: Tensor = self.blur(F.pad(fine, (1, 0) * d, mode="replicate"))
        cropped: tuple[slice, ...] = (slice(None), slice(None), *(slice(s) for s in size))
        return blurred[cropped]
