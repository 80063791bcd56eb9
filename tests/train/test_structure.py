import math

import torch

from cloudchamber.model.walls_resnet import Structure
from cloudchamber.train.structure import BASE, OCCUPIED, TOP, structure_loss


def _walls() -> torch.Tensor:
    walls = torch.zeros(2, 6, 3, 3)
    walls[0, 1:5, 0, 0] = 1
    walls[0, 1:4, 2, 1] = 1
    return walls  # the second volume is empty


def test_a_perfect_description_costs_nothing() -> None:
    walls = _walls()
    occupied = torch.where(walls.any(dim=1), 50.0, -50.0)
    top = torch.zeros(2, 6, 3, 3)
    top[0, 4, 0, 0] = top[0, 3, 2, 1] = 50.0
    base = torch.zeros(2, 6)
    base[0, 1] = 50.0
    assert float(structure_loss(Structure(occupied, top, base), walls)) < 1e-6


def test_knowing_nothing_costs_the_entropy() -> None:
    nothing = Structure(torch.zeros(2, 3, 3), torch.zeros(2, 6, 3, 3), torch.zeros(2, 6))
    expected = OCCUPIED * math.log(2) + (TOP + BASE) * math.log(6)
    assert abs(float(structure_loss(nothing, _walls())) - expected) < 1e-5


def test_one_wrong_top_costs_its_share() -> None:
    walls = _walls()
    occupied = torch.where(walls.any(dim=1), 50.0, -50.0)
    top = torch.zeros(2, 6, 3, 3)
    top[0, 4, 0, 0], top[0, 4, 2, 1] = 50.0, 10.0  # the second column's is layer 3
    base = torch.zeros(2, 6)
    base[0, 1] = 50.0
    found = float(structure_loss(Structure(occupied, top, base), walls))
    assert abs(found - TOP * math.log(math.exp(10) + 5) / 2) < 1e-4
