"""Parts of the sparse network for the energy of a muon."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from cloudchamber.model.energy_blocks import NormKind
from cloudchamber.model.running_norm import RunningBatchNorm
from cloudchamber.model.sparse.backend import compiled_for
from cloudchamber.model.sparse.functional import convolve
from cloudchamber.model.sparse.modules import SparseTensor, SubmanifoldConvolution
from cloudchamber.model.sparse.norm import SparseBatchNorm
from cloudchamber.model.sparse.samples import Samples
from cloudchamber.model.sparse.tables import TableLevel, TableSamples


class SparseNorm(nn.Module):
    """One of the normalisations, over the cells that are there; then a Swish if asked for."""

    def __init__(self, kind: NormKind, channels: int, *, swish: bool) -> None:
        super().__init__()
        self.swish = swish
        self.norm: nn.Module | None = None
        if kind == "running":
            self.norm = RunningBatchNorm(channels, swish=swish)
        elif kind == "nominal":
            self.norm = SparseBatchNorm(channels, rectify=False, eps=1e-5)

    def forward(self, x: Float[Tensor, "cell channel"], samples: int) -> Float[Tensor, "cell channel"]:
        """Return the features normalised; ``samples`` is how many muons there are."""
        if isinstance(self.norm, RunningBatchNorm):
            return self.norm(x, samples)  # type: ignore[no-any-return]
        x = x if self.norm is None else self.norm(x)
        return swish(x) if self.swish else x


def swish(x: Float[Tensor, "cell channel"]) -> Float[Tensor, "cell channel"]:
    """Return x sigmoid(x)."""
    if x.numel() == 0 or not compiled_for(x):
        return F.silu(x)
    from cloudchamber.model.sparse.compiled.running import swish as compiled_swish

    return compiled_swish(x)


class SumOverChildren(nn.Module):
    """The sum of each channel over the cells that a parent has."""

    def forward(self, x: SparseTensor) -> SparseTensor:
        """Return the sums at the next coarser level."""
        channels = x.features.shape[1]
        one = torch.eye(channels, dtype=x.features.dtype, device=x.features.device)
        weight = one[:, None].expand(-1, x.voxels.down.places, -1)
        return SparseTensor(convolve(x.features, weight, x.voxels.down), x.geometry, x.level + 1)


class SampleExcitation(nn.Module):
    """Squeeze-excitation by the means over the cells of each muon (Hu et al., arXiv:1709.01507)."""

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        inner = max(2, channels // reduction)
        self.squeeze = nn.Linear(channels, inner)
        self.excite = nn.Linear(inner, channels)

    def forward(self, x: SparseTensor, samples: int) -> SparseTensor:
        """Return x with the channels of each muon reweighted."""
        rows: Samples | TableSamples
        if isinstance(x.voxels, TableLevel):
            rows = TableSamples(x.voxels, samples)
        else:
            rows = Samples(x.voxels, samples)
        features = x.features.contiguous()
        gate = torch.sigmoid(self.excite(F.silu(self.squeeze(rows.mean(features)))))
        return x.with_features(rows.scale(features, gate))


class SparseEnergyBlock(nn.Module):
    """Residual block on sparse cells, the counterpart of ``EnergyBlock``.

    Norm, Swish, convolution, twice (with ``first`` convolution, Swish, norm, twice), then squeeze-excitation.
    A block that halves the grid does so with its first convolution; its shortcut is the mean over the 8
    children, empty ones counting as zero, and a convolution of one cell, of what the first convolution reads.
    With ``e_pass`` channel 0 of the result is the energy of the cells.
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
        self.halve, self.first, self.identity, self.e_pass = halve, first, identity, e_pass
        made = channels_out - e_pass
        places = 8 if halve else 27
        self.weight = nn.Parameter(torch.empty(made, places, channels_in))
        nn.init.normal_(self.weight, std=math.sqrt(2 / (places * channels_in)))
        self.conv = SubmanifoldConvolution(3, made, made)
        self.norm1 = SparseNorm(norm, made if first else channels_in, swish=not first)
        self.norm2 = SparseNorm(norm, made, swish=not first)
        self.short: nn.Parameter | None = None
        if identity and halve:
            self.short = nn.Parameter(torch.empty(made, 1, channels_in))
            nn.init.normal_(self.short, std=math.sqrt(2 / channels_in))
        self.excitation = SampleExcitation(made) if excitation else None

    def forward(self, x: SparseTensor, energy: Float[Tensor, "cell 1"], samples: int) -> SparseTensor:
        """Return the block's result; ``energy`` is that of the cells that come out."""
        out: SparseTensor
        read = x if self.first else x.with_features(self.norm1(x.features, samples))
        out, short = self._convolve(read)
        if short is None and self.identity:
            short = x.features[:, int(self.e_pass) :]
        if self.first:
            out = out.with_features(self.norm1(swish(out.features), samples))
            out = self.conv(out)
            out = out.with_features(self.norm2(swish(out.features), samples))
        else:
            out = self.conv(out.with_features(self.norm2(out.features, samples)))
        if self.excitation is not None:
            out = self.excitation(out, samples)
        features = out.features if short is None else out.features + short
        return out.with_features(torch.cat([energy, features], dim=1) if self.e_pass else features)

    def _convolve(self, x: SparseTensor) -> tuple[SparseTensor, Tensor | None]:
        """Return the first convolution and, where the grid is halved, the shortcut beside it."""
        if not self.halve:
            return x.with_features(convolve(x.features, self.weight, x.voxels.neighbours)), None
        if self.short is None:
            return SparseTensor(
                convolve(x.features, self.weight, x.voxels.down), x.geometry, x.level + 1
            ), None
        made, places, _ = self.weight.shape
        both = torch.cat([self.weight, self.short.expand(-1, places, -1) / places])
        out = convolve(x.features, both, x.voxels.down)
        return SparseTensor(out[:, :made], x.geometry, x.level + 1), out[:, made:]


def on_grid(x: SparseTensor, samples: int, shape: tuple[int, int, int]) -> Float[Tensor, "n place channel"]:
    """Return the features of sparse cells in grids of ``shape``, zero where there is no cell."""
    sample, iz, ix, iy = x.voxels.coordinates.unbind(dim=1)
    places = shape[0] * shape[1] * shape[2]
    row = sample * places + (iz * shape[1] + ix) * shape[2] + iy
    grid = x.features.new_zeros(samples * places, x.features.shape[1])
    return grid.index_copy(0, row, x.features).view(samples, places, -1)
