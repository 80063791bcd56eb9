"""Everything a simulation of a LArTPC depends on, and the settings."""

from functools import partial
from typing import Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cloudchamber.labels import VoxelLabel

Kind = Literal["gamma", "e-", "e+", "mu-", "mu+", "pi-", "pi+", "p"]
KINDS: tuple[Kind, ...] = get_args(Kind)  # in the order of the kinds of the compiled loops

_HIP, _MIP, _SHOWER, _DELTA, _MICHEL = VoxelLabel
# Which class a voxel takes when several deposit in it, the first that does.
PRIORITIES: dict[str, tuple[VoxelLabel, ...]] = {
    "track-first": (_HIP, _MIP, _MICHEL, _SHOWER, _DELTA),  # the newer chain's (PILArNet-M)
    "shower-before-michel": (_HIP, _MIP, _SHOWER, _MICHEL, _DELTA),
    "michel-first": (_MICHEL, _DELTA, _HIP, _MIP, _SHOWER),
}


class Frozen(BaseModel):
    """A configuration: immutable, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Vertex(Frozen):
    """Particles from one point, isotropic, their kinetic energies flat.

    Energies as published for the images, but for protons: above 400 MeV these hardly ionise more than muons.
    """

    particles: tuple[int, int] = Field(default=(1, 6), description="fewest and most particles")
    weights: dict[Kind, float] = Field(
        default={
            "gamma": 1.2, "e-": 0.7, "e+": 0.7, "mu-": 0.5, "mu+": 0.5, "pi-": 0.5, "pi+": 0.5, "p": 1.3,
        },
        description="relative frequency of each kind",
    )  # fmt: skip
    kinetic_mev: dict[Kind, tuple[float, float]] = Field(
        default={**dict.fromkeys(KINDS, (30.0, 2000.0)), "p": (30.0, 400.0)},
        description="least and most kinetic energy of each kind",
    )
    margin: float = Field(
        default=0.15, ge=0, lt=0.5, description="the vertex keeps off the faces, as a share of the side"
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not 0 <= self.particles[0] <= self.particles[1]:
            raise ValueError("particles: the fewest, 0 or more, then the most")
        if min(self.weights.values(), default=0) < 0 or not sum(self.weights.values()) > 0:
            raise ValueError("weights must not be negative, and one of them positive")
        for kind in (kind for kind, weight in self.weights.items() if weight > 0):
            if kind not in self.kinetic_mev:
                raise ValueError(f"kinetic_mev lacks {kind}")
        if any(not 0 < low <= high for low, high in self.kinetic_mev.values()):
            raise ValueError("kinetic_mev: the least, positive, then the most energy of each kind")
        return self


class CrossingMuons(Frozen):
    """Muons from outside: cos^2 of the zenith angle (the y axis), E^-2.7 at high energy."""

    count: tuple[int, int] = Field(default=(1, 5), description="fewest and most muons")
    least_mev: float = Field(default=180.0, gt=0, description="least kinetic energy")
    most_mev: float = Field(default=2500.0, gt=0, description="most kinetic energy")
    bend_mev: float = Field(default=1000.0, gt=0, description="the spectrum is (T + bend)^-2.7")
    positive: float = Field(default=0.56, ge=0, le=1, description="share of mu+")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not 0 <= self.count[0] <= self.count[1]:
            raise ValueError("count: the fewest, 0 or more, then the most")
        if not self.least_mev < self.most_mev:
            raise ValueError("most_mev must be above least_mev")
        return self


class VoxelsConfig(Frozen):
    """The simulation of one sparse event in a cube of liquid argon."""

    setting: str = "bomb-512"
    side_px: int = Field(default=512, ge=32, le=4096, description="voxels along an edge: 192, 512 or 768")
    voxel_mm: float = Field(default=3.0, gt=0)
    threshold_mev: float = Field(default=0.05, ge=0, description="voxels below it are dropped")
    margin_mm: float = Field(default=100.0, ge=0, description="particles are followed this far outside")
    vertex: Vertex = Vertex()
    muons: CrossingMuons = CrossingMuons()
    priority: tuple[VoxelLabel, ...] = Field(
        default=PRIORITIES["track-first"], description="the class of a voxel is the first that deposits in it"
    )
    least_delta_voxels: int = Field(
        default=10, ge=0, description="a delta electron with fewer voxels off its track is part of the track"
    )
    secondaries_inherit: bool = Field(
        default=True,
        description="what photons of a Michel or delta electron make bears its class (the authors' regular "
        "labels), else it is shower",
    )

    @model_validator(mode="after")
    def _stands(self) -> Self:
        if sorted(self.priority) != sorted(VoxelLabel):
            raise ValueError("priority must name every class once")
        if self.vertex.particles[0] + self.muons.count[0] < 1:
            raise ValueError("an event needs a particle: one at the vertex, or a muon, at least")
        return self


def bomb(side_px: int = 512) -> VoxelsConfig:
    """Return the particle bomb of the published images in a cube of ``side_px`` voxels."""
    return VoxelsConfig(setting=f"bomb-{side_px}", side_px=side_px)


SETTINGS = {f"bomb-{side}": partial(bomb, side) for side in (512, 192, 768)}
