"""The sparse network against dense operations, and what sparse cells must not change."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional as F

from cloudchamber.model.energy_inputs import dense_grids, read_muons
from cloudchamber.model.energy_paper import EnergyPaper, EnergyPaperConfig
from cloudchamber.model.energy_sparse import EnergySparse, EnergySparseConfig
from cloudchamber.model.energy_sparse_blocks import (
    SampleExcitation,
    SparseEnergyBlock,
    SumOverChildren,
    on_grid,
    swish,
)
from cloudchamber.model.sparse.backend import sparse_backend
from cloudchamber.model.sparse.geometry import SparseGeometry
from cloudchamber.model.sparse.modules import SparseTensor

SHAPE = (8, 4, 6)


def cells(samples: int = 3, share: float = 0.4, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Return energies and coordinates of random cells."""
    generator = torch.Generator().manual_seed(seed)
    grid = torch.rand(samples, *SHAPE, generator=generator)
    coordinates = (grid < share).nonzero()
    return torch.rand(len(coordinates), generator=generator) + 0.01, coordinates


def small(**options: Any) -> EnergySparse:
    torch.manual_seed(1)
    given = {"shape": SHAPE, "widths": (5, 6), "blocks": (2, 1), "hidden": (7,), "features": 2, **options}
    return EnergySparse(EnergySparseConfig(**given))


def test_a_block_on_a_full_grid_is_the_dense_one() -> None:
    """Where every cell is there, a submanifold block is the dense block with the same weights."""
    torch.manual_seed(2)
    channels, samples = 5, 2
    block = SparseEnergyBlock(channels, channels, halve=False)
    coordinates = torch.ones(samples, *SHAPE).nonzero()
    geometry = SparseGeometry(coordinates)
    features = torch.rand(len(coordinates), channels)
    energy = features[:, :1]
    out = block(SparseTensor(features, geometry), energy, samples).features.view(samples, *SHAPE, channels)

    def on(x: torch.Tensor) -> torch.Tensor:
        return x.view(samples, *SHAPE, -1).movedim(-1, 1)

    def kernel(weight: torch.Tensor) -> torch.Tensor:
        return weight.view(len(weight), 3, 3, 3, -1).movedim(-1, 1)

    x = on(features)
    h = F.conv3d(F.silu(F.batch_norm(x, None, None, training=True)), kernel(block.weight), padding=1)
    h = F.conv3d(F.silu(F.batch_norm(h, None, None, training=True)), kernel(block.conv.weight), padding=1)
    squeeze = block.excitation
    assert squeeze is not None
    gate = torch.sigmoid(squeeze.excite(F.silu(squeeze.squeeze(h.mean((2, 3, 4))))))
    wanted = torch.cat([x[:, :1], h * gate[:, :, None, None, None] + x[:, 1:]], dim=1)
    # The first batch has the running sums to itself; two samples do not yet allow small variances.
    torch.testing.assert_close(out.movedim(-1, 1), wanted, rtol=2e-3, atol=2e-4)


def test_a_halving_block_on_a_full_grid_is_the_dense_one() -> None:
    torch.manual_seed(3)
    samples, coordinates = 20, torch.ones(20, *SHAPE).nonzero()
    x = torch.rand(samples, 3, *SHAPE)
    block = SparseEnergyBlock(3, 4, halve=True, e_pass=False, excitation=False)
    rows = x.movedim(1, -1).reshape(-1, 3)
    made = block(SparseTensor(rows, SparseGeometry(coordinates)), rows[:, :1], samples)
    out = made.features.view(samples, 4, 2, 3, 4).movedim(-1, 1)
    active = F.silu(F.batch_norm(x, None, None, training=True))
    h = F.conv3d(active, block.weight.view(4, 2, 2, 2, 3).movedim(-1, 1), stride=2)
    h = F.silu(F.batch_norm(h, None, None, training=True))
    h = F.conv3d(h, block.conv.weight.view(4, 3, 3, 3, 4).movedim(-1, 1), padding=1)
    assert block.short is not None
    short = torch.einsum("oi,nizxy->nozxy", block.short[:, 0], F.avg_pool3d(active, 2))
    torch.testing.assert_close(out, h + short, rtol=1e-3, atol=1e-4)


def test_sums_over_children() -> None:
    energy, coordinates = cells()
    geometry = SparseGeometry(coordinates)
    x = SparseTensor(geometry.gather(energy[:, None]), geometry)
    once = SumOverChildren()(x)
    twice = SumOverChildren()(once)
    dense = dense_grids(energy, coordinates, 3, SHAPE)
    for level, found in ((1, once), (2, twice)):
        side = 2**level
        wanted = side**3 * F.avg_pool3d(dense, side, ceil_mode=True, divisor_override=side**3)
        shape = tuple(wanted.shape[2:])
        grid = on_grid(found, 3, (shape[0], shape[1], shape[2]))
        torch.testing.assert_close(grid.view(wanted.shape), wanted)


