"""Noise of the wires: its spectrum, how much of it each wire has, and what is left of it in a pixel."""

from functools import lru_cache

import numpy as np
from jaxtyping import Complex64, Float, Float32
from numpy.random import Generator, default_rng

from cloudchamber.simulate.wires.config import Electronics, Noise, WiresConfig
from cloudchamber.simulate.wires.drift import buffer_ticks
from cloudchamber.simulate.wires.response import cold_electronics, deconvolution_spectrum

_LEAST_SHARE = 0.3  # of a wire's RMS is its own


@lru_cache(maxsize=16)
def noise_spectrum(noise: Noise, electronics: Electronics, ticks: int) -> Float32[np.ndarray, " frequency"]:
    """Return the amplitude by frequency of noise of unit RMS: times complex normals it is a spectrum.

    The shaped part has the power of the amplifier's response to white noise, and rises as 1/f below the
    knee; the rest is white. There is none at no frequency: pedestals are known.
    """
    time = electronics.tick_us * np.arange(ticks)
    khz = np.fft.rfftfreq(ticks, 1e-3 * electronics.tick_us)
    shaped = np.abs(np.fft.rfft(cold_electronics(time, electronics.shaping_us))) ** 2
    shaped[1:] *= 1 + noise.knee_khz / khz[1:]
    shaped[0] = 0.0
    white = np.ones(len(khz))
    white[0] = 0.0
    power = np.zeros(len(khz))
    for part, share in ((shaped, 1 - noise.white), (white, noise.white)):
        power += share * part / _variance(part, ticks)
    return np.sqrt(power).astype(np.float32)


def _variance(power: Float[np.ndarray, " frequency"], ticks: int) -> float:
    """Return the variance of a series whose spectrum is the root of ``power`` times complex normals."""
    twice = power.copy()
    twice[1 : (ticks + 1) // 2] *= 4  # both signs of the frequency, real and imaginary parts
    return float(twice.sum()) / ticks**2


def wire_rms(noise: Noise, wires: int) -> tuple[Float[np.ndarray, " wire"], float]:
    """Return the RMS in ADC that each wire has of its own, and that common to the wires of a group."""
    rng = default_rng((noise.channel_seed, 6))
    total = np.maximum(noise.adc + noise.spread_adc * rng.standard_normal(wires), noise.least_adc)
    if noise.adc == 0:
        return np.zeros(wires), 0.0
    own = np.sqrt(np.maximum(total**2 - noise.coherent_adc**2, (_LEAST_SHARE * total) ** 2))
    return noise.scale * own, noise.scale * noise.coherent_adc


def draw_noise(
    rng: Generator, own: Float[np.ndarray, " wire"], coherent: float, config: WiresConfig
) -> Complex64[np.ndarray, "wire frequency"]:
    """Draw the spectrum of the noise of some wires in ADC."""
    ticks, noise = buffer_ticks(config), config.noise
    amplitude = noise_spectrum(noise, config.electronics, ticks)
    spectrum = _normals(rng, len(own), len(amplitude))
    spectrum *= own[:, None].astype(np.float32)
    if coherent > 0:
        groups = -(-len(own) // noise.group)
        common = np.float32(coherent) * _normals(rng, groups, len(amplitude))
        spectrum += common[np.arange(len(own)) // noise.group]
    spectrum *= amplitude
    return spectrum


def _normals(rng: Generator, rows: int, columns: int) -> Complex64[np.ndarray, "row column"]:
    return rng.standard_normal((rows, 2 * columns), dtype=np.float32).view(np.complex64)


def pixel_noise(config: WiresConfig, rebin: int | None = None) -> float:
    """Return the RMS, in the unit of the signal, of the noise of the mean wire in a pixel of ``rebin`` ticks.

    That of the mean of so many samples, with the step of the codes added, after the deconvolution if there
    is one.
    """
    ticks, rebin = buffer_ticks(config), config.rebin if rebin is None else rebin
    power = noise_spectrum(config.noise, config.electronics, ticks).astype(np.float64) ** 2
    power *= (config.noise.scale * config.noise.adc) ** 2
    power += 0.5 / 12 * ticks  # of codes
    angle = np.pi * np.arange(len(power)) / ticks
    mean = np.ones(len(power))
    mean[1:] = np.sin(rebin * angle[1:]) / (rebin * np.sin(angle[1:]))
    power *= mean**2
    if config.signal == "electrons":
        power *= np.abs(deconvolution_spectrum(config.electronics, config.deconvolution, ticks)) ** 2
    return float(np.sqrt(_variance(power, ticks)))
