"""Classical reconstructions of the same hits, all called alike: PoCA in two weightings, ASR, MLEM."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from jaxtyping import Float

from cloudchamber.errors import InputError
from cloudchamber.simulate.walls.asr import angle_quantiles
from cloudchamber.simulate.walls.config import Reconstruction, Transport, Volume
from cloudchamber.simulate.walls.crossings import Crossings
from cloudchamber.simulate.walls.highland import NATURE, loss_gev_per_m
from cloudchamber.simulate.walls.mlem import Average, Fit, fit_densities
from cloudchamber.simulate.walls.panels import Hits
from cloudchamber.simulate.walls.rays import Rays, trace_rays
from cloudchamber.simulate.walls.scan import locate_scatterings
from cloudchamber.simulate.walls.x0map import MuonX0, X0Map

Block = tuple[Hits, Float[np.ndarray, "muon"]]


class Method(Protocol):
    """A reconstruction: blocks of (hits, momenta in GeV) to radiation lengths in metres, axes (z, x, y).

    ``law`` says how muons scatter; take that of the simulation for simulated muons.
    """

    def __call__(
        self, blocks: Iterable[Block], volume: Volume, rules: Reconstruction, law: Transport = NATURE
    ) -> Float[np.ndarray, "z x y"]:
        """Return the map. Raises ValueError if no muon can be used."""
        ...


class Traced(NamedTuple):
    """All muons of a scan as rays, and the voxels they cross."""

    rays: Rays
    crossings: Crossings


def trace_blocks(
    blocks: Iterable[Block], volume: Volume, rules: Reconstruction, law: Transport = NATURE
) -> Traced:
    """Fit the tracks of all muons and follow them through the volume.

    Memory grows with the muons, by some 500 bytes each in a volume of 10 layers: iterations need them all.

    Raises
    ------
    ValueError
        if there is no muon, or most are believed to be too slow to have come through the soil.
    """
    all_rays, momenta = [], []
    for hits, momentum_gev in blocks:
        located = locate_scatterings(hits, momentum_gev, volume.voxel_m, rules)
        all_rays.append(
            trace_rays(
                located.above, located.below, momentum_gev, hits.weight, volume, law.azimuth_shrinks, law
            )
        )
        momenta.append(momentum_gev)
    if not momenta or not sum(map(len, momenta)):
        raise ValueError("no muon in any block")
    rays = Rays(*(np.concatenate(arrays) for arrays in zip(*all_rays, strict=True)))
    momentum = np.concatenate(momenta)
    loss = loss_gev_per_m(momentum, volume, law)
    crossings = Crossings.of(rays, momentum, volume, loss, law.beta)
    inside, slow = np.count_nonzero(np.diff(crossings.start)), np.count_nonzero(crossings.slow)
    if slow > 0.5 * inside:
        raise ValueError(
            f"{slow} of {inside} muons that were seen below would have stopped in the volume: are momenta in "
            "GeV, and is the law (energy_loss) that of these muons?"
        )
    return Traced(rays, crossings)


@dataclass(frozen=True)
class PocaMap:
    """Points of closest approach as the challenge of 2022 averages them: each muon's X0 by 1/sigma_X0^2.

    The same as :func:`cloudchamber.simulate.walls.reconstruct`; see :class:`~.x0map.X0Map`.
    """

    def __call__(
        self, blocks: Iterable[Block], volume: Volume, rules: Reconstruction, law: Transport = NATURE
    ) -> Float[np.ndarray, "z x y"]:
        """Return the map; ``law`` is not needed."""
        x0_map = X0Map(volume)
        for hits, momentum_gev in blocks:
            located = locate_scatterings(hits, momentum_gev, volume.voxel_m, rules)
            x0_map.add(located.poca, located.suggested, hits.weight)
        return x0_map.average()


@dataclass(frozen=True)
class PocaRms:
    """Points of closest approach, with the root mean square of the angles in each voxel.

    1/X_j = sum_i w_ij theta_i^2 p_i^2 cos_i / (2 (13.6 MeV)^2 L sum_i w_ij): Highland's formula without its
    logarithm, inverted for the mean square angle, with L one voxel, cos_i the mean cosine of the two zenith
    angles, and w_ij the muon's weight times the probability P_ij that it scattered in voxel j. As in today's
    TomOpt (Strong et al., Mach. Learn.: Sci. Technol. 5 (2024) 035002) the angles are averaged before the
    formula is inverted. Thus it lacks the bias towards muons of large angles that weights by 1/sigma_X0^2
    have; what it keeps is that of assigning the whole angle to one voxel.
    """

    def __call__(
        self, blocks: Iterable[Block], volume: Volume, rules: Reconstruction, law: Transport = NATURE
    ) -> Float[np.ndarray, "z x y"]:
        """Return the map; ``law`` is not needed."""
        densities = X0Map(volume)
        for hits, momentum_gev in blocks:
            located = locate_scatterings(hits, momentum_gev, volume.voxel_m, rules)
            with np.errstate(divide="ignore"):
                suggested = 1 / located.suggested.x0_m
            densities.add(located.poca, MuonX0(suggested, np.ones_like(suggested)), hits.weight)
        return 1 / densities.average()


@dataclass(frozen=True)
class Asr:
    """Angle statistics reconstruction: :func:`~.asr.angle_quantiles`. A voxel that no muon passed is soil."""

    quantile: float = 0.75
    reach_m: float | None = None

    def __call__(
        self, blocks: Iterable[Block], volume: Volume, rules: Reconstruction, law: Transport = NATURE
    ) -> Float[np.ndarray, "z x y"]:
        """Return the map."""
        rays, crossings = trace_blocks(blocks, volume, rules, law)
        density = angle_quantiles(rays, crossings.length_m, volume, self.quantile, self.reach_m)
        with np.errstate(divide="ignore"):
            return np.where(np.isnan(density), volume.soil.x0_m, 1 / density)


@dataclass(frozen=True)
class Mlem:
    """Maximum likelihood by expectation maximisation: :func:`~.mlem.fit_densities`, started from soil."""

    iterations: int = 50
    average: Average = "mean"
    prior_muons: float = 0.0
    tolerance: float = 0.0

    def fit(
        self, blocks: Iterable[Block], volume: Volume, rules: Reconstruction, law: Transport = NATURE
    ) -> Fit:
        """Return the densities, the log-likelihood of every iteration, and how many muons crossed a voxel."""
        rays, crossings = trace_blocks(blocks, volume, rules, law)
        start = np.full(volume.shape, 1 / volume.soil.x0_m)
        return fit_densities(
            rays, crossings, start, self.iterations, self.average, self.prior_muons, self.tolerance
        )

    def __call__(
        self, blocks: Iterable[Block], volume: Volume, rules: Reconstruction, law: Transport = NATURE
    ) -> Float[np.ndarray, "z x y"]:
        """Return the map."""
        return 1 / self.fit(blocks, volume, rules, law).density_per_m


RECONSTRUCTIONS: dict[str, Method] = {
    "poca": PocaMap(),
    "poca-rms": PocaRms(),
    "asr": Asr(),
    "mlem": Mlem(),
}


def reconstruct_with(
    name: str, blocks: Iterable[Block], volume: Volume, rules: Reconstruction, law: Transport = NATURE
) -> Float[np.ndarray, "z x y"]:
    """Turn hits, simulated or your own, into radiation lengths in metres with a method of RECONSTRUCTIONS.

    Parameters
    ----------
    blocks : pairs of hits and momenta in GeV, as :func:`~.scan.scan_walls` yields them; of your own hits in
        one piece, ``[(hits, momentum_gev)]``.
    law : how muons scatter, for the methods that fit it: ``config.transport`` for simulated muons.

    Raises
    ------
    InputError
        if there is no such method.
    ValueError
        if no muon can be used.
    """
    if name not in RECONSTRUCTIONS:
        raise InputError("reconstruction", "name", f"one of {', '.join(RECONSTRUCTIONS)}", name)
    return RECONSTRUCTIONS[name](blocks, volume, rules, law)
