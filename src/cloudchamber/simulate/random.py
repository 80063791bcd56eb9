"""Random numbers inside compiled loops.

numba reaches numpy's generators through a function pointer, 14-20 ns a draw, which was half the time of a
simulation. Here the generator is inlined and its state is one integer that the loop carries along:
SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), normals by the ziggurat of Marsaglia and Tsang (J. Stat.
Softw. 5, 8, 2000) with 256 layers. Each function takes the state and returns (number, new state).
"""

import numpy as np
from numpy.random import Generator

from cloudchamber.compiled import compiled_inline

_TAIL = 3.6541528853610088  # where the tail starts, and the area of a layer, for 256 layers
_AREA = 0.00492867323399
_UNIT = 2.0**-53


def _ziggurat() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each layer: width per unit of the integer, integer below which it is inside, height."""
    x = np.empty(257)
    x[0], x[1] = _AREA / np.exp(-0.5 * _TAIL**2), _TAIL
    for i in range(2, 256):
        x[i] = np.sqrt(-2 * np.log(_AREA / x[i - 1] + np.exp(-0.5 * x[i - 1] ** 2)))
    x[256] = 0.0
    inside = (x[1:] / x[:-1] * 2.0**52).astype(np.int64)
    return x[:-1] * 2.0**-52, inside, np.exp(-0.5 * x**2)


_WIDTH, _INSIDE, _HEIGHT = _ziggurat()


def new_stream(rng: Generator) -> np.uint64:
    """Return the state of a stream for compiled loops, seeded from a numpy generator."""
    return rng.integers(0, 2**64, dtype=np.uint64)


@compiled_inline
def next_bits(state):
    """Return 64 random bits."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31)), state


@compiled_inline
def uniform(state):
    """Return a uniform number in [0, 1)."""
    bits, state = next_bits(state)
    return np.int64(bits >> np.uint64(11)) * _UNIT, state


@compiled_inline
def normal(state):
    """Return a standard normal number."""
    x = 0.0
    while True:
        bits, state = next_bits(state)
        layer = np.int64(bits & np.uint64(255))
        signed = np.int64(bits) >> np.int64(11)  # 53 bits with sign, apart from those of the layer
        x = signed * _WIDTH[layer]
        if abs(signed) < _INSIDE[layer]:
            break
        u, state = uniform(state)
        if layer == 0:
            v, state = uniform(state)
            away = -np.log(1.0 - u) / _TAIL
            if -2 * np.log(1.0 - v) > away * away:
                x = np.copysign(_TAIL + away, x)
                break
        elif _HEIGHT[layer] + u * (_HEIGHT[layer + 1] - _HEIGHT[layer]) < np.exp(-0.5 * x * x):
            break
    return x, state
