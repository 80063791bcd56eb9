"""What is varied of a plane in training: flips, gain, noise."""

import numpy as np
from jaxtyping import Bool, Float32
from numpy.random import Generator, Philox
from pydantic import BaseModel, ConfigDict, Field


class HitAugment(BaseModel):
    """Variations of patches and crops. The published training flips, nothing more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flips: bool = Field(default=True, description="along the wires and along the drift, each in half of them")
    gain: float = Field(default=0.0, ge=0, description="spread of ln(gain), normal, one number per image")
    noise: float = Field(default=0.0, ge=0, description="most RMS of white noise, after scaling, uniform")


def batch_generator(seed: int, epoch: int, batch: int) -> Generator:
    """Return the random numbers of one batch, which follow from seed, epoch and batch alone."""
    return Generator(
        Philox(key=np.array([seed, epoch], np.uint64), counter=np.array([0, 0, batch, 0], np.uint64))
    )


def draw_flips(augment: HitAugment, n: int, rng: Generator) -> Bool[np.ndarray, "n 2"]:
    """Return which of n images are flipped along wires and along the drift."""
    drawn = rng.random((n, 2)) < 0.5
    return drawn & augment.flips


def vary_signal(
    x: Float32[np.ndarray, "n wire drift"], augment: HitAugment, rng: Generator
) -> Float32[np.ndarray, "n wire drift"]:
    """Return scaled signals with gain and noise of their own, before clipping."""
    n = len(x)
    if augment.gain:
        x = x * np.exp(augment.gain * rng.standard_normal((n, 1, 1))).astype(np.float32)
    if augment.noise:
        rms = (augment.noise * rng.random((n, 1, 1))).astype(np.float32)
        x = x + rms * rng.standard_normal(x.shape, dtype=np.float32)
    return x
