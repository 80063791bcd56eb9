"""The 28 high-level features of a muon in the calorimeter, which networks read beside or instead of cells.

They are those of arXiv:2107.02119, in the order of its public data. dx and dy are a cell's centre less the
muon's entry; hard cells are those above 0.1 GeV. What would be a share of nothing (no energy, no cluster) is
0, so an event without cells has 28 zeros.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32

from cloudchamber.calorimeter_events import CalorimeterEvents
from cloudchamber.prepare.feature_scale import FeatureScale, fit_feature_scale
from cloudchamber.prepare.muon_clusters import features_of_muons

__all__ = ["FEATURES", "Feature", "FeatureScale", "fit_feature_scale", "muon_features"]

FIELD_T = 2.0


class Feature(NamedTuple):
    """A feature: its name, what it is, its unit."""

    name: str
    description: str
    unit: str


_ROWS = (
    ("hard_energy", "energy of the hard cells", "GeV"),
    ("imbalance", "sqrt((sum E dx)^2 + (sum E dy)^2) / sum E", "mm"),
    ("hard_imbalance", "the same over hard cells", "mm"),
    ("spread", "sum E (dx^2 + dy^2) / sum E", "mm^2"),
    ("spread_0", "the same over cells with z < 400 mm", "mm^2"),
    ("spread_400", "the same over cells with 400 <= z < 800 mm", "mm^2"),
    ("spread_800", "the same over cells with 800 <= z < 1200 mm", "mm^2"),
    ("spread_1200", "the same over cells with 1200 <= z < 1600 mm", "mm^2"),
    ("spread_1600", "the same over cells with z >= 1600 mm", "mm^2"),
    ("track_clusters", "clusters of hard cells that touch by faces, with a cell in the muon's column", "1"),
    ("track_largest", "cells of the largest of these (of several, the one with most energy)", "1"),
    ("track_largest_energy", "energy of that cluster", "GeV"),
    ("track_length_x", "largest extent of these clusters along x: last less first index", "1"),
    ("track_length_y", "the same along y", "1"),
    ("track_length_z", "the same along z", "1"),
    ("track_energy_per_cell", "energy per cell of the largest cluster in the muon's column", "GeV"),
    ("track_mean_cells", "mean cells per cluster in the muon's column", "1"),
    ("other_clusters", "clusters of hard cells without a cell in the muon's column", "1"),
    ("other_largest", "cells of the largest of these", "1"),
    ("second_box", "what was the largest box (see box) before the largest came, by x, then y, then z", "GeV"),
    ("other_energy_per_cell", "energy per cell of the largest cluster outside of the muon's column", "GeV"),
    ("other_mean_cells", "mean cells per cluster outside of the muon's column", "1"),
    ("moment_x", "sum E dx over all cells + the same over hard cells", "GeV mm"),
    ("moment_y", "sum E dy over all cells + the same over hard cells", "GeV mm"),
    (
        "curvature_momentum",
        "0.3 B R, no more than 1e4, of the circle that starts along z at z = 0 and passes through the "
        "centroids of energy in the first and the second half of the layers; 0 if one half is empty",
        "GeV/c",
    ),
    (
        "box",
        "largest sum of 3 x 3 x 3 cells once the hard cells, which make the clusters, are put to 0",
        "GeV",
    ),
    ("halo_energy", "energy of the cells up to 0.01 GeV", "GeV"),
    ("soft_energy", "energy of the cells above 0.01 and up to 0.1 GeV", "GeV"),
)
FEATURES = tuple(Feature(*row) for row in _ROWS)


def muon_features(
    events: CalorimeterEvents,
    entry_mm: Float[np.ndarray, "event 2"] | None = None,
    *,
    field_t: float = FIELD_T,
) -> Float32[np.ndarray, "event 28"]:
    """Return the features of every muon, in the order of ``FEATURES``.

    Parameters
    ----------
    entry_mm : x and y where each muon enters, from the axis; None takes them from ``events.muons``. The
        muon's column is that of the cells around this point; outside of the grid there is none.
    field_t : the field along y, for the momentum from the curvature.

    Raises
    ------
    ValueError
        if entries are not known (none are given and the events have no truth, or NaN), or of another number.
    """
    if entry_mm is None:
        if events.muons is None:
            raise ValueError("entry points must be given, for these muons come without truth")
        entry_mm = np.stack([events.muons["x_mm"], events.muons["y_mm"]], axis=1)
    entry = np.ascontiguousarray(entry_mm, np.float64)
    if entry.shape != (len(events), 2):
        raise ValueError(f"entry points of shape {(len(events), 2)}, not {entry.shape}")
    if not np.isfinite(entry).all():
        raise ValueError(
            f"the entry point of muon {int(np.argmin(np.isfinite(entry).all(axis=1)))} is not known"
        )
    grid = events.grid
    found: Float[np.ndarray, "event 28"] = features_of_muons(
        events.cell_offsets,
        events.position,
        events.energy_gev,
        grid.shape,
        (float(grid.layer_mm), float(grid.cell_mm)),
        entry,
        float(field_t),
    )
    return found.astype(np.float32)
