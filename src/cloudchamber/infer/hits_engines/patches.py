"""The engine that all others are measured against: a patch per pixel, in batches."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from cloudchamber.infer.hits_engines.layers import PatchLayers, scores
from cloudchamber.infer.hits_engines.places import Places, cut_patches, padded

BATCH = 64  # patches; more are no faster


def batch_size(layers: PatchLayers, memory_mib: float) -> int:
    """Return how many patches fit in memory, their maps included: at least one, at most ``BATCH``."""
    floats = layers.side**2 + 2 * layers.convolution.shape[0] * layers.inner**2
    return max(1, min(BATCH, int(memory_mib * 2**20 / (4 * floats))))


def run_patches(
    layers: PatchLayers, plane: Float32[np.ndarray, "wire drift"], places: Places, memory_mib: float
) -> Float32[np.ndarray, "pixel 4"]:
    """Return the scores of pixels, each from a patch of its own."""
    around = padded(plane, layers.side)

    def of_batch(some: slice) -> Tensor:
        patches = cut_patches(around, places.wire[some], places.drift[some], layers.side)
        return scores(*layers.network(torch.from_numpy(patches)))

    return in_batches(len(places), batch_size(layers, memory_mib), of_batch)


def in_batches(
    pixels: int, batch: int, of_batch: Callable[[slice], Tensor]
) -> Float32[np.ndarray, "pixel 4"]:
    """Return scores that are worked out batch by batch."""
    out = np.empty((pixels, 4), np.float32)
    for start in range(0, pixels, batch):
        some = slice(start, min(start + batch, pixels))
        out[some] = of_batch(some).numpy()
    return out
