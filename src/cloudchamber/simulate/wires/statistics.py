"""Constants of the detector, found again in simulated signals: what a calibration would measure."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int
from numpy.random import default_rng
from scipy.optimize import curve_fit
from scipy.special import ndtr

from cloudchamber.labels import Origin
from cloudchamber.simulate.lartpc.constants import MU_MINUS
from cloudchamber.simulate.lartpc.event import follow_in
from cloudchamber.simulate.lartpc.primaries import Primaries
from cloudchamber.simulate.wires.config import Cosmics, Halo, WiresConfig
from cloudchamber.simulate.wires.digitise import Signals, measure
from cloudchamber.simulate.wires.drift import Collected, collect
from cloudchamber.simulate.wires.event import simulate_particles
from cloudchamber.simulate.wires.geometry import PER_PITCH, layout_of
from cloudchamber.simulate.wires.hit_finder import find_hits
from cloudchamber.simulate.wires.ionise import Deposits, ionise
from cloudchamber.simulate.wires.noise import wire_rms
from cloudchamber.simulate.wires.primaries import WirePrimaries
from cloudchamber.simulate.wires.response import pulse_width_ticks

MINIMUM_IONISING_MEV = 266.0  # kinetic energy of muons that lose least in argon (PDG 2024, muon tables)
SPACING = 6  # wires between point charges
NEAREST = 0.1  # of the drift: nearer charges are spread over less than a tick
_WINDOW = 13  # ticks on either side of a pulse
_AROUND = 2  # wires on either side


class Value(NamedTuple):
    """A measured number with its statistical error."""

    value: float
    error: float


def mean_of(values: Float[np.ndarray, " n"]) -> Value:
    """Return the mean, and its error from the spread."""
    return Value(float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(np.size(values))))


def slope_of(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> Value:
    """Return the slope of a straight line through points of equal errors, and its error from the scatter."""
    (slope, _), covariance = np.polyfit(x, y, 1, cov=True)
    return Value(float(slope), float(np.sqrt(covariance[0, 0])))


def without_particles(config: WiresConfig) -> WiresConfig:
    """Return a configuration of readouts that hold noise only."""
    nothing = {
        "beam": config.beam.model_copy(update={"count": 0}),
        "halo": Halo(count=(0, 0)),
        "cosmics": Cosmics(count=(0, 0)),
    }
    return config.model_copy(update=nothing)


def muons(
    config: WiresConfig, kinetic_mev: float, start_mm: Float[np.ndarray, "muon 3"], seed: int
) -> tuple[Deposits, Int[np.ndarray, "deposit"]]:
    """Return the deposits of muons that fly along z, so across the wires, and the wire of each.

    Starts are in the frame of the box: x is the distance from the wires of the beam's side.
    """
    count, layout = len(start_mm), layout_of(config)
    primaries = Primaries(
        np.full(count, MU_MINUS), np.full(count, kinetic_mev), np.asarray(start_mm, float),
        np.tile([0.0, 0.0, 1.0], (count, 1)),
    )  # fmt: skip
    deposits = ionise(follow_in(primaries, np.uint64(seed), layout.box), config.drift)
    return deposits, deposits.key // layout.box.cells[0] // PER_PITCH


def muon_charge(
    config: WiresConfig, kinetic_mev: float, count: int, seed: int, wires: int = 24
) -> Float[np.ndarray, "muon wire"]:
    """Return the electrons that each muon sets free along some wires, with what it knocks on, at the start.

    Each starts eight wires before the first; over 24 wires a muon of minimum ionisation loses 24 MeV.
    """
    rng = default_rng(seed)
    start = np.stack(
        [
            config.geometry.drift_mm * (0.05 + 0.9 * rng.random(count)),
            np.full(count, 0.5 * config.geometry.height_mm),
            np.zeros(count),
        ],
        axis=1,
    )
    deposits, wire = muons(config, kinetic_mev, start, seed)
    charge = np.zeros((count, wires))
    seen = (wire >= 8) & (wire < 8 + wires)
    np.add.at(charge, (deposits.root[deposits.row[seen]], wire[seen] - 8), deposits.electrons[seen])
    return charge


def point_charges(
    config: WiresConfig, drift_mm: Float[np.ndarray, " n"], wire: Float[np.ndarray, " n"], electrons: float
) -> Deposits:
    """Return charges at points: distances from the wires of the beam's side, and z in pitches."""
    layout, n = layout_of(config), len(drift_mm)
    i = np.floor(np.asarray(drift_mm) / layout.box.cell_mm[0]).astype(np.int64)
    k = np.floor(np.asarray(wire) * PER_PITCH).astype(np.int64)
    number = np.arange(n)
    energy = np.full(n, electrons * config.drift.pair_ev * 1e-6 / 0.7)
    return Deposits(
        k * layout.box.cells[0] + i, number, energy, np.full(n, electrons, np.float32), number, np.zeros(n)
    )


