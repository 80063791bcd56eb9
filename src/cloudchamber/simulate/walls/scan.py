"""One scanned volume: walls, muons, scattering, hits, reconstruction."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy.random import PCG64DXSM, Generator, SeedSequence

from cloudchamber.simulate.walls.config import Reconstruction, Volume, WallsConfig
from cloudchamber.simulate.walls.geometry import generate_walls, radiation_lengths
from cloudchamber.simulate.walls.maps import TrackMaps
from cloudchamber.simulate.walls.muons import generate_muons
from cloudchamber.simulate.walls.panels import Hits, record_hits
from cloudchamber.simulate.walls.poca import Poca, closest_approach
from cloudchamber.simulate.walls.rays import trace_rays
from cloudchamber.simulate.walls.tracks import Tracks, fit_tracks
from cloudchamber.simulate.walls.transport import transport
from cloudchamber.simulate.walls.x0map import MuonX0, X0Map, muon_x0

BLOCK = 2500


class Scan(NamedTuple):
    """What a scan gives and the truth behind it; axes (z, x, y), z = 0 the deepest layer."""

    x0_m: Float[np.ndarray, "z x y"]
    walls: Bool[np.ndarray, "z x y"]
    maps: dict[str, Float[np.ndarray, "z x y"]]


class Located(NamedTuple):
    """What hits say of each muon: its tracks, its scattering point and the radiation length it suggests."""

    above: Tracks
    below: Tracks
    poca: Poca
    suggested: MuonX0


def volume_rng(seed: int, index: int) -> Generator:
    """Return the random numbers of volume ``index`` of the data set with ``seed``, whoever makes it."""
    return Generator(PCG64DXSM(SeedSequence((seed, index))))


def locate_scatterings(
    hits: Hits, momentum_gev: Float[np.ndarray, "muon"], voxel_m: float, rules: Reconstruction
) -> Located:
    """Fit tracks above and below, and find where and how much each muon scattered."""
    above, below = (
        fit_tracks(hits.position_m[:, k], hits.sigma_m[:, k], hits.height_m[k], rules.fit_precision)
        for k in (slice(hits.n_above), slice(hits.n_above, None))
    )
    poca = closest_approach(above, below, rules.uncertainty)
    return Located(above, below, poca, muon_x0(poca, momentum_gev, voxel_m, rules.uncertainty))


def reconstruct(
    hits: Hits, momentum_gev: Float[np.ndarray, "muon"], volume: Volume, rules: Reconstruction
) -> Float[np.ndarray, "z x y"]:
    """Turn hits, simulated or your own, into a map of radiation lengths in metres."""
    x0_map = X0Map(volume)
    located = locate_scatterings(hits, momentum_gev, volume.voxel_m, rules)
    x0_map.add(located.poca, located.suggested, hits.weight)
    return x0_map.average()


def believed_momentum(
    rng: Generator, momentum_gev: Float[np.ndarray, "muon"], rules: Reconstruction
) -> Float[np.ndarray, "muon"]:
    """Return the momenta that the reconstruction works with: known, smeared log-normally, or one guess."""
    if rules.momentum == "known":
        return momentum_gev
    if rules.momentum == "unknown":
        return np.full_like(momentum_gev, rules.momentum_guess_gev)
    return momentum_gev * np.exp(rules.momentum_resolution * rng.standard_normal(len(momentum_gev)))


def scan_walls(
    rng: Generator, walls: Bool[np.ndarray, "z x y"], config: WallsConfig
) -> Iterator[tuple[Hits, Float[np.ndarray, "muon"]]]:
    """Send muons through given walls, block by block.

    Yields
    ------
    The hits of a block of muons and the momenta in GeV that the reconstruction is told. Blocks of a thousand
    stay in the processor's cache, and memory does not grow with the number of muons.
    """
    x0_m = radiation_lengths(walls, config.volume)
    for start in range(0, config.muons.count, BLOCK):
        muons = generate_muons(rng, config, min(BLOCK, config.muons.count - start))
        exits = transport(rng, muons, x0_m, walls, config)
        hits = record_hits(rng, muons, exits, config)
        yield hits, believed_momentum(rng, muons.momentum_gev, config.reconstruction)


def simulate_volume(seed: int, index: int, config: WallsConfig, maps: bool = False) -> Scan:
    """Simulate volume ``index`` of the data set with ``seed``: a function of its arguments alone.

    With ``maps`` the maps of :class:`cloudchamber.simulate.walls.maps.TrackMaps` are made of the same muons.
    """
    rng = volume_rng(seed, index)
    walls = generate_walls(rng, config.volume)
    x0_map, track_maps = X0Map(config.volume), TrackMaps(config.volume)
    for hits, momentum in scan_walls(rng, walls, config):
        located = locate_scatterings(hits, momentum, config.volume.voxel_m, config.reconstruction)
        x0_map.add(located.poca, located.suggested, hits.weight)
        if maps:
            rays = trace_rays(
                located.above, located.below, momentum, hits.weight, config.volume,
                config.transport.azimuth_shrinks,
            )  # fmt: skip
            track_maps.add(rays, located.poca)
    return Scan(x0_map.average(), walls, track_maps.maps() if maps else {})
