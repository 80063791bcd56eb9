"""Parts of the networks that estimate a muon's energy from a calorimeter."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from cloudchamber.model.blocks import SqueezeExcitation
from cloudchamber.model.running_norm import RunningBatchNorm

NormKind = Literal["running", "nominal", "off"]
CellScale = Literal["linear", "log"]
LOG_FROM_GEV = 1e-3


def scale_cells(energy_gev: Float[Tensor, "*size"], scale: CellScale) -> Float[Tensor, "*size"]:
    """Return what convolutions read of cells: their energy in GeV, or ln(1 + E / 1 MeV)."""
    return energy_gev if scale == "linear" else torch.log1p(energy_gev / LOG_FROM_GEV)


def check_features(features: Float[Tensor, "n feature"] | None, wanted: int) -> None:
    """Raise ValueError if a network that reads so many features gets none, or another number of them."""
    if wanted and (features is None or features.ndim != 2 or features.shape[1] != wanted):
        found = "none" if features is None else f"a table of shape {tuple(features.shape)}"
        raise ValueError(f"the network reads {wanted} features per muon, got {found}")


def dense_norm(kind: NormKind, channels: int, *, swish: bool) -> nn.Module:
    """Return one of the normalisations of a grid, followed by a Swish if asked for."""
    if kind == "running":
        return RunningBatchNorm(channels, swish=swish)
    parts: list[nn.Module] = [nn.BatchNorm3d(channels)] if kind == "nominal" else []
    return nn.Sequential(*parts, *([nn.SiLU()] if swish else []))


def he_convolution(
    channels_in: int, channels_out: int, kernel: int, stride: int = 1, *, bias: bool = False
) -> nn.Conv3d:
    """Return a convolution with weights from He's normal distribution and a padding of half the kernel."""
    made = nn.Conv3d(channels_in, channels_out, kernel, stride, kernel // 2, bias=bias)
    nn.init.kaiming_normal_(made.weight, nonlinearity="relu")
    if made.bias is not None:
        nn.init.zeros_(made.bias)
    return made


class EnergyBlock(nn.Module):
    """Residual block of the paper's network, whose channel 0 is the energy.

    Conv path: with ``first``, convolution, Swish, norm, twice; in all other blocks norm, Swish, convolution,
    twice; then squeeze-excitation. The first convolution of a block that halves the grid has 4 cells a side.
    Where grid or channels change the shortcut is Swish and norm (not in the first block); average pooling of
    2 cells (padding 1); a convolution of one cell. With ``e_pass`` the energy, summed over 2 cells a side
    where the grid is halved, is put before the result as its channel 0.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        *,
        halve: bool,
        first: bool = False,
        norm: NormKind = "running",
        identity: bool = True,
        e_pass: bool = True,
        excitation: bool = True,
    ) -> None:
        super().__init__()
        self.halve, self.e_pass = halve, e_pass
        strides = [(channels_in, 4, 2) if halve else (channels_in, 3, 1), (channels_out, 3, 1)]
        path: list[nn.Module] = []
        for width, kernel, stride in strides:
            convolution = he_convolution(width, channels_out, kernel, stride)
            if first:
                path += [convolution, nn.SiLU(), dense_norm(norm, channels_out, swish=False)]
            else:
                path += [dense_norm(norm, width, swish=True), convolution]
        if excitation:
            path.append(SqueezeExcitation(channels_out))
        self.path = nn.Sequential(*path)
        self.shortcut: nn.Module | None = None
        if identity:
            short: list[nn.Module] = []
            if halve or channels_in != channels_out:
                short += [] if first else [nn.SiLU(), dense_norm(norm, channels_in, swish=False)]
                short += [nn.AvgPool3d(2, 2, 1)] if halve else []
                short += [he_convolution(channels_in, channels_out, 1, bias=first)]
            self.shortcut = nn.Sequential(*short)

    def forward(
        self, x: Float[Tensor, "n c z x y"], energy: Float[Tensor, "n 1 z x y"] | None = None
    ) -> Float[Tensor, "n d z2 x2 y2"]:
        """Return the block's result; ``energy`` is taken in place of channel 0 of x, if given."""
        out: Tensor = self.path(x)
        if self.shortcut is not None:
            out = out + self.shortcut(x)
        if not self.e_pass:
            return out
        energy = x[:, :1] if energy is None else energy
        if self.halve:
            energy = 8 * F.avg_pool3d(energy, 2, 2, 1)
        return torch.cat([energy.to(out.dtype), out], dim=1)


class EnergyHead(nn.Sequential):
    """Fully connected layers, each with an activation, and a linear one to the outputs."""

    def __init__(
        self, inputs: int, hidden: Sequence[int], outputs: int, activation: type[nn.Module] = nn.SiLU
    ) -> None:
        layers: list[nn.Module] = []
        for width in hidden:
            layer = nn.Linear(inputs, width)
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
            layers += [layer, activation()]
            inputs = width
        last = nn.Linear(inputs, outputs)
        nn.init.normal_(last.weight, std=(1 / inputs) ** 0.5)
        nn.init.zeros_(last.bias)
        super().__init__(*layers, last)
