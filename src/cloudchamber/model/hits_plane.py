"""A network made for whole planes: every pixel at once, maps shared, dilated convolutions at half size."""

from itertools import accumulate

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from cloudchamber.model.hits_patch import CLASSES

INPUT_UNIT = 10.0  # the signal runs from -10 to 30 after scaling; the layers read it in tens


class HitsPlaneConfig(BaseModel):
    """The network; the default has 49,000 parameters and sees about 70 pixels a side."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: int = Field(default=32, ge=1, description="of every map")
    fold: int = Field(default=2, ge=1, le=4, description="pixels a side that become channels of one place")
    dilations: tuple[int, ...] = Field(
        default=(1, 1, 2, 4, 8), min_length=1, description="of the convolutions of 3 places a side"
    )
    head: int = Field(default=32, ge=1, description="channels before the outputs")


class HitsPlane(nn.Module):
    """What every pixel of a plane shows.

    The pixels of ``fold`` x ``fold`` squares become channels (Shi et al., arXiv:1609.05158), so that the
    convolutions run over a quarter of the places and no pixel is lost; at the end they become pixels again.
    Residual convolutions of growing dilation (Yu and Koltun, arXiv:1511.07122) see far without pooling.
    Nothing is normalised over places, so a plane and a part of it give the same inside.
    """

    reads = "plane"

    def __init__(self, config: HitsPlaneConfig) -> None:
        super().__init__()
        self.config = config
        folded = config.fold**2
        self.stem = nn.Conv2d(folded, config.channels, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Conv2d(config.channels, config.channels, 3, padding=step, dilation=step)
            for step in config.dilations
        )
        self.head = nn.Conv2d(config.channels, config.head, 1)
        self.out = nn.Conv2d(config.head, (CLASSES + 1) * folded, 1)
        for layer in (self.stem, self.head):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        for block in self.blocks:
            nn.init.kaiming_normal_(block.weight, nonlinearity="relu")  # type: ignore[arg-type]
            with torch.no_grad():
                block.weight.mul_(len(self.blocks) ** -0.5)  # type: ignore[operator]
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def reach(self) -> int:
        """The most pixels along an axis from which a pixel is influenced, on either side of it."""
        return self.config.fold * (2 + list(accumulate(self.config.dilations))[-1]) - 1

    def forward(
        self, plane: Float[Tensor, "sample 1 wire drift"]
    ) -> tuple[Float[Tensor, "sample 3 wire drift"], Float[Tensor, "sample 1 wire drift"]]:
        """Return, at every pixel, logits of track, em and none, and the logit of a Michel electron.

        ``plane`` is the signal as ``prepare.hit_patches`` scales and clips it, of any size. A part of a plane
        gives the same, ``reach`` pixels from its edges, if it starts at multiples of ``fold``.

        Raises
        ------
        ValueError
            if there is not one channel.
        """
        if plane.ndim != 4 or plane.shape[1] != 1:
            raise ValueError(f"the network reads planes of (n, 1, wire, drift), got {tuple(plane.shape)}")
        fold, (wires, drifts) = self.config.fold, plane.shape[2:]
        x = F.pad(plane / INPUT_UNIT, (0, -drifts % fold, 0, -wires % fold))
        x = F.pixel_unshuffle(x, fold).contiguous(memory_format=torch.channels_last)
        x = F.relu(self.stem(x))
        for block in self.blocks:
            x = x + F.relu(block(x))
        out = F.pixel_shuffle(self.out(F.relu(self.head(x))), fold)[:, :, :wires, :drifts]
        return out[:, :CLASSES], out[:, CLASSES:]
