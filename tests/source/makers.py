"""Samples for test_produce.py: in a module of their own, where worker processes and scripts find them.

As a script: ``makers.py PATH WORKERS PAUSE_S N BLOCK`` makes a data set, waiting a while at every sample.
"""

import os
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np

from cloudchamber.source.produce import produce

Arrays = dict[str, np.ndarray]
ATTRIBUTES: dict[str, str | int | float] = {"task": "walls", "seed": 5, "config": "{}"}


def simulated(index: int) -> Arrays:
    """Simulate a volume with few muons; the simulator is imported here, for the others do without."""
    from cloudchamber.cli.simulate import make_walls
    from cloudchamber.simulate.walls.config import Muons, WallsConfig

    return make_walls(5, WallsConfig(muons=Muons(count=50)), index)


def plain(index: int) -> Arrays:
    """Make a sample that needs no simulator."""
    rng = np.random.default_rng(index)
    return {
        "x0": rng.uniform(0.01, 0.1, (10, 10, 10)).astype(np.float32),
        "targs": rng.integers(0, 2, (10, 10, 10)),
    }


def slow(pause_s: float, index: int) -> Arrays:
    time.sleep(pause_s)
    return plain(index)


def failing(bad: int, index: int) -> Arrays:
    if index == bad:
        raise ZeroDivisionError(f"sample {index}")
    return plain(index)


def dying_once(folder: Path, index: int) -> Arrays:
    if index == 20 and not (folder / "died").exists():
        (folder / "died").touch()
        os._exit(9)
    return plain(index)


if __name__ == "__main__":
    path, workers, pause_s, n, block = sys.argv[1:]
    make = partial(slow, float(pause_s))
    produce(Path(path), make, int(n), attributes=ATTRIBUTES, workers=int(workers), block=int(block))
