"""Sparse convolution and pooling as functions of features and a rulebook."""

from collections.abc import Callable
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from cloudchamber.model.sparse.backend import compiled_for, triton_for
from cloudchamber.model.sparse.rulebook import Rulebook
from cloudchamber.model.sparse.tables import RowTable, table_sums


def convolve(
    features: Float[Tensor, "row_in channel_in"],
    weight: Float[Tensor, "channel_out place channel_in"],
    rulebook: Rulebook | RowTable,
    plus: Float[Tensor, "row_out channel_out"] | None = None,
) -> Float[Tensor, "row_out channel_out"]:
    """Return y_t = p_t + sum over pairs (s, t) at place k of W_k x_s; p is zero if ``plus`` is None."""
    if isinstance(rulebook, RowTable):
        sums = table_sums(features, weight, rulebook)
        return sums if plus is None else sums + plus
    apply: Any = _Convolution.apply
    return cast(Tensor, apply(features, weight, plus, rulebook))


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, plus: Tensor | None, rulebook: Rulebook
    ) -> Tensor:
        ctx.save_for_backward(features, weight)
        ctx.rulebook = rulebook
        ctx.compiled = compiled_for(features)
        if ctx.compiled:
            from cloudchamber.model.sparse.compiled.convolution import compiled_sums

            return compiled_sums(features, weight, rulebook, plus)
        ctx.sums = _triton_sums() if triton_for(features) else pair_sums
        out: Tensor = ctx.sums(features, weight.permute(1, 2, 0), rulebook)
        return out if plus is None else out.add_(plus)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        features, weight = ctx.saved_tensors
        gradient = gradient.contiguous()
        of_features = of_weight = None
        of_plus = gradient if ctx.needs_input_grad[2] else None
        if ctx.compiled:
            from cloudchamber.model.sparse.compiled.convolution import compiled_products, compiled_sums_back

            if ctx.needs_input_grad[0]:
                of_features = compiled_sums_back(gradient, weight, ctx.rulebook)
            if ctx.needs_input_grad[1]:
                of_weight = compiled_products(features, gradient, ctx.rulebook)
            return of_features, of_weight, of_plus, None
        if ctx.needs_input_grad[0]:
            of_features = ctx.sums(gradient, weight.permute(1, 0, 2), ctx.rulebook.transposed)
        if ctx.needs_input_grad[1]:
            of_weight = pair_products(features, gradient, ctx.rulebook)
        return of_features, of_weight, of_plus, None


def _triton_sums() -> Callable[[Tensor, Tensor, Rulebook], Tensor]:
    from cloudchamber.model.sparse.compiled.gpu import triton_sums

    return triton_sums


def pair_sums(
    features: Float[Tensor, "row_in a"], matrices: Float[Tensor, "place a b"], rulebook: Rulebook
) -> Float[Tensor, "row_out b"]:
    """Return y_t = sum over pairs (s, t) at place k of x_s M_k, in torch."""
    out = features.new_zeros(rulebook.rows_out, matrices.shape[2])
    if rulebook.identity is not None:
        out = features @ matrices[rulebook.identity]
    for place in range(rulebook.places):
        pairs = rulebook.pairs(place)
        if place != rulebook.identity and pairs.start < pairs.stop:
            gathered = features.index_select(0, rulebook.source[pairs])
            out.index_add_(0, rulebook.target[pairs], gathered @ matrices[place])
    return out


def pair_products(
    features: Float[Tensor, "row_in channel_in"],
    gradient: Float[Tensor, "row_out channel_out"],
    rulebook: Rulebook,
) -> Float[Tensor, "channel_out place channel_in"]:
    """Return G_k = sum over pairs (s, t) at place k of g_t x_s', in torch."""
    out = features.new_zeros(gradient.shape[1], rulebook.places, features.shape[1])
    for place in range(rulebook.places):
        pairs = rulebook.pairs(place)
        if place == rulebook.identity:
            out[:, place] = gradient.T @ features
        elif pairs.start < pairs.stop:
            targets = gradient.index_select(0, rulebook.target[pairs])
            out[:, place] = targets.T @ features.index_select(0, rulebook.source[pairs])
    return out
