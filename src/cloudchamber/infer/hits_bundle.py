"""Trained models that say what pixels of wire planes show: track, shower, Michel electron, vertex."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import nn

from cloudchamber import __version__
from cloudchamber.infer.bundle import build_parts, find_parts, write_parts
from cloudchamber.prepare.hit_images import HitScale
from cloudchamber.score.hits_vertices import SOUGHT


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
    vertex_cuts: tuple[float, ...] = Field(
        default=(), description="on the scores of score.hits_vertices.SOUGHT, chosen on validation events"
    )
    version: str = __version__

    @field_validator("vertex_cuts")
    @classmethod
    def _of_each(cls, cuts: tuple[float, ...]) -> tuple[float, ...]:
        if len(cuts) not in (0, len(SOUGHT)):
            raise ValueError(f"a cut for each of {', '.join(SOUGHT)}, or none")
        return cuts


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
