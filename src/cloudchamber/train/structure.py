"""Loss of the walls' structure: which columns hold wall, how high, and on which level all of them stand."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from cloudchamber.model.walls_resnet import Structure

# Each term about as large as the others at the start of a training.
OCCUPIED, TOP, BASE = 4.0, 0.5, 0.3


def structure_loss(structure: Structure, target: Float[Tensor, "n z x y"]) -> Float[Tensor, ""]:
    """Return the weighted sum of three cross-entropies.

    Of every column, whether it holds wall; of every column that does, its highest layer; of every volume with
    wall, the lowest layer, which is common to all its walls (generator of the MODE challenge, 2022).
    """
    walls = target > 0.5
    layers = walls.shape[1]
    column, layer = walls.any(dim=1), walls.flatten(2).any(dim=2)
    top = layers - 1 - walls.flip(1).to(torch.uint8).argmax(dim=1)
    base = layer.to(torch.uint8).argmax(dim=1)
    occupied = F.binary_cross_entropy_with_logits(structure.occupied.float(), column.float())
    tops = F.cross_entropy(structure.top.float(), top, reduction="none")
    bases = F.cross_entropy(structure.base.float(), base, reduction="none")
    any_wall = layer.any(dim=1)
    return (
        OCCUPIED * occupied
        + TOP * (tops * column).sum() / column.sum().clamp(min=1)
        + BASE * (bases * any_wall).sum() / any_wall.sum().clamp(min=1)
    )
