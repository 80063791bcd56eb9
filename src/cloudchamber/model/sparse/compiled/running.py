"""Running batch normalisation with the Swish behind it, over the rows of a table, in few passes.

Rows are shared out in blocks of a fixed size, whose sums are added in order: results do not depend on the
number of threads. Within a block loops run over rows and channels alike, with what belongs to a channel
repeated for a few rows, so that any number of channels fills vectors.
"""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64
from llvmlite import ir
from numba.np.numpy_support import carray
from torch import Tensor

from cloudchamber.compiled import compiled, compiled_inline
from cloudchamber.model.sparse.compiled.jobs import SLOTS, run_job, worker
from cloudchamber.model.sparse.compiled.vectors import claim, emitted, float_pointer, types

_BLOCK, _TILE = 512, 32  # rows; a block is a whole number of tiles
_LOG2_E = np.float32(1 / np.log(2))
# ln 2 in two parts, so that their multiples leave the rest exact
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(np.log(2) - 0.693359375)
_HALF, _ONE = np.float32(0.5), np.float32(1)
_C2, _C3, _C4 = np.float32(1 / 2), np.float32(1 / 6), np.float32(1 / 24)
_C5, _C6 = np.float32(1 / 120), np.float32(1 / 720)
_MOST = np.float32(87)  # e^87 is a float


