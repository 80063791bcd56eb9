"""Trained models that label the voxels of sparse events."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from torch import nn

from cloudchamber import __version__
from cloudchamber.infer.bundle import build_parts, find_parts, write_parts
from cloudchamber.prepare.voxel_features import EnergyScale


class VoxelsBundleConfig(BaseModel):
    """What it takes to run a model beside its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    task: str = "voxels"
    network: str
    options: dict[str, Any]
    energy: EnergyScale
    voxel_mm: float
    relabelled: bool
    symmetries: bool = False  # average over symmetric views
    log_weights: tuple[float, ...] = ()  # of the classes in training, which predictions take back
    version: str = __version__


@dataclass(frozen=True)
class VoxelsBundle:
    """A trained model ready to predict."""

    config: VoxelsBundleConfig
    network: nn.Module
    card: str


def save_voxels_bundle(path: Path, bundle: VoxelsBundle) -> None:
    """Write a bundle as a whole, see :func:`cloudchamber.infer.bundle.save_bundle`."""
    write_parts(path, bundle.config, bundle.network, bundle.card)


def load_voxels_bundle(name: str | Path) -> VoxelsBundle:
    """Load a bundle for voxels: a folder or .zip by path, or one of the package's by name.

    Raises
    ------
    InputError
        if there is none, it is for another task, a file of it is missing, damaged or does not fit the
        network.
    """
    return VoxelsBundle(*build_parts(*find_parts(name), VoxelsBundleConfig, "voxels"))
