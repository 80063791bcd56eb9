"""What a network of patches says at some pixels of each plane, for a network of planes to learn from."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float16, Int16, Int64
from numpy.random import Generator, Philox
from torch import nn

from cloudchamber.prepare.hit_images import HitImages, HitScale
from cloudchamber.prepare.hit_patches import PatchIndex, cut_patches

_BATCH = 512


@dataclass(frozen=True)
class Taught:
    """Probabilities of track, em, none and Michel electron at pixels of planes, event after event."""

    offsets: Int64[np.ndarray, "event+1"]
    place: Int16[np.ndarray, "pixel 2"]  # wire, drift
    probability: Float16[np.ndarray, "pixel 4"]


def lit_sample(images: HitImages, event: int, scale: HitScale, n: int, seed: int) -> PatchIndex:
    """Return n lit pixels of a plane, drawn at random, in order; all, if there are no more."""
    place = np.argwhere(images.lit(event, scale))
    rng = Generator(Philox(key=np.array([seed, event], np.uint64)))
    if len(place) > n:
        place = place[np.sort(rng.choice(len(place), n, replace=False))]
    wire, drift = place.astype(np.int16).T
    return PatchIndex(np.full(len(place), event, np.int32), wire, drift, np.full(len(place), 255, np.uint8))


@torch.inference_mode()
def classify_patches(
    network: nn.Module, images: HitImages, at: PatchIndex, scale: HitScale
) -> Float16[np.ndarray, "pixel 4"]:
    """Return the probabilities of track, em, none and Michel electron that a network of patches gives."""
    network.eval()
    side: int = network.config.patch  # type: ignore[assignment, union-attr]
    probability = np.empty((len(at), 4), np.float16)
    for start in range(0, len(at), _BATCH):
        rows = slice(start, start + _BATCH)
        classes, michel = network(torch.from_numpy(cut_patches(images, at.chosen(rows), scale, side=side)))
        probability[rows, :3] = torch.softmax(classes, dim=1).numpy()
        probability[rows, 3:] = torch.sigmoid(michel).numpy()
    return probability


def teach(network: nn.Module, images: HitImages, scale: HitScale, per_event: int, seed: int) -> Taught:
    """Return what a network of patches says at lit pixels of every plane, drawn at random."""
    samples = [lit_sample(images, event, scale, per_event, seed) for event in range(len(images))]
    answers = [classify_patches(network, images, at, scale) for at in samples]
    return Taught(
        np.cumsum([0, *(len(at) for at in samples)]),
        np.concatenate([np.stack([at.wire, at.drift], axis=1) for at in samples]),
        np.concatenate(answers),
    )
