"""From electrons where they were set free to charge on wires, and to the particle that left most of it."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, Int32

from cloudchamber.compiled import compiled, compiled_inline
from cloudchamber.simulate.wires.config import WiresConfig
from cloudchamber.simulate.wires.geometry import PER_PITCH, Face, Layout
from cloudchamber.simulate.wires.ionise import Deposits

PAD_TICKS = 48  # before the readout, for what arrives then rings into it
_REACH = 4.0  # sigma
_HALF = math.sqrt(0.5)


class Collected(NamedTuple):
    """What one face collects: electrons by wire and tick, and by pixel what was left most and by whom.

    Sample s of a wire holds what arrives from s - 0.5 to s + 0.5 ticks and stands at index s + PAD_TICKS.
    """

    beam: Float32[np.ndarray, "wire tick"]
    other: Float32[np.ndarray, "wire tick"]
    energy_mev: Float32[np.ndarray, "wire drift"]
    row: Int32[np.ndarray, "wire drift"]  # of the particle with most charge, -1 for none


@compiled_inline
def _below(x, mean, sigma):
    return 0.5 * (1.0 + math.erf((x - mean) / sigma * _HALF))


@compiled
def _settle(acc, acc_row, best, best_row, wire, pixel):
    """Let the particle at a pixel be its best so far, if it is."""
    if acc[wire, pixel] > best[wire, pixel]:
        best[wire, pixel], best_row[wire, pixel] = acc[wire, pixel], acc_row[wire, pixel]


@compiled
def _collect(
    key, row, energy, electrons, of_beam, tick_of_row, nx, low, high, towards_low, first, cell_mm, pitch_mm,
    tick_mm, tick_us, lifetime_us, along, across, response_ticks, rebin, beam, other, acc, acc_row, best,
    best_row, energy_out,
):  # fmt: skip
    """Spread deposits over wires and ticks; ``along`` and ``across`` are diffusion in mm2 per us."""
    wires, ticks, pixels = beam.shape[0], beam.shape[1], acc.shape[1]
    for n in range(len(key)):
        i = key[n] % nx
        if i < low or i >= high:
            continue
        distance = ((i - low) if towards_low else (high - 1 - i)) + 0.5
        distance *= cell_mm
        time_us = distance / tick_mm * tick_us
        z = (key[n] // nx + 0.5) / PER_PITCH - first
        sigma_w = max(math.sqrt(2 * across * time_us) / pitch_mm, 1e-4)
        w0, w1 = math.floor(z - _REACH * sigma_w), math.floor(z + _REACH * sigma_w)
        if w1 < 0 or w0 >= wires:
            continue
        at = tick_of_row[row[n]] + distance / tick_mm
        sigma_t = max(math.sqrt(2 * along * time_us) / tick_mm, 1e-3)
        t0 = math.floor(at - _REACH * sigma_t + 0.5) + PAD_TICKS
        t1 = math.floor(at + _REACH * sigma_t + 0.5) + PAD_TICKS
        if t1 < 0 or t0 >= ticks - PAD_TICKS:
            continue
        left = math.exp(-time_us / lifetime_us)
        charge, mev = electrons[n] * left, energy[n]
        mine = beam if of_beam[row[n]] else other
        sigma_p = math.sqrt(sigma_t * sigma_t + response_ticks * response_ticks)
        p0 = math.floor((at - 3 * sigma_p + 0.5) / rebin)
        p1 = math.floor((at + 3 * sigma_p + 0.5) / rebin)
        above = _below(w0, z, sigma_w)
        for w in range(w0, w1 + 1):
            below, above = above, _below(w + 1, z, sigma_w)
            share = above - below
            if w < 0 or w >= wires or share < 1e-5:
                continue
            late = _below(t0 - PAD_TICKS - 0.5, at, sigma_t)
            for t in range(t0, t1 + 1):
                early, late = late, _below(t - PAD_TICKS + 0.5, at, sigma_t)
                if 0 <= t < ticks - PAD_TICKS:
                    mine[w, t] += charge * share * (late - early)
            late = _below(p0 * rebin - 0.5, at, sigma_p)
            for p in range(p0, p1 + 1):
                early, late = late, _below((p + 1) * rebin - 0.5, at, sigma_p)
                if p < 0 or p >= pixels:
                    continue
                if acc_row[w, p] != row[n]:
                    _settle(acc, acc_row, best, best_row, w, p)
                    acc[w, p], acc_row[w, p] = 0.0, row[n]
                part = share * (late - early)
                acc[w, p] += charge * part
                energy_out[w, p] += mev * part
    for w in range(wires):
        for p in range(pixels):
            _settle(acc, acc_row, best, best_row, w, p)


def buffer_ticks(config: WiresConfig) -> int:
    """Return the samples of a wire with those before and after the readout, good for Fourier transforms."""
    from scipy.fft import next_fast_len

    return int(next_fast_len(config.electronics.ticks + 3 * PAD_TICKS, real=True))


def collect(
    deposits: Deposits,
    of_beam: Bool[np.ndarray, "row"],
    tick_of_row: Float[np.ndarray, "row"],
    layout: Layout,
    face: Face,
    config: WiresConfig,
    response_ticks: float,
) -> Collected:
    """Drift the electrons of a readout to one face.

    Each deposit is a Gaussian of sigma^2 = 2 D t along the drift and across the wires; what attaches to
    impurities on the way is lost. The charge of a particle in a pixel, and the energy, are spread in time by
    the response as well, a Gaussian of ``response_ticks``, so that the truth lies on the pulse.

    Parameters
    ----------
    of_beam : which particles descend from the beam.
    tick_of_row : when the electrons of a particle would arrive had they been at the wires.
    """
    drift, electronics = config.drift, config.electronics
    shape = face.wires, electronics.ticks // config.rebin
    samples = face.wires, buffer_ticks(config)
    beam, other = np.zeros(samples, np.float32), np.zeros(samples, np.float32)
    acc, best, energy = (np.zeros(shape, np.float32) for _ in range(3))
    acc_row, best_row = np.full(shape, -1, np.int32), np.full(shape, -1, np.int32)
    per_us = 100.0 * 1e-6  # mm2 per us in cm2 per s
    _collect(
        deposits.key, deposits.row, deposits.energy_mev, deposits.electrons, of_beam, tick_of_row,
        layout.box.cells[0], face.low, face.high, face.towards_low, face.first_pitch, layout.box.cell_mm[0],
        config.geometry.pitch_mm, drift.velocity_mm_us * electronics.tick_us, electronics.tick_us,
        1e3 * drift.lifetime_ms, drift.longitudinal_cm2_s * per_us, drift.transverse_cm2_s * per_us,
        response_ticks, config.rebin, beam, other, acc, acc_row, best, best_row, energy,
    )  # fmt: skip
    return Collected(beam, other, energy, best_row)