def read_points(
    config: WiresConfig, deposits: Deposits, tick: float, seed: int, face: int = 0
) -> tuple[Collected, Signals]:
    """Return what a face collects of deposits and makes of them; all come at one tick."""
    layout, n = layout_of(config), len(deposits.root)
    collected = collect(
        deposits, np.zeros(n, bool), np.full(n, tick), layout, layout.faces[face], config,
        pulse_width_ticks(config.electronics),
    )  # fmt: skip
    own, coherent = wire_rms(config.noise, layout.wires)
    wires = slice(layout.faces[face].first_wire, layout.faces[face].first_wire + layout.faces[face].wires)
    return collected, measure(default_rng(seed), collected, own[wires], coherent, config)


class Calibration(NamedTuple):
    """What point charges at known distances from the wires tell; one entry a charge."""

    drift_us: Float[np.ndarray, " n"]  # by the configured velocity
    distance_mm: Float[np.ndarray, " n"]
    peak_tick: Float[np.ndarray, " n"]  # of the hit on the wire of the charge, NaN if there is none
    along_ticks2: Float[np.ndarray, " n"]  # variance of the pulse in time
    across_pitch2: Float[np.ndarray, " n"]  # variance over wires about the true place
    between: Float[np.ndarray, " n"]  # place of the charge from wire to wire, 0 to 1
    total: Float[np.ndarray, " n"]  # electrons, over wires and time


