"""The file that tells Triton what a model reads and writes."""

from pathlib import Path

import onnx

LARGEST_BATCH = 1024  # that a client may send, and the server may put together
_TYPES = {onnx.TensorProto.FLOAT: "TYPE_FP32", onnx.TensorProto.INT64: "TYPE_INT64"}


def triton_config(name: str, path: Path, *, batched: bool) -> str:
    """Return config.pbtxt of a model in ONNX, whose file says what goes in and comes out.

    Free lengths are -1. If it is ``batched``, shapes are without the batch, which the server adds; what is a
    number per sample has a length of 1 for the server.
    """
    graph = onnx.load(path).graph
    lines = [
        f'name: "{name}"',
        'backend: "onnxruntime"',
        f"max_batch_size: {LARGEST_BATCH if batched else 0}",
    ]
    for kind, ends in (("input", graph.input), ("output", graph.output)):
        for end in ends:
            tensor = end.type.tensor_type
            shape = [
                axis.dim_value if axis.HasField("dim_value") else -1
                for axis in tensor.shape.dim[int(batched) :]
            ]
            lines += [
                f"{kind} {{",
                f'  name: "{end.name}"',
                f"  data_type: {_TYPES[tensor.elem_type]}",
                f"  dims: [ {', '.join(map(str, shape or [1]))} ]",
                *([] if shape else ["  reshape: { shape: [ ] }"]),
                "}",
            ]
    if batched:
        lines.append("dynamic_batching { }")
    return "\n".join(lines) + "\n"
