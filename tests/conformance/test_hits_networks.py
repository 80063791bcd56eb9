"""What every network for hits must do, whatever it is and whatever it reads."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load, save
from torch import Tensor, nn

from cloudchamber.model.registry import NETWORKS, build_network

SMALL = {"patch": 16, "filters": 4, "hidden": (12, 8)}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("hits-patch", SMALL),
    ("hits-patch", {**SMALL, "michel": False}),
    ("hits-patch", {**SMALL, "em_trk_none": False, "hidden": (12,)}),
    ("hits-plane", {"channels": 6, "head": 5, "dilations": (1, 2)}),
    ("hits-plane", {"channels": 6, "head": 5, "dilations": (1, 3), "fold": 1}),
    ("hits-vertex", SMALL),
]
IDS = [f"{name}-{number}" for number, (name, _) in enumerate(CASES)]


@pytest.fixture(params=CASES, ids=IDS)
def network(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(1)
    name, options = request.param
    return build_network(name, options)


def images(n: int = 4, seed: int = 3, size: tuple[int, int] = (16, 16)) -> Tensor:
    """Return sparse images of signals between -10 and 30."""
    generator = torch.Generator().manual_seed(seed)
    lit = torch.rand(n, 1, *size, generator=generator) < 0.3
    return lit * (30 * torch.rand(n, 1, *size, generator=generator) - 2)


def outputs(network: nn.Module, x: Tensor) -> Tensor:
    """Return all logits of a network side by side: (sample, output, ...)."""
    out = network(x)
    return torch.cat(out, dim=1) if isinstance(out, tuple) else out


def test_a_finite_logit_per_class(network: nn.Module) -> None:
    out = outputs(network, images())
    expected = {"patch": (4, 4), "vertex-patch": (4, 5), "plane": (4, 4, 16, 16)}
    assert out.shape == expected[str(network.reads)]
    assert torch.isfinite(out).all()


def test_every_parameter_learns(network: nn.Module) -> None:
    outputs(network, images(32)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


def test_a_sample_does_not_depend_on_its_batch(network: nn.Module) -> None:
    network.eval()
    x = images()
    alone = torch.cat([outputs(network, x[i : i + 1]) for i in range(len(x))])
    torch.testing.assert_close(outputs(network, x), alone, rtol=1e-4, atol=1e-4)


def test_the_same_input_gives_the_same_output(network: nn.Module) -> None:
    network.eval()
    assert torch.equal(outputs(network, images()), outputs(network, images()))


def test_weights_survive_a_file(network: nn.Module) -> None:
    network.eval()
    wanted = outputs(network, images())
    weights = load(save({name: value.contiguous() for name, value in network.state_dict().items()}))
    for parameter in network.parameters():
        parameter.data.zero_()
    network.load_state_dict(weights)
    torch.testing.assert_close(outputs(network, images()), wanted)


def test_it_can_learn_one_batch(network: nn.Module) -> None:
    torch.manual_seed(2)
    x = images(8)
    target = torch.rand_like(outputs(network, x).detach()).round()
    if network.reads == "plane":  # the four neighbours of a pixel say what it is
        target = (nn.functional.avg_pool2d(x, 3, 1, 1) > 3).float().expand_as(target)
    if network.reads == "patch":
        target[:, :3] *= bool(network.config.em_trk_none)  # type: ignore[union-attr]
        target[:, 3:] *= bool(network.config.michel)  # type: ignore[union-attr]
    network.eval()  # without dropout
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(80):
        loss = (outputs(network, x) - target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_images_of_another_shape_are_refused(name: str, options: dict[str, Any]) -> None:
    network = build_network(name, options)
    with pytest.raises(ValueError, match="the network reads"):
        network(torch.zeros(2, 3, 16, 16))
    with pytest.raises(ValidationError):
        build_network(name, {**options, "none_such": 1})


def test_the_published_network_has_11900420_parameters() -> None:
    network = build_network("hits-patch", {})
    assert sum(parameter.numel() for parameter in network.parameters()) == 11_900_420


def test_a_head_left_out_says_nothing() -> None:
    network = build_network("hits-patch", {**SMALL, "michel": False})
    classes, michel = network(images())
    assert not michel.any()
    assert classes.any()
    with pytest.raises(ValueError, match="one head"):
        build_network("hits-patch", {**SMALL, "michel": False, "em_trk_none": False})


@pytest.mark.parametrize("options", [{"channels": 4, "dilations": (1, 2)}, {"channels": 4, "fold": 1}])
def test_a_pixel_of_a_plane_sees_as_far_as_its_reach(options: dict[str, Any]) -> None:
    torch.manual_seed(3)
    network = build_network("hits-plane", options)
    reach: int = network.reach  # type: ignore[assignment]
    side = 4 * reach + 8
    x = images(1, size=(side, side)).requires_grad_()
    middle = side // 2
    outputs(network, x)[0, :, middle, middle].square().sum().backward()
    assert x.grad is not None
    touched = x.grad[0, 0].nonzero() - middle
    assert touched.abs().max() <= reach
    assert touched.abs().max() >= reach - network.config.fold  # type: ignore[operator, union-attr]


def test_a_part_of_a_plane_gives_the_same_inside() -> None:
    torch.manual_seed(4)
    network = build_network("hits-plane", {"channels": 6, "dilations": (1, 2)}).eval()
    x = images(1, size=(61, 83))
    whole = outputs(network, x)
    assert whole.shape == (1, 4, 61, 83)
    reach: int = network.reach  # type: ignore[assignment]
    part = outputs(network, x[:, :, 10:60, 20:80])
    inside = (slice(None), slice(None), slice(reach, 50 - reach), slice(reach, 60 - reach))
    torch.testing.assert_close(part[inside], whole[:, :, 10:60, 20:80][inside], rtol=1e-4, atol=1e-4)


def test_all_networks_of_the_task_are_here() -> None:
    assert {name for name in NETWORKS if name.startswith("hits-")} == {name for name, _ in CASES}
