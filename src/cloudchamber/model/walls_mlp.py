"""Perceptrons, after Munkes (MODE challenge, 2022: IOU .692, private .692, by five of them)."""

from math import prod
from typing import Any, Literal, Self

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator
from torch import Tensor, nn

from cloudchamber.model.walls_maps import Size, check_maps

Activation = Literal["tanh", "relu", "sigmoid"]

_ACTIVATION: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid}
EDGE = 1e-4
"""How near to 0 and 1 the probability comes that a ReLU stands for."""

MUNKES: tuple[dict[str, Any], ...] = (
    {"layers": [1280, "tanh", 1000, "relu"]},
    {"layers": [1000, "tanh", 1000, "relu"]},
    {"layers": ["tanh", 1000, "relu", 1000, "relu"]},
    {"layers": [1100, "tanh", 1000, "relu", 1000, "relu", 1000, "relu"]},
    {"layers": [1000, "tanh", 1000, "relu", 1000, "tanh", 1000, "relu"]},
)
"""Options of his five networks; a voxel is wall where at least three of them are above .35."""


class WallsMLPConfig(BaseModel):
    """The network: linear layers, each by its width, and activations, in their order.

    The default is the first of Munkes's five networks; ``MUNKES`` has the options of all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: int = Field(default=1, ge=1, description="maps per volume")
    size: Size = Field(default=(10, 10, 10), description="voxels of a volume (z, x, y)")
    layers: tuple[PositiveInt | Activation, ...] = Field(
        default=(1280, "tanh", 1000, "relu"),
        description="widths of linear layers, and activations; the last layer has a value per voxel, and the "
        "last activation is relu or sigmoid",
    )

    @model_validator(mode="after")
    def _ends_in_probabilities(self) -> Self:
        voxels = prod(self.size)
        if len(self.layers) < 2 or self.layers[-2] != voxels or self.layers[-1] not in ("relu", "sigmoid"):
            raise ValueError(f"layers must end in {voxels} (a value per voxel) and relu or sigmoid")
        return self


class _Held(torch.autograd.Function):
    """The value held between the edges; backwards, what would push it further out is left out."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        ctx.save_for_backward(value)
        return value.clamp(EDGE, 1 - EDGE)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (value,) = ctx.saved_tensors
        outwards = ((value < EDGE) & (gradient > 0)) | ((value > 1 - EDGE) & (gradient < 0))
        return gradient.masked_fill(outwards, 0.0)


def logit_of_relu(value: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return logits whose sigmoid is the ReLU of the value, held between ``EDGE`` and 1 - ``EDGE``.

    A squared error of the sigmoid then has the gradient 2 (p - target) at the value itself, with p the value
    held, unless that points further out: a value beyond the edges comes back where it is wrong and rests
    where it is right.
    """
    held: Tensor = _Held.apply(value.float())  # type: ignore[no-untyped-call]
    return torch.logit(held)


class WallsMLP(nn.Module):
    """From maps of one size, taken as one vector, to a logit per voxel.

    Munkes ends in a ReLU and takes its value for the probability of wall: squared error against 0 and 1, cut
    at .35. Here every network returns logits, so the value y becomes logit(y), held within (0, 1); its
    sigmoid is y again. Trained with ``mse`` that is his training but for the values beyond 0 and 1. One above
    1 counts as 1, so that nothing pulls it back where there is wall. One below 0 rests where there is none,
    as with ReLU, but is pulled up where there is wall, as ReLU would not let it: with ReLU's own gradient an
    eighth of the voxels of a small copy of the fourth network ended as never wall, whatever the maps.
    """

    def __init__(self, config: WallsMLPConfig) -> None:
        super().__init__()
        self.config = config
        width = config.inputs * prod(config.size)
        layers: list[nn.Module] = []
        for layer in config.layers:
            if isinstance(layer, int):
                layers.append(nn.Linear(width, layer))
                width = layer
            else:
                layers.append(_ACTIVATION[layer]())
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, x: Float[Tensor, "n c z x y"]) -> Float[Tensor, "n 1 z x y"]:
        """Return logits.

        Raises
        ------
        ValueError
            if the number or the size of the maps is not that of the network.
        """
        check_maps(x, self.config.inputs, self.config.size)
        out: Tensor = self.layers(x.flatten(1))
        logits = out if self.config.layers[-1] == "sigmoid" else logit_of_relu(out)
        return logits.view(len(x), 1, *self.config.size)
