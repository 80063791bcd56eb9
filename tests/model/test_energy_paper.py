"""The paper's network to the last parameter, its ablations, and what each of them changes."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from cloudchamber.model.energy_blocks import EnergyBlock, scale_cells
from cloudchamber.model.energy_cnn import EnergyCNN, EnergyCNNConfig
from cloudchamber.model.energy_paper import EnergyPaper, EnergyPaperConfig, stage_widths
from cloudchamber.model.running_norm import RunningBatchNorm


def built(**options: Any) -> EnergyPaper:
    torch.manual_seed(1)
    return EnergyPaper(EnergyPaperConfig(**options))


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def test_the_published_number_of_parameters() -> None:
    assert parameters(built()) == 636_570


def test_channels_and_grids_of_the_published_blocks() -> None:
    network, seen = built(), []
    for block in network.blocks:
        block.register_forward_hook(lambda *call: seen.append(tuple(call[2].shape[1:])))
    with torch.no_grad():
        network(torch.zeros(1, 1, 50, 32, 32), torch.zeros(1, 28))
    channels = [9, 10, 11, 17, 18, 19, 29, 30, 31, 47, 48, 49]
    sides = [(26, 17, 17)] * 3 + [(14, 9, 9)] * 3 + [(8, 5, 5)] * 3 + [(5, 3, 3)] * 3
    assert seen == [(c, *side) for c, side in zip(channels, sides, strict=True)]
    assert stage_widths(network.config) == [[9, 10, 11], [17, 18, 19], [29, 30, 31], [47, 48, 49]]


def test_the_energy_passes_through() -> None:
    """Channel 0 behind any number of blocks is the energy of the muon, shared out among fewer cells."""
    network = built(cells="log")
    grid = torch.rand(2, 1, 50, 32, 32)
    x = network.blocks[0](scale_cells(grid, "log"), grid)
    for block in list(network.blocks)[1:]:
        x = block(x)
    torch.testing.assert_close(x[:, 0].sum((1, 2, 3)), grid.sum((1, 2, 3, 4)))
    plain = torch.zeros(1, 1, 4, 4, 4)
    plain[0, 0, 1, 2, 3] = 5.0
    one = EnergyBlock(1, 2, halve=True, first=True)(plain)
    assert float(one[0, 0, 1, 1, 2].detach()) == 5.0


@pytest.mark.parametrize(
    ("options", "number"),
    [
        ({"norm": "nominal"}, 636_570),
        ({"norm": "off"}, 636_570 - 2 * (2 * 8 + 2 * (11 + 19 + 31) + 16 + 28 + 46
            + 2 * (9 + 10 + 17 + 18 + 29 + 30 + 47 + 48))),
        ({"excitation": False}, 636_570 - 5_311),
        ({"features": 0}, 636_570 - 28 * 80),
        ({"cnn": False}, 28 * 80 + 80 + 2 * (80 * 80 + 80) + 81),
        ({"pooling": "flatten"}, 636_570 + (45 - 2) * 49 * 80),
        ({"outputs": 3}, 636_570 + 2 * 81),
        ({"identity": False}, 636_570 - 16 - (11 * 16 + 19 * 28 + 31 * 46) - 2 * (11 + 19 + 31)),
    ],
)  # fmt: skip
def test_each_ablation_takes_away_what_it_names(options: dict[str, Any], number: int) -> None:
    assert parameters(built(**options)) == number


def test_without_the_energy_pass_the_size_stays_nearly_the_same() -> None:
    network = built(e_pass=False)
    assert [stage[0] for stage in stage_widths(network.config)] == [10, 18, 30, 48]
    assert parameters(network) == pytest.approx(636_570, rel=0.05)


def test_kinds_of_normalisation() -> None:
    kinds = {kind: built(norm=kind) for kind in ("running", "nominal", "off")}
    running = [m for m in kinds["running"].modules() if isinstance(m, RunningBatchNorm)]
    nominal = [m for m in kinds["nominal"].modules() if isinstance(m, nn.BatchNorm3d)]
    assert len(running) == len(nominal) == 24 + 3
    assert not any(isinstance(m, RunningBatchNorm | nn.BatchNorm3d) for m in kinds["off"].modules())


def test_grids_of_other_shapes_and_what_is_refused() -> None:
    network = built(shape=(7, 6, 9), stages=2, blocks=1, pooling="flatten")
    assert network(torch.rand(3, 1, 7, 6, 9), torch.rand(3, 28)).shape == (3, 1)
    with pytest.raises(ValueError, match=r"grids of \(n, 1, \*\(7, 6, 9\)\)"):
        network(torch.rand(3, 1, 6, 7, 9), torch.rand(3, 28))
    with pytest.raises(ValueError, match="28 features per muon, got none"):
        network(torch.rand(3, 1, 7, 6, 9))
    with pytest.raises(ValueError, match=r"got a table of shape \(3, 27\)"):
        network(torch.rand(3, 1, 7, 6, 9), torch.rand(3, 27))
    with pytest.raises(ValidationError, match="nothing to read"):
        EnergyPaperConfig(cnn=False, features=0)


def test_features_alone_do_not_look_at_the_grid() -> None:
    network, features = built(cnn=False), torch.rand(4, 28)
    assert torch.equal(network(torch.rand(4, 1, 2, 2, 2), features), network(torch.zeros(4, 0), features))


@pytest.mark.parametrize(("deeper", "number"), [(0, 138_835), (1, 138_835 + 27 * (64 + 144 + 324 + 729))])
def test_convolutional_networks_of_the_slides(deeper: int, number: int) -> None:
    network = EnergyCNN(EnergyCNNConfig(deeper=deeper))
    assert parameters(network) == number
    assert network.head[0].in_features == 432
    assert sum(isinstance(m, nn.Conv3d) for m in network.modules()) == 4 * (1 + deeper)
    out = network(torch.rand(2, 1, 50, 32, 32))
    assert out.shape == (2, 1)
    with pytest.raises(ValueError, match="grids of"):
        network(torch.rand(2, 1, 32, 32, 50))


def test_scales_of_cells() -> None:
    energy = torch.tensor([0.0, 1e-3, 1.0])
    torch.testing.assert_close(scale_cells(energy, "log"), torch.tensor([0.0, 0.6931472, 6.9087548]))
    assert scale_cells(energy, "linear") is energy
