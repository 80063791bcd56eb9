"""Energy into the cells of the block.

A place in the block is its depth in the material and x, y from the axis, in mm: the gaps between layers hold
nothing and do not count. What falls outside the block is lost.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from cloudchamber.calorimeter_events import CalorimeterGrid
from cloudchamber.compiled import compiled, compiled_inline
from cloudchamber.simulate.calorimeter.config import CalorimeterConfig


class Block(NamedTuple):
    """The cells, for compiled loops."""

    layers: int
    columns: int
    rows: int
    layer_mm: float
    cell_mm: float


def block_of(config: CalorimeterConfig) -> Block:
    """Return the block of a configuration."""
    return Block(*config.shape, config.layer_mm, config.cell_mm)


def grid_of(config: CalorimeterConfig) -> CalorimeterGrid:
    """Return the grid of a configuration: where its cells are, gaps included."""
    return CalorimeterGrid(config.shape, config.layer_mm + config.gap_mm, config.cell_mm)


def empty_cells(block: Block) -> Float64[np.ndarray, "cell"]:
    """Return the energies of all cells in GeV, none so far."""
    return np.zeros(block.layers * block.columns * block.rows)


@compiled_inline
def deposit(cells, block, energy, depth, x, y):
    """Add an energy to the cell at a place."""
    iz = np.int64(np.floor(depth / block.layer_mm))
    ix = np.int64(np.floor(x / block.cell_mm + 0.5 * block.columns))
    iy = np.int64(np.floor(y / block.cell_mm + 0.5 * block.rows))
    if 0 <= iz < block.layers and 0 <= ix < block.columns and 0 <= iy < block.rows:
        cells[(iz * block.columns + ix) * block.rows + iy] += energy


@compiled
def lit_cells(cells, block):
    """Return the cells with energy: iz, ix, iy of each, and the energies, in the order of their numbers."""
    count = 0
    for value in cells:
        count += value > 0
    position, energy = np.empty((count, 3), np.int16), np.empty(count, np.float32)
    row = 0
    for number in range(len(cells)):
        if cells[number] > 0:
            position[row, 0] = number // (block.columns * block.rows)
            position[row, 1] = number // block.rows % block.columns
            position[row, 2] = number % block.rows
            energy[row] = cells[number]
            row += 1
    return position, energy
