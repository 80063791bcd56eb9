"""Pooling over the children of a voxel, a place of the kernel at a time: no atomics, the same bits always."""

import torch
from jaxtyping import Float
from torch import Tensor

from cloudchamber.model.sparse.rulebook import Rulebook


def average_pool(
    features: Float[Tensor, "row_in channel"], rulebook: Rulebook
) -> Float[Tensor, "row_out channel"]:
    """Return the mean over the sources of each target."""
    out = features.new_zeros(rulebook.rows_out, features.shape[1])
    counts = features.new_zeros(rulebook.rows_out, 1)
    for place in range(rulebook.places):
        pairs = rulebook.pairs(place)
        target = rulebook.target[pairs]
        out = out.index_add(0, target, features[rulebook.source[pairs]])
        counts.index_add_(0, target, counts.new_ones(len(target), 1))
    return out / counts


def max_pool(
    features: Float[Tensor, "row_in channel"], rulebook: Rulebook
) -> Float[Tensor, "row_out channel"]:
    """Return the largest value over the sources of each target; the first of equal ones has the gradient."""
    with torch.no_grad():
        best = features.new_full((rulebook.rows_out, features.shape[1]), -torch.inf)
        row = best.new_zeros(best.shape, dtype=torch.int64)
        for place in range(rulebook.places):
            pairs = rulebook.pairs(place)
            source, target = rulebook.source[pairs].long(), rulebook.target[pairs].long()
            values = features[source]
            larger = values > best[target]
            best[target] = torch.where(larger, values, best[target])
            row[target] = torch.where(larger, source[:, None], row[target])
    return features.gather(0, row)
