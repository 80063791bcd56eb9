"""Sorting, neighbours and parents of voxels, compiled; the same results as torch, several times faster."""

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from cloudchamber.compiled import compiled
from cloudchamber.model.sparse.rulebook import Rulebook, half_rows

_DIGIT = 11  # bits that one pass of the radix sort takes


def compiled_order(
    keys: Int64[Tensor, "voxel"], coordinates: Int64[Tensor, "voxel column"]
) -> tuple[Tensor, ...]:
    """Return the stable order of keys (not negative), the row of each among the unique ones, and these.

    The last two are the unique keys, ascending, and their coordinates.
    """
    return _tensors(_order(keys.numpy(), coordinates.numpy()))


def compiled_parents(coordinates: Int64[Tensor, "voxel column"]) -> Int64[Tensor, "voxel column"]:
    """Return the coordinates of the parents of voxels: half, rounded down, along each axis."""
    return torch.from_numpy(_parents(coordinates.numpy()))


def compiled_keys(
    coordinates: Int64[Tensor, "voxel column"],
) -> tuple[Int64[Tensor, "voxel"], tuple[int, ...]]:
    """Return ``linear_keys`` of coordinates that fit without closing gaps; no strides where they do not."""
    keys, strides = _keys(coordinates.numpy())
    return torch.from_numpy(keys), tuple(strides.tolist())


def compiled_down(
    coordinates: Int64[Tensor, "voxel column"], parent: Int64[Tensor, "voxel"], parents: int
) -> Rulebook:
    """Return the pairs (voxel, parent), by the parity of the voxel along each axis."""
    source, target, starts = _parities(coordinates.numpy(), parent.numpy())
    return Rulebook(
        torch.from_numpy(source), torch.from_numpy(target), tuple(starts.tolist()), len(source), parents
    )


def _tensors(arrays: tuple[np.ndarray, ...]) -> tuple[Tensor, ...]:
    return tuple(torch.from_numpy(array) for array in arrays)


def compiled_neighbours(keys: Int64[Tensor, "voxel"], strides: tuple[int, ...]) -> Rulebook:
    """Return the rulebook of a kernel of three voxels a side; the same as the one that torch makes."""
    shifts = np.array(half_rows(strides), dtype=np.int64)
    lower, upper, counts = _walk(keys.numpy(), shifts)
    source, target = _mirror(lower, upper, counts, len(keys))
    sizes = counts.tolist()
    starts = np.cumsum([0, *reversed(sizes), len(keys), *sizes]).tolist()
    voxels = len(keys)
    return Rulebook(
        torch.from_numpy(source), torch.from_numpy(target), tuple(starts), voxels, voxels, len(sizes)
    )


@compiled
def _walk(keys, shifts):
    """Return tables of lower and upper neighbours, a row per place, and how many there are in each."""
    voxels, places = len(keys), 3 * len(shifts) - 2
    lower = np.empty((places, voxels), np.int32)
    upper = np.empty((places, voxels), np.int32)
    counts = np.zeros(places, np.int64)
    for i in range(voxels - 1):
        if keys[i + 1] == keys[i] + 1:
            lower[0, counts[0]], upper[0, counts[0]] = i, i + 1
            counts[0] += 1
    for row in range(1, len(shifts)):
        first = 3 * row - 2
        j, n0, n1, n2 = 0, 0, 0, 0
        for i in range(voxels):
            wanted = keys[i] + shifts[row]
            while j < voxels and keys[j] < wanted - 1:
                j += 1
            if j == voxels:
                break
            k = j
            if keys[k] == wanted - 1:
                lower[first, n0], upper[first, n0] = i, k
                n0 += 1
                k += 1
            if k < voxels and keys[k] == wanted:
                lower[first + 1, n1], upper[first + 1, n1] = i, k
                n1 += 1
                k += 1
            if k < voxels and keys[k] == wanted + 1:
                lower[first + 2, n2], upper[first + 2, n2] = i, k
                n2 += 1
        counts[first], counts[first + 1], counts[first + 2] = n0, n1, n2
    return lower, upper, counts


