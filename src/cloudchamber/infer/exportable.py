"""What an exporter takes: a graph, with names for all of its ends."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class Exportable:
    """A graph that is ready to be exported.

    ``dynamic`` names the axes, of each input, whose length is free; those of one name have one length. Axis 0
    of all inputs and outputs is the batch if ``batched``.
    """

    name: str
    graph: nn.Module
    example: tuple[Tensor, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    dynamic: tuple[dict[int, str], ...]
    about: dict[str, Any] = field(default_factory=dict)
    batched: bool = True
