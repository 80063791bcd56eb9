"""The patch network taken apart: convolution, first dense layer, and what follows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from cloudchamber.model.hits_patch import HitsPatch


class PatchLayers(NamedTuple):
    """A patch network; its first dense layer as a kernel over maps of ``inner`` pixels a side."""

    network: HitsPatch
    side: int  # pixels of a patch
    kernel: int  # pixels of the convolution
    convolution: Float[Tensor, "filter 1 kernel kernel"]
    convolution_bias: Float[Tensor, "filter"]
    first: Float[Tensor, "hidden filter inner inner"]
    first_bias: Float[Tensor, "hidden"]

    @property
    def inner(self) -> int:
        """Pixels a side of the maps of a patch."""
        return self.side - self.kernel + 1

    def maps(self, around: Float[Tensor, "n 1 wire drift"]) -> Float[Tensor, "n filter wire_in drift_in"]:
        """Return the maps of planes: convolution without padding, and the rectifier."""
        made = torch.conv2d(around, self.convolution, self.convolution_bias)
        return torch.relu_(made)

    def finish(self, sums: Float[Tensor, "pixel hidden"]) -> Float[Tensor, "pixel 4"]:
        """Return the scores (track, em, none, michel) from the sums of the first layer, without its bias."""
        x = torch.relu_(sums + self.first_bias)
        for layer in list(self.network.trunk.dense)[1:]:
            x = torch.relu_(layer(x))
        heads = self.network.em_trk_none, self.network.michel
        classes = x.new_zeros(len(x), 3) if heads[0] is None else heads[0](x)
        michel = x.new_zeros(len(x), 1) if heads[1] is None else heads[1](x)
        return scores(classes, michel)


def scores(classes: Float[Tensor, "pixel 3"], michel: Float[Tensor, "pixel 1"]) -> Float[Tensor, "pixel 4"]:
    """Return softmax of track, em and none, and the sigmoid of Michel, from logits."""
    return torch.cat([torch.softmax(classes, dim=1), torch.sigmoid(michel)], dim=1)


def take_apart(network: HitsPatch) -> PatchLayers:
    """Return the layers of a patch network."""
    trunk = network.trunk
    convolution, first = trunk.conv, trunk.dense[0]
    kernel = int(convolution.kernel_size[0])
    inner = trunk.side - kernel + 1
    bias = convolution.bias
    if bias is None:
        raise ValueError("the convolution of a patch network has a bias")
    weight = first.weight.detach().view(-1, convolution.out_channels, inner, inner)  # type: ignore[operator]
    return PatchLayers(
        network, trunk.side, kernel, convolution.weight.detach(), bias.detach(), weight,
        first.bias.detach(),  # type: ignore[operator]
    )  # fmt: skip


@contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Let torch compute with so many threads inside a ``with`` block, and as before behind it."""
    before = torch.get_num_threads()
    if threads != before:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        if threads != before:
            torch.set_num_threads(before)
