"""Reflections of muons in a calorimeter that leave the physics as it is.

In a magnetic field along y, which is an axial vector, a reflection in y changes nothing, and one in x turns
the bending round: it takes a muon to its antiparticle.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float32, Int16, Shaped

from cloudchamber.calorimeter_events import CalorimeterEvents, CalorimeterGrid
from cloudchamber.prepare.muon_features import FEATURES, muon_features

# (in x, in y)
REFLECTIONS = ((False, False), (False, True), (True, False), (True, True))
_BLOCK = 1024


def reflect_positions(
    position: Int16[np.ndarray, "cell 3"], grid: CalorimeterGrid, number: Shaped[np.ndarray, "*cell"] | int
) -> Int16[np.ndarray, "cell 3"]:
    """Return iz, ix, iy of cells after a reflection of ``REFLECTIONS``, one for all or one each."""
    in_x, in_y = np.array(REFLECTIONS)[number].T
    iz, ix, iy = position.T
    last_x, last_y = np.int16(grid.shape[1] - 1), np.int16(grid.shape[2] - 1)
    return np.stack([iz, np.where(in_x, last_x - ix, ix), np.where(in_y, last_y - iy, iy)], axis=1)


def reflect_muons(events: CalorimeterEvents, number: int) -> CalorimeterEvents:
    """Return muons after a reflection of ``REFLECTIONS``: their cells, entry point and charge."""
    _, nx, ny = events.grid.shape
    position = reflect_positions(events.position, events.grid, number)
    iz, ix, iy = position.T.astype(np.int64)
    order = np.lexsort(((iz * nx + ix) * ny + iy, events.event_of_cell()))
    muons = None if events.muons is None else events.muons.copy()
    if muons is not None:
        in_x, in_y = REFLECTIONS[number]
        muons["x_mm"] *= -1 if in_x else 1
        muons["charge"] *= -1 if in_x else 1
        muons["y_mm"] *= -1 if in_y else 1
    return replace(events, position=position[order], energy_gev=events.energy_gev[order], muons=muons)


def reflected_features(
    events: CalorimeterEvents, reflections: int = len(REFLECTIONS)
) -> Float32[np.ndarray, "reflection event 28"]:
    """Return the high-level features of muons after each of the first so many reflections.

    Raises
    ------
    ValueError
        if it is not known where the muons enter.
    """
    features = np.empty((reflections, len(events), len(FEATURES)), np.float32)
    for start in range(0, len(events), _BLOCK):
        stop = min(start + _BLOCK, len(events))
        some = events.chosen(start, stop)
        for number in range(reflections):
            features[number, start:stop] = muon_features(reflect_muons(some, number) if number else some)
    return features
