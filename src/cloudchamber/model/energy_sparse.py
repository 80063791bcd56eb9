"""The paper's network for the energy of a muon at the cells that hold energy, and nowhere else."""

from itertools import pairwise
from typing import Literal, Self

import torch
from jaxtyping import Float, Int64
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from cloudchamber.model.energy_blocks import (
    CellScale,
    EnergyHead,
    NormKind,
    check_features,
    scale_cells,
)
from cloudchamber.model.energy_sparse_blocks import SparseEnergyBlock, SumOverChildren, on_grid
from cloudchamber.model.sparse.geometry import SparseGeometry
from cloudchamber.model.sparse.modules import SparseTensor


class EnergySparseConfig(BaseModel):
    """The network."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shape: tuple[int, int, int] = Field(default=(50, 32, 32), description="cells along z, x, y")
    cells: CellScale = Field(default="linear", description="what convolutions read: GeV, or ln(1 + E/MeV)")
    least_mev: float = Field(default=0.0, ge=0, description="cells below it are left out, for speed")
    norm: NormKind = "running"
    identity: bool = Field(default=True, description="shortcuts around the convolutions")
    e_pass: bool = Field(default=True, description="summed energy as channel 0 of every block")
    excitation: bool = Field(default=True, description="squeeze-excitation")
    pooling: Literal["mean-max", "flatten"] = "mean-max"
    features: int = Field(default=28, ge=0, description="high-level features that are read; 0: none")
    outputs: int = Field(default=1, ge=1, description="numbers per muon, of which the training makes sense")
    widths: tuple[int, ...] = Field(
        default=(16, 16, 32, 48), min_length=1, description="channels at each resolution, energy included"
    )
    blocks: tuple[int, ...] = Field(default=(2, 3, 3, 3), description="residual blocks at each resolution")
    hidden: tuple[int, ...] = Field(default=(80, 80, 80), description="widths of the layers of the head")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.blocks) != len(self.widths) or min(self.blocks) < 1 or min(self.widths) < 2:
            raise ValueError("as many numbers of blocks, 1 or more, as widths, 2 or more")
        return self

    @property
    def coarsest(self) -> tuple[int, int, int]:
        """Cells along z, x, y at the last resolution."""
        z, x, y = (((side - 1) >> len(self.widths)) + 1 for side in self.shape)
        return z, x, y


class EnergySparse(nn.Module):
    """From cells with energy and high-level features to numbers per muon.

    The first block of each resolution begins with a convolution of 2 cells a side and a stride of 2; all
    others are submanifold, 3 cells a side. Means and maxima are over the coarsest grid, whose empty cells
    count as zero.
    """

    reads = "cells"

    def __init__(self, config: EnergySparseConfig) -> None:
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleList()
        self.sum = SumOverChildren()
        for before, (width, count) in zip(
            (1, *config.widths), zip(config.widths, config.blocks, strict=True), strict=False
        ):
            for place, (channels_in, channels_out) in enumerate(pairwise((before, *[width] * count))):
                self.blocks.append(
                    SparseEnergyBlock(
                        channels_in,
                        channels_out,
                        halve=place == 0,
                        first=len(self.blocks) == 0,
                        norm=config.norm,
                        identity=config.identity,
                        e_pass=config.e_pass,
                        excitation=config.excitation,
                    )
                )
        z, x, y = config.coarsest
        read = config.widths[-1] * (2 if config.pooling == "mean-max" else z * x * y)
        self.head = EnergyHead(read + config.features, config.hidden, config.outputs)

    def forward(
        self,
        energy_gev: Float[Tensor, "cell"],
        coordinates: Int64[Tensor, "cell 4"] | SparseGeometry,
        features: Float[Tensor, "n feature"],
    ) -> Float[Tensor, "n output"]:
        """Return the outputs.

        ``coordinates`` are the muon (from 0), iz, ix and iy of each cell, in any order, or the geometry made
        of those that are not left out. ``features`` are standardised; they tell how many muons there are,
        even if the network reads none of them.

        Raises
        ------
        ValueError
            if there are other features than the network reads, or cells out of the grid.
        """
        check_features(features, self.config.features)
        samples = features.shape[0]
        if isinstance(coordinates, SparseGeometry):
            geometry = coordinates
        else:
            if self.config.least_mev:
                kept = energy_gev >= 1e-3 * self.config.least_mev
                energy_gev, coordinates = energy_gev[kept], coordinates[kept]
            if not _inside(coordinates, (samples, *self.config.shape)):
                raise ValueError(
                    f"the network reads cells of {samples} muons in a grid of {self.config.shape}"
                )
            geometry = SparseGeometry(coordinates)
        energy = geometry.gather(energy_gev[:, None])
        x = SparseTensor(scale_cells(energy, self.config.cells), geometry)
        for block in self.blocks:
            if block.halve and block.e_pass:
                energy = self.sum(x.with_features(energy)).features
            x = block(x, energy, samples)
        grid = on_grid(x, samples, self.config.coarsest)
        read = [grid.amax(dim=1), grid.mean(dim=1)]
        if self.config.pooling == "flatten":
            read = [grid.flatten(1)]
        if self.config.features:
            read.append(features)
        out: Tensor = self.head(torch.cat(read, dim=1))
        return out


def _inside(coordinates: Int64[Tensor, "cell 4"], limits: tuple[int, ...]) -> bool:
    if len(coordinates) == 0:
        return True
    low, high = coordinates.aminmax(dim=0)
    return bool(((low >= 0) & (high < high.new_tensor(limits))).all())
