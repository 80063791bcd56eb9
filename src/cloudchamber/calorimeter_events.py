"""Muons in a fine calorimeter: the cells that hold energy, and the truth of each muon."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float32, Int16, Int64, Shaped

# One row per muon. Kinetic energy, charge; where it enters, x and y in mm from the axis; the energy that it
# lost in the block by each process, and the energy in the cells. NaN where a file does not say.
MUON = np.dtype(
    [
        ("energy_gev", "<f4"), ("charge", "i1"), ("x_mm", "<f4"), ("y_mm", "<f4"),
        ("ionisation_gev", "<f4"), ("bremsstrahlung_gev", "<f4"), ("pair_gev", "<f4"),
        ("photonuclear_gev", "<f4"), ("deposit_gev", "<f4"),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class CalorimeterGrid:
    """Cells of a calorimeter: layers along z, which the muon comes along, and square cells across.

    Cell (iz, ix, iy) is centred on z = iz * layer_mm, x = (ix - (nx - 1) / 2) * cell_mm, and y likewise; its
    number is (iz * nx + ix) * ny + iy.
    """

    shape: tuple[int, int, int] = (50, 32, 32)  # cells along z, x, y
    layer_mm: float = 40.64
    cell_mm: float = 3.75


@dataclass(frozen=True)
class CalorimeterEvents:
    """Some muons; their cells with energy one after the other in flat arrays, sorted by number, each once."""

    grid: CalorimeterGrid
    cell_offsets: Int64[np.ndarray, "event+1"]
    position: Int16[np.ndarray, "cell 3"]  # iz, ix, iy
    energy_gev: Float32[np.ndarray, "cell"]
    muons: Shaped[np.ndarray, "event"] | None = None  # of dtype MUON

    def __len__(self) -> int:
        """Return the number of muons."""
        return len(self.cell_offsets) - 1

    def cells_of(self, event: int) -> slice:
        """Return where the cells of a muon stand in the flat arrays."""
        return slice(int(self.cell_offsets[event]), int(self.cell_offsets[event + 1]))

    def event_of_cell(self) -> Int64[np.ndarray, "cell"]:
        """Return the number of the muon of every cell."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.cell_offsets))

    def dense(self, start: int = 0, stop: int | None = None) -> Float32[np.ndarray, "event z x y"]:
        """Return the grids of muons ``start`` to ``stop`` in GeV."""
        part = self.chosen(start, len(self) if stop is None else stop)
        grids = np.zeros((len(part), *self.grid.shape), np.float32)
        grids[(part.event_of_cell(), *part.position.T)] = part.energy_gev
        return grids

    def chosen(self, start: int, stop: int) -> "CalorimeterEvents":
        """Return muons ``start`` to ``stop``."""
        cells = slice(int(self.cell_offsets[start]), int(self.cell_offsets[stop]))
        changed: dict[str, object] = {
            "cell_offsets": self.cell_offsets[start : stop + 1] - cells.start,
            "position": self.position[cells],
            "energy_gev": self.energy_gev[cells],
            "muons": None if self.muons is None else self.muons[start:stop],
        }
        kept = {field.name: getattr(self, field.name) for field in fields(self)}
        return CalorimeterEvents(**(kept | changed))

    def __iter__(self) -> Iterator["CalorimeterEvents"]:
        """Yield the muons one by one."""
        return (self.chosen(event, event + 1) for event in range(len(self)))


def from_dense(
    grid: CalorimeterGrid,
    energy_gev: Float32[np.ndarray, "event z x y"],
    muons: Shaped[np.ndarray, "event"] | None = None,
) -> CalorimeterEvents:
    """Return grids as sparse events: their cells above 0.

    Raises
    ------
    ValueError
        if the grids have another shape.
    """
    if energy_gev.shape[1:] != grid.shape:
        raise ValueError(f"grids of shape {grid.shape}, not {energy_gev.shape[1:]}")
    event, *place = np.nonzero(energy_gev > 0)
    counts = np.bincount(event, minlength=len(energy_gev))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    position = np.stack(place, axis=1).astype(np.int16)
    return CalorimeterEvents(grid, offsets, position, energy_gev[(event, *place)].astype(np.float32), muons)


def join_muons(events: Sequence[CalorimeterEvents]) -> CalorimeterEvents:
    """Return several sets of muons in one grid as one; without truth if one of them has none.

    Raises
    ------
    ValueError
        if there are none, or their grids differ.
    """
    if not events or len({each.grid for each in events}) != 1:
        raise ValueError("muons in one grid, and at least one set of them, can be joined")
    counts = np.concatenate([np.diff(each.cell_offsets) for each in events])
    muons = [each.muons for each in events if each.muons is not None]
    return CalorimeterEvents(
        events[0].grid,
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        np.concatenate([each.position for each in events]),
        np.concatenate([each.energy_gev for each in events]),
        np.concatenate(muons) if len(muons) == len(events) else None,
    )
