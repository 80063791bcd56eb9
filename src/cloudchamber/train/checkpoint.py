"""Checkpoints: one safetensors file with weights, optimiser and position, replaced as a whole."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from cloudchamber.errors import InputError
from cloudchamber.files import whole


def save_checkpoint(path: Path, model: nn.Module, optimiser: Optimizer, state: dict[str, Any]) -> None:
    """Write weights, optimiser and ``state`` (JSON) to ``path``, which is whole at every moment."""
    tensors = {f"model.{name}": value.contiguous() for name, value in model.state_dict().items()}
    record = optimiser.state_dict()
    for index, entries in record["state"].items():
        for key, value in entries.items():
            tensors[f"optimiser.{index}.{key}"] = value.contiguous()
    text = json.dumps({**state, "groups": record["param_groups"]})
    with whole(path) as temporary:
        save_file(tensors, temporary, metadata={"state": text})


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any], dict[str, Any]]:
    """Read a checkpoint.

    Returns
    -------
    The weights, the optimiser's ``state_dict`` and the JSON state.

    Raises
    ------
    InputError
        if the file is damaged or not a checkpoint.
    """
    try:
        with safe_open(path, framework="pt") as file:
            state = json.loads((file.metadata() or {})["state"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise InputError(path, "", "a whole checkpoint", str(error)) from error
    weights = {name.removeprefix("model."): v for name, v in tensors.items() if name.startswith("model.")}
    slots: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        kind, index, *key = name.split(".", 2)
        if kind == "optimiser":
            slots.setdefault(int(index), {})[key[0]] = value
    groups = state.pop("groups")
    for group in groups:
        if "betas" in group:
            group["betas"] = tuple(group["betas"])
    return weights, {"state": slots, "param_groups": groups}, state


def same_weights(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    """Say whether two sets of weights agree bit by bit."""
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
