"""Sums and products over the pairs of a rulebook, compiled: gather, multiply and add without copies.

The sums of a target run over the places of the kernel in order, whichever thread computes them and however
rows are shared out: results are the same bits for any number of threads.
"""

import numpy as np
import torch
from jaxtyping import Float32
from numba.np.numpy_support import carray
from torch import Tensor
from torch.nn import functional as F

from cloudchamber.compiled import compiled
from cloudchamber.model.sparse.compiled.jobs import SLOTS, run_job, worker
from cloudchamber.model.sparse.compiled.tiles import (
    products_1,
    products_2,
    products_3,
    sums_1,
    sums_2,
    sums_3,
)
from cloudchamber.model.sparse.compiled.vectors import (
    COLUMNS,
    LANES,
    ROWS,
    claim,
    float_pointer,
    integer_pointer,
)
from cloudchamber.model.sparse.rulebook import Rulebook

_LEAST_ROWS, _MOST_ROWS, _CHUNKS = 256, 2048, 8


def compiled_sums(
    features: Float32[Tensor, "row_in channel_in"],
    weight: Float32[Tensor, "channel_out place channel_in"],
    rulebook: Rulebook,
    plus: Float32[Tensor, "row_out channel_out"] | None = None,
) -> Float32[Tensor, "row_out channel_out"]:
    """Return y_t = p_t + sum over pairs (s, t) at place k of W_k x_s."""
    channels = len(weight)
    matrices = _padded(weight.permute(1, 2, 0), LANES)
    depth, width = matrices.shape[1:]
    start = None if plus is None else _padded(plus, LANES)
    out = _sums(features.contiguous(), matrices, width, depth * width, depth, width, rulebook, start)
    return out[:, :channels] if channels < width else out


def compiled_sums_back(
    gradient: Float32[Tensor, "row_out channel_out"],
    weight: Float32[Tensor, "channel_out place channel_in"],
    rulebook: Rulebook,
) -> Float32[Tensor, "row_in channel_in"]:
    """Return the gradient of the features: h_s = sum over pairs (s, t) at place k of W_k' g_t."""
    channels = weight.shape[2]
    matrices = _padded(weight, LANES)
    depth, places, width = matrices.shape
    out = _sums(gradient, matrices, places * width, width, depth, width, rulebook.transposed)
    return out[:, :channels] if channels < width else out


