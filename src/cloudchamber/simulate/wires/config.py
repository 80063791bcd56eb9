"""Everything a simulation of wire readouts depends on, and the settings.

Constants of ProtoDUNE-SP: B. Abi et al., JINST 15 (2020) P12004, arXiv:2007.06722.
"""

from collections.abc import Mapping
from functools import partial
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Species = Literal["pi", "e", "p", "K", "mu"]
# Particles of the beam by momentum in GeV/c: rough shares of pions with muons, electrons, protons and kaons
# such as the run of 2018 had (arXiv:2007.06722), not its table. Of the pions a tenth is counted as muons, a
# round number: the beam line does not tell them apart.
BEAM_SHARES: Mapping[float, Mapping[Species, float]] = {
    0.3: {"pi": 0.0, "e": 1.0, "p": 0.0, "K": 0.0, "mu": 0.0},
    0.5: {"pi": 0.01, "e": 0.99, "p": 0.0, "K": 0.0, "mu": 0.0},
    1.0: {"pi": 0.33, "e": 0.24, "p": 0.39, "K": 0.0, "mu": 0.04},
    2.0: {"pi": 0.47, "e": 0.27, "p": 0.20, "K": 0.01, "mu": 0.05},
    3.0: {"pi": 0.49, "e": 0.22, "p": 0.21, "K": 0.03, "mu": 0.05},
    6.0: {"pi": 0.51, "e": 0.29, "p": 0.10, "K": 0.04, "mu": 0.06},
    7.0: {"pi": 0.57, "e": 0.21, "p": 0.11, "K": 0.05, "mu": 0.06},
}


