"""From charge on wires to codes: response, noise, digitisation, deconvolution, rebinning."""

from typing import Any, NamedTuple

import numpy as np
import scipy.fft
from jaxtyping import Complex64, Float, Float32, Shaped
from numpy.random import Generator

from cloudchamber.compiled import compiled
from cloudchamber.simulate.wires.config import WiresConfig
from cloudchamber.simulate.wires.drift import PAD_TICKS, Collected, buffer_ticks
from cloudchamber.simulate.wires.noise import draw_noise, pixel_noise
from cloudchamber.simulate.wires.response import (
    deconvolution_spectrum,
    electrons_filter,
    response_spectrum,
)
from cloudchamber.wire_events import WireReadout

BYTE_ZERO, BYTE_STEP_ADC = 30.0, 1.0  # codes of 8 bits: from -30 to 225 ADC
ELECTRONS_STEP = 2.0  # codes of 16 bits: up to 65,000 electrons per tick


class Signals(NamedTuple):
    """The signal of some wires: measured at full resolution, and by pixel without noise, by what made it."""

    measured: Float32[np.ndarray, "wire tick"]
    beam: Float32[np.ndarray, "wire drift"]
    other: Float32[np.ndarray, "wire drift"]


def readout_of(config: WiresConfig) -> WireReadout:
    """Return what a pixel of a simulated readout is."""
    zero, step = 0.0, 1.0
    if config.signal == "electrons":
        step = ELECTRONS_STEP
    elif config.rebin > 1:
        zero, step = BYTE_ZERO, BYTE_STEP_ADC
    return WireReadout(
        pitch_mm=config.geometry.pitch_mm, tick_us=config.electronics.tick_us, rebin=config.rebin,
        drift_mm_us=config.drift.velocity_mm_us, unit=config.signal, zero=zero, step=step,
    )  # fmt: skip


def code_type(config: WiresConfig) -> np.dtype[Any]:
    """Return the type of codes: a byte for rebinned ADC, else 16 bits."""
    return np.dtype(np.uint8 if config.signal == "adc" and config.rebin > 1 else np.int16)


def rebinned(signal: Float32[np.ndarray, "wire tick"], rebin: int) -> Float32[np.ndarray, "wire drift"]:
    """Return the mean of every ``rebin`` samples."""
    if rebin == 1:
        return signal
    wires, ticks = signal.shape
    summed = np.zeros((wires, ticks // rebin), np.float32)
    for k in range(rebin):
        summed += signal[:, k::rebin]
    summed *= np.float32(1 / rebin)
    return summed


def _back(
    spectrum: Complex64[np.ndarray, "wire frequency"], config: WiresConfig
) -> Float32[np.ndarray, "wire tick"]:
    series = scipy.fft.irfft(spectrum, buffer_ticks(config), axis=1, overwrite_x=True, workers=1)
    return np.asarray(series[:, PAD_TICKS : PAD_TICKS + config.electronics.ticks])


def _clean(
    charge: Float32[np.ndarray, "wire tick"], shape: Complex64[np.ndarray, " frequency"], config: WiresConfig
) -> Float32[np.ndarray, "wire tick"]:
    """Return the signal of charge without noise; only wires that have some are transformed."""
    lit = np.flatnonzero(charge.any(axis=1))
    signal = np.zeros((len(charge), config.electronics.ticks), np.float32)
    if len(lit):
        spectrum = scipy.fft.rfft(charge[lit], axis=1, workers=1)
        spectrum *= shape
        signal[lit] = _back(spectrum, config)
    return signal


def digitised(
    signal: Float32[np.ndarray, "wire tick"], config: WiresConfig
) -> Float32[np.ndarray, "wire tick"]:
    """Return codes relative to the pedestal, cut to the bits there are; the array is overwritten."""
    electronics = config.electronics
    np.rint(signal, out=signal)
    low, high = -electronics.pedestal, 2**electronics.bits - 1 - electronics.pedestal
    return np.clip(signal, low, high, out=signal)


def measure(
    rng: Generator, collected: Collected, own: Float[np.ndarray, " wire"], coherent: float,
    config: WiresConfig,
) -> Signals:  # fmt: skip
    """Return what the electronics makes of the charge that a face collects.

    Parameters
    ----------
    own, coherent : the noise of each wire in ADC, see :func:`cloudchamber.simulate.wires.noise.wire_rms`.
    """
    ticks = buffer_ticks(config)
    response = response_spectrum(config.electronics, ticks)
    parts = [_clean(charge, response, config) for charge in (collected.beam, collected.other)]
    measured = parts[0] + parts[1]
    if coherent > 0 or own.any():
        measured += _back(draw_noise(rng, own, coherent, config), config)
    digitised(measured, config)
    if config.signal == "electrons":
        measured = deconvolved(measured, config)
        low_pass = electrons_filter(config.electronics, config.deconvolution, ticks)
        shape = (low_pass * config.electronics.gain).astype(np.complex64)
        parts = [_clean(charge, shape, config) for charge in (collected.beam, collected.other)]
    return Signals(measured, *(rebinned(part, config.rebin) for part in parts))


def deconvolved(
    adc: Float32[np.ndarray, "wire tick"], config: WiresConfig
) -> Float32[np.ndarray, "wire tick"]:
    """Return electrons per tick of codes; outside regions with a signal 0, if so configured."""
    ticks = buffer_ticks(config)
    padded = np.zeros((len(adc), ticks), np.float32)
    padded[:, PAD_TICKS : PAD_TICKS + adc.shape[1]] = adc
    spectrum = scipy.fft.rfft(padded, axis=1, workers=1)
    spectrum *= deconvolution_spectrum(config.electronics, config.deconvolution, ticks)
    electrons = np.ascontiguousarray(_back(spectrum, config))
    if config.deconvolution.regions:
        threshold = config.deconvolution.threshold * pixel_noise(config, 1)
        _keep_regions(electrons, np.float32(threshold), config.deconvolution.pad_ticks)
    return electrons


@compiled
def _keep_regions(signal, threshold, pad):
    """Set to 0 what is farther than some ticks from a signal above the threshold, and what is negative."""
    wires, ticks = signal.shape
    for w in range(wires):
        cleared = 0  # all before it is settled
        t = 0
        while t < ticks:
            if signal[w, t] > threshold:
                end = t
                while end < ticks and signal[w, end] > threshold:
                    end += 1
                start = max(cleared, t - pad)
                for k in range(cleared, start):
                    signal[w, k] = 0.0
                cleared = min(ticks, end + pad)
                for k in range(start, cleared):
                    signal[w, k] = max(signal[w, k], np.float32(0.0))
                t = max(end, t + 1)
            else:
                t += 1
        for k in range(cleared, ticks):
            signal[w, k] = 0.0


def coded(
    measured: Float32[np.ndarray, "wire tick"], config: WiresConfig
) -> Shaped[np.ndarray, "wire drift"]:
    """Return the codes of a file, from the signal at full resolution."""
    readout, dtype = readout_of(config), code_type(config)
    values = rebinned(measured, config.rebin) / np.float32(readout.step) + np.float32(readout.zero)
    limits = np.iinfo(dtype)
    return np.asarray(np.clip(np.rint(values), limits.min, limits.max).astype(dtype))
