"""Encoder, decoder: layers as channels, after Bury (MODE challenge, 2022: IOU .793, private .793)."""

from itertools import pairwise
from typing import Self

from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator
from torch import Tensor, nn

from cloudchamber.model.walls_maps import check_layers, check_maps


class WallsEncoderDecoderConfig(BaseModel):
    """The network. The defaults are Bury's: 231,430 parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: int = Field(default=1, ge=1, description="maps per volume")
    layers: int = Field(default=10, ge=1, description="layers of a volume, the channels of the network")
    features: tuple[PositiveInt, ...] = Field(
        default=(50, 100, 150, 200), min_length=1, description="channels after each convolution"
    )
    kernels: tuple[PositiveInt, ...] = Field(default=(3, 2, 2, 1), description="their kernels")

    @model_validator(mode="after")
    def _as_many(self) -> Self:
        if len(self.features) != len(self.kernels):
            raise ValueError(f"{len(self.features)} features, {len(self.kernels)} kernels: give as many")
        return self


class WallsEncoderDecoder(nn.Module):
    """From maps to a logit per voxel: the encoder's convolutions, and their mirror.

    Each is convolution, SELU, batch normalisation. Nothing is padded, so that 10x10 columns become 8x8, 7x7,
    6x6, 6x6 (the deck gives the latent size as 6x6), and the mirrored transposed convolutions lead back to
    10x10. The last has batch normalisation alone, and the sigmoid that follows it is left to the loss.
    """

    def __init__(self, config: WallsEncoderDecoderConfig) -> None:
        super().__init__()
        self.config = config
        encoder: list[nn.Module] = []
        widths = [config.inputs * config.layers, *config.features]
        for (a, b), kernel in zip(pairwise(widths), config.kernels, strict=True):
            encoder += [nn.Conv2d(a, b, kernel), nn.SELU(), nn.BatchNorm2d(b)]
        self.encoder = nn.Sequential(*encoder)
        decoder: list[nn.Module] = []
        mirror = [*reversed(config.features), config.layers]
        for (a, b), kernel in zip(pairwise(mirror), reversed(config.kernels), strict=True):
            decoder += [nn.ConvTranspose2d(a, b, kernel), nn.SELU(), nn.BatchNorm2d(b)]
        del decoder[-2]
        self.decoder = nn.Sequential(*decoder)

    def forward(self, x: Float[Tensor, "n c z x y"]) -> Float[Tensor, "n 1 z x y"]:
        """Return logits.

        Raises
        ------
        ValueError
            if the number of maps or of layers is not that of the network.
        """
        check_maps(x, self.config.inputs)
        check_layers(x, self.config.layers)
        logits: Tensor = self.decoder(self.encoder(x.flatten(1, 2)))
        return logits[:, None]
