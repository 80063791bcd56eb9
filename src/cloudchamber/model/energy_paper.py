"""The network of Kieseler et al. (arXiv:2107.02119) for the energy of a muon, and all of its ablations."""

from typing import Literal, Self

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from cloudchamber.model.energy_blocks import (
    CellScale,
    EnergyBlock,
    EnergyHead,
    NormKind,
    check_features,
    scale_cells,
)


class EnergyPaperConfig(BaseModel):
    """The network. The defaults are the authors': 636,570 parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shape: tuple[int, int, int] = Field(default=(50, 32, 32), description="cells along z, x, y")
    cells: CellScale = Field(default="linear", description="what convolutions read: GeV, or ln(1 + E/MeV)")
    norm: NormKind = "running"
    identity: bool = Field(default=True, description="shortcuts around the convolutions")
    e_pass: bool = Field(default=True, description="summed energy beside the output of every block")
    excitation: bool = Field(default=True, description="squeeze-excitation")
    pooling: Literal["mean-max", "flatten"] = "mean-max"
    cnn: bool = Field(default=True, description="read the grid; without it, the features alone")
    features: int = Field(default=28, ge=0, description="high-level features that are read; 0: none")
    outputs: int = Field(default=1, ge=1, description="numbers per muon, of which the training makes sense")
    filters: int = Field(default=8, ge=4, description="convolution channels of the first stage")
    growth: float = Field(default=1.5, ge=1, description="channels of a stage over those of the one before")
    stages: int = Field(default=4, ge=1, le=8, description="how often the grid is halved")
    blocks: int = Field(default=3, ge=1, description="residual blocks at each resolution")
    hidden: tuple[int, ...] = Field(default=(80, 80, 80), description="widths of the layers of the head")

    @model_validator(mode="after")
    def _reads(self) -> Self:
        if not self.cnn and not self.features:
            raise ValueError("without cnn and without features there is nothing to read")
        return self


def stage_widths(config: EnergyPaperConfig) -> list[list[int]]:
    """Return the channels that come out of each block of each stage.

    With the E-pass every block adds one: 9, 10, 11 | 17, 18, 19 | 29, 30, 31 | 47, 48, 49. Without, all
    blocks of a stage have as many channels as its middle block has with it: the size stays nearly the same.
    """
    widths, last = [], 0
    for stage in range(config.stages):
        first = (int(config.growth * last) if stage else config.filters) + 1
        last = first + config.blocks - 1
        widths.append(list(range(first, last + 1)))
    if not config.e_pass:
        return [[stage[config.blocks // 2]] * config.blocks for stage in widths]
    return widths


class EnergyPaper(nn.Module):
    """From a grid of energies and high-level features to numbers per muon."""

    reads = "grid"

    def __init__(self, config: EnergyPaperConfig) -> None:
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleList()
        channels, size, read = 1, list(config.shape), 0
        for number, stage in enumerate(stage_widths(config) if config.cnn else []):
            for place, width in enumerate(stage):
                self.blocks.append(
                    EnergyBlock(
                        channels,
                        width - config.e_pass,
                        halve=place == 0,
                        first=number == place == 0,
                        norm=config.norm,
                        identity=config.identity,
                        e_pass=config.e_pass,
                        excitation=config.excitation,
                    )
                )
                channels = width
            size = [side // 2 + 1 for side in size]
            read = 2 * channels if config.pooling == "mean-max" else channels * size[0] * size[1] * size[2]
        self.head = EnergyHead(read + config.features, config.hidden, config.outputs)

    def forward(
        self,
        grid: Float[Tensor, "n 1 z x y"],
        features: Float[Tensor, "n feature"] | None = None,
    ) -> Float[Tensor, "n output"]:
        """Return the outputs for grids in GeV and standardised features; what is not read may be anything.

        Raises
        ------
        ValueError
            if the grid or the features are of another shape than the network's.
        """
        check_features(features, self.config.features)
        read = [self._read_grid(grid)] if self.config.cnn else []
        if features is not None and self.config.features:
            read.append(features)
        out: Tensor = self.head(torch.cat(read, dim=1))
        return out

    def _read_grid(self, grid: Tensor) -> Tensor:
        if grid.ndim != 5 or grid.shape[1:] != (1, *self.config.shape):
            raise ValueError(
                f"the network reads grids of (n, 1, *{self.config.shape}), got {tuple(grid.shape)}"
            )
        first, *others = self.blocks
        x: Tensor = first(scale_cells(grid, self.config.cells), grid)
        for block in others:
            x = block(x)
        if self.config.pooling == "flatten":
            return x.flatten(1)
        cells = x.flatten(2)
        return torch.cat([cells.amax(dim=2), cells.mean(dim=2)], dim=1)
