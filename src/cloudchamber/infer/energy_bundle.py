"""Trained models that estimate the energy of muons in a calorimeter."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from cloudchamber import __version__
from cloudchamber.calorimeter_events import CalorimeterGrid
from cloudchamber.errors import InputError
from cloudchamber.infer.bundle import build_parts, find_parts, write_parts
from cloudchamber.model.energy_output import EnergyOutput
from cloudchamber.model.ensemble import Ensemble
from cloudchamber.prepare.feature_scale import FeatureScale
from cloudchamber.score.energy_calibration import DeckCalibration, EnergyCalibration
from cloudchamber.score.energy_intervals import IntervalCalibration

ENSEMBLE = "ensemble"


class EnergyBundleConfig(BaseModel):
    """What it takes to run one network, or several copies of it (an ``ensemble``), beside the weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    task: str = "energy"
    network: str
    options: dict[str, Any]
    losses: tuple[float, ...] = Field(min_length=1)  # of each copy, which counts by the inverse
    output: EnergyOutput
    features: FeatureScale | None  # none: the network reads no features
    calibration: (
        EnergyCalibration | None
    )  # corrects the predictions; none: there were too few muons to fit it
    deck: DeckCalibration | None  # the published curve, with which MI is defined
    intervals: IntervalCalibration | None
    grid: CalorimeterGrid
    n_train: int  # muons it was trained on
    symmetries: bool = False  # average over reflections
    version: str = __version__


@dataclass(frozen=True)
class EnergyBundle:
    """A trained model ready to predict."""

    config: EnergyBundleConfig
    network: nn.Module
    card: str

    @property
    def networks(self) -> list[nn.Module]:
        """The copies that predict together; one, if it is no ensemble."""
        return list(self.network.networks) if isinstance(self.network, Ensemble) else [self.network]


def join_networks(
    networks: list[nn.Module], name: str, options: dict[str, Any]
) -> tuple[nn.Module, str, dict[str, Any]]:
    """Return several networks of one kind as one, its name and its options; a single one as it is."""
    plain = json.loads(json.dumps(options))  # as a file gives it back: lists for tuples
    if len(networks) == 1:
        return networks[0], name, plain
    members = [{"name": name, "options": plain}] * len(networks)
    return Ensemble(networks).eval(), ENSEMBLE, {"members": members, "vote_cut": None}


@torch.no_grad()
def round_weights(network: nn.Module) -> None:
    """Give a network the weights that its bundle will hold, so that what is measured is what is stored."""
    for parameter in network.parameters():
        parameter.copy_(parameter.half().to(parameter.dtype))


def save_energy_bundle(path: Path, bundle: EnergyBundle) -> None:
    """Write a bundle as a whole, see :func:`cloudchamber.infer.bundle.save_bundle`."""
    write_parts(path, bundle.config, bundle.network, bundle.card)


def load_energy_bundle(name: str | Path) -> EnergyBundle:
    """Load a bundle for energies: a folder or .zip by path, or one of the package's by name.

    Raises
    ------
    InputError
        if there is none, it is for another task, a file of it is missing, damaged or does not fit the
        network.
    """
    path, parts = find_parts(name)
    bundle = EnergyBundle(*build_parts(path, parts, EnergyBundleConfig, "energy"))
    if len(bundle.networks) != len(bundle.config.losses):
        wanted = f"{len(bundle.networks)} losses, one for each network"
        raise InputError(path, "config.toml, losses", wanted, str(len(bundle.config.losses)))
    return bundle
