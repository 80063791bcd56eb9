"""The sums of a convolution on a GPU, in one Triton kernel.

A program computes a block of targets by a block of output channels, place by place in order: no atomics,
the same bits every time. Verified in Triton's interpreter on a CPU only, never on a GPU: ``"auto"`` does not
take it, ``sparse_backend("triton")`` does.
"""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float32, Int32
from torch import Tensor

from cloudchamber.model.sparse.rulebook import Rulebook

if TYPE_CHECKING:
    triton: Any
    tl: Any
else:
    triton = importlib.import_module("triton")
    tl = importlib.import_module("triton.language")

_jit: Callable[[Any], Any] = triton.jit
_TARGETS, _CHANNELS_OUT, _CHANNELS_IN = 64, 32, 16


def table_of(rulebook: Rulebook) -> Int32[Tensor, "row_out place"]:
    """Return the source of each target at each place, -1 for none."""
    table = rulebook.memo.get("table")
    if table is None:
        device = rulebook.source.device
        shape = (rulebook.rows_out, rulebook.places)
        table = torch.full(shape, -1, dtype=torch.int32, device=device)
        sizes = [stop - start for start, stop in zip(rulebook.starts, rulebook.starts[1:], strict=False)]
        places = torch.repeat_interleave(torch.arange(rulebook.places), torch.tensor(sizes)).to(device)
        table[rulebook.target.long(), places] = rulebook.source
        rulebook.memo["table"] = table
    return table


def triton_sums(
    features: Float32[Tensor, "row_in a"], matrices: Float32[Tensor, "place a b"], rulebook: Rulebook
) -> Float32[Tensor, "row_out b"]:
    """Return y_t = sum over pairs (s, t) at place k of x_s M_k, as ``functional.pair_sums`` does."""
    x, w = features.contiguous(), matrices.contiguous()
    places, depth, width = w.shape
    out = torch.empty(rulebook.rows_out, width, device=x.device)
    blocks = (triton.cdiv(rulebook.rows_out, _TARGETS), triton.cdiv(width, _CHANNELS_OUT))
    if rulebook.rows_out > 0:
        _sums[blocks](
            x, w, table_of(rulebook), out, rulebook.rows_out, places, depth, width,
            TARGETS=_TARGETS, CHANNELS_OUT=_CHANNELS_OUT, CHANNELS_IN=_CHANNELS_IN,
        )  # fmt: skip
    return out


@_jit
def _sums(
    x, w, table, out, rows, places, depth, width,
    TARGETS: tl.constexpr, CHANNELS_OUT: tl.constexpr, CHANNELS_IN: tl.constexpr,
):  # fmt: skip
    target = (tl.program_id(0) * TARGETS + tl.arange(0, TARGETS)).to(tl.int64)
    column = tl.program_id(1) * CHANNELS_OUT + tl.arange(0, CHANNELS_OUT)
    inside = (target[:, None] < rows) & (column[None, :] < width)
    total = tl.zeros((TARGETS, CHANNELS_OUT), dtype=tl.float32)
    for place in range(places):
        source = tl.load(table + target * places + place, mask=target < rows, other=-1).to(tl.int64)
        if tl.max(source, axis=0) >= 0:
            for start in range(0, depth, CHANNELS_IN):
                inner = start + tl.arange(0, CHANNELS_IN)
                there = (source[:, None] >= 0) & (inner[None, :] < depth)
                values = tl.load(x + source[:, None] * depth + inner[None, :], mask=there, other=0.0)
                known = (inner[:, None] < depth) & (column[None, :] < width)
                weights = tl.load(
                    w + (place * depth + inner[:, None]) * width + column[None, :], mask=known, other=0.0
                )
                total += tl.dot(values, weights, input_precision="ieee")
    tl.store(out + target[:, None] * width + column[None, :], total, mask=inside)