def test_squeeze_excitation_sees_the_mean_of_its_own_sample() -> None:
    energy, coordinates = cells()
    geometry = SparseGeometry(coordinates)
    excitation = SampleExcitation(4)
    x = torch.rand(len(energy), 4)
    out = excitation(SparseTensor(x, geometry), 4).features
    for sample in range(3):
        rows = geometry.level(0).coordinates[:, 0] == sample
        gate = torch.sigmoid(excitation.excite(F.silu(excitation.squeeze(x[rows].mean(dim=0)))))
        torch.testing.assert_close(out[rows], x[rows] * gate)


def test_pooling_sees_empty_cells_as_zero() -> None:
    """A negative feature everywhere has the maximum 0 in a grid that is not full."""
    coordinates = torch.tensor([[0, 0, 0, 0], [1, 1, 1, 1]])
    x = SparseTensor(-torch.ones(2, 1), SparseGeometry(coordinates))
    grid = on_grid(x, 3, (2, 2, 2))
    assert grid[:, :, 0].sum(dim=1).tolist() == [-1, -1, 0]
    assert grid.amax(dim=1)[:, 0].tolist() == [0, 0, 0]
    assert float(grid[1, 7, 0]) == -1


@pytest.mark.parametrize("pooling", ["mean-max", "flatten"])
def test_thresholds_and_muons_without_cells(pooling: str) -> None:
    network = small(least_mev=200.0, pooling=pooling).eval()
    energy, coordinates = cells()
    features = torch.rand(4, 2)
    kept = energy >= 0.2
    with torch.no_grad():
        whole = network(energy, coordinates, features)
        assert whole.shape == (4, 1)
        torch.testing.assert_close(
            whole, small(pooling=pooling).eval()(energy[kept], coordinates[kept], features)
        )
        none = network(energy[:0], coordinates[:0], features)
    torch.testing.assert_close(none[3], whole[3])


def test_backends_agree() -> None:
    energy, coordinates = cells()
    features = torch.rand(3, 2)
    found = []
    for backend in ("torch", "numba"):
        network = small()
        with sparse_backend(backend):
            out = network(energy, coordinates, features)
            out.square().sum().backward()
        found.append((out.detach(), network.blocks[0].weight.grad))
    torch.testing.assert_close(found[0], found[1], rtol=1e-3, atol=1e-4)


def test_compiled_swish() -> None:
    x = torch.randn(1300, 15, generator=torch.Generator().manual_seed(3)) * 20
    found = []
    for backend in ("torch", "numba"):
        read = x.clone().requires_grad_()
        with sparse_backend(backend):
            out = swish(read[:, ::2])
            (gradient,) = torch.autograd.grad(out, read, torch.ones_like(out).cumsum(dim=0))
            assert swish(read[:0]).shape == (0, 15)
        found.append((out.detach(), gradient))
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-5 * float(one.abs().max()))
    torch.testing.assert_close(found[0][0], F.silu(x[:, ::2]))


def test_what_it_does_not_take() -> None:
    energy, coordinates = cells()
    with pytest.raises(ValueError, match="cells of 2 muons"):
        small()(energy, coordinates, torch.rand(2, 2))
    with pytest.raises(ValueError, match=r"grid of \(8, 4, 6\)"):
        small()(energy, coordinates + torch.tensor([0, 0, 0, 1]), torch.rand(3, 2))
    with pytest.raises(ValueError, match="2 features per muon"):
        small()(energy, coordinates, torch.rand(3, 3))
    with pytest.raises(ValidationError, match="as many numbers of blocks"):
        EnergySparseConfig(widths=(4, 4), blocks=(1,))


def test_the_coarsest_grid() -> None:
    assert EnergySparseConfig().coarsest == (4, 2, 2)
    assert EnergySparseConfig(shape=(1, 2, 17), widths=(4,), blocks=(1,)).coarsest == (1, 1, 9)


def test_networks_of_both_kinds_are_read_the_same_way() -> None:
    energy, coordinates = cells()
    features = torch.rand(3, 2)
    network = small().eval()
    assert torch.equal(
        read_muons(network, energy, coordinates, features), network(energy, coordinates, features)
    )
    config = EnergyPaperConfig(shape=SHAPE, stages=1, blocks=1, features=0)
    dense = EnergyPaper(config).eval()
    grid = torch.zeros(3, 1, *SHAPE)
    for value, (n, z, x, y) in zip(energy, coordinates.tolist(), strict=True):
        grid[n, 0, z, x, y] = value
    assert torch.equal(read_muons(dense, energy, coordinates, features[:, :0]), dense(grid))