def calibrate(
    config: WiresConfig, readouts: int, seed: int, electrons: float = 300e3, tick: float = 500.0
) -> Calibration:
    """Measure charges of known place in noisy deconvolved signals at full resolution, on one face.

    Deconvolved pulses are Gaussian, so that the variance of diffusion adds to theirs within a short window.
    """
    config = config.model_copy(update={"signal": "electrons"})
    rng = default_rng(seed)
    parts = []
    for number in range(readouts):
        at = np.arange(SPACING // 2, config.geometry.face_wires - SPACING // 2, SPACING)
        where = at + rng.random(len(at))
        distance = config.geometry.drift_mm * (
            NEAREST + (0.97 - NEAREST) * rng.permutation(len(at)) / len(at)
        )
        deposits = point_charges(config, distance, where, electrons)
        cells, cell = layout_of(config).box.cells, layout_of(config).box.cell_mm[0]
        distance = (deposits.key % cells[0] + 0.5) * cell  # of the middle of the cell
        where = (deposits.key // cells[0] + 0.5) / PER_PITCH
        measured = read_points(config, deposits, tick, seed + number)[1].measured
        parts.append(_measure_points(measured, distance, where, tick, config))
    return Calibration(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _measure_points(
    measured: Float32[np.ndarray, "wire tick"],
    distance_mm: Float[np.ndarray, " n"],
    where: Float[np.ndarray, " n"],
    tick: float,
    config: WiresConfig,
) -> Calibration:
    velocity, tick_us = config.drift.velocity_mm_us, config.electronics.tick_us
    hits = find_hits(measured, config)
    lag = np.arange(-_WINDOW, _WINDOW + 1)
    rows = []
    for distance, place in zip(distance_mm, where, strict=True):
        expected, wire = tick + distance / velocity / tick_us, int(place)
        near = hits[(hits["wire"] == wire) & (np.abs(hits["peak_tick"] - expected) < 60)]
        peak = float(near["peak_tick"][np.argmax(near["peak"])]) if len(near) else np.nan
        middle = round(expected)
        block = measured[wire - _AROUND : wire + _AROUND + 1, middle - _WINDOW : middle + _WINDOW + 1]
        by_wire, pulse = block.sum(axis=1, dtype=np.float64), block[_AROUND].astype(np.float64)
        mean = (pulse * lag).sum() / pulse.sum()
        off = wire + np.arange(-_AROUND, _AROUND + 1) + 0.5 - place
        across = (by_wire * off**2).sum() / by_wire.sum()
        along = (pulse * (lag - mean) ** 2).sum() / pulse.sum()
        rows.append((distance / velocity, distance, peak, along, across, place - wire, by_wire.sum()))
    return Calibration(*np.array(rows).T)


def drift_velocity(points: Calibration, config: WiresConfig) -> Value:
    """Return the drift velocity in mm per us by a line through peak times."""
    found = np.isfinite(points.peak_tick)
    time_us = points.peak_tick[found] * config.electronics.tick_us
    slope = slope_of(points.distance_mm[found], time_us)
    return Value(1 / slope.value, slope.error / slope.value**2)


def longitudinal_diffusion(points: Calibration, config: WiresConfig) -> Value:
    """Return D_L in cm2/s by a line through variances in time, sigma^2 = 2 D t."""
    mm = config.electronics.tick_us * config.drift.velocity_mm_us
    slope = slope_of(points.drift_us, points.along_ticks2 * mm**2)
    return Value(slope.value / 2 * 1e4, slope.error / 2 * 1e4)


def transverse_diffusion(points: Calibration, config: WiresConfig) -> Value:
    """Return D_T in cm2/s by a fit of variances over wires about the true place, for sigma^2 = 2 D t.

    What a Gaussian at that place between the wires would have, its charge taken to be at their middles.
    """
    pitch = config.geometry.pitch_mm
    off = np.arange(-_AROUND, _AROUND + 2)[:, None] - points.between

    def variance(time_us: Float[np.ndarray, " n"], cm2_s: float) -> Float[np.ndarray, " n"]:
        sigma = np.sqrt(2 * cm2_s * 1e-4 * time_us) / pitch
        share = np.diff(ndtr(off / sigma), axis=0)
        return np.asarray((share * (off[:-1] + 0.5) ** 2).sum(axis=0) / share.sum(axis=0))

    found, covariance = curve_fit(variance, points.drift_us, points.across_pitch2, p0=[5.0])
    return Value(float(found[0]), float(np.sqrt(covariance[0, 0])))


def electron_lifetime(points: Calibration) -> Value:
    """Return the lifetime in ms by a line through logarithms of charge."""
    slope = slope_of(points.drift_us, np.log(points.total))
    return Value(-1e-3 / slope.value, 1e-3 * slope.error / slope.value**2)


def noise_rms(config: WiresConfig, seed: int) -> Float[np.ndarray, " wire"]:
    """Return the RMS of every wire over a readout without particles, in the unit of the signal."""
    plain = without_particles(config.model_copy(update={"rebin": 1}))
    nothing = Primaries(np.zeros(0, int), np.zeros(0), np.zeros((0, 3)), np.zeros((0, 3)))
    empty = WirePrimaries(nothing, np.zeros(0), np.zeros(0, int) + int(Origin.UNKNOWN))
    signal = simulate_particles(default_rng(seed), empty, plain).signal()[0]
    return np.asarray(signal.std(axis=1, dtype=np.float64))
