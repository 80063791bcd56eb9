"""What the networks of the walls task ask of the maps they are given."""

from jaxtyping import Float
from torch import Tensor

Size = tuple[int, int, int]


def check_maps(x: Float[Tensor, "n c z x y"], inputs: int, size: Size | None = None) -> None:
    """Check the number of maps and, for a network of one size alone, their size (z, x, y).

    Raises
    ------
    ValueError
        if either differs from what the network was built for.
    """
    if x.shape[1] != inputs:
        raise ValueError(f"a network for {inputs} maps got {x.shape[1]}")
    if size is not None and tuple(x.shape[2:]) != size:
        names = ["x".join(map(str, s)) for s in (size, x.shape[2:])]
        raise ValueError(f"a network for volumes of {names[0]} got {names[1]}")


def check_layers(x: Float[Tensor, "n c z x y"], layers: int) -> None:
    """Check the number of layers, for a network that has layers as channels.

    Raises
    ------
    ValueError
        if it is another.
    """
    if x.shape[2] != layers:
        raise ValueError(f"a network for {layers} layers got a volume of {x.shape[2]}")
