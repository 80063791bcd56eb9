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

    @property
    def places(self) -> int:
        """Size of the kernel."""
        return 1 if self.sources is None else self.sources.shape[0]


@dataclass(frozen=True)
class TableLevel:
    """The rulebooks of one resolution as tables, as far as a network reads them, and where the voxels are."""

    neighbours: RowTable | None = None
    down: RowTable | None = None
    up: RowTable | None = None
    itself: RowTable = RowTable(None)
    coordinates: Int64[Tensor, "row column"] | None = None


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


class TableSamples:
    """Means over the rows of each sample at a level whose coordinates are known, and factors by sample."""

    def __init__(self, level: TableLevel, samples: int) -> None:
        if level.coordinates is None:
            raise ValueError("without coordinates it is not known of which sample a row is")
        self.of, self.samples = level.coordinates[:, 0], samples

    def mean(self, features: Float[Tensor, "row channel"]) -> Float[Tensor, "sample channel"]:
        """Return the mean over the rows of each sample, 0 of a sample without rows."""
        counted = torch.cat([features, torch.ones_like(features[:, :1])], dim=1)
        sums = features.new_zeros(self.samples, counted.shape[1]).index_add(0, self.of, counted)
        return sums[:, :-1] / sums[:, -1:].clamp(min=1)

    def scale(
        self, features: Float[Tensor, "row channel"], factor: Float[Tensor, "sample channel"]
    ) -> Float[Tensor, "row channel"]:
        """Return each row times the factor of its sample."""
        return features * factor.index_select(0, self.of)


def parents_of(coordinates: Int64[Tensor, "row column"], down: RowTable) -> Int64[Tensor, "parent column"]:
    """Return the coordinates at the next coarser level, none of them negative, from a table ``down_L``."""
    if down.sources is None:
        raise ValueError("a table of children leads to the coarser level")
    places, rows = down.sources.shape
    padded = torch.cat([coordinates, torch.full_like(coordinates[:1], -1)])
    children = padded.index_select(0, down.sources.reshape(-1)).view(places, rows, coordinates.shape[1])
    largest = children.amax(dim=0)
    return torch.cat([largest[:, :1], torch.div(largest[:, 1:], 2, rounding_mode="floor")], dim=1)


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


def table_names(levels: int) -> tuple[str, ...]:
    """Return the names of the tables of so many levels, as a U-Net reads them."""
    names = []
    for level in range(levels):
        names += [f"neighbours_{level}"] + ([f"down_{level}", f"up_{level}"] if level < levels - 1 else [])
    return tuple(names)


def down_names(halvings: int) -> tuple[str, ...]:
    """Return the names of the tables that a network reads which halves the grid so often, at once."""
    return tuple(name for level in range(halvings) for name in (f"down_{level}", f"neighbours_{level + 1}"))


def tables_of(
    coordinates: Int64[Tensor, "row column"], levels: int, names: tuple[str, ...] | None = None
) -> dict[str, Int64[Tensor, "place row"]]:
    """Return the tables ``neighbours_L``, ``down_L`` and ``up_L`` of so many levels, by these names.

    ``down_L`` leads from level L to L + 1, ``up_L`` back. Rows of level 0 are those of the coordinates.
    ``names``: of tables that are wanted; all of ``table_names`` unless said.

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
    for name in table_names(levels) if names is None else names:
        kind, number = name.rsplit("_", 1)
        table = row_table(getattr(geometry.level(int(number)), kind))
        table = own[table] if name in ("neighbours_0", "down_0") else table
        found[name] = table[:, finest.row] if name in ("neighbours_0", "up_0") else table
    return found
