"""What every network on wire images must do, whatever it is."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load, save
from torch import Tensor, nn

from cloudchamber.model.registry import NETWORKS, build_network

SMALL = {"inputs": 2, "widths": (6, 8, 10), "blocks": (1, 1, 2)}
TIRAMISU = {"inputs": 2, "filters": 6, "blocks": (1, 2), "bottleneck": 2, "growth": 4}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("beam-small", SMALL),
    ("beam-small", {**SMALL, "patch": 1, "up_blocks": 2, "classes": 8}),
    ("beam-small", {**SMALL, "fine": 2}),
    ("beam-tiramisu", TIRAMISU),
    ("beam-tiramisu", {**TIRAMISU, "fine": 2, "classes": 4}),
]


@pytest.fixture(params=CASES, ids=[f"{name}-{number}" for number, (name, _) in enumerate(CASES)])
def network(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(1)
    name, options = request.param
    return build_network(name, options)


def whole(value: object) -> int:
    assert isinstance(value, int)
    return value


def images(network: nn.Module, n: int = 2, sides: tuple[int, int] = (3, 4), seed: int = 3) -> Tensor:
    """Return images of so many strides a side."""
    stride, generator = whole(network.stride), torch.Generator().manual_seed(seed)
    return torch.rand(n, 2, sides[0] * stride, sides[1] * stride, generator=generator) ** 3


def trained_a_little(network: nn.Module) -> nn.Module:
    """Return the network with running values that are its own."""
    network.train()
    with torch.no_grad():
        network(images(network, 6, seed=9))
    return network.eval()


def test_a_finite_logit_per_pixel_and_class(network: nn.Module) -> None:
    x = images(network)
    fine, classes = network.config.fine, network.config.classes  # type: ignore[union-attr]
    logits = network(x)
    assert logits.shape == (2, classes, x.shape[2] // whole(fine), x.shape[3] // whole(fine))
    assert torch.isfinite(logits).all()


def test_every_parameter_learns(network: nn.Module) -> None:
    logits = network(images(network))
    (logits * torch.arange(1, logits.shape[1] + 1).view(1, -1, 1, 1)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


def test_images_do_not_see_each_other(network: nn.Module) -> None:
    x = images(network, 3)
    trained_a_little(network)
    torch.testing.assert_close(network(x)[1:2], network(x[1:2]), rtol=1e-5, atol=1e-5)


def test_no_pixel_depends_on_what_lies_beyond_the_margin(network: nn.Module) -> None:
    trained_a_little(network)
    stride, margin, fine = whole(network.stride), whole(network.margin), whole(network.config.fine)  # type: ignore[union-attr]
    half = -(-margin // stride) * stride
    x = torch.rand(1, 2, 2 * half + stride, stride, generator=torch.Generator().manual_seed(1))
    x.requires_grad_()
    centre = (half + stride // 2) // fine
    network(x)[0, :, centre].sum().backward()
    assert x.grad is not None
    seen = x.grad.abs().sum(dim=(0, 1, 3)).nonzero()[:, 0]
    first, last = centre * fine - int(seen.min()), int(seen.max()) - centre * fine
    assert max(first, last) <= margin
    assert max(first, last) > margin / 6  # it is no idle bound


def test_a_shift_by_a_stride_changes_nothing_far_from_the_edges(network: nn.Module) -> None:
    trained_a_little(network)
    stride, margin, fine = whole(network.stride), whole(network.margin), whole(network.config.fine)  # type: ignore[union-attr]
    half = -(-margin // stride) * stride
    x = torch.rand(1, 2, stride, 2 * half + 2 * stride, generator=torch.Generator().manual_seed(1))
    moved = network(x[..., stride:])[..., half // fine]
    torch.testing.assert_close(network(x)[..., (half + stride) // fine], moved, rtol=1e-4, atol=1e-5)


def test_weights_survive_a_file(network: nn.Module) -> None:
    x = images(network)
    trained_a_little(network)
    wanted = network(x)
    weights = load(save({name: value.contiguous() for name, value in network.state_dict().items()}))
    for parameter in network.parameters():
        parameter.data.zero_()
    network.load_state_dict(weights)
    assert torch.equal(network(x), wanted)


def test_it_can_learn_one_image(network: nn.Module) -> None:
    x, fine = images(network, 1), whole(network.config.fine)  # type: ignore[union-attr]
    target = (nn.functional.max_pool2d(x[:, 0], fine) > 0.3).long()
    network.eval()  # without dropout
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(80):
        loss = nn.functional.cross_entropy(network(x), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]


def test_other_sides_and_channels_are_refused(network: nn.Module) -> None:
    x = images(network)
    for wrong in (x[:, :1], x[..., :-1], x[0]):
        with pytest.raises(ValueError, match="multiples"):
            network(wrong)


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_unknown_options_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        build_network(name, {"none_such": 1})


def test_all_networks_of_the_task_are_here() -> None:
    assert {name for name in NETWORKS if name.startswith("beam-")} == {name for name, _ in CASES}
