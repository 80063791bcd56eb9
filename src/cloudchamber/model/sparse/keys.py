"""One integer per voxel, such that the neighbours of a voxel are a constant away."""

import math

import torch
from jaxtyping import Int64
from torch import Tensor

_BITS = 63


def linear_keys(
    coordinates: Int64[Tensor, "voxel column"],
) -> tuple[Int64[Tensor, "voxel"], tuple[int, ...]]:
    """Return a key per voxel and how far apart in keys two neighbours along each axis are.

    Columns are the sample and the axes, whose order the keys have. Around each axis a halo one voxel wide
    stays free, so that no voxel is a neighbour of one in the next row, plane or sample. Where extents
    are too large for 63 bits, gaps along each axis are closed to a single free place: who is whose neighbour
    stays as it was.

    Raises
    ------
    ValueError
        if keys do not fit 63 bits even then.
    """
    if len(coordinates) == 0:
        return coordinates.new_zeros(0), (1,) * (coordinates.shape[1] - 1)
    low = coordinates.amin(dim=0)
    places = coordinates - low
    extents = (places.amax(dim=0) + 1).tolist()
    if _too_large(extents):
        places = torch.stack([_without_gaps(column) for column in places.unbind(dim=1)], dim=1)
        extents = (places.amax(dim=0) + 1).tolist()
        if _too_large(extents):
            raise ValueError(
                f"keys of {len(coordinates)} voxels need more than {_BITS} bits: occupied places per sample "
                f"and axis are {extents}; give fewer samples at a time"
            )
    strides = [math.prod(extent + 2 for extent in extents[axis + 1 :]) for axis in range(len(extents))]
    keys = (places[:, 1:] + 1) @ places.new_tensor(strides[1:]) + places[:, 0] * strides[0]
    return keys, tuple(strides[1:])


def _too_large(extents: list[int]) -> bool:
    return bool(math.prod([extents[0], *(extent + 2 for extent in extents[1:])]) >= 2**_BITS)


def _without_gaps(column: Int64[Tensor, "voxel"]) -> Int64[Tensor, "voxel"]:
    values, inverse = torch.unique(column, return_inverse=True)
    steps = torch.diff(values, prepend=values[:1]).clamp(max=2)
    return torch.cumsum(steps, dim=0)[inverse]
