"""Bundles for energies whose predictions are known."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor, nn

from cloudchamber.calorimeter_events import CalorimeterEvents
from cloudchamber.infer.energy_bundle import EnergyBundle, EnergyBundleConfig
from cloudchamber.model.energy_output import EnergyOutput
from cloudchamber.model.ensemble import Ensemble
from cloudchamber.prepare.feature_scale import FeatureScale
from tests.train.muons import GRID

PLAIN = EnergyOutput()
UNSCALED = FeatureScale(mean=(0.0,) * 28, std=(1.0,) * 28)


class BySide(nn.Module):
    """Outputs of each muon: multiples of the sum of E (1 + ix) plus the feature moment_x, if it is read."""

    reads = "cells"

    def __init__(self, *factors: float) -> None:
        super().__init__()
        self.factors = nn.Parameter(torch.tensor(factors))
        self.config = SimpleNamespace(shape=GRID.shape)

    def forward(self, energy_gev: Tensor, coordinates: Tensor, features: Tensor) -> Tensor:
        sums = torch.zeros(len(features)).index_add_(
            0, coordinates[:, 0], energy_gev * (1 + coordinates[:, 2])
        )
        if features.shape[1]:
            sums = sums + features[:, 22]
        return sums[:, None] * self.factors


def side_bundle(
    *networks: BySide,
    losses: tuple[float, ...] = (1.0,),
    output: EnergyOutput = PLAIN,
    features: FeatureScale | None = None,
    symmetries: bool = False,
) -> EnergyBundle:
    """Return a bundle of one network or several, not calibrated."""
    network = networks[0] if len(networks) == 1 else Ensemble(networks)
    config = EnergyBundleConfig(
        name="test", network="none", options={}, losses=losses, output=output, features=features,
        calibration=None, deck=None, intervals=None, grid=GRID, n_train=0, symmetries=symmetries,
    )  # fmt: skip
    return EnergyBundle(config, network, "# test\n\nFor tests.\n")


def side_sums(events: CalorimeterEvents) -> np.ndarray:
    """Return the sum of E (1 + ix) of each muon."""
    weights = events.energy_gev.astype(float) * (1 + events.position[:, 1])
    return np.bincount(events.event_of_cell(), weights, minlength=len(events))


def true_energies(events: CalorimeterEvents) -> np.ndarray:
    """Return the true energies in GeV, in double precision."""
    if events.muons is None:
        raise ValueError("these muons come without truth")
    return events.muons["energy_gev"].astype(np.float64)
