"""Networks by name: configuration and constructor; the conformance tests run over all of them."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel
from torch import nn

from cloudchamber.errors import InputError
from cloudchamber.model.walls_unet import WallsUNet, WallsUNetConfig


@dataclass(frozen=True)
class Network:
    """One network: its configuration class and what builds it."""

    config: type[BaseModel]
    build: Callable[..., nn.Module]


NETWORKS = {"walls-unet": Network(WallsUNetConfig, WallsUNet)}


def build_network(name: str, options: dict[str, object]) -> nn.Module:
    """Build a network from its name and options.

    Raises
    ------
    InputError
        if there is no network of that name.
    pydantic.ValidationError
        if an option is unknown or out of range.
    """
    if name not in NETWORKS:
        raise InputError("network", "name", f"one of {', '.join(NETWORKS)}", repr(name))
    network = NETWORKS[name]
    return network.build(network.config.model_validate(options))