class Frozen(BaseModel):
    """A configuration: immutable, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _check_count(count: tuple[int, int]) -> None:
    if not 0 <= count[0] <= count[1]:
        raise ValueError("count: the fewest, 0 or more, then the most")


class Geometry(Frozen):
    """Two drift volumes on either side of a cathode at x = 0; y points upwards, z along the beam.

    Wires run along y; an APA stands at the end of each drift and collects on both of its faces.
    """

    apas: int = Field(default=3, ge=1, le=16, description="APAs of a drift volume, one after the other in z")
    face_wires: int = Field(default=480, ge=8, le=4096, description="collection wires of a face of an APA")
    pitch_mm: float = Field(default=4.79, gt=0)
    drift_mm: float = Field(default=3594.0, gt=0, description="from the cathode to the wires")
    height_mm: float = Field(default=6070.0, gt=0)
    behind_mm: float = Field(default=50.0, gt=0, description="of argon behind an APA that its wall face sees")
    margin_mm: float = Field(default=200.0, ge=0, description="particles are followed this far outside")


class Beam(Frozen):
    """The particle that the event was triggered by.

    It comes as in the simulation of the beam line, through (8.9, 461.7, -196) cm at 11.8 degrees to -x and
    11.1 degrees downwards, so through (-32, 423, 0) cm.
    """

    count: int = Field(default=1, ge=0, le=16, description="particles; 0 for an event without beam")
    momentum_gev: tuple[float, float] = Field(default=(7.0, 7.0), description="least and most, drawn flat")
    shares: dict[Species, float] | None = Field(
        default=None, description="relative frequency of pi, e, p, K, mu; else as published at the momentum"
    )
    positive: float = Field(default=1.0, ge=0, le=1, description="share of positive particles")
    through_mm: tuple[float, float, float] = (89.0, 4617.0, -1960.0)
    angle_xz_deg: float = -11.8
    angle_yz_deg: float = -11.1
    start_mm: float = Field(default=-50.0, description="z of the start, after the beam plug")
    spread_mm: float = Field(default=25.0, ge=0, description="Gaussian, in x and in y")
    spread_mrad: float = Field(default=8.0, ge=0, description="Gaussian, of both angles")
    tick: float = Field(default=500.0, description="when it comes")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not 0.1 <= self.momentum_gev[0] <= self.momentum_gev[1] <= 100:
            raise ValueError("momentum_gev: the least, from 0.1 up, then the most")
        shares = self.shares
        if shares is not None and (min(shares.values(), default=0) < 0 or not sum(shares.values()) > 0):
            raise ValueError("shares must not be negative, and one of them positive")
        return self


class Halo(Frozen):
    """Muons along the beam, anywhere on the face of the detector and at any time of the readout."""

    count: tuple[int, int] = Field(default=(1, 5), description="fewest and most, over both drift volumes")
    momentum_gev: tuple[float, float] = (1.0, 10.0)
    spread_mrad: float = Field(default=15.0, ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_count(self.count)
        if not 0.1 <= self.momentum_gev[0] <= self.momentum_gev[1]:
            raise ValueError("momentum_gev: the least, from 0.1 up, then the most")
        return self


class Cosmics(Frozen):
    """Muons from above and the sides at any time that leaves charge in the readout.

    Their number is that of lines through both drift volumes whose charge may arrive within the readout.
    """

    count: tuple[int, int] = Field(default=(60, 70), description="fewest and most, over both drift volumes")
    least_gev: float = Field(default=0.2, gt=0.1, description="least momentum")
    positive: float = Field(default=0.56, ge=0, le=1, description="share of mu+")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_count(self.count)
        return self


class Drift(Frozen):
    """From energy to electrons at the wires, at 500 V/cm."""

    field_kv_cm: float = Field(default=0.5, gt=0)
    box_alpha: float = Field(default=0.93, gt=0, description="modified box model")
    box_beta: float = Field(default=0.212, gt=0, description="in (kV/cm) (g/cm2) / MeV")
    pair_ev: float = Field(default=23.6, gt=0, description="energy per pair of electron and ion")
    velocity_mm_us: float = Field(default=1.6, gt=0)
    lifetime_ms: float = Field(default=35.0, gt=0)
    longitudinal_cm2_s: float = Field(default=4.0, ge=0, description="diffusion along the drift")
    transverse_cm2_s: float = Field(default=8.8, ge=0, description="diffusion across the drift")


class Electronics(Frozen):
    """From electrons to codes."""

    ticks: int = Field(default=6000, ge=64, le=100_000)
    tick_us: float = Field(default=0.5, gt=0)
    shaping_us: float = Field(default=2.2, gt=0)
    electrons_per_adc_tick: float = Field(
        default=24.2, gt=0, description="29,000 electrons sum to 1200 ADC x tick (14 mV/fC)"
    )
    gain: float = Field(default=1.0, gt=0, description="factor on the signal, not on the noise")
    rise_us: float = Field(default=1.0, gt=0, description="of the current while electrons come to a wire")
    fall_us: float = Field(default=0.4, gt=0, description="of the current when they are collected")
    bits: int = Field(default=12, ge=8, le=16)
    pedestal: int = Field(default=900, ge=0, description="code without a signal")


class Noise(Frozen):
    """Noise of collection wires: of the preamplifier, white, and common to groups of wires."""

    adc: float = Field(default=3.8, ge=0, description="RMS in all, mean over wires")
    spread_adc: float = Field(default=0.9, ge=0, description="RMS of it from wire to wire")
    least_adc: float = Field(default=1.5, ge=0, description="no wire has less")
    coherent_adc: float = Field(default=1.0, ge=0, description="part of the RMS common to a group")
    group: int = Field(default=32, ge=1)
    white: float = Field(default=0.2, ge=0, le=1, description="part of the variance that is not shaped")
    knee_khz: float = Field(default=60.0, ge=0, description="below it shaped noise rises as 1/f")
    channel_seed: int = Field(default=0, ge=0, description="of the differences between wires: the detector")
    scale: float = Field(default=1.0, ge=0, description="factor on all noise")


class Deconvolution(Frozen):
    """From codes to electrons per tick: the response taken out, a Gaussian low pass put in."""

    filter_khz: float = Field(default=120.0, gt=0, description="exp(-(f / filter)^2 / 2)")
    regions: bool = Field(default=False, description="set to 0 what lies outside regions with a signal")
    threshold: float = Field(default=4.0, gt=0, description="of regions, in RMS of the noise")
    pad_ticks: int = Field(default=15, ge=0, description="regions are longer by this on both sides")


class HitFinding(Frozen):
    """What makes a hit, at full resolution."""

    threshold: float = Field(default=5.0, gt=0, description="in RMS of the mean wire's noise")
    valley: float = Field(default=0.6, gt=0, le=1, description="two peaks are two hits if it is this deep")
    longest_ticks: int = Field(default=40, ge=4, description="longer pulses without peaks are cut in pieces")


class Truth(Frozen):
    """What a pixel is labelled by."""

    background: float = Field(
        default=1.0, gt=0, description="a signal below it, in RMS of the noise of a pixel, is background"
    )
    activity_mev: float = Field(default=0.02, gt=0, description="less energy in a pixel is no activity")
    photon_mev: float = Field(default=40.0, ge=0, description="conversions of photons above it are vertices")
    vertex_mev: float = Field(
        default=10.0, ge=0, description="least energy of what comes out of an interaction, or of an electron"
    )


class WiresConfig(Frozen):
    """The simulation of one readout of the collection wires of a LArTPC."""

    setting: str = "protodune-sp"
    readout: Literal["beam-side", "all"] = Field(
        default="beam-side", description="the wires facing the drift volume of the beam, or all faces"
    )
    signal: Literal["adc", "electrons"] = "adc"
    rebin: int = Field(default=6, ge=1, le=64, description="ticks of a pixel, of which the mean is taken")
    geometry: Geometry = Geometry()
    beam: Beam = Beam()
    halo: Halo = Halo()
    cosmics: Cosmics = Cosmics()
    drift: Drift = Drift()
    electronics: Electronics = Electronics()
    noise: Noise = Noise()
    deconvolution: Deconvolution = Deconvolution()
    hits: HitFinding = HitFinding()
    truth: Truth = Truth()

    @model_validator(mode="after")
    def _stands(self) -> Self:
        if self.electronics.ticks % self.rebin:
            raise ValueError(f"rebin must divide {self.electronics.ticks} ticks")
        return self


def protodune_sp() -> WiresConfig:
    """Return the single-phase prototype in its beam of 7 GeV/c."""
    return WiresConfig()


SETTINGS = {"protodune-sp": partial(protodune_sp)}