@compiled
def _mirror(lower, upper, counts, voxels):
    """Return sources and targets of all places: the mirrored half, the centre, the half."""
    half = counts.sum()
    source = np.empty(2 * half + voxels, np.int32)
    target = np.empty(2 * half + voxels, np.int32)
    at = 0
    for place in range(len(counts) - 1, -1, -1):
        n = counts[place]
        source[at : at + n], target[at : at + n] = lower[place, :n], upper[place, :n]
        at += n
    for i in range(voxels):
        source[at + i], target[at + i] = i, i
    at += voxels
    for place in range(len(counts)):
        n = counts[place]
        source[at : at + n], target[at : at + n] = upper[place, :n], lower[place, :n]
        at += n
    return source, target


@compiled
def _keys(coordinates):
    voxels, columns = coordinates.shape
    low, high = coordinates[0].copy(), coordinates[0].copy()
    for i in range(voxels):
        for c in range(columns):
            low[c], high[c] = min(low[c], coordinates[i, c]), max(high[c], coordinates[i, c])
    strides = np.ones(columns, np.int64)
    size = 1.0
    for c in range(columns - 1, 0, -1):
        strides[c - 1] = strides[c] * (high[c] - low[c] + 3)
        size *= high[c] - low[c] + 3.0
    if size * (high[0] - low[0] + 1.0) > 2.0**62:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    keys = np.empty(voxels, np.int64)
    for i in range(voxels):
        key = (coordinates[i, 0] - low[0]) * strides[0]
        for c in range(1, columns):
            key += (coordinates[i, c] - low[c] + 1) * strides[c]
        keys[i] = key
    return keys, strides[1:]


@compiled
def _order(keys, coordinates):
    voxels, columns = coordinates.shape
    largest, rising = 0, True
    for i in range(voxels):
        rising = rising and (i == 0 or keys[i] > keys[i - 1])
        largest = max(largest, keys[i])
    if rising:
        return np.arange(voxels), np.arange(voxels), keys, coordinates.copy()
    order, other_order = np.arange(voxels), np.empty(voxels, np.int64)
    ordered, other = keys.copy(), np.empty(voxels, np.int64)
    shift = 0
    while largest >> shift > 0:
        starts = np.zeros(2**_DIGIT + 1, np.int64)
        for i in range(voxels):
            starts[(ordered[i] >> shift & 2**_DIGIT - 1) + 1] += 1
        starts[:] = np.cumsum(starts)
        for i in range(voxels):
            digit = ordered[i] >> shift & 2**_DIGIT - 1
            place = starts[digit]
            starts[digit] = place + 1
            other[place], other_order[place] = ordered[i], order[i]
        ordered, other = other, ordered
        order, other_order = other_order, order
        shift += _DIGIT
    row = np.empty(voxels, np.int64)
    unique_keys, unique_coordinates = np.empty(voxels, np.int64), np.empty((voxels, columns), np.int64)
    unique = 0
    for i in range(voxels):
        if i == 0 or ordered[i] != ordered[i - 1]:
            unique_keys[unique] = ordered[i]
            for c in range(columns):
                unique_coordinates[unique, c] = coordinates[order[i], c]
            unique += 1
        row[order[i]] = unique - 1
    return order, row, unique_keys[:unique], unique_coordinates[:unique]


@compiled
def _parents(coordinates):
    parents = np.empty_like(coordinates)
    for i in range(len(coordinates)):
        parents[i, 0] = coordinates[i, 0]
        for c in range(1, coordinates.shape[1]):
            parents[i, c] = coordinates[i, c] >> 1
    return parents


@compiled
def _parities(coordinates, parent):
    voxels, columns = coordinates.shape
    starts = np.zeros(2 ** (columns - 1) + 1, np.int64)
    places = np.empty(voxels, np.int64)
    for i in range(voxels):
        place = 0
        for c in range(1, columns):
            place = 2 * place + (coordinates[i, c] & 1)
        places[i] = place
        starts[place + 1] += 1
    starts = np.cumsum(starts)
    filled = starts[:-1].copy()
    source, target = np.empty(voxels, np.int32), np.empty(voxels, np.int32)
    for i in range(voxels):
        at = filled[places[i]]
        source[at], target[at] = i, parent[i]
        filled[places[i]] = at + 1
    return source, target, starts
