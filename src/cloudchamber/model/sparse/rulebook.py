"""Who contributes to whom: pairs of voxels, grouped by the place in the kernel that joins them."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Int32, Int64
from torch import Tensor


@dataclass(frozen=True)
class Rulebook:
    """Pairs (source, target) of rows, sorted by place in the kernel and, within one, by both rows.

    Within one place no source and no target stands twice: sums over a place need no atomics and no order.
    """

    source: Int32[Tensor, "pair"]
    target: Int32[Tensor, "pair"]
    starts: tuple[int, ...]  # pairs of place k stand from starts[k] to starts[k + 1]
    rows_in: int
    rows_out: int
    identity: int | None = None  # place that joins every voxel with itself
    memo: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)  # what a backend keeps
    _swapped: "Rulebook | None" = field(default=None, repr=False, compare=False)

    @property
    def places(self) -> int:
        """Size of the kernel."""
        return len(self.starts) - 1

    def pairs(self, place: int) -> slice:
        """Return where the pairs of one place stand."""
        return slice(self.starts[place], self.starts[place + 1])

    @cached_property
    def transposed(self) -> "Rulebook":
        """The same pairs with source and target swapped."""
        if self._swapped is not None:
            return self._swapped
        return Rulebook(
            self.target, self.source, self.starts, self.rows_out, self.rows_in, self.identity, _swapped=self
        )


def joined(
    groups: list[tuple[Tensor, Tensor]], rows_in: int, rows_out: int, identity: int | None = None
) -> Rulebook:
    """Return a rulebook from (source, target) of each place in order."""
    starts = [0]
    for source, _ in groups:
        starts.append(starts[-1] + len(source))
    source = torch.cat([s for s, _ in groups]).to(torch.int32)
    target = torch.cat([t for _, t in groups]).to(torch.int32)
    return Rulebook(source, target, tuple(starts), rows_in, rows_out, identity)


def half_neighbours(
    keys: Int64[Tensor, "voxel"], strides: tuple[int, ...]
) -> list[tuple[Int64[Tensor, "pair"], Int64[Tensor, "pair"]]]:
    """Return (lower, upper) rows of neighbours for every place after the kernel's centre, from sorted keys.

    One search per row of the kernel finds the first of its three voxels; the others, if there, follow it.
    """
    last = max(len(keys) - 1, 0)
    own = torch.arange(len(keys), device=keys.device)
    groups = []
    for number, shift in enumerate(half_rows(strides)):
        wanted, central = keys + shift, number == 0
        place = own + 1 if central else torch.searchsorted(keys, wanted - 1)
        for along in (1,) if central else (-1, 0, 1):
            found = keys[place.clamp(max=last)] == wanted + along
            groups.append((own[found], place[found]))
            place = place + found
    return groups


def half_rows(strides: tuple[int, ...]) -> list[int]:
    """Return the distances in keys of the kernel's rows along the last axis, from the central one upwards."""
    shifts = [0]
    for stride in strides[:-1]:
        shifts = [shift + step * stride for shift in shifts for step in (-1, 0, 1)]
    return shifts[len(shifts) // 2 :]


def neighbour_rulebook(halves: list[tuple[Tensor, Tensor]], voxels: int, device: torch.device) -> Rulebook:
    """Return the rulebook of a kernel of three voxels a side: half of it, the centre and its mirror."""
    own = torch.arange(voxels, device=device)
    groups = [(lower, upper) for lower, upper in reversed(halves)]
    groups += [(own, own)]
    groups += [(upper, lower) for lower, upper in halves]
    return joined(groups, voxels, voxels, identity=len(halves))
