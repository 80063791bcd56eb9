"""Everything a simulation of muons in a calorimeter depends on, and the settings."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Frozen(BaseModel):
    """A configuration: immutable, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sternheimer(Frozen):
    """The density effect: Sternheimer, Berger and Seltzer, At. Data Nucl. Data Tables 30, 261 (1984)."""

    a: float
    k: float
    x0: float
    x1: float
    c: float
    delta0: float = 0.0


class Material(Frozen):
    """What the cells are made of; lead tungstate unless said otherwise."""

    name: str = "PbWO4"
    density_g_cm3: float = Field(default=8.28, gt=0)
    elements: dict[int, tuple[float, float]] = Field(
        default={82: (207.2, 1.0), 74: (183.84, 1.0), 8: (15.999, 4.0)},
        description="atomic number: atomic mass and atoms per formula unit",
    )
    excitation_ev: float = Field(default=600.7, gt=0)
    density_effect: Sternheimer = Sternheimer(a=0.2276, k=3.0, x0=0.4068, x1=3.0023, c=5.8528)
    x0_mm: float = Field(default=8.9, gt=0, description="radiation length")
    moliere_mm: float = Field(default=19.6, gt=0, description="Moliere radius")
    critical_mev: float = Field(default=9.64, gt=0, description="critical energy of electrons")
    interaction_mm: float = Field(default=203.0, gt=0, description="nuclear interaction length")

    def __hash__(self) -> int:
        """Return a hash; the elements are a mapping, which has none of its own."""
        return hash(self.model_dump_json())


class Beam(Frozen):
    """The muons, which enter along z at the front face."""

    energy_gev: tuple[float, float] = Field(default=(50.0, 8000.0), description="flat kinetic energy")
    fixed_gev: tuple[float, ...] = Field(default=(), description="these energies in turn, in place of flat")
    half_width_mm: float = Field(default=20.0, ge=0, description="|x| and |y| of the entry, flat")
    angle_mrad: float = Field(default=0.0, ge=0, le=500, description="to the z axis, any azimuth")
    positive: float = Field(default=0.5, ge=0, le=1, description="share of mu+")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not 1 <= self.energy_gev[0] <= self.energy_gev[1] or any(each < 1 for each in self.fixed_gev):
            raise ValueError("energies from 1 GeV up, the least before the most")
        return self


class CalorimeterConfig(Frozen):
    """The simulation of one muon."""

    setting: str = "paper"
    shape: tuple[int, int, int] = Field(default=(50, 32, 32), description="cells along z, x, y")
    layer_mm: float = Field(default=39.6, gt=0, description="depth of a cell")
    gap_mm: float = Field(default=1.04, ge=0, description="empty space between layers")
    cell_mm: float = Field(default=3.75, gt=0, description="width of a cell")
    field_t: float = Field(default=2.0, description="magnetic field along y")
    material: Material = Material()
    beam: Beam = Beam()
    photonuclear: bool = True
    least_loss_mev: float = Field(default=10.0, gt=0, description="losses above it are sampled one by one")
    least_loss_share: float = Field(default=0.0, ge=0, lt=1, description="and above this share of the energy")

    @model_validator(mode="after")
    def _stands(self) -> Self:
        if min(self.shape) < 1 or max(self.shape) > 4096:
            raise ValueError("shape: 1 to 4096 cells along each axis")
        return self


SETTINGS = {"paper": CalorimeterConfig}
