"""Small matrix products on gathered rows, held in vector registers: tiles of ROWS rows by up to 3 vectors."""

from typing import Any

from llvmlite import ir

from cloudchamber.model.sparse.compiled.vectors import (
    FLOAT,
    INDEX,
    INT,
    LANES,
    ROWS,
    VECTOR,
    broadcast,
    emitted,
    float_at,
    load_vector,
    loop,
    multiply_add,
    store_vector,
    types,
)


def _row(builder: Any, indices: Any, pair: Any) -> Any:
    """Return entry ``pair`` of a table of int32 as an int64."""
    address = builder.add(indices, builder.mul(pair, INT(4)))
    return builder.sext(builder.load(builder.inttoptr(address, INDEX.as_pointer())), INT)


def _sums(columns: int) -> Any:
    @emitted
    def sums(typing, x, x_width, source, w, w_width, depth, y, y_width, target, pairs):
        """y[target[r]] += x[source[r]] @ w for 1 to ROWS pairs; addresses in bytes, widths in floats."""

        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            x, x_width, source, w, w_width, depth, y, y_width, target, pairs = arguments
            valid = [builder.icmp_signed("<", INT(r), pairs) for r in range(ROWS)]
            x_rows = []
            for r in range(ROWS):
                entry = _row(builder, source, builder.select(valid[r], INT(r), INT(0)))
                x_rows.append(float_at(builder, x, builder.mul(entry, x_width)))
            w_row = builder.inttoptr(w, FLOAT.as_pointer())

            def body(i: Any, sums: list[Any]) -> list[Any]:
                line = builder.gep(w_row, [builder.mul(i, w_width)])
                vectors = [load_vector(builder, line, c) for c in range(columns)]
                new = []
                for r in range(ROWS):
                    value = broadcast(builder, builder.load(builder.gep(x_rows[r], [i])))
                    for c in range(columns):
                        new.append(multiply_add(builder, value, vectors[c], sums[r * columns + c]))
                return new

            zeros = [ir.Constant(VECTOR, [0.0] * LANES)] * (ROWS * columns)
            sums = loop(builder, depth, zeros, body)
            for r in range(ROWS):
                with builder.if_then(valid[r]):
                    out = float_at(builder, y, builder.mul(_row(builder, target, INT(r)), y_width))
                    for c in range(columns):
                        total = builder.fadd(load_vector(builder, out, c), sums[r * columns + c])
                        store_vector(builder, total, out, c)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 10), emit

    return sums


def _products(columns: int) -> Any:
    @emitted
    def products(typing, g, g_width, target, x, x_width, source, pairs, out, out_width):
        """out[r, c] = sum over one or more pairs of g[target, r] x[source, c]; addresses, widths as above."""

        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            g, g_width, target, x, x_width, source, pairs, out, out_width = arguments

            def body(i: Any, sums: list[Any]) -> list[Any]:
                g_row = float_at(builder, g, builder.mul(_row(builder, target, i), g_width))
                x_row = float_at(builder, x, builder.mul(_row(builder, source, i), x_width))
                vectors = [load_vector(builder, x_row, c) for c in range(columns)]
                new = []
                for r in range(ROWS):
                    value = broadcast(builder, builder.load(builder.gep(g_row, [INT(r)])))
                    for c in range(columns):
                        new.append(multiply_add(builder, value, vectors[c], sums[r * columns + c]))
                return new

            lines = [
                builder.gep(builder.inttoptr(out, FLOAT.as_pointer()), [builder.mul(INT(r), out_width)])
                for r in range(ROWS)
            ]
            zeros = [ir.Constant(VECTOR, [0.0] * LANES)] * (ROWS * columns)
            sums = loop(builder, pairs, zeros, body)
            for r in range(ROWS):
                for c in range(columns):
                    store_vector(builder, sums[r * columns + c], lines[r], c)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 9), emit

    return products


sums_1, sums_2, sums_3 = _sums(1), _sums(2), _sums(3)
products_1, products_2, products_3 = _products(1), _products(2), _products(3)
