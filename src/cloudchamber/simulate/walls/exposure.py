"""How many muons a volume gets where the number is drawn, apart from all other random numbers."""

from math import exp, log

from numpy.random import PCG64DXSM, Generator, SeedSequence

from cloudchamber.simulate.walls.config import WallsConfig

Exposure = tuple[int, int]
"""Fewest and most muons of a volume."""
_STREAM = (1,)


def draw_count(seed: int, index: int, exposure: Exposure) -> int:
    """Return the number of muons of volume ``index`` of the data set with ``seed``.

    Log-uniform between the two numbers, both included, and a function of the arguments alone. It comes from a
    stream of its own, a child of the volume's seed, so that the walls and muons of a volume are those it
    would have with this number fixed.

    Raises
    ------
    ValueError
        if the numbers are not in order or the lower one is less than 1.
    """
    least, most = exposure
    if not 1 <= least <= most:
        raise ValueError(f"fewest and most muons in order, from 1 up, got {least} and {most}")
    u = Generator(PCG64DXSM(SeedSequence((seed, index), spawn_key=_STREAM))).random()
    return max(least, min(most, int(exp(log(least) + u * log((most + 1) / least)))))


def mean_count(exposure: Exposure) -> float:
    """Return the mean number of muons per volume of a log-uniform exposure: (b - a)/ln(b/a)."""
    least, most = exposure
    return float(least) if least == most else (most - least) / log(most / least)


def with_count(config: WallsConfig, count: int) -> WallsConfig:
    """Return a configuration with another number of muons."""
    return config.model_copy(update={"muons": config.muons.model_copy(update={"count": count})})
