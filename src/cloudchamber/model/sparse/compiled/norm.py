"""Batch normalisation with a rectifier, in two passes forward and two backward.

Rows are shared out in blocks of a fixed size, whose float64 sums are added in order: results do not depend
on the number of threads.
"""

import numpy as np
import torch
from jaxtyping import Float32, Float64
from numba.np.numpy_support import carray
from torch import Tensor

from cloudchamber.compiled import compiled
from cloudchamber.model.sparse.compiled.jobs import SLOTS, run_job, worker
from cloudchamber.model.sparse.compiled.rows import gradient_rows, gradient_sum_rows, moment_rows, scale_rows
from cloudchamber.model.sparse.compiled.vectors import LANES, claim

_BLOCK = 512


def takes(features: Float32[Tensor, "voxel channel"]) -> bool:
    """Tell whether the channels fill vectors."""
    return features.shape[1] % LANES == 0


def normalise(
    x: Float32[Tensor, "voxel channel"], weight: Float32[Tensor, "channel"], bias: Float32[Tensor, "channel"],
    eps: float, rectify: bool,
) -> tuple[Tensor, Float64[Tensor, "3 channel"], Float32[Tensor, "2 channel"]]:  # fmt: skip
    """Return x normalised; mean, biased variance and 1 / spread; and the scale and shift that do it."""
    rows, channels = x.shape
    sums = np.empty((-(-rows // _BLOCK), 2, channels))
    run_job(moments_worker, len(sums), x, rows, channels, sums)
    moments, scale_shift = _finish_forward(sums, rows, weight.numpy(), bias.numpy(), eps)
    line = torch.from_numpy(scale_shift)
    return rescale(x, line, rectify), torch.from_numpy(moments), line


def rescale(
    x: Float32[Tensor, "voxel channel"], scale_shift: Float32[Tensor, "2 channel"], rectify: bool
) -> Float32[Tensor, "voxel channel"]:
    """Return x * scale + shift, its negative values as zeros if ``rectify``."""
    rows, channels = x.shape
    out = torch.empty_like(x)
    run_job(
        scale_worker, -(-rows // _BLOCK), x, rows, channels, scale_shift[0], scale_shift[1], out, int(rectify)
    )
    return out


def normalise_back(
    x: Float32[Tensor, "voxel channel"], gradient: Float32[Tensor, "voxel channel"],
    weight: Float32[Tensor, "channel"], moments: Float64[Tensor, "3 channel"],
    scale_shift: Float32[Tensor, "2 channel"], rectify: bool,
) -> tuple[Tensor, Float32[Tensor, "channel"], Float32[Tensor, "channel"]]:  # fmt: skip
    """Return the gradients of x, weight and bias; the formulae stand in ``norm._Normalise``."""
    rows, channels = x.shape
    sums = np.empty((-(-rows // _BLOCK), 2, channels))
    shared = (x, rows, channels, scale_shift[0], scale_shift[1], gradient, int(rectify))
    run_job(gradient_sums_worker, len(sums), *shared, sums)
    of_weight, of_bias, slope, offset = _finish_backward(sums, rows, weight.numpy(), moments.numpy())
    out = torch.empty_like(x)
    run_job(gradient_worker, len(sums), *shared, slope, offset, out)
    return out, torch.from_numpy(of_weight), torch.from_numpy(of_bias)


@compiled
def _finish_forward(sums, rows, weight, bias, eps):
    channels = len(weight)
    moments, scale_shift = np.empty((3, channels)), np.empty((2, channels), np.float32)
    for c in range(channels):
        mean, square = 0.0, 0.0
        for block in range(len(sums)):
            mean += sums[block, 0, c]
            square += sums[block, 1, c]
        mean /= rows
        variance = max(square / rows - mean * mean, 0.0)
        inverse = 1 / np.sqrt(variance + eps)
        moments[0, c], moments[1, c], moments[2, c] = mean, variance, inverse
        scale_shift[0, c], scale_shift[1, c] = weight[c] * inverse, bias[c] - mean * weight[c] * inverse
    return moments, scale_shift


@compiled
def _finish_backward(sums, rows, weight, moments):
    channels = len(weight)
    of_weight, of_bias = np.empty(channels, np.float32), np.empty(channels, np.float32)
    slope, offset = np.empty(channels, np.float32), np.empty(channels, np.float32)
    for c in range(channels):
        plain, weighted = 0.0, 0.0
        for block in range(len(sums)):
            plain += sums[block, 0, c]
            weighted += sums[block, 1, c]
        mean, inverse = moments[0, c], moments[2, c]
        along = (weighted - mean * plain) * inverse
        of_weight[c], of_bias[c] = along, plain
        tilt = -weight[c] * inverse * inverse * along / rows
        slope[c] = tilt
        offset[c] = -weight[c] * inverse * plain / rows - tilt * mean
    return of_weight, of_bias, slope, offset


@compiled
def _moments(job, block):
    x, rows, channels, out = job[2:6]
    first = block * _BLOCK
    for c in range(0, channels, LANES):
        moment_rows(
            x + 4 * (first * channels + c), channels, min(rows - first, _BLOCK),
            out + 8 * (2 * block * channels + c), 8 * channels,
        )  # fmt: skip


@compiled
def _scale(job, block):
    x, rows, channels, scale, shift, out, rectify = job[2:9]
    first = block * _BLOCK
    for c in range(0, channels, LANES):
        at = 4 * (first * channels + c)
        scale_rows(
            x + at, channels, min(rows - first, _BLOCK), scale + 4 * c, shift + 4 * c, out + at, rectify
        )


@compiled
def _gradient_sums(job, block):
    x, rows, channels, scale, shift, gradient, rectify, out = job[2:10]
    first = block * _BLOCK
    for c in range(0, channels, LANES):
        at = 4 * (first * channels + c)
        gradient_sum_rows(
            x + at, channels, min(rows - first, _BLOCK), scale + 4 * c, shift + 4 * c, gradient + at, rectify,
            out + 8 * (2 * block * channels + c), 8 * channels,
        )  # fmt: skip


@compiled
def _gradient(job, block):
    x, rows, channels, scale, shift, gradient, rectify, slope, offset, out = job[2:12]
    first = block * _BLOCK
    for c in range(0, channels, LANES):
        at = 4 * (first * channels + c)
        gradient_rows(
            x + at, channels, min(rows - first, _BLOCK), scale + 4 * c, shift + 4 * c, gradient + at, rectify,
            slope + 4 * c, offset + 4 * c, out + at,
        )  # fmt: skip


@worker
def moments_worker(data):
    """Take blocks of rows."""
    job = carray(data, (SLOTS,))
    block = claim(data)
    while block < job[1]:
        _moments(job, block)
        block = claim(data)


@worker
def scale_worker(data):
    """Take blocks of rows."""
    job = carray(data, (SLOTS,))
    block = claim(data)
    while block < job[1]:
        _scale(job, block)
        block = claim(data)


@worker
def gradient_sums_worker(data):
    """Take blocks of rows."""
    job = carray(data, (SLOTS,))
    block = claim(data)
    while block < job[1]:
        _gradient_sums(job, block)
        block = claim(data)


@worker
def gradient_worker(data):
    """Take blocks of rows."""
    job = carray(data, (SLOTS,))
    block = claim(data)
    while block < job[1]:
        _gradient(job, block)
        block = claim(data)
