"""Trained models that say what pixels of wire planes show: track, shower, Michel electron, vertex."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from cloudchamber import __version__
from cloudchamber.infer.bundle import build_parts, find_parts, write_parts
from cloudchamber.prepare.hit_images import HitScale


class HitsBundleConfig(BaseModel):
    """What it takes to run a model beside its weights; a pixel spans ``pitch_mm`` times ``drift_mm``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    task: str = "hits"
    network: str
    options: dict[str, Any]
    scale: HitScale
    pitch_mm: float = Field(gt=0)
    drift_mm: float = Field(gt=0)
    n_train: int  # events it was trained on
    version: str = __version__


@dataclass(frozen=True)
class HitsBundle:
    """A trained model ready to predict."""

    config: HitsBundleConfig
    network: nn.Module
    card: str

    @property
    def reads(self) -> str:
        """What the network reads: ``patch``, ``plane`` or ``vertex-patch``."""
        return str(self.network.reads)


def save_hits_bundle(path: Path, bundle: HitsBundle) -> None:
    """Write a bundle as a whole, see :func:`cloudchamber.infer.bundle.save_bundle`."""
    write_parts(path, bundle.config, bundle.network, bundle.card)


def load_hits_bundle(name: str | Path) -> HitsBundle:
    """Load a bundle for hits: a folder or .zip by path, or one of the package's by name.

    Raises
    ------
    InputError
        if there is none, it is for another task, a file of it is missing, damaged or does not fit the
        network.
    """
    return HitsBundle(*build_parts(*find_parts(name), HitsBundleConfig, "hits"))
