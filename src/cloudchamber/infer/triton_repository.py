"""The file that tells Triton what a model reads and writes."""

from typing import NamedTuple

import torch
from torch import Tensor

LARGEST_BATCH = 1024  # that a client may send, and the server may put together
_TYPES = {torch.float32: "TYPE_FP32", torch.int64: "TYPE_INT64"}


class ModelEnds(NamedTuple):
    """An example of each input and output by name, with the axes whose length is free."""

    inputs: dict[str, tuple[Tensor, set[int]]]
    outputs: dict[str, tuple[Tensor, set[int]]]
    batched: bool


def triton_config(name: str, ends: ModelEnds) -> str:
    """Return config.pbtxt of a model in ONNX.

    Shapes are without the batch, which the server adds; free lengths are -1.
    """
    lines = [
        f'name: "{name}"',
        'backend: "onnxruntime"',
        f"max_batch_size: {LARGEST_BATCH if ends.batched else 0}",
    ]
    for kind, tensors in (("input", ends.inputs), ("output", ends.outputs)):
        for key, (value, free) in tensors.items():
            shape = [-1 if axis in free else length for axis, length in enumerate(value.shape)]
            dims = ", ".join(map(str, shape[1:] if ends.batched else shape))
            lines += [
                f"{kind} {{",
                f'  name: "{key}"',
                f"  data_type: {_TYPES[value.dtype]}",
                f"  dims: [ {dims} ]",
                "}",
            ]
    if ends.batched:
        lines.append("dynamic_batching { }")
    return "\n".join(lines) + "\n"
