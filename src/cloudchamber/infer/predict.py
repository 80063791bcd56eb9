"""Prediction: probability of wall in every voxel, averaged over the symmetries."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from cloudchamber.errors import InputError
from cloudchamber.infer.bundle import Bundle
from cloudchamber.prepare.normalise import Standardise
from cloudchamber.prepare.symmetries import count_symmetries, inverse, transform


def device_of(network: nn.Module) -> torch.device:
    """Return the device that holds a network."""
    return next(network.parameters()).device


@torch.inference_mode()
def predict_probability(
    network: nn.Module,
    standardise: Standardise,
    x0_m: Float[np.ndarray, "n z x y"],
    *,
    symmetries: bool = True,
    batch: int = 256,
) -> Float[np.ndarray, "n z x y"]:
    """Return the probability of wall per voxel, float32 (n, z, x, y).

    With ``symmetries`` it is the mean over the eight (or, where nx != ny, four) symmetric views of each
    volume, every view's prediction turned back before it is averaged.
    """
    kinds = count_symmetries(*x0_m.shape[2:]) if symmetries else 1
    device = device_of(network)
    out = np.empty(x0_m.shape, dtype=np.float32)
    for start in range(0, len(x0_m), batch):
        x = standardise(torch.from_numpy(x0_m[start : start + batch]).to(device))
        total = torch.zeros_like(x)
        for kind in range(kinds):
            logits = network(transform(x, kind).contiguous()[:, None])[:, 0]
            total += transform(logits.float().sigmoid(), inverse(kind))
        out[start : start + batch] = (total / kinds).cpu().numpy()
    return out


def predict_blocks(
    bundle: Bundle, blocks: Iterator[Float[np.ndarray, "n z x y"]], *, symmetries: bool = True
) -> Iterator[tuple[np.ndarray, Float[np.ndarray, "n z x y"]]]:
    """Predict block by block: yields walls (bool) and probability, both (n, z, x, y).

    Raises
    ------
    InputError
        if the volumes do not fit the network.
    """
    for x0_m in blocks:
        try:
            probability = predict_probability(
                bundle.network, bundle.config.standardise, x0_m, symmetries=symmetries
            )
        except (ValueError, RuntimeError) as error:
            shape = "x".join(map(str, x0_m.shape[1:]))
            raise InputError(
                "x0", "", f"volumes that {bundle.config.name} takes", f"{shape}: {error}"
            ) from error
        yield bundle.config.thresholds(probability), probability
