"""Everything a simulation of buried walls depends on, and the two physics settings."""

from itertools import pairwise
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

CHALLENGE, FULL = "challenge-2022", "full"


class Frozen(BaseModel):
    """A configuration: immutable, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Material(Frozen):
    """What a muon meets: scattering by ``x0_m``, energy loss by the rest (Bethe formula).

    Silicon dioxide stands for soil and stone unless said otherwise: Z/A and mean excitation energy of SiO2
    from the NIST tables (0.49930, 139.2 eV).
    """

    x0_m: float = Field(gt=0, description="radiation length in metres")
    density_g_cm3: float = Field(default=1.0, gt=0)
    z_over_a: float = Field(default=0.49930, gt=0, lt=1.1)
    excitation_ev: float = Field(default=139.2, gt=0)


class Volume(Frozen):
    """The passive volume and the walls in it."""

    shape: tuple[int, int, int] = Field(default=(10, 10, 10), description="voxels in (z, x, y)")
    voxel_m: float = Field(default=1.0, gt=0)
    base_m: float = Field(default=1.0, description="height of the lower face above z = 0")
    soil: Material = Material(x0_m=0.262425, density_g_cm3=1.0)
    wall: Material = Material(x0_m=0.0802252, density_g_cm3=3.0)
    n_walls: tuple[int, int] = Field(default=(1, 4), description="fewest and most walls")
    ground: tuple[int, int] = Field(default=(0, 4), description="lowest and highest layer walls stand on")
    least_height: int = Field(default=4, ge=1, description="least height of a wall in layers")
    stop_length: float = Field(default=10.0, gt=0, description="a wall stops with exp(-stop_length/length)")
    turn_length: float = Field(default=5.0, gt=0, description="and turns with exp(-turn_length/steps)")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if min(self.shape) < 1 or not 0 <= self.n_walls[0] <= self.n_walls[1]:
            raise ValueError("shape and n_walls must be positive, the fewest walls not above the most")
        if (
            not 0 <= self.ground[0] <= self.ground[1]
            or self.ground[1] + self.least_height > self.shape[0] - 1
        ):
            raise ValueError("walls of the least height on the highest ground must end below the top layer")
        return self

    @property
    def side_x_m(self) -> float:
        """Length of the footprint along x."""
        return self.shape[1] * self.voxel_m

    @property
    def side_y_m(self) -> float:
        """Length of the footprint along y."""
        return self.shape[2] * self.voxel_m

    @property
    def top_m(self) -> float:
        """Height of the upper face."""
        return self.base_m + self.shape[0] * self.voxel_m


class Muons(Frozen):
    """Which muons arrive, and where."""

    count: int = Field(default=10_000, ge=1, description="muons per volume")
    momentum_gev: float | None = Field(default=1.0, description="one momentum; none: the sea-level spectrum")
    least_momentum_gev: float = Field(default=0.5, gt=0, description="where the spectrum is cut")
    theta_max_deg: float = Field(default=70.0, gt=0, lt=90)
    theta_bins: int | None = Field(default=200, description="draw bin centres (challenge); none: continuous")
    horizontal_flux: bool = Field(default=False, description="sin(theta) cos(theta) of a horizontal plane")
    margin_deg: float = Field(
        default=15.0, ge=0, lt=90, description="start area: top height x tan(margin) past the footprint"
    )


class Transport(Frozen):
    """Multiple scattering and energy loss in the volume."""

    step_m: float = Field(default=0.05, gt=0, description="vertical step; voxels are looked up at its start")
    log_term: Literal["step", "volume"] = Field(
        default="step",
        description="thickness in Highland's logarithm: one step (challenge) or the whole height of soil",
    )
    azimuth_shrinks: bool = Field(
        default=True, description="challenge: the 1/sin(theta) of the azimuth is missing"
    )
    beta: bool = Field(default=False, description="divide theta0 by beta")
    energy_loss: bool = False


class Panels(Frozen):
    """Detector panels: heights, resolution, response."""

    above_m: tuple[float, ...] = (12.0, 11.75, 11.5, 11.25)
    below_m: tuple[float, ...] = (1.0, 0.75, 0.5, 0.25)
    resolution_m: float = Field(default=1e-4, gt=0)
    response: Literal["soft", "hard"] = Field(
        default="soft", description="soft: resolution and efficiency fade as a Gaussian of span_m (challenge)"
    )
    span_m: float = Field(default=10.0, gt=0, description="soft: Gaussian width; hard: half the side")
    efficiency: float = Field(default=1.0, gt=0, le=1, description="of a hit in a hard panel")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for heights in (self.above_m, self.below_m):
            if len(heights) < 2 or any(a <= b for a, b in pairwise(heights)):
                raise ValueError("give two or more panels on either side, each in falling order of height")
        return self


class Reconstruction(Frozen):
    """Track fit, point of closest approach, map of radiation lengths."""

    fit_precision: Literal["single", "double"] = Field(
        default="single", description="single: the challenge's rounding, as large as its hit resolution"
    )
    uncertainty: Literal["pairs", "independent"] = Field(
        default="pairs", description="pairs: (1/2)[(sum a)^2 + sum a^2] (challenge); independent: sum a^2"
    )
    momentum: Literal["known", "smeared", "unknown"] = "known"
    momentum_resolution: float = Field(default=0.2, ge=0, description="relative, where smeared")
    momentum_guess_gev: float = Field(default=4.0, gt=0, description="for every muon, where unknown")


class WallsConfig(Frozen):
    """The simulation of one scanned volume; the defaults are the challenge of 2022."""

    setting: str = CHALLENGE
    volume: Volume = Volume()
    muons: Muons = Muons()
    transport: Transport = Transport()
    panels: Panels = Panels()
    reconstruction: Reconstruction = Reconstruction()

    @model_validator(mode="after")
    def _stands(self) -> Self:
        if min(self.panels.above_m) < self.volume.top_m or max(self.panels.below_m) > self.volume.base_m:
            raise ValueError("the panels must lie above and below the passive volume")
        return self


def challenge_2022() -> WallsConfig:
    """Return the MODE challenge of 2022, quirks included: 1 GeV, soft panels, missing 1/sin(theta)."""
    return WallsConfig()


def full() -> WallsConfig:
    """Return the physical setting: spectrum, flux through a plane, energy loss, hard panels, real errors."""
    return WallsConfig(
        setting=FULL,
        volume=Volume(
            soil=Material(x0_m=0.262425, density_g_cm3=1.0), wall=Material(x0_m=0.0802252, density_g_cm3=3.0)
        ),
        muons=Muons(momentum_gev=None, theta_bins=None, horizontal_flux=True),
        transport=Transport(log_term="volume", azimuth_shrinks=False, beta=True, energy_loss=True),
        panels=Panels(response="hard", span_m=20.0, efficiency=0.98),
        reconstruction=Reconstruction(fit_precision="double", uncertainty="independent", momentum="smeared"),
    )


SETTINGS = {CHALLENGE: challenge_2022, FULL: full}
