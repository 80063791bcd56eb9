"""One 3D convolution and two dense layers, after Gonzalez (MODE challenge, 2022: IOU .663, private .666)."""

from math import prod
from typing import Self

from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from cloudchamber.model.walls_maps import Size, check_maps


class WallsConvDenseConfig(BaseModel):
    """The network. The defaults are Gonzalez's: 776,375 parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: int = Field(default=1, ge=1, description="maps per volume")
    size: Size = Field(default=(10, 10, 10), description="voxels of a volume (z, x, y)")
    filters: int = Field(default=25, ge=1, description="channels after the convolution")
    kernel: Size = Field(default=(5, 2, 1), description="kernel of the convolution (z, x, y)")
    stride: Size = Field(default=(2, 1, 1), description="stride of the convolution (z, x, y)")
    hidden: int = Field(default=100, ge=1, description="width of the hidden dense layer")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if min(*self.size, *self.kernel, *self.stride) < 1:
            raise ValueError("size, kernel and stride must be 1 or more along every axis")
        if any(k > s for k, s in zip(self.kernel, self.size, strict=True)):
            raise ValueError(f"the kernel {self.kernel} is larger than the volume {self.size}")
        return self

    @property
    def convolved(self) -> Size:
        """Size (z, x, y) after the convolution, which is not padded: 3x9x10 by default."""
        z, x, y = ((s - k) // d + 1 for s, k, d in zip(self.size, self.kernel, self.stride, strict=True))
        return z, x, y


class WallsConvDense(nn.Module):
    """From maps of one size to a logit per voxel: convolution, ReLU, dense, ReLU, dense.

    The kernel reaches over five layers and two columns, and steps by two layers: 25 filters of 3x9x10 are the
    6750 numbers that the first dense layer takes. Weights start as Keras, which he used, starts them: Glorot
    uniform (Glorot and Bengio, AISTATS 2010), biases at 0.
    """

    def __init__(self, config: WallsConvDenseConfig) -> None:
        super().__init__()
        self.config = config
        self.conv = nn.Conv3d(config.inputs, config.filters, config.kernel, stride=config.stride)
        self.hidden = nn.Linear(config.filters * prod(config.convolved), config.hidden)
        self.out = nn.Linear(config.hidden, prod(config.size))
        for layer in (self.conv, self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(self, x: Float[Tensor, "n c z x y"]) -> Float[Tensor, "n 1 z x y"]:
        """Return logits.

        Raises
        ------
        ValueError
            if the number or the size of the maps is not that of the network.
        """
        check_maps(x, self.config.inputs, self.config.size)
        features = self.conv(x).relu().flatten(1)
        logits: Tensor = self.out(self.hidden(features).relu())
        return logits.view(len(x), 1, *self.config.size)
