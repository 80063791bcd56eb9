"""The patch network of Sulej et al.: one convolution, two dense layers, two heads."""

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

CLASSES = 3  # track, em, none


class PatchTrunkConfig(BaseModel):
    """The layers before the heads. The defaults are the published ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    patch: int = Field(default=48, ge=4, description="pixels a side of a patch")
    filters: int = Field(default=48, ge=1, description="of the convolution")
    kernel: int = Field(default=5, ge=1, description="pixels a side of the convolution, without padding")
    hidden: tuple[int, ...] = Field(default=(128, 32), min_length=1, description="widths of dense layers")
    dropout: float = Field(default=0.2, ge=0, lt=1, description="after the convolution and each dense layer")


class HitsPatchConfig(PatchTrunkConfig):
    """The network with its heads: with both it has 11,900,420 parameters."""

    em_trk_none: bool = Field(default=True, description="the head for track, em and none")
    michel: bool = Field(default=True, description="the head for Michel electrons")


class PatchTrunk(nn.Module):
    """Convolution without padding, rectifier, dropout; then dense layers, each with both.

    Weights start as Keras starts them: uniform after Glorot and Bengio (AISTATS 2010), biases zero.
    """

    def __init__(self, config: PatchTrunkConfig) -> None:
        super().__init__()
        self.side = config.patch
        inner = config.patch - config.kernel + 1
        if inner < 1:
            raise ValueError(f"a kernel of {config.kernel} pixels is larger than a patch of {config.patch}")
        self.conv = nn.Conv2d(1, config.filters, config.kernel)
        widths = (config.filters * inner**2, *config.hidden)
        self.dense = nn.ModuleList(
            nn.Linear(before, after) for before, after in zip(widths, config.hidden, strict=False)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.width = widths[-1]
        self.apply(start_as_keras)

    def forward(self, main_input: Float[Tensor, "patch 1 wire drift"]) -> Float[Tensor, "patch width"]:
        """Return the output of the last dense layer.

        Raises
        ------
        ValueError
            if patches are of another shape than the network's.
        """
        if main_input.ndim != 4 or main_input.shape[1:] != (1, self.side, self.side):
            raise ValueError(
                f"the network reads patches of (n, 1, {self.side}, {self.side}), "
                f"got {tuple(main_input.shape)}"
            )
        x: Tensor = self.dropout(torch.relu(self.conv(main_input))).flatten(1)
        for layer in self.dense:
            x = self.dropout(torch.relu(layer(x)))
        return x


class HitsPatch(nn.Module):
    """What the pixel in the middle of a patch shows. A head left out gives logits of zero."""

    reads = "patch"

    def __init__(self, config: HitsPatchConfig) -> None:
        super().__init__()
        if not (config.em_trk_none or config.michel):
            raise ValueError("a network has one head at least")
        self.config = config
        self.trunk = PatchTrunk(config)
        self.em_trk_none = nn.Linear(self.trunk.width, CLASSES) if config.em_trk_none else None
        self.michel = nn.Linear(self.trunk.width, 1) if config.michel else None
        self.apply(start_as_keras)

    def forward(
        self, main_input: Float[Tensor, "patch 1 wire drift"]
    ) -> tuple[Float[Tensor, "patch 3"], Float[Tensor, "patch 1"]]:
        """Return logits of track, em and none, and the logit of a Michel electron.

        ``main_input`` is the signal as ``prepare.hit_patches`` scales and clips it, the pixel asked for at
        (patch // 2, patch // 2).

        Raises
        ------
        ValueError
            if patches are of another shape than the network's.
        """
        x = self.trunk(main_input)
        classes = x.new_zeros(len(x), CLASSES) if self.em_trk_none is None else self.em_trk_none(x)
        michel = x.new_zeros(len(x), 1) if self.michel is None else self.michel(x)
        return classes, michel


def start_as_keras(module: nn.Module) -> None:
    """Set weights as Keras does by default: Glorot's uniform distribution, biases zero."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
