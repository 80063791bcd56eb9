"""The convolutional networks that came before the paper's: one layer per resolution, or several."""

from itertools import pairwise

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from cloudchamber.model.energy_blocks import (
    CellScale,
    EnergyHead,
    check_features,
    he_convolution,
    scale_cells,
)


class EnergyCNNConfig(BaseModel):
    """The network. The defaults are the baseline of Strong, Dorigo and Layer (13 July 2021)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shape: tuple[int, int, int] = Field(default=(50, 32, 32), description="cells along z, x, y")
    cells: CellScale = Field(default="linear", description="what convolutions read: GeV, or ln(1 + E/MeV)")
    channels: tuple[int, ...] = Field(
        default=(8, 12, 18, 27), min_length=1, description="of each layer that halves the grid"
    )
    deeper: int = Field(default=0, ge=0, description="layers that keep the grid, after each that halves it")
    hidden: tuple[int, ...] = Field(default=(216, 108), description="widths of the layers of the head")
    features: int = Field(default=0, ge=0, description="high-level features that are read; 0: none")
    outputs: int = Field(default=1, ge=1, description="numbers per muon, of which the training makes sense")


class EnergyCNN(nn.Module):
    """Convolutions of 3 cells a side, some of stride 2, with a rectifier and without bias; then a head."""

    reads = "grid"

    def __init__(self, config: EnergyCNNConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        size = list(config.shape)
        for before, after in pairwise((1, *config.channels)):
            layers += [he_convolution(before, after, 3, stride=2), nn.ReLU()]
            for _ in range(config.deeper):
                layers += [he_convolution(after, after, 3), nn.ReLU()]
            size = [(side + 1) // 2 for side in size]
        self.layers = nn.Sequential(*layers)
        read = config.channels[-1] * size[0] * size[1] * size[2]
        self.head = EnergyHead(read + config.features, config.hidden, config.outputs, nn.ReLU)

    def forward(
        self,
        grid: Float[Tensor, "n 1 z x y"],
        features: Float[Tensor, "n feature"] | None = None,
    ) -> Float[Tensor, "n output"]:
        """Return the outputs for grids in GeV and, if they are read, standardised features.

        Raises
        ------
        ValueError
            if the grid or the features are of another shape than the network's.
        """
        check_features(features, self.config.features)
        if grid.ndim != 5 or grid.shape[1:] != (1, *self.config.shape):
            raise ValueError(
                f"the network reads grids of (n, 1, *{self.config.shape}), got {tuple(grid.shape)}"
            )
        read = [self.layers(scale_cells(grid, self.config.cells)).flatten(1)]
        if features is not None and self.config.features:
            read.append(features)
        out: Tensor = self.head(torch.cat(read, dim=1))
        return out
