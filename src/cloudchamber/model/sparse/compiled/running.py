"""Running batch normalisation with the Swish behind it, over the rows of a table, in few passes.

Rows are shared out in blocks of a fixed size, whose sums are added in order: results do not depend on the
number of threads. Within a block loops run over rows and channels alike, with what belongs to a channel
repeated for a few rows, so that any number of channels fills vectors.
"""

from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float32
from llvmlite import ir
from numba.np.numpy_support import carray
from torch import Tensor
from torch.autograd.function import once_differentiable

from cloudchamber.compiled import compiled, compiled_inline
from cloudchamber.model.running_norm import LEAST_VARIANCE, WARM_UP, RunningBatchNorm
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


def normalise(
    x: Float32[Tensor, "row channel"], norm: RunningBatchNorm, samples: int, new: float
) -> Float32[Tensor, "row channel"]:
    """Return what a layer makes of a batch of so many samples, whose sums enter its state with a weight."""
    apply: Any = _Normalise.apply
    return cast(Tensor, apply(x, norm.weight, norm.bias, norm, samples, new))


class _Normalise(torch.autograd.Function):
    """The formulae stand in ``running_norm._Normalise``."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, norm: RunningBatchNorm, samples: int, new: float
    ) -> Tensor:
        x = x.contiguous()
        rows, channels = x.shape
        sums = np.empty((-(-rows // _BLOCK), 2, channels))
        run_job(sums_worker, len(sums), x, rows, channels, sums)
        state = (norm.sums, norm.squares, norm.count.view(1), norm.seen.view(1), weight, bias)
        ctx.moments, ctx.line = _update(
            sums.sum(axis=0), *[each.detach().numpy() for each in state], rows, samples, new, norm.eps
        )
        ctx.save_for_backward(x, weight)
        ctx.share, ctx.swish = new / float(norm.count), norm.swish
        out = torch.empty_like(x)
        run_job(apply_worker, len(sums), x, rows, channels, ctx.line, out, int(norm.swish))
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        gradient = gradient.contiguous()
        rows, channels = x.shape
        sums = np.empty((-(-rows // _BLOCK), 2, channels))
        inner = torch.empty_like(x) if ctx.swish else gradient
        about_x = (len(sums), x, rows, channels)
        run_job(gradient_sums_worker, *about_x, ctx.line, gradient, inner, sums, int(ctx.swish))
        lines, of_both = _lines_back(sums.sum(axis=0), ctx.moments, weight.detach().numpy(), ctx.share)
        out = torch.empty_like(x)
        run_job(combine_worker, *about_x, lines, inner, out)
        of_weight, of_bias = torch.from_numpy(of_both)
        return out, of_weight, of_bias, None, None, None


def swish(x: Float32[Tensor, "row channel"]) -> Float32[Tensor, "row channel"]:
    """Return x sigmoid(x)."""
    apply: Any = _Swish.apply
    return cast(Tensor, apply(x))


class _Swish(torch.autograd.Function):
    """A line of slope 1 through 0, with the Swish behind it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = x.contiguous()
        rows, channels = x.shape
        ctx.save_for_backward(x)
        ctx.line = np.repeat(np.array([[1], [0]], np.float32), _TILE * channels, axis=1)
        out = torch.empty_like(x)
        run_job(apply_worker, -(-rows // _BLOCK), x, rows, channels, ctx.line, out, 1)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        rows, channels = x.shape
        sums, out = np.empty((-(-rows // _BLOCK), 2, channels)), torch.empty_like(x)
        about_x = (len(sums), x, rows, channels)
        run_job(gradient_sums_worker, *about_x, ctx.line, gradient.contiguous(), out, sums, 1)
        return out


@compiled
def _update(present, sums, squares, count, seen, weight, bias, rows, samples, new, eps):
    """Let the present sums enter the state; return mean, 1 / spread and whether that is free, and the line.

    The line is factor and offset of each channel, again for each row of a tile.
    """
    channels = len(weight)
    count[0] += (rows - count[0]) * new
    seen[0] += samples
    least = LEAST_VARIANCE if seen[0] < WARM_UP else -np.inf
    moments, line = np.empty((3, channels)), np.empty((2, _TILE * channels), np.float32)
    for c in range(channels):
        sums[c] += (present[0, c] - sums[c]) * new
        squares[c] += (present[1, c] - squares[c]) * new
        mean = sums[c] / float(count[0])
        variance = squares[c] / float(count[0]) - mean * mean
        inverse = 1 / np.sqrt(max(variance, least) + eps)
        moments[0, c], moments[1, c], moments[2, c] = mean, inverse, variance >= least
        for row in range(_TILE):
            line[0, row * channels + c] = weight[c] * inverse
            line[1, row * channels + c] = bias[c] - mean * weight[c] * inverse
    return moments, line


@compiled
def _lines_back(both, moments, weight, share):
    """Return the three lines of the gradient of x, for each row of a tile; and those of weight and bias."""
    channels = len(weight)
    lines, out = np.empty((3, _TILE * channels), np.float32), np.empty((2, channels), np.float32)
    for c in range(channels):
        mean, inverse, of_bias = moments[0, c], moments[1, c], both[0, c]
        of_factor = both[1, c] - mean * of_bias
        factor = weight[c] * inverse
        of_variance = -0.5 * of_factor * factor * inverse * inverse * moments[2, c]
        out[0, c], out[1, c] = of_factor * inverse, of_bias
        for row in range(_TILE):
            place = row * channels + c
            lines[0, place], lines[1, place] = factor, 2 * share * of_variance
            lines[2, place] = share * (-factor * of_bias - 2 * mean * of_variance)
    return lines, out


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
