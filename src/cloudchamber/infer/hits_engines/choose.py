"""Which engine does the work: the one that the costs below say is fastest, within memory."""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float32, Shaped
from torch import nn

from cloudchamber.errors import InputError
from cloudchamber.infer.hits_engines.layers import PatchLayers, limited_threads, take_apart
from cloudchamber.infer.hits_engines.overlap_save import Tile, choose_tile, into_tiles, run_overlap_save
from cloudchamber.infer.hits_engines.patches import run_patches
from cloudchamber.infer.hits_engines.places import Places, check_plane, find_places
from cloudchamber.infer.hits_engines.shared_maps import run_shared_maps
from cloudchamber.infer.hits_engines.whole_plane import run_whole_plane
from cloudchamber.model.hits_patch import HitsPatch
from cloudchamber.model.hits_plane import HitsPlane

Engine = Literal["auto", "patches", "shared-maps", "overlap-save", "whole-plane"]
MEMORY_MIB = 1536.0  # with Python and torch less than the 2 GB of a core of a grid node

# CPU seconds of one thread, as ``python benchmarks/hits.py --constants`` printed them (published network, AMD
# EPYC 9004, other work beside); only their ratios matter. Planes of one event share the kernel's transform.
PATCH = 1.3e-3  # a patch by itself
SHARED_PIXEL, SHARED_MAP = 4.8e-4, 7.9e-7  # a pixel's first dense layer; a pixel of maps
TILE_CELL, TILE_PIXEL = 1.1e-6, 2.0e-5  # a pixel of a tile; the last transform and later layers of a pixel
SPECTRUM_CELL, PLANES = 1.4e-4, 12  # a pixel of the kernel's transform, made once


def classify(
    network: nn.Module,
    plane: Shaped[np.ndarray, "wire drift"],
    hits_wire: Shaped[np.ndarray, "hit"],
    hits_drift: Shaped[np.ndarray, "hit"],
    *,
    engine: str = "auto",
    threads: int = 1,
    memory_mib: float = MEMORY_MIB,
) -> Float32[np.ndarray, "hit 4"]:
    """Return what each hit is: probabilities of track, em and none, which add up to 1, and of Michel.

    Hits that share a pixel are done once. All engines for the patch network give the same but for rounding
    (below 1e-6); a network for planes has one engine.

    Parameters
    ----------
    network : a ``HitsPatch`` or a ``HitsPlane``.
    plane : the signal, scaled and clipped as ``prepare.hit_patches`` does.
    hits_wire, hits_drift : the pixel of each hit, whole numbers.
    engine : "auto" takes the one that should be fastest within memory.
    threads : of torch, inside this call.
    memory_mib : most memory that the engine asks for beside the network's weights and the plane.

    Raises
    ------
    InputError
        if plane, hits, engine or threads make no sense, or the engine needs more memory or another network.
    """
    if engine not in get_args(Engine):
        raise InputError("engine", "", f"one of {', '.join(get_args(Engine))}", repr(engine))
    if threads < 1:
        raise InputError("threads", "", "at least one", str(threads))
    image = check_plane(plane)
    places = find_places((image.shape[0], image.shape[1]), hits_wire, hits_drift)
    run = _runner(network, engine, places, memory_mib)
    if not len(places):
        return np.empty((0, 4), np.float32)
    training = network.training
    network.eval()
    try:
        with limited_threads(threads), torch.inference_mode():
            return np.asarray(run(image)[places.of_hit])
    finally:
        network.train(training)


Runner = Callable[[Float32[np.ndarray, "wire drift"]], Float32[np.ndarray, "pixel 4"]]


def _runner(network: nn.Module, engine: str, places: Places, memory_mib: float) -> Runner:
    if isinstance(network, HitsPlane):
        if engine not in ("auto", "whole-plane"):
            raise InputError("engine", "", "whole-plane, for this network reads whole planes", repr(engine))
        return lambda plane: run_whole_plane(network, plane, places, memory_mib)
    if not isinstance(network, HitsPatch):
        raise InputError("network", "", "a network for patches or planes of hits", type(network).__name__)
    if engine == "whole-plane":
        raise InputError("engine", "", "an engine for a network that reads patches", repr(engine))
    layers = take_apart(network)
    tile = choose_tile(layers, memory_mib)
    if engine == "auto":
        engine = fastest(layers, places, tile) if len(places) else "patches"
    if engine == "patches":
        return lambda plane: run_patches(layers, plane, places, memory_mib)
    if engine == "shared-maps":
        return lambda plane: run_shared_maps(layers, plane, places, memory_mib)
    if tile is None:
        raise InputError(
            "memory", "", "more memory, or another engine than overlap-save", f"{memory_mib} MiB"
        )
    return lambda plane: run_overlap_save(layers, plane, places, tile, memory_mib)


def fastest(layers: PatchLayers, places: Places, tile: Tile | None) -> str:
    """Return the engine for the patch network that should take least time for these pixels."""
    return min(costs := expected_seconds(layers, places, tile), key=costs.__getitem__)


def expected_seconds(layers: PatchLayers, places: Places, tile: Tile | None) -> dict[str, float]:
    """Return what each engine should take on one core, for the published sizes of the network."""
    wires = int(places.wire[-1] - places.wire[0]) + layers.side
    drifts = int(places.drift.max() - places.drift.min()) + layers.side
    found = {
        "patches": PATCH * len(places),
        "shared-maps": SHARED_PIXEL * len(places) + SHARED_MAP * wires * drifts,
    }
    if tile is not None:
        step = tile.wires - layers.inner + 1, tile.drifts - layers.inner + 1
        tiles = len(into_tiles(places, step).origins)
        cells = tile.wires * tile.drifts
        made = SPECTRUM_CELL * cells / PLANES
        found["overlap-save"] = TILE_CELL * cells * tiles + TILE_PIXEL * len(places) + made
    return found
