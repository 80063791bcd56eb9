"""A fully convolutional network on an image of any size, in tiles: bounded memory and no seams.

Tiles begin at multiples of the network's stride and are read with a margin of its receptive field to each
side, of which nothing is kept; at the edges of the image they see what a pass over the whole would. In
evaluation mode the logits are then those of the whole image but for rounding.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

MOST_PIXELS = 2**21  # read at once


class Span(NamedTuple):
    """Pixels of one side of a tile: those read, and those kept."""

    first: int
    last: int
    start: int
    stop: int


class Tile(NamedTuple):
    """A tile's logits (class, wire, drift) and which part of the image they are of."""

    wires: slice
    drifts: slice
    logits: Float[Tensor, "class wire drift"]


def spans(size: int, stride: int, margin: int, most: int) -> list[Span]:
    """Return the spans that cover ``size`` pixels, each of which reads ``most`` at most, if that can be.

    They may read beyond the image, up to the next multiple of the stride.
    """
    whole = -(-size // stride) * stride
    reach = -(-margin // stride) * stride
    if whole <= most:
        return [Span(0, whole, 0, size)]
    kept = max(stride, (most - 2 * reach) // stride * stride)
    return [
        Span(max(0, start - reach), min(whole, start + kept + reach), start, min(size, start + kept))
        for start in range(0, size, kept)
    ]


def tile_sides(shape: tuple[int, int], stride: int, margin: int, most_pixels: int) -> tuple[int, int]:
    """Return how many wires and ticks a tile may read so that the image takes the least work."""

    def work(size: int, most: int) -> int:
        return sum(span.last - span.first for span in spans(size, stride, margin, most))

    best, found = float("inf"), shape
    reach = -(-margin // stride) * stride
    wires = min(stride + 2 * reach, -(-shape[0] // stride) * stride)
    while True:
        drifts = max(stride, most_pixels // wires // stride * stride)
        total = work(shape[0], wires) * work(shape[1], drifts)
        if total < best:
            best, found = total, (wires, drifts)
        if wires >= shape[0] or wires * stride >= most_pixels:
            return found
        wires = min(wires + max(stride, wires // 4 // stride * stride), -(-shape[0] // stride) * stride)


@torch.inference_mode()
def run_tiles(
    network: nn.Module,
    read: Callable[[slice, slice], Float[Tensor, "channel wire drift"]],
    shape: tuple[int, int],
    *,
    most_pixels: int = MOST_PIXELS,
) -> Iterator[Tile]:
    """Yield the logits of an image, tile by tile.

    Parameters
    ----------
    network : in evaluation mode, with ``stride`` and ``margin`` as those of :mod:`cloudchamber.model`; it
        labels every pixel that it reads (``fine`` of 1).
    read : gives what the network reads of a part of the image, with zeros beyond its edges.
    shape : (wire, drift) of the image.
    most_pixels : read at once; more, where a tile must be larger for its margins.
    """
    stride, margin = int(network.stride), int(network.margin)  # type: ignore[arg-type]
    wires, drifts = tile_sides(shape, stride, margin, most_pixels)
    for w in spans(shape[0], stride, margin, wires):
        for d in spans(shape[1], stride, margin, drifts):
            part = read(slice(w.first, w.last), slice(d.first, d.last))
            logits = network(part[None])[0]
            kept = logits[:, w.start - w.first : w.stop - w.first, d.start - d.first : d.stop - d.first]
            yield Tile(slice(w.start, w.stop), slice(d.start, d.stop), kept)
