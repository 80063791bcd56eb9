"""What a training reads of muons: the cells that its network looks at, and features of all cells."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from cloudchamber.calorimeter_events import CalorimeterEvents, join_muons
from cloudchamber.prepare.muon_features import FEATURES
from cloudchamber.prepare.muon_symmetries import reflected_features


@dataclass(frozen=True)
class PreparedMuons:
    """Muons without their soft cells, and their high-level features, which come from all of them.

    ``features`` are of the muons as they are and after each of the further reflections that are asked for;
    without any columns if none are read.
    """

    events: CalorimeterEvents
    features: Float32[np.ndarray, "reflection event feature"]


def hard_cells(events: CalorimeterEvents, least_mev: float) -> CalorimeterEvents:
    """Return muons without the cells below an energy."""
    if least_mev <= 0:
        return events
    kept = events.energy_gev >= np.float32(1e-3 * least_mev)
    before = np.concatenate([[0], np.cumsum(kept)])
    return replace(
        events,
        cell_offsets=before[events.cell_offsets].astype(np.int64),
        position=events.position[kept],
        energy_gev=events.energy_gev[kept],
    )


def prepare_muons(
    blocks: Iterable[CalorimeterEvents],
    *,
    reflections: int = 1,
    least_mev: float = 0.0,
    features: bool = True,
) -> PreparedMuons:
    """Prepare muons block by block, so that soft cells of one block alone are in memory.

    Raises
    ------
    ValueError
        if there are no muons, or their grids differ, or features are wanted and it is not known where the
        muons enter.
    """
    events, tables = [], []
    for block in blocks:
        columns = len(FEATURES) if features else 0
        made = np.empty((reflections, len(block), columns), np.float32)
        tables.append(reflected_features(block, reflections) if features else made)
        events.append(hard_cells(block, least_mev))
    joined = join_muons(events)
    return PreparedMuons(joined, np.concatenate(tables, axis=1))
