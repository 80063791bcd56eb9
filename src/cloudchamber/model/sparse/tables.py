"""Sparse geometry as plain tables of rows, for graphs that leave Python: gather, multiply, add up.

A table has a row per place of the kernel and a column per target: the source's row, or the number of sources
where there is none. It holds what a rulebook holds, in a form that ONNX knows operators for.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from cloudchamber.model.sparse.geometry import SparseGeometry
from cloudchamber.model.sparse.rulebook import Rulebook


@dataclass(frozen=True)
class RowTable:
    """Sources of each target by place; None: every voxel is its own only source."""

    sources: Int64[Tensor, "place target"] | None


@dataclass(frozen=True)
class TableLevel:
    """The rulebooks of one resolution as tables; those of the coarsest level lack ``down`` and ``up``."""

    neighbours: RowTable
    down: RowTable | None = None
    up: RowTable | None = None
    itself: RowTable = RowTable(None)


class TableGeometry(SparseGeometry):
    """A geometry whose tables were made beforehand; rows of level 0 stay in the order they are given in."""

    def __init__(self, dimension: int, levels: list[TableLevel]) -> None:
        self.dimension = dimension
        self._tables = levels

    def level(self, number: int) -> TableLevel:  # type: ignore[override]
        """Return the tables at 1 / 2^number of the resolution."""
        return self._tables[number]

    def gather(self, features: Float[Tensor, "row channel"]) -> Float[Tensor, "row channel"]:
        """Return the features as they are."""
        return features

    def scatter(self, features: Float[Tensor, "row channel"]) -> Float[Tensor, "row channel"]:
        """Return the features as they are."""
        return features


def table_sums(
    features: Float[Tensor, "row_in channel_in"],
    weight: Float[Tensor, "channel_out place channel_in"],
    table: RowTable,
) -> Float[Tensor, "row_out channel_out"]:
    """Return y_t = sum over places k of W_k x_s, with s the source of t at place k."""
    matrices = weight.permute(1, 2, 0)
    if table.sources is None:
        return features @ matrices[0]
    padded = torch.cat([features, torch.zeros_like(features[:1])])
    places, rows = table.sources.shape
    gathered = padded.index_select(0, table.sources.reshape(-1)).view(places, rows, features.shape[1])
    return torch.bmm(gathered, matrices).sum(dim=0)


def row_table(rulebook: Rulebook) -> Int64[Tensor, "place target"]:
    """Return the table of a rulebook."""
    table = torch.full((rulebook.places, rulebook.rows_out), rulebook.rows_in, dtype=torch.int64)
    for place in range(rulebook.places):
        pairs = rulebook.pairs(place)
        table[place, rulebook.target[pairs].long()] = rulebook.source[pairs].long()
    return table


def tables_of(coordinates: Int64[Tensor, "row column"], levels: int) -> dict[str, Int64[Tensor, "place row"]]:
    """Return the tables ``neighbours_L``, ``down_L`` and ``up_L`` of so many levels, by these names.

    ``down_L`` leads from level L to L + 1, ``up_L`` back. Rows of level 0 are those of the coordinates.

    Raises
    ------
    ValueError
        if a voxel stands twice.
    """
    geometry = SparseGeometry(coordinates)
    finest = geometry.level(0)
    if len(finest) != len(coordinates):
        raise ValueError("tables are made of voxels that stand once each")
    own = torch.cat([finest.order, torch.tensor([len(finest)])])  # of voxel; the last is none
    found = {}
    for number in range(levels):
        level = geometry.level(number)
        found[f"neighbours_{number}"] = row_table(level.neighbours)
        if number < levels - 1:
            found[f"down_{number}"], found[f"up_{number}"] = row_table(level.down), row_table(level.up)
    found["neighbours_0"] = own[found["neighbours_0"]][:, finest.row]
    if levels > 1:
        found["down_0"], found["up_0"] = own[found["down_0"]], found["up_0"][:, finest.row]
    return found
