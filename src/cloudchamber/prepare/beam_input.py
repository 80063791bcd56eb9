"""What the networks read of an image: its signal on a scale of order one, and where a pixel lies."""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Float32
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from cloudchamber.prepare.beam_images import BeamImages

SignalScale = Literal["linear", "arcsinh"]
MOST_FITTED = 256  # images


class BeamInput(BaseModel):
    """(v - mean)/std of the signal v in units of ``size``, or of its arcsinh; then the place of the pixel.

    The arcsinh is linear within the noise and a logarithm beyond, so that a minimum ionising track and a
    shower are both of order one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale: SignalScale = "arcsinh"
    coordinates: bool = True  # two more channels: -1 at the first wire or tick, 1 at the last
    size: float = Field(default=1.0, gt=0)  # in the unit of the signal
    mean: float = 0.0
    std: float = Field(default=1.0, gt=0)

    @property
    def channels(self) -> int:
        """Channels that a network reads."""
        return 3 if self.coordinates else 1

    def _scaled(self, signal: Tensor) -> Tensor:
        value = signal / self.size
        return value.arcsinh() if self.scale == "arcsinh" else value

    def standardised(self, signal: Float[Tensor, "*size"]) -> Float[Tensor, "*size"]:
        """Return the first channel that a network reads."""
        return (self._scaled(signal) - self.mean) / self.std

    def fitted(self, images: BeamImages) -> "BeamInput":
        """Return it with the size, mean and std of some of the images.

        The size is the spread of the pixels about their median, 1.4826 times the median distance, which for
        normal noise is its standard deviation; 1 where there is no noise.
        """
        some = images.signal(slice(None, None, max(1, len(images) // MOST_FITTED)))
        middle = np.median(some)
        spread = 1.4826 * float(np.median(np.abs(some - middle)))
        sized = self.model_copy(update={"size": spread if spread > 1e-6 else 1.0})
        values = sized._scaled(torch.from_numpy(some)).double()
        std = float(values.std())
        return sized.model_copy(update={"mean": float(values.mean()), "std": std if std > 1e-9 else 1.0})

    def __call__(
        self,
        signal: Float32[np.ndarray, "image wire drift"],
        place: tuple[float, float, float, float] = (-1.0, 1.0, -1.0, 1.0),
    ) -> Float[Tensor, "image channel wire drift"]:
        """Return what a network reads.

        Parameters
        ----------
        signal : in the unit that it was fitted in.
        place : of the first and last wire and the first and last tick, -1 to 1 across the whole detector.
        """
        value = self.standardised(torch.from_numpy(signal))
        read = torch.empty((len(value), self.channels, *value.shape[1:]), memory_format=torch.channels_last)
        read[:, 0] = value
        if self.coordinates:
            read[:, 1] = torch.linspace(place[0], place[1], value.shape[1])[:, None]
            read[:, 2] = torch.linspace(place[2], place[3], value.shape[2])
        return read
