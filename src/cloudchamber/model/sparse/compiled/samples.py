"""Sums over the rows of each sample, and lines that differ by sample, for tables sorted by sample.

A sample is one item of work, so results do not depend on the number of threads. Loops run over rows and
channels alike, as in ``running``.
"""

import numpy as np
import torch
from jaxtyping import Float32, Int64
from numba.np.numpy_support import carray
from torch import Tensor

from cloudchamber.compiled import compiled
from cloudchamber.model.sparse.compiled.jobs import SLOTS, run_job, worker
from cloudchamber.model.sparse.compiled.vectors import claim, float_pointer, integer_pointer

_TILE = 32


def sample_sums(
    x: Float32[Tensor, "row channel"],
    y: Float32[Tensor, "row channel"] | None,
    starts: Int64[Tensor, "sample+1"],
) -> Float32[Tensor, "sample channel"]:
    """Return the sums over the rows of each sample of x, or of x y."""
    samples, channels = len(starts) - 1, x.shape[1]
    out = x.new_empty(samples, channels)
    run_job(sums_worker, samples, x, 0 if y is None else y, len(x), channels, starts, samples, out)
    return out


def sample_scaled(
    x: Float32[Tensor, "row channel"],
    factor: Float32[Tensor, "sample channel"],
    starts: Int64[Tensor, "sample+1"],
) -> Float32[Tensor, "row channel"]:
    """Return x times the factor of its sample."""
    samples, channels = len(starts) - 1, x.shape[1]
    out = torch.empty_like(x)
    run_job(scale_worker, samples, x, factor, len(x), channels, starts, samples, out)
    return out


@compiled
def _sums(job, sample):
    rows, channels, samples = job[4], job[5], job[7]
    starts = carray(integer_pointer(job[6]), (samples + 1,))
    here = slice(starts[sample] * channels, starts[sample + 1] * channels)
    x = carray(float_pointer(job[2]), (rows * channels,))[here]
    out = carray(float_pointer(job[8]), (samples, channels))
    size = _TILE * channels
    tile = np.zeros(size, np.float32)
    for start in range(0, len(x), size):
        part = x[start : start + size]
        if job[3]:
            other = carray(float_pointer(job[3]), (rows * channels,))[here][start : start + size]
            for i in range(len(part)):
                tile[i] += part[i] * other[i]
        else:
            for i in range(len(part)):
                tile[i] += part[i]
    for c in range(channels):
        total = 0.0
        for row in range(_TILE):
            total += tile[row * channels + c]
        out[sample, c] = total


@compiled
def _scale(job, sample):
    rows, channels, samples = job[4], job[5], job[7]
    starts = carray(integer_pointer(job[6]), (samples + 1,))
    here = slice(starts[sample] * channels, starts[sample + 1] * channels)
    x = carray(float_pointer(job[2]), (rows * channels,))[here]
    factor = carray(float_pointer(job[3]), (samples, channels))
    out = carray(float_pointer(job[8]), (rows * channels,))[here]
    size = _TILE * channels
    tile = np.empty(size, np.float32)
    for i in range(size):
        tile[i] = factor[sample, i % channels]
    for start in range(0, len(x), size):
        part, to = x[start : start + size], out[start : start + size]
        for i in range(len(part)):
            to[i] = part[i] * tile[i]


@worker
def sums_worker(data):
    """Take samples."""
    job = carray(data, (SLOTS,))
    sample = claim(data)
    while sample < job[1]:
        _sums(job, sample)
        sample = claim(data)


@worker
def scale_worker(data):
    """Take samples."""
    job = carray(data, (SLOTS,))
    sample = claim(data)
    while sample < job[1]:
        _scale(job, sample)
        sample = claim(data)
