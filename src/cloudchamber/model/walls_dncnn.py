"""Denoising network in 3D, after Auclair (MODE challenge, 2022: IOU .773, private .772)."""

from typing import Literal

from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from cloudchamber.model.blocks import batch_norm, convolution
from cloudchamber.model.walls_maps import check_maps


class WallsDnCNNConfig(BaseModel):
    """The network. Auclair tried up to ten blocks and ten features, and kernels of 3 and 5.

    Which of them won is not known; the defaults are the deepest and widest at the kernel of the original
    DnCNN.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: int = Field(default=1, ge=1, description="maps per volume")
    features: int = Field(default=10, ge=1, le=10, description="channels throughout")
    blocks: int = Field(default=10, ge=0, le=10, description="convolution, batch normalisation, ReLU")
    kernel: Literal[3, 5] = Field(default=3, description="side of every kernel")


class WallsDnCNN(nn.Module):
    """From maps of any size to a logit per voxel, by convolutions that keep the size.

    Convolution and ReLU; ``blocks`` times convolution, batch normalisation, ReLU; convolution (Zhang et al.,
    arXiv:1608.03981, in 3D). The original learns the noise and subtracts it; Auclair takes the last
    convolution for the logits. Where batch normalisation follows, the convolution has no bias, as that would
    cancel.
    """

    def __init__(self, config: WallsDnCNNConfig) -> None:
        super().__init__()
        self.config = config
        f, k = config.features, config.kernel
        layers = [convolution(3, config.inputs, f, k, bias=True), nn.ReLU()]
        for _ in range(config.blocks):
            layers += [convolution(3, f, f, k), batch_norm(3, f), nn.ReLU()]
        self.layers = nn.Sequential(*layers, convolution(3, f, 1, k, bias=True))

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
