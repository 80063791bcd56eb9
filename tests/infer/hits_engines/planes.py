"""Planes and small networks that the tests of the engines share."""

from typing import NamedTuple

import numpy as np
import torch

from cloudchamber.model.hits_patch import HitsPatch, HitsPatchConfig
from cloudchamber.model.hits_plane import HitsPlane, HitsPlaneConfig


def patch_network(**options: object) -> HitsPatch:
    """A patch network with random weights, biases too; small unless options say otherwise."""
    torch.manual_seed(3)
    small = {"patch": 16, "filters": 6, "kernel": 5, "hidden": (24, 8)}
    network = HitsPatch(HitsPatchConfig.model_validate(small | options)).eval()
    for name, values in network.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(values, std=0.3)  # padded and empty areas count
    return network


def plane_network() -> HitsPlane:
    """A small network for planes with random weights."""
    torch.manual_seed(4)
    return HitsPlane(HitsPlaneConfig(channels=6, dilations=(1, 2), head=5)).eval()


class Toy(NamedTuple):
    """A plane, and hits in it."""

    plane: np.ndarray
    wire: np.ndarray
    drift: np.ndarray


def toy_plane(wires: int, drifts: int, hits: int, seed: int = 0) -> Toy:
    """Return noise and straight tracks; hits anywhere, on the corners too if there are four or more."""
    rng = np.random.default_rng(seed)
    plane = rng.normal(0, 1, (wires, drifts)).astype(np.float32)
    for _ in range(3):
        along = np.linspace(0, 1, 2 * max(wires, drifts))
        ends = rng.random((2, 2))
        line = ends[0] + along[:, None] * (ends[1] - ends[0])
        place = (line * (wires, drifts)).astype(int)
        plane[place[:, 0], place[:, 1]] += rng.uniform(5, 20)
    wire, drift = rng.integers(0, wires, hits), rng.integers(0, drifts, hits)
    if hits >= 4:
        wire[:4], drift[:4] = (0, 0, wires - 1, wires - 1), (0, drifts - 1, 0, drifts - 1)
    return Toy(plane.clip(-10, 30), wire, drift)
