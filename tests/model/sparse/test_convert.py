"""Weights of other engines: kernels built as they lay them out, and dense convolutions as judges."""

from itertools import product

import pytest
import torch
from torch import Tensor

from cloudchamber.errors import InputError
from cloudchamber.model.sparse.convert import convert_kernel, convert_uresnet
from cloudchamber.model.sparse.functional import convolve
from cloudchamber.model.sparse.geometry import SparseGeometry
from cloudchamber.model.voxels_uresnet import SparseUResNet, SparseUResNetConfig
from tests.model.sparse.dense import at, correlate, to_dense

ENGINES = ["sparseconvnet", "sparseconvnet-old", "spconv", "spconv1", "minkowski"]


def laid_out(kernel: Tensor, engine: str) -> Tensor:
    """Lay a dense kernel (out, in, *side) out as an engine does, place by place."""
    out, inward, *sides = kernel.shape
    places = list(product(*(range(side) for side in sides)))

    def at_place(place: tuple[int, ...]) -> Tensor:
        found = kernel
        for step in reversed(place):
            found = found[..., step]
        return found

    if engine == "minkowski":  # the first axis runs fastest
        places.sort(key=lambda place: place[::-1])
        stacked = torch.stack([at_place(place).T for place in places])
        return stacked[0] if len(places) == 1 else stacked
    if engine == "spconv" and len(places) == 1:  # its memory is read as (in, out)
        return at_place(places[0]).T.reshape(out, *sides, inward)
    if engine == "spconv":
        return torch.stack([at_place(place) for place in places], dim=1).reshape(out, *sides, inward)
    stacked = torch.stack([at_place(place).T for place in places])
    if engine == "spconv1":
        return stacked.reshape(*sides, inward, out)
    return stacked[:, None] if engine == "sparseconvnet" else stacked.reshape(-1, out)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("side", [1, 2, 3])
