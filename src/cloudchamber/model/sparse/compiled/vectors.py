"""Vectors in numba: what its compiled loops cannot say, LLVM can.

Functions that emit LLVM code on vectors of LANES floats. The width is AVX-512's where there is such a CPU,
half of it elsewhere; LLVM splits vectors that a CPU does not have.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types as numba_types
from numba.extending import intrinsic

types: Any = numba_types
_WIDE = bool(llvmlite.binding.get_host_cpu_features().get("avx512f", False))
LANES = 16 if _WIDE else 8
ROWS = 8 if _WIDE else 4  # of a tile of sums in registers, by at most
COLUMNS = 3 if _WIDE else 2  # vectors

INT = ir.IntType(64)
INDEX = ir.IntType(32)
FLOAT = ir.FloatType()
VECTOR = ir.VectorType(FLOAT, LANES)
_FAST = ("contract",)


def emitted(function: Any) -> Any:
    """Make a function of the typing context and arguments, which returns a signature and what emits code."""
    return intrinsic(function)


def float_at(builder: Any, address: Any, element: Any) -> Any:
    """Return a pointer to one of the floats from an address on."""
    return builder.inttoptr(builder.add(address, builder.mul(element, INT(4))), FLOAT.as_pointer())


def load_vector(builder: Any, pointer: Any, number: int) -> Any:
    """Return one of the vectors from a pointer to floats on."""
    shifted = builder.gep(pointer, [INT(number * LANES)])
    return builder.load(builder.bitcast(shifted, VECTOR.as_pointer()), align=4)


def store_vector(builder: Any, value: Any, pointer: Any, number: int) -> None:
    """Store one of the vectors from a pointer to floats on."""
    shifted = builder.gep(pointer, [INT(number * LANES)])
    builder.store(value, builder.bitcast(shifted, VECTOR.as_pointer()), align=4)


def broadcast(builder: Any, scalar: Any) -> Any:
    """Return a vector whose lanes are all the same."""
    undefined = ir.Constant(VECTOR, ir.Undefined)
    single = builder.insert_element(undefined, scalar, INDEX(0))
    mask = ir.Constant(ir.VectorType(INDEX, LANES), [0] * LANES)
    return builder.shuffle_vector(single, undefined, mask)


def multiply_add(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a b + c, rounded once where the CPU can."""
    return builder.fadd(c, builder.fmul(a, b, flags=_FAST), flags=_FAST)


def loop(
    builder: Any, stop: Any, carried: list[Any], body: Callable[[Any, list[Any]], list[Any]]
) -> list[Any]:
    """Emit ``for i in range(stop)`` (at least once) around a body that maps carried vectors to new ones."""
    before = builder.block
    inside = builder.append_basic_block("tile.loop")
    after = builder.append_basic_block("tile.after")
    builder.branch(inside)
    builder.position_at_end(inside)
    i = builder.phi(INT)
    i.add_incoming(INT(0), before)
    phis = []
    for value in carried:
        phi = builder.phi(value.type)
        phi.add_incoming(value, before)
        phis.append(phi)
    results = body(i, phis)
    following = builder.add(i, INT(1))
    latch = builder.block
    i.add_incoming(following, latch)
    for phi, value in zip(phis, results, strict=True):
        phi.add_incoming(value, latch)
    builder.cbranch(builder.icmp_signed("<", following, stop), inside, after)
    builder.position_at_end(after)
    return results


@emitted
def float_pointer(typing, address):
    """Return an address as a pointer to floats."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], FLOAT.as_pointer())

    return types.CPointer(types.float32)(types.int64), emit


@emitted
def integer_pointer(typing, address):
    """Return an address as a pointer to int64."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], INT.as_pointer())

    return types.CPointer(types.int64)(types.int64), emit


@emitted
def claim(typing, counter):
    """Return the value at a pointer to int64, then one more is there; safe between threads."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("add", arguments[0], INT(1), "monotonic")

    return types.int64(types.CPointer(types.int64)), emit
