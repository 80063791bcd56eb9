"""Weights of other engines in our layout, (channel_out, place, channel_in), the last axis running fastest.

=============  ==========================================  ===============================  ================
engine         kernel                                      order of places                  coordinates
=============  ==========================================  ===============================  ================
SparseConvNet  (place, 1, in, out) or (place * in, out)    last axis fastest                axes, sample
spconv 2       (out, *side, in)                            last axis fastest                sample, axes
spconv 1       (*side, in, out)                            last axis fastest                sample, axes
Minkowski      (place, in, out); (in, out) for one place   first axis fastest               sample, axes
=============  ==========================================  ===============================  ================

A kernel of one place in spconv 2 has the shape (out, 1, ..., 1, in), but spconv computes with its memory read
as (in, out), and so do we; a matrix there is a linear layer's, (out, in).

All of them correlate, as dense convolutions in torch do: place p of a kernel of three takes the voxel at
p - 1 from the target, place p of a kernel of two at stride two the voxel at 2 t + p. Transposed
convolutions keep the places of the convolution that they transpose. Axes follow the columns of the
coordinates: what an engine calls (z, y, x) is (z, y, x) here too. Sources: RectangularRegions.h and
submanifoldConvolution.py of SparseConvNet; kernel_region.hpp of MinkowskiEngine 0.5; spconv 2.3.8 itself.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor, nn

from cloudchamber.errors import InputError
from cloudchamber.model.sparse.modules import SparseConvolution, SparseResidualBlock
from cloudchamber.model.sparse.norm import SparseBatchNorm
from cloudchamber.model.voxels_uresnet import SparseUResNet

Engine = Literal["sparseconvnet", "spconv", "spconv1", "minkowski"]

_NOT_STATE = ("num_batches_tracked",)


def convert_kernel(
    weight: Float[Tensor, "*size"], engine: str, shape: tuple[int, int, int], dimension: int
) -> Float[Tensor, "channel_out place channel_in"]:
    """Return a kernel of another engine as one of ours, whose shape is ``shape``.

    Raises
    ------
    ValueError
        if the engine is unknown, or the kernel has another number of weights.
    """
    if engine not in get_args(Engine):
        raise ValueError(f"an engine is one of {', '.join(get_args(Engine))}, not {engine!r}")
    channels_out, places, channels_in = shape
    if weight.numel() != channels_out * places * channels_in:
        raise ValueError(f"a kernel of shape {tuple(weight.shape)} cannot be one of shape {shape}")
    if engine == "spconv" and (places > 1 or weight.ndim == 2):
        return weight.reshape(shape).contiguous()
    kernel = weight.reshape(places, channels_in, channels_out)
    if engine == "minkowski":
        side = round(places ** (1 / dimension))
        grid = kernel.reshape(*[side] * dimension, channels_in, channels_out)
        kernel = grid.permute(*reversed(range(dimension)), dimension, dimension + 1).flatten(0, dimension - 1)
    return kernel.permute(2, 0, 1).contiguous()


def convert_uresnet(
    state: Mapping[str, Tensor], engine: str, network: SparseUResNet, where: str = "state"
) -> dict[str, Tensor]:
    """Return the state of a U-ResNet of the same structure in another engine as the state of ours.

    Names are not looked at, but for ``num_batches_tracked``, which is left out: entries must stand in the
    order in which a network is built that runs from input to output, as SparseConvNet's ``UNet`` is, the
    linear map of a residual block before the block's other layers.

    Raises
    ------
    InputError
        naming the first entry that does not fit, or that is missing or left over.
    """
    theirs = [(name, value) for name, value in state.items() if name.split(".")[-1] not in _NOT_STATE]
    ours = list(_entries(network))
    converted = {}
    for (name, target), (their_name, value) in zip(ours, theirs, strict=False):
        kernel = target.ndim == 3
        fits = value.numel() == target.numel() and (kernel or value.shape == target.shape)
        if not fits:
            expected = f"what fits {name} of shape {tuple(target.shape)}"
            raise InputError(where, their_name, expected, f"shape {tuple(value.shape)}")
        if kernel:
            out, places, inward = target.shape
            value = convert_kernel(value, engine, (out, places, inward), network.config.dimension)
        converted[name] = value.detach().clone()
    if len(theirs) != len(ours):
        longer, shorter = (theirs, ours) if len(theirs) > len(ours) else (ours, theirs)
        raise InputError(where, longer[len(shorter)][0], f"{len(ours)} entries", f"{len(theirs)}")
    return converted


def _entries(network: SparseUResNet) -> Iterator[tuple[str, Tensor]]:
    """Yield the names and tensors of a network's state from input to output."""
    state = network.state_dict()
    for name, module in _layers(network):
        if isinstance(module, SparseConvolution | nn.Linear | SparseBatchNorm):
            for entry in ("weight", "bias", "running_mean", "running_var"):
                if f"{name}.{entry}" in state:
                    yield f"{name}.{entry}", state[f"{name}.{entry}"]


def _layers(network: SparseUResNet) -> Iterator[tuple[str, nn.Module]]:
    names = {module: name for name, module in network.named_modules()}

    def inside(module: nn.Module) -> Iterator[nn.Module]:
        if isinstance(module, SparseResidualBlock):
            if module.short is not None:
                yield module.short
            yield from (module.norm1, module.conv1, module.norm2, module.conv2)
        else:
            for child in module.children():
                yield from inside(child) if list(child.children()) else iter([child])

    last = len(network.downs)
    ordered: list[nn.Module] = [network.stem]
    for level in range(last):
        ordered += [*inside(network.encoders[level]), *inside(network.downs[level])]
    ordered += inside(network.encoders[last])
    for level in reversed(range(last)):
        ordered += [*inside(network.ups[level]), *inside(network.decoders[level])]
    ordered += [network.norm, network.out]
    yield from ((names[module], module) for module in ordered)
