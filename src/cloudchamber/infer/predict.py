"""Prediction: probability of wall in every voxel, averaged over the symmetries."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from cloudchamber.errors import InputError
from cloudchamber.infer.bundle import Bundle
from cloudchamber.prepare.normalise import Inputs
from cloudchamber.prepare.symmetries import count_symmetries, inverse, transform


def device_of(network: nn.Module) -> torch.device:
    """Return the device that holds a network."""
    return next(network.parameters()).device


@torch.inference_mode()
def predict_probability(
    network: nn.Module,
    inputs: Inputs,
    maps: Float[np.ndarray, "n map z x y"],
    *,
    symmetries: bool = True,
    batch: int = 256,
) -> Float[np.ndarray, "n z x y"]:
    """Return the probability of wall per voxel, float32 (n, z, x, y).

    With ``symmetries`` it is the mean over the eight (or, where nx != ny, four) symmetric views of each
    volume, every view's prediction turned back before it is averaged.
    """
    kinds = count_symmetries(*maps.shape[3:]) if symmetries else 1
    device = device_of(network)
    out = np.empty((len(maps), *maps.shape[2:]), dtype=np.float32)
    for start in range(0, len(maps), batch):
        x = inputs(torch.from_numpy(maps[start : start + batch]).to(device))
        total = torch.zeros_like(x[:, 0])
        for kind in range(kinds):
            logits = network(transform(x, kind).contiguous())[:, 0]
            total += transform(logits.float().sigmoid(), inverse(kind))
        out[start : start + batch] = (total / kinds).cpu().numpy()
    return out


def predict_blocks(
    bundle: Bundle, blocks: Iterator[Float[np.ndarray, "n map z x y"]], *, symmetries: bool | None = None
) -> Iterator[tuple[np.ndarray, Float[np.ndarray, "n z x y"]]]:
    """Predict block by block, from the maps in the bundle's order: yields walls (bool) and probability.

    ``symmetries`` averages over symmetric views; unless it is given, as the bundle says.

    Raises
    ------
    InputError
        if the volumes do not fit the network.
    """
    views = bundle.config.symmetries if symmetries is None else symmetries
    for maps in blocks:
        try:
            probability = predict_probability(bundle.network, bundle.config.inputs, maps, symmetries=views)
        except (ValueError, RuntimeError) as error:
            shape = "x".join(map(str, maps.shape[2:]))
            raise InputError(
                "x0", "", f"volumes that {bundle.config.name} takes", f"{shape}: {error}"
            ) from error
        yield bundle.config.thresholds(probability), probability
