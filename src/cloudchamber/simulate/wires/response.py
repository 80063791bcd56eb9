"""What a wire and its electronics make of an electron: the pulse, and its spectrum."""

from functools import lru_cache

import numpy as np
from jaxtyping import Complex64, Float

from cloudchamber.simulate.wires.config import Deconvolution, Electronics

_FINE = 20  # points of a pulse per tick
_BEFORE_TICKS, _AFTER_TICKS = 24, 40


def cold_electronics(time_us: Float[np.ndarray, " n"], shaping_us: float) -> Float[np.ndarray, " n"]:
    """Return the response of the cold amplifier to a unit charge at time 0, in arbitrary units.

    The transfer function of the ASIC of MicroBooNE and ProtoDUNE as the simulation of C. Adams et al., JINST
    13 (2018) P07006, arXiv:1802.08709 has it, its products of sines and cosines joined.
    """
    u = np.maximum(time_us, 0.0) / shaping_us
    slow = 4.31054 * np.exp(-2.94809 * u)
    middle = np.exp(-2.82833 * u) * (1.524912 * np.sin(1.19361 * u) - 5.2404 * np.cos(1.19361 * u))
    fast = np.exp(-2.40318 * u) * (0.929848 * np.cos(2.5928 * u) - 0.655368 * np.sin(2.5928 * u))
    return np.asarray(np.where(time_us > 0, slow + middle + fast, 0.0))


def induced_current(
    time_us: Float[np.ndarray, " n"], rise_us: float, fall_us: float
) -> Float[np.ndarray, " n"]:
    """Return the current that an electron induces on the wire that collects it at time 0, unit peak.

    A simple shape for what field calculations give (arXiv:1802.08709): it grows over a few us while
    the electron comes near, an exponential, and ends as it is collected, a Gaussian.
    """
    coming = np.exp(np.minimum(time_us, 0.0) / rise_us)
    return np.asarray(np.where(time_us < 0, coming, np.exp(-0.5 * (time_us / fall_us) ** 2)))


def _fine_pulse(electronics: Electronics) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    step = electronics.tick_us / _FINE
    half = (_BEFORE_TICKS + _AFTER_TICKS) * _FINE
    time = step * np.arange(-half, half + 1)
    current = induced_current(time, electronics.rise_us, electronics.fall_us)
    pulse = np.convolve(current, cold_electronics(time, electronics.shaping_us), mode="same")
    ticks = (np.arange(len(time)) - int(np.argmax(pulse))) / _FINE
    return ticks, pulse / pulse.sum()


def pulse_shape(electronics: Electronics, ticks: int) -> Float[np.ndarray, " tick"]:
    """Return the pulse of one electron in ADC by tick after its peak; times before it stand at the end.

    A sample is the charge of a tick, so the pulse is averaged over one.
    """
    at, fine = _fine_pulse(electronics)
    lag = np.floor(at + 0.5).astype(np.int64)
    inside = (lag >= -_BEFORE_TICKS) & (lag <= _AFTER_TICKS)
    pulse = np.bincount(lag[inside] % ticks, weights=fine[inside], minlength=ticks)
    return np.asarray(pulse / pulse.sum() * electronics.gain / electronics.electrons_per_adc_tick)


def pulse_width_ticks(electronics: Electronics) -> float:
    """Return the sigma in ticks of the Gaussian whose width at half height is the pulse's."""
    at, fine = _fine_pulse(electronics)
    above = at[fine > 0.5 * fine.max()]
    return float((above[-1] - above[0]) / 2.3548)


@lru_cache(maxsize=16)
def response_spectrum(electronics: Electronics, ticks: int) -> Complex64[np.ndarray, " frequency"]:
    """Return the spectrum of ``pulse_shape``."""
    return np.fft.rfft(pulse_shape(electronics, ticks)).astype(np.complex64)


@lru_cache(maxsize=16)
def deconvolution_spectrum(
    electronics: Electronics, deconvolution: Deconvolution, ticks: int
) -> Complex64[np.ndarray, " frequency"]:
    """Return what turns codes into electrons per tick: the low pass over the response of nominal gain."""
    response = np.fft.rfft(pulse_shape(electronics.model_copy(update={"gain": 1.0}), ticks))
    low_pass = electrons_filter(electronics, deconvolution, ticks)
    return (low_pass / response).astype(np.complex64)


def electrons_filter(
    electronics: Electronics, deconvolution: Deconvolution, ticks: int
) -> Float[np.ndarray, " frequency"]:
    """Return the low pass of deconvolved signals, 1 at no frequency, so that charge is kept."""
    khz = np.fft.rfftfreq(ticks, 1e-3 * electronics.tick_us)
    return np.asarray(np.exp(-0.5 * (khz / deconvolution.filter_khz) ** 2))
