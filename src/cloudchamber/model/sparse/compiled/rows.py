"""Passes over the rows of a table, a vector of channels at a time, for batch normalisation."""

from typing import Any

from llvmlite import ir

from cloudchamber.model.sparse.compiled.vectors import (
    INT,
    LANES,
    VECTOR,
    emitted,
    float_at,
    load_vector,
    loop,
    multiply_add,
    store_vector,
    types,
)

_DOUBLES = ir.VectorType(ir.DoubleType(), LANES)
_ZERO = ir.Constant(VECTOR, [0.0] * LANES)
_ZEROS = [ir.Constant(_DOUBLES, [0.0] * LANES)] * 2


def _wide(builder: Any, value: Any) -> Any:
    return builder.fpext(value, _DOUBLES)


def _at(builder: Any, address: Any) -> Any:
    return load_vector(builder, float_at(builder, address, INT(0)), 0)


def _passing(builder: Any, x: Any, scale: Any, shift: Any, gradient: Any, rectify: Any) -> Any:
    """Return the gradient where the rectifier lets it pass, zero elsewhere."""
    positive = builder.fcmp_ordered(">", multiply_add(builder, x, scale, shift), _ZERO)
    blocked = builder.select(positive, gradient, _ZERO)
    return builder.select(rectify, blocked, gradient)


def _add_doubles(builder: Any, address: Any, values: list[Any], distance: Any) -> None:
    for number, value in enumerate(values):
        place = builder.add(address, builder.mul(INT(number), distance))
        pointer = builder.inttoptr(place, _DOUBLES.as_pointer())
        builder.store(value, pointer, align=8)


@emitted
def moment_rows(typing, x, width, rows, out, distance):
    """Store the sums over rows of x and x^2 as doubles, ``distance`` bytes apart."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, width, rows, out, distance = arguments

        def body(i: Any, sums: list[Any]) -> list[Any]:
            value = _wide(builder, load_vector(builder, float_at(builder, x, builder.mul(i, width)), 0))
            return [builder.fadd(sums[0], value), multiply_add(builder, value, value, sums[1])]

        _add_doubles(builder, out, loop(builder, rows, _ZEROS, body), distance)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 5), emit


@emitted
def scale_rows(typing, x, width, rows, scale, shift, out, rectify):
    """Store x * scale + shift, at least zero if ``rectify``."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, width, rows, scale, shift, out, rectify = arguments
        scale, shift = _at(builder, scale), _at(builder, shift)
        least = builder.icmp_signed("!=", rectify, INT(0))

        def body(i: Any, carried: list[Any]) -> list[Any]:
            place = builder.mul(i, width)
            value = multiply_add(builder, load_vector(builder, float_at(builder, x, place), 0), scale, shift)
            positive = builder.fcmp_unordered(">", value, _ZERO)
            value = builder.select(least, builder.select(positive, value, _ZERO), value)
            store_vector(builder, value, float_at(builder, out, place), 0)
            return carried

        loop(builder, rows, [], body)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 7), emit


@emitted
def gradient_sum_rows(typing, x, width, rows, scale, shift, gradient, rectify, out, distance):
    """Store the sums over rows of h and h x as doubles, h being what passes the rectifier of the gradient."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, width, rows, scale, shift, gradient, rectify, out, distance = arguments
        scale, shift = _at(builder, scale), _at(builder, shift)
        rectify = builder.icmp_signed("!=", rectify, INT(0))

        def body(i: Any, sums: list[Any]) -> list[Any]:
            place = builder.mul(i, width)
            value = load_vector(builder, float_at(builder, x, place), 0)
            given = load_vector(builder, float_at(builder, gradient, place), 0)
            h = _wide(builder, _passing(builder, value, scale, shift, given, rectify))
            return [builder.fadd(sums[0], h), multiply_add(builder, h, _wide(builder, value), sums[1])]

        _add_doubles(builder, out, loop(builder, rows, _ZEROS, body), distance)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 9), emit


@emitted
def gradient_rows(typing, x, width, rows, scale, shift, gradient, rectify, slope, offset, out):
    """Store h scale + x slope + offset, h being what passes the rectifier of the gradient."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, width, rows, scale, shift, gradient, rectify, slope, offset, out = arguments
        scale, shift, slope, offset = (_at(builder, each) for each in (scale, shift, slope, offset))
        rectify = builder.icmp_signed("!=", rectify, INT(0))

        def body(i: Any, carried: list[Any]) -> list[Any]:
            place = builder.mul(i, width)
            value = load_vector(builder, float_at(builder, x, place), 0)
            given = load_vector(builder, float_at(builder, gradient, place), 0)
            h = _passing(builder, value, scale, shift, given, rectify)
            total = multiply_add(builder, h, scale, multiply_add(builder, value, slope, offset))
            store_vector(builder, total, float_at(builder, out, place), 0)
            return carried

        loop(builder, rows, [], body)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 10), emit
