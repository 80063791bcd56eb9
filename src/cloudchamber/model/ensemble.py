"""Several networks as one: their mean probability, or a vote."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

# Votes and means of 0 and 1 have no finite logit.
_LEAST = 1e-6


class MemberConfig(BaseModel):
    """One network of the ensemble."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    options: dict[str, Any] = {}


class EnsembleConfig(BaseModel):
    """Which networks, and how they are joined."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    members: tuple[MemberConfig, ...] = Field(min_length=1)
    vote_cut: float | None = Field(
        default=None, gt=0, lt=1, description="a network votes for wall above this; none: mean probability"
    )


class Ensemble(nn.Module):
    """Networks that read the same maps; the logit of their mean probability, or of their share of votes."""

    def __init__(self, networks: Sequence[nn.Module], vote_cut: float | None = None) -> None:
        super().__init__()
        self.networks, self.vote_cut = nn.ModuleList(networks), vote_cut

    def forward(self, x: Float[Tensor, "n map z x y"]) -> Float[Tensor, "n 1 z x y"]:
        """Return logits."""
        total = torch.zeros_like(x[:, :1])
        for network in self.networks:
            probability = network(x).float().sigmoid()
            total += probability if self.vote_cut is None else (probability > self.vote_cut).to(x.dtype)
        return torch.logit(total / len(self.networks), eps=_LEAST)
