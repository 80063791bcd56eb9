"""Plain convolutions of stride 1, the organisers' baseline (MODE challenge, 2022: IOU .611 in validation)."""

from typing import Literal

from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from cloudchamber.model.blocks import batch_norm, convolution
from cloudchamber.model.walls_maps import check_maps


class WallsCNNConfig(BaseModel):
    """The network. Its stride (1) and its loss (``bce``) are published; depth and width are not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: int = Field(default=1, ge=1, description="maps per volume")
    features: int = Field(default=16, ge=1, description="channels throughout")
    depth: int = Field(default=4, ge=1, description="convolutions before the last")
    kernel: Literal[3, 5] = Field(default=3, description="side of every kernel but the last")


class WallsCNN(nn.Module):
    """From maps of any size to a logit per voxel, by convolutions that keep the size.

    ``depth`` times convolution, batch normalisation, Swish (the activation of his other networks); then a
    1x1x1 convolution. A voxel sees ``depth * (kernel // 2)`` voxels to each side.
    """

    def __init__(self, config: WallsCNNConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        channels = config.inputs
        for _ in range(config.depth):
            layers += [
                convolution(3, channels, config.features, config.kernel),
                batch_norm(3, config.features),
                nn.SiLU(),
            ]
            channels = config.features
        self.layers = nn.Sequential(*layers, convolution(3, channels, 1, 1, bias=True))

    def forward(self, x: Float[Tensor, "n c z x y"]) -> Float[Tensor, "n 1 z x y"]:
        """Return logits.

        Raises
        ------
        ValueError
            if the number of maps is not that of the network.
        """
        check_maps(x, self.config.inputs)
        logits: Tensor = self.layers(x)
        return logits
