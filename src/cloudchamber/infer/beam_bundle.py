"""Trained models that separate beam and cosmics on the wires of a LArTPC."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from cloudchamber import __version__
from cloudchamber.infer.bundle import build_parts, find_parts, write_parts
from cloudchamber.prepare.beam_images import BeamImageConfig
from cloudchamber.prepare.beam_input import BeamInput


class BeamBundleConfig(BaseModel):
    """What it takes to run a model beside its weights; how large the planes were that it was trained on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    task: str = "beam"
    network: str
    options: dict[str, Any]
    inputs: BeamInput
    images: BeamImageConfig
    unit: str  # of the signal, per tick
    plane_wires: int = Field(ge=1)
    plane_drifts: int = Field(ge=1)  # pixels of images.rebin ticks
    n_train: int = 0  # images it was trained on
    version: str = __version__

    @property
    def whole_planes(self) -> bool:
        """Whether it was trained on planes as they are, so that it labels them pixel for pixel, in tiles."""
        return (self.images.wires, self.images.drifts) == (self.plane_wires, self.plane_drifts)


@dataclass(frozen=True)
class BeamBundle:
    """A trained model ready to predict."""

    config: BeamBundleConfig
    network: nn.Module
    card: str


def save_beam_bundle(path: Path, bundle: BeamBundle) -> None:
    """Write a bundle as a whole, see :func:`cloudchamber.infer.bundle.save_bundle`."""
    write_parts(path, bundle.config, bundle.network, bundle.card)


def load_beam_bundle(name: str | Path) -> BeamBundle:
    """Load a bundle for beam and cosmics: a folder or .zip by path, or one of the package's by name.

    Raises
    ------
    InputError
        if there is none, it is for another task, a file of it is missing, damaged or does not fit the
        network.
    """
    return BeamBundle(*build_parts(*find_parts(name), BeamBundleConfig, "beam"))