def sums_of(x: Float32[Tensor, "row channel"]) -> Float64[np.ndarray, "2 channel"]:
    """Return the sums over rows of x and x^2."""
    rows, channels = x.shape
    sums = np.empty((-(-rows // _BLOCK), 2, channels))
    run_job(sums_worker, len(sums), x, rows, channels, sums)
    return np.asarray(sums.sum(axis=0))


def apply_line(
    x: Float32[Tensor, "row channel"], line: Float32[Tensor, "2 channel"], swish: bool
) -> Float32[Tensor, "row channel"]:
    """Return z = x * line[0] + line[1], or z sigmoid(z)."""
    rows, channels = x.shape
    out = torch.empty_like(x)
    run_job(apply_worker, -(-rows // _BLOCK), x, rows, channels, _tiled(line), out, int(swish))
    return out


def gradient_sums(
    x: Float32[Tensor, "row channel"],
    line: Float32[Tensor, "2 channel"],
    gradient: Float32[Tensor, "row channel"],
    swish: bool,
) -> tuple[Float32[Tensor, "row channel"], Float64[np.ndarray, "2 channel"]]:
    """Return the gradient h of z, and the sums over rows of h and h x."""
    rows, channels = x.shape
    sums = np.empty((-(-rows // _BLOCK), 2, channels))
    inner = torch.empty_like(x) if swish else gradient
    run_job(
        gradient_sums_worker, len(sums), x, rows, channels, _tiled(line), gradient, inner, sums, int(swish)
    )
    return inner, np.asarray(sums.sum(axis=0))


def combine(
    x: Float32[Tensor, "row channel"],
    h: Float32[Tensor, "row channel"],
    lines: Float32[Tensor, "3 channel"],
) -> Float32[Tensor, "row channel"]:
    """Return h * lines[0] + x * lines[1] + lines[2]."""
    rows, channels = x.shape
    out = torch.empty_like(x)
    run_job(combine_worker, -(-rows // _BLOCK), x, rows, channels, _tiled(lines), h, out)
    return out


def _tiled(lines: Float32[Tensor, "line channel"]) -> Float32[Tensor, "line tile"]:
    return lines.repeat(1, _TILE).contiguous()


@emitted
def double_pointer(typing, address):
    """Return an address as a pointer to float64."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.DoubleType().as_pointer())

    return types.CPointer(types.float64)(types.int64), emit


@compiled_inline
def _sigmoid(z):
    """Return 1 / (1 + e^-z), to a few parts in 10^7."""
    v = min(max(-z, -_MOST), _MOST)
    k = np.floor(v * _LOG2_E + _HALF)
    r = v - k * _LN2_HIGH - k * _LN2_LOW
    p = _ONE + r * (_ONE + r * (_C2 + r * (_C3 + r * (_C4 + r * (_C5 + r * _C6)))))
    power = np.int32((np.int32(k) + 127) << 23).view(np.float32)
    return _ONE / (_ONE + p * power)


@compiled_inline
def _fold(tile, out, channels):
    """Add up the rows of a tile."""
    for c in range(channels):
        total = 0.0
        for row in range(_TILE):
            total += tile[row * channels + c]
        out[c] = total


@compiled
def _sums(job, block):
    rows, channels = job[3], job[4]
    here = slice(_BLOCK * block * channels, _end(block, rows, channels))
    x = carray(float_pointer(job[2]), (rows * channels,))[here]
    out = carray(double_pointer(job[5]), (2 * (block + 1) * channels,))[2 * block * channels :]
    size = _TILE * channels
    first, second = np.zeros(size, np.float32), np.zeros(size, np.float32)
    for start in range(0, len(x), size):
        part = x[start : start + size]
        for i in range(len(part)):
            first[i] += part[i]
            second[i] += part[i] * part[i]
    _fold(first, out[:channels], channels)
    _fold(second, out[channels:], channels)


@compiled_inline
def _end(block, rows, channels):
    return min(rows, _BLOCK * (block + 1)) * channels


@compiled
def _apply(job, block):
    rows, channels = job[3], job[4]
    size = _TILE * channels
    here = slice(_BLOCK * block * channels, _end(block, rows, channels))
    x = carray(float_pointer(job[2]), (rows * channels,))[here]
    line = carray(float_pointer(job[5]), (2, size))
    out = carray(float_pointer(job[6]), (rows * channels,))[here]
    factor, offset = line[0], line[1]
    for start in range(0, len(x), size):
        part, to = x[start : start + size], out[start : start + size]
        if job[7]:
            for i in range(len(part)):
                z = part[i] * factor[i] + offset[i]
                to[i] = z * _sigmoid(z)
        else:
            for i in range(len(part)):
                to[i] = part[i] * factor[i] + offset[i]


@compiled
def _gradient_sums(job, block):
    rows, channels = job[3], job[4]
    size = _TILE * channels
    here = slice(_BLOCK * block * channels, _end(block, rows, channels))
    x = carray(float_pointer(job[2]), (rows * channels,))[here]
    line = carray(float_pointer(job[5]), (2, size))
    gradient = carray(float_pointer(job[6]), (rows * channels,))[here]
    inner = carray(float_pointer(job[7]), (rows * channels,))[here]
    out = carray(double_pointer(job[8]), (2 * (block + 1) * channels,))[2 * block * channels :]
    factor, offset = line[0], line[1]
    first, second = np.zeros(size, np.float32), np.zeros(size, np.float32)
    for start in range(0, len(x), size):
        part, given, h = x[start : start + size], gradient[start : start + size], inner[start : start + size]
        if job[9]:
            for i in range(len(part)):
                z = part[i] * factor[i] + offset[i]
                s = _sigmoid(z)
                h[i] = given[i] * s * (_ONE + z * (_ONE - s))
        for i in range(len(part)):
            first[i] += h[i]
            second[i] += h[i] * part[i]
    _fold(first, out[:channels], channels)
    _fold(second, out[channels:], channels)


@compiled
def _combine(job, block):
    rows, channels = job[3], job[4]
    size = _TILE * channels
    here = slice(_BLOCK * block * channels, _end(block, rows, channels))
    x = carray(float_pointer(job[2]), (rows * channels,))[here]
    lines = carray(float_pointer(job[5]), (3, size))
    h = carray(float_pointer(job[6]), (rows * channels,))[here]
    out = carray(float_pointer(job[7]), (rows * channels,))[here]
    factor, slope, offset = lines[0], lines[1], lines[2]
    for start in range(0, len(x), size):
        part, given, to = x[start : start + size], h[start : start + size], out[start : start + size]
        for i in range(len(part)):
            to[i] = given[i] * factor[i] + (part[i] * slope[i] + offset[i])


@worker
def sums_worker(data):
    """Take blocks of rows."""
    job = carray(data, (SLOTS,))
    block = claim(data)
    while block < job[1]:
        _sums(job, block)
        block = claim(data)


@worker
def apply_worker(data):
    """Take blocks of rows."""
    job = carray(data, (SLOTS,))
    block = claim(data)
    while block < job[1]:
        _apply(job, block)
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
def combine_worker(data):
    """Take blocks of rows."""
    job = carray(data, (SLOTS,))
    block = claim(data)
    while block < job[1]:
        _combine(job, block)
        block = claim(data)
