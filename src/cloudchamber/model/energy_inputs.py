"""One way to call the networks for energies, whether they read grids or cells."""

from jaxtyping import Float, Int64
from torch import Tensor, nn


def dense_grids(
    energy_gev: Float[Tensor, "cell"],
    coordinates: Int64[Tensor, "cell 4"],
    muons: int,
    shape: tuple[int, int, int],
) -> Float[Tensor, "n 1 z x y"]:
    """Return the grids of muons from their cells: muon, iz, ix, iy of each, none of them twice."""
    grids = energy_gev.new_zeros(muons, *shape)
    grids[coordinates.unbind(dim=1)] = energy_gev
    return grids[:, None]


def read_muons(
    network: nn.Module,
    energy_gev: Float[Tensor, "cell"],
    coordinates: Int64[Tensor, "cell 4"],
    features: Float[Tensor, "n feature"],
) -> Float[Tensor, "n output"]:
    """Return a network's outputs for muons from their cells and standardised features.

    ``features`` may have no columns if the network reads none of them, but has a row per muon.
    """
    out: Tensor
    if network.reads == "cells":
        out = network(energy_gev, coordinates, features)
    else:
        grids = dense_grids(energy_gev, coordinates, len(features), network.config.shape)  # type: ignore[arg-type]
        out = network(grids, features)
    return out