def test_a_kernel_of_each_engine_is_the_dense_one(engine: str, dimension: int, side: int) -> None:
    generator = torch.Generator().manual_seed(0)
    kernel = torch.randn(5, 4, *[side] * dimension, generator=generator)
    name = engine.removesuffix("-old")
    weight = convert_kernel(laid_out(kernel, engine), name, (5, side**dimension, 4), dimension)
    coordinates = torch.randint(0, 6, (60, 1 + dimension), generator=generator)
    coordinates[:, 0] %= 2
    geometry = SparseGeometry(coordinates)
    fine, coarse = geometry.level(0), geometry.level(1)
    x = torch.randn(len(fine), 4, generator=generator)
    low = torch.tensor([0, *[-2] * dimension])
    grid = to_dense(x, fine.coordinates, low, (2, *[10] * dimension))
    if side == 1:
        expected = x @ kernel.reshape(5, 4).T
        found = convolve(x, weight, fine.itself)
    elif side == 3:
        expected = at(correlate(grid, kernel, 1), fine.coordinates, low + torch.tensor([0, *[1] * dimension]))
        found = convolve(x, weight, fine.neighbours)
    else:
        expected = at(correlate(grid, kernel, 2), coarse.coordinates, low // 2)
        found = convolve(x, weight, fine.down)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def foreign_state(network: SparseUResNet, engine: str) -> dict[str, Tensor]:
    """State of a network, renamed and laid out as another engine's; written from input to output by hand."""
    ours = network.state_dict()
    steps = len(network.downs)
    order = ["stem"]

    def blocks(prefix: str, count: int) -> list[str]:
        layers = ("short", "norm1", "conv1", "norm2", "conv2")
        return [f"{prefix}.{block}.{layer}" for block in range(count) for layer in layers]

    for level in range(steps):
        order += [*blocks(f"encoders.{level}", 2), f"downs.{level}.0", f"downs.{level}.1"]
    order += blocks(f"encoders.{steps}", 2)
    for level in reversed(range(steps)):
        order += [f"ups.{level}.0", f"ups.{level}.1", *blocks(f"decoders.{level}", 2)]
    state = {}
    for number, layer in enumerate([*order, "norm", "out"]):
        for entry in ("weight", "bias", "running_mean", "running_var"):
            value = ours.get(f"{layer}.{entry}")
            if value is None:
                continue
            if value.ndim == 3:
                out, places, inward = value.shape
                side = round(places ** (1 / network.config.dimension))
                dense = value.movedim(1, 2).reshape(out, inward, *[side] * network.config.dimension)
                value = laid_out(dense, engine)
            state[f"model.{number}.{entry}"] = value
        if f"model.{number}.running_mean" in state:
            state[f"model.{number}.num_batches_tracked"] = torch.tensor(1)
    return state


@pytest.mark.parametrize("engine", ["sparseconvnet", "spconv", "minkowski"])
def test_a_whole_network(engine: str) -> None:
    config = SparseUResNetConfig(levels=3, filters=4)
    torch.manual_seed(0)
    trained, fresh = SparseUResNet(config), SparseUResNet(config)
    coordinates = torch.randint(0, 9, (200, 4))
    features = torch.randn(200, 1)
    trained(features, coordinates)  # running values move
    fresh.load_state_dict(convert_uresnet(foreign_state(trained, engine), engine, fresh))
    assert torch.equal(trained.eval()(features, coordinates), fresh.eval()(features, coordinates))


def test_what_does_not_fit() -> None:
    network = SparseUResNet(SparseUResNetConfig(levels=2, filters=4))
    state = foreign_state(network, "spconv")
    names = list(state)
    with pytest.raises(InputError, match=r"out\.bias"):
        convert_uresnet({name: state[name] for name in names[:-1]}, "spconv", network)
    with pytest.raises(InputError, match="extra"):
        convert_uresnet(state | {"extra": torch.zeros(3)}, "spconv", network)
    with pytest.raises(InputError, match=names[0]):
        convert_uresnet(state | {names[0]: torch.zeros(3)}, "spconv", network)
    with pytest.raises(ValueError, match="an engine is one of"):
        convert_kernel(torch.zeros(5, 9, 4), "torchsparse", (5, 9, 4), 2)
    with pytest.raises(ValueError, match="cannot be one of shape"):
        convert_kernel(torch.zeros(5, 9, 3), "spconv", (5, 9, 4), 2)


def test_against_spconv_where_it_is_installed() -> None:
    spconv = pytest.importorskip("spconv.pytorch")
    torch.manual_seed(0)
    coordinates = torch.unique(torch.randint(0, 8, (150, 4)), dim=0)
    coordinates[:, 0] %= 2
    coordinates = torch.unique(coordinates, dim=0)
    x = torch.randn(len(coordinates), 4)
    layers = [
        spconv.SubMConv3d(4, 6, 3, bias=False, indice_key="same"),
        spconv.SparseConv3d(6, 8, 2, 2, bias=False, indice_key="stride"),
        spconv.SparseInverseConv3d(8, 4, 2, bias=False, indice_key="stride"),
        spconv.SubMConv3d(4, 6, 1, bias=False),
    ]
    theirs = spconv.SparseConvTensor(x, coordinates.int(), [8, 8, 8], 2)
    geometry = SparseGeometry(coordinates)
    level = geometry.level(0)
    ours = geometry.gather(x)
    with torch.no_grad():
        for layer, rulebook in zip(
            layers, (level.neighbours, level.down, level.up, level.itself), strict=True
        ):
            theirs = layer(theirs)
            out, inward = layer.weight.shape[0], layer.weight.shape[-1]
            weight = convert_kernel(layer.weight.data, "spconv", (out, rulebook.places, inward), 3)
            ours = convolve(ours, weight, rulebook)
            there = SparseGeometry(theirs.indices.long())
            torch.testing.assert_close(there.gather(theirs.features), ours, rtol=1e-5, atol=1e-5)