def compiled_products(
    features: Float32[Tensor, "row_in channel_in"],
    gradient: Float32[Tensor, "row_out channel_out"],
    rulebook: Rulebook,
) -> Float32[Tensor, "channel_out place channel_in"]:
    """Return G_k = sum over pairs (s, t) at place k of g_t x_s'."""
    channels_in, channels_out = features.shape[1], gradient.shape[1]
    x, g = _padded(features, LANES), _padded(gradient, ROWS)
    places, width, height = rulebook.places, x.shape[1], g.shape[1]
    out = torch.empty(height, places, width)
    run_job(
        products_worker, places * (height // ROWS), g, height, rulebook.target, x, width, rulebook.source,
        np.array(rulebook.starts), places, out,
    )  # fmt: skip
    return out[:channels_out, :, :channels_in].contiguous()


def _padded(x: Float32[Tensor, "*size channel"], multiple: int) -> Float32[Tensor, "*size padded"]:
    """Return x with zeros behind its last axis, up to a multiple, and contiguous; without a copy if it is."""
    lacking = -x.shape[-1] % multiple
    if not lacking:
        return x.contiguous()
    if x.ndim > 2 or x.stride(1) != 1:
        return F.pad(x, (0, lacking)).contiguous()
    rows, channels = x.shape
    out = x.new_empty(rows, channels + lacking)
    run_job(padding_worker, -(-rows // _MOST_ROWS), x, rows, channels, x.stride(0), out, channels + lacking)
    return out


def _sums(
    x: Float32[Tensor, "row_in depth"], w: Tensor, w_width: int, w_place: int, depth: int, width: int,
    rulebook: Rulebook, start: Float32[Tensor, "row_out width"] | None = None,
) -> Float32[Tensor, "row_out width"]:  # fmt: skip
    rows = rulebook.rows_out
    per_chunk = min(max(-(-rows // _CHUNKS), _LEAST_ROWS), _MOST_ROWS)
    bounds = rulebook.memo.get("bounds")
    if bounds is None:
        bounds = _bounds(rulebook.target.numpy(), np.array(rulebook.starts), rows, per_chunk)
        rulebook.memo["bounds"] = bounds
    chunks = bounds.shape[1] - 1
    out = torch.empty(rows, width)
    run_job(
        sums_worker, chunks, x, depth, rulebook.source, w, w_width, w_place, out, width, rulebook.target,
        bounds, rulebook.places, rows, per_chunk, chunks, 0 if start is None else start,
    )  # fmt: skip
    return out


@compiled
def _bounds(target, starts, rows, per_chunk):
    """Return where in the pairs of each place each chunk of targets starts."""
    chunks = (rows + per_chunk - 1) // per_chunk
    bounds = np.empty((len(starts) - 1, chunks + 1), np.int64)
    for place in range(len(starts) - 1):
        first = bounds[place, 0] = starts[place]
        for chunk in range(1, chunks + 1):
            stop = starts[place + 1]
            while first < stop:
                middle = (first + stop) // 2
                if target[middle] < chunk * per_chunk:
                    first = middle + 1
                else:
                    stop = middle
            bounds[place, chunk] = first
    return bounds


@compiled
def _sums_chunk(job, chunk):
    x, depth, source, w, w_width, w_place, y, width, target = job[2:11]
    places, rows, per_chunk, chunks = job[12:16]
    bounds = carray(integer_pointer(job[11]), (places, chunks + 1))
    first, last = chunk * per_chunk, min(rows, (chunk + 1) * per_chunk)
    out = carray(float_pointer(y), (rows, width))
    if job[16]:
        out[first:last] = carray(float_pointer(job[16]), (rows, width))[first:last]
    else:
        out[first:last] = 0
    for place in range(places):
        start, stop = bounds[place, chunk], bounds[place, chunk + 1]
        column = 0
        while column < width:
            columns = min(COLUMNS, (width - column) // LANES)
            w_at, y_at = w + 4 * (place * w_place + column), y + 4 * column
            for pair in range(start, stop, ROWS):
                s, t, n = source + 4 * pair, target + 4 * pair, stop - pair
                if columns == 1:
                    sums_1(x, depth, s, w_at, w_width, depth, y_at, width, t, n)
                elif columns == 2:
                    sums_2(x, depth, s, w_at, w_width, depth, y_at, width, t, n)
                else:
                    sums_3(x, depth, s, w_at, w_width, depth, y_at, width, t, n)
            column += columns * LANES


@compiled
def _products_place(job, item):
    g, height, target, x, width, source = job[2:8]
    places = job[9]
    starts = carray(integer_pointer(job[8]), (places + 1,))
    place, row = item % places, item // places * ROWS
    pairs = starts[place + 1] - starts[place]
    if pairs == 0:
        empty = carray(float_pointer(job[10]), (height, places, width))
        empty[row : row + ROWS, place] = 0
        return
    s, t = source + 4 * starts[place], target + 4 * starts[place]
    column = 0
    while column < width:
        columns = min(COLUMNS, (width - column) // LANES)
        out = job[10] + 4 * ((row * places + place) * width + column)
        g_at, x_at = g + 4 * row, x + 4 * column
        if columns == 1:
            products_1(g_at, height, t, x_at, width, s, pairs, out, places * width)
        elif columns == 2:
            products_2(g_at, height, t, x_at, width, s, pairs, out, places * width)
        else:
            products_3(g_at, height, t, x_at, width, s, pairs, out, places * width)
        column += columns * LANES


@compiled
def _pad(job, block):
    rows, channels, stride, width = job[3], job[4], job[5], job[7]
    x = carray(float_pointer(job[2]), (stride * (rows - 1) + channels,))
    out = carray(float_pointer(job[6]), (rows, width))
    for row in range(block * _MOST_ROWS, min(rows, (block + 1) * _MOST_ROWS)):
        for column in range(channels):
            out[row, column] = x[stride * row + column]
        for column in range(channels, width):
            out[row, column] = 0


@worker
def padding_worker(data):
    """Take blocks of rows."""
    job = carray(data, (SLOTS,))
    block = claim(data)
    while block < job[1]:
        _pad(job, block)
        block = claim(data)


@worker
def sums_worker(data):
    """Take chunks of targets."""
    job = carray(data, (SLOTS,))
    chunk = claim(data)
    while chunk < job[1]:
        _sums_chunk(job, chunk)
        chunk = claim(data)


@worker
def products_worker(data):
    """Take places of the kernel, a few output channels at a time."""
    job = carray(data, (SLOTS,))
    item = claim(data)
    while item < job[1]:
        _products_place(job, item)
        item = claim(data)
