"""Where the voxels of a batch are: sorted once, used by every layer and by the backward pass."""

from functools import cached_property

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from cloudchamber.model.sparse.backend import chosen_backend
from cloudchamber.model.sparse.keys import linear_keys
from cloudchamber.model.sparse.rulebook import Rulebook, half_neighbours, joined, neighbour_rulebook


class Level:
    """The voxels of one resolution, each once, in the order of their keys.

    Voxel p of level l covers the voxels floor(p' / 2^l) = p of level 0: grids do not depend on what else is
    in the batch.
    """

    def __init__(self, coordinates: Int64[Tensor, "voxel column"]) -> None:
        self._compiled = coordinates.is_cpu and chosen_backend() in ("auto", "numba")
        keys, self.strides = self._linear_keys(coordinates)
        # ``row`` says where each of the given voxels has gone.
        self.order, self.row, self.keys, self.coordinates = self._sorted(keys, coordinates)

    def _linear_keys(self, coordinates: Tensor) -> tuple[Tensor, tuple[int, ...]]:
        if self._compiled and len(coordinates):
            from cloudchamber.model.sparse.compiled.geometry import compiled_keys

            keys, strides = compiled_keys(coordinates)
            if strides:
                return keys, strides
        return linear_keys(coordinates)

    def _sorted(self, keys: Tensor, coordinates: Tensor) -> tuple[Tensor, ...]:
        if self._compiled:
            from cloudchamber.model.sparse.compiled.geometry import compiled_order

            return compiled_order(keys, coordinates)
        ordered, order = torch.sort(keys, stable=True)
        first = torch.ones_like(ordered, dtype=torch.bool)
        first[1:] = ordered[1:] != ordered[:-1]
        row = torch.empty_like(order)
        row[order] = torch.cumsum(first, dim=0) - 1
        return order, row, ordered[first], coordinates[order[first]]

    def __len__(self) -> int:
        """Return the number of voxels."""
        return len(self.keys)

    @cached_property
    def neighbours(self) -> Rulebook:
        """Pairs of a kernel of three voxels a side, centred; the last axis runs fastest."""
        if self._compiled:
            from cloudchamber.model.sparse.compiled.geometry import compiled_neighbours

            return compiled_neighbours(self.keys, self.strides)
        halves = half_neighbours(self.keys, self.strides)
        return neighbour_rulebook(halves, len(self), self.keys.device)

    @cached_property
    def itself(self) -> Rulebook:
        """Pairs of a kernel of one voxel."""
        own = torch.arange(len(self), device=self.keys.device)
        return joined([(own, own)], len(self), len(self), identity=0)

    @cached_property
    def coarser(self) -> "Level":
        """The voxels of half the resolution; their ``row`` is the parent of each voxel here."""
        if self._compiled:
            from cloudchamber.model.sparse.compiled.geometry import compiled_parents

            return Level(compiled_parents(self.coordinates))
        parents = self.coordinates >> 1
        parents[:, 0] = self.coordinates[:, 0]
        return Level(parents)

    @cached_property
    def down(self) -> Rulebook:
        """Pairs (voxel, its parent) of a kernel of two voxels a side and a stride of two."""
        if self._compiled:
            from cloudchamber.model.sparse.compiled.geometry import compiled_down

            return compiled_down(self.coordinates, self.coarser.row, len(self.coarser))
        odd = self.coordinates[:, 1:] & 1
        dimension = odd.shape[1]
        place = odd @ (1 << torch.arange(dimension - 1, -1, -1, device=odd.device))
        own = torch.arange(len(self), device=place.device)
        groups = [(own[place == k], self.coarser.row[place == k]) for k in range(2**dimension)]
        return joined(groups, len(self), len(self.coarser))

    @property
    def up(self) -> Rulebook:
        """Pairs (parent, voxel): the transpose of ``down``."""
        return self.down.transposed


class SparseGeometry:
    """Coordinates of a batch, and all that layers need to know of them, made when first asked for.

    Parameters
    ----------
    coordinates : sample (from 0) and place along each of one or more axes, in any order of rows, integers.
        Places may be negative. Rows that are alike are one voxel, whose features are the sum over them.

    Raises
    ------
    ValueError
        if the coordinates are no such table, or too far apart for int64 keys (see ``linear_keys``).
    """

    def __init__(self, coordinates: Int64[Tensor, "voxel column"]) -> None:
        if coordinates.ndim != 2 or coordinates.shape[1] < 2 or coordinates.is_floating_point():
            raise ValueError(
                f"coordinates are integers of shape (voxel, 1 + axes), not {coordinates.dtype} of shape "
                f"{tuple(coordinates.shape)}"
            )
        self.dimension = coordinates.shape[1] - 1
        self._levels = [Level(coordinates.to(torch.int64).contiguous())]

    @property
    def device(self) -> torch.device:
        """Where the coordinates are."""
        return self._levels[0].keys.device

    @property
    def rows(self) -> int:
        """Number of rows that were given, duplicates included."""
        return len(self._levels[0].row)

    def level(self, number: int) -> Level:
        """Return the voxels at 1 / 2^number of the resolution."""
        while len(self._levels) <= number:
            self._levels.append(self._levels[-1].coarser)
        return self._levels[number]

    def gather(self, features: Float[Tensor, "row channel"]) -> Float[Tensor, "voxel channel"]:
        """Return the features of the voxels in the order of level 0; those of duplicates are summed.

        The sum over duplicates runs from small to large: it does not depend on their order.

        Raises
        ------
        ValueError
            if there is another number of rows than of coordinates.
        """
        level = self._levels[0]
        if len(features) != self.rows:
            raise ValueError(f"{len(features)} rows of features for {self.rows} of coordinates")
        if len(level) == self.rows:
            return features[level.order]
        ascending = features.argsort(dim=0)
        grouped = level.row[ascending].argsort(dim=0, stable=True)
        ordered = features.gather(0, ascending.gather(0, grouped))
        lengths = torch.bincount(level.row, minlength=len(level))
        return torch.segment_reduce(ordered, "sum", lengths=lengths, axis=0)

    def scatter(self, features: Float[Tensor, "voxel channel"]) -> Float[Tensor, "row channel"]:
        """Return the features of level 0 in the order in which coordinates were given."""
        return features[self._levels[0].row]
