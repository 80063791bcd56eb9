"""What a set of muons leaves in the cells: figures and profiles for a comparison with another simulation."""

import numpy as np
from jaxtyping import Float64, Int64

from cloudchamber.calorimeter_events import CalorimeterEvents
from cloudchamber.compiled import compiled
from cloudchamber.simulate.calorimeter.config import CalorimeterConfig
from cloudchamber.simulate.calorimeter.deposit import block_of, empty_cells
from cloudchamber.simulate.calorimeter.showers import electromagnetic_shower, showers_of
from cloudchamber.simulate.random import new_stream

HIGH_GEV, LOW_GEV = 0.1, 0.01
RADII_MM = (5.7, 10.0, 19.6, 39.2)


def deposits(events: CalorimeterEvents) -> Float64[np.ndarray, "event"]:
    """Return the energy of each muon in the cells, in GeV."""
    return np.asarray(np.bincount(events.event_of_cell(), events.energy_gev, len(events)), np.float64)


def high_cells(events: CalorimeterEvents) -> Int64[np.ndarray, "event"]:
    """Return the cells above 0.1 GeV of each muon."""
    return np.bincount(events.event_of_cell()[events.energy_gev > HIGH_GEV], minlength=len(events))


def low_shares(events: CalorimeterEvents) -> Float64[np.ndarray, "event"]:
    """Return the share of each muon's energy that lies in cells of 10 MeV or less."""
    low = np.where(events.energy_gev <= LOW_GEV, events.energy_gev, 0)
    energy = np.bincount(events.event_of_cell(), low, len(events))
    return np.asarray(energy / np.maximum(deposits(events), np.finfo(float).tiny), np.float64)


def layer_profile(events: CalorimeterEvents) -> Float64[np.ndarray, "event layer"]:
    """Return the energy of each muon in each layer, in GeV."""
    layers = events.grid.shape[0]
    number = events.event_of_cell() * layers + events.position[:, 0]
    return np.bincount(number, events.energy_gev, len(events) * layers).reshape(-1, layers)


def radial_profile(
    events: CalorimeterEvents, edges_mm: Float64[np.ndarray, "ring+1"]
) -> Float64[np.ndarray, "event ring"]:
    """Return the energy in GeV of each muon in cells whose centre lies in rings about its entry.

    Raises
    ------
    ValueError
        if the events do not say where the muons entered.
    """
    if events.muons is None:
        raise ValueError("muons with truth are needed: the rings are about their entry")
    event, grid = events.event_of_cell(), events.grid
    half = (np.array(grid.shape[1:]) - 1) / 2
    entry = np.stack([events.muons["x_mm"], events.muons["y_mm"]], axis=1)[event]
    away = (events.position[:, 1:] - half) * grid.cell_mm - entry
    ring = np.searchsorted(edges_mm, np.hypot(*away.T), side="right") - 1
    inside, rings = (ring >= 0) & (ring < len(edges_mm) - 1), len(edges_mm) - 1
    number = event[inside] * rings + ring[inside]
    return np.bincount(number, events.energy_gev[inside], len(events) * rings).reshape(-1, rings)


def cell_spectrum(
    events: CalorimeterEvents, edges_gev: Float64[np.ndarray, "bin+1"]
) -> Float64[np.ndarray, "bin"]:
    """Return the cells per muon in bins of the energy of a cell."""
    return np.histogram(events.energy_gev, edges_gev)[0] / len(events)


def summarise(events: CalorimeterEvents) -> dict[str, float]:
    """Return figures of muons: cells above 0.1 GeV, lit cells, energy, and its share in cells up to 10 MeV.

    ``low_share`` is that of the energy of all muons, ``low_share_median`` the median of theirs.
    """
    energy, share = deposits(events), low_shares(events)
    return {
        "muons": float(len(events)),
        "high_cells_median": float(np.median(high_cells(events))),
        "lit_cells_median": float(np.median(np.diff(events.cell_offsets))),
        "deposit_gev_mean": float(energy.mean()),
        "deposit_gev_median": float(np.median(energy)),
        "low_share": float((share * energy).sum() / energy.sum()),
        "low_share_median": float(np.median(share)),
    }


def alike(
    wanted: Float64[np.ndarray, "event"], among: Float64[np.ndarray, "other"], count: int
) -> Int64[np.ndarray, "event*count"]:
    """Return for each of some deposits the ``count`` others nearest in ratio, one event after the other.

    Two simulations whose few muons lost more or less by chance can be compared by what they make of it.

    Raises
    ------
    ValueError
        if there are fewer others than that.
    """
    if len(among) < count:
        raise ValueError(f"{len(among)} events, not {count}, to choose from")
    away = np.abs(np.log(np.asarray(wanted)[:, None] / np.asarray(among)[None, :]))
    return np.argpartition(away, count - 1, axis=1)[:, :count].ravel()


@compiled
def _electrons(stream, cells, block, showers, energy, x, y, count):
    """Put electrons along the axis, one after the other, into the same cells."""
    for _ in range(count):
        stream = electromagnetic_shower(stream, cells, block, showers, energy, 0.0, x, y, 1.0, 0.0, 0.0)


def electron_containment(
    config: CalorimeterConfig,
    energy_gev: float,
    count: int,
    seed: int,
    radii_mm: tuple[float, ...] = RADII_MM,
) -> Float64[np.ndarray, "1+radius"]:
    """Return mean shares of the energy of electrons that enter the front face at the centre of a cell.

    First the share in the column of cells that they enter, then in cells whose centre is nearer than each
    radius. What leaves the block counts as outside.
    """
    block = block_of(config)
    column, row = block.columns // 2, block.rows // 2
    x, y = ((n - (m - 1) / 2) * block.cell_mm for n, m in ((column, block.columns), (row, block.rows)))
    cells = empty_cells(block)
    stream = new_stream(np.random.default_rng(seed))
    _electrons(stream, cells, block, showers_of(config), energy_gev, x, y, count)
    across = cells.reshape(config.shape).sum(axis=0) / (energy_gev * count)
    ix, iy = np.indices(across.shape)
    away = np.hypot(ix - column, iy - row) * block.cell_mm
    return np.array([across[column, row], *(across[away < radius].sum() for radius in radii_mm)])
