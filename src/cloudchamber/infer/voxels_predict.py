"""Prediction on sparse events, in batches of bounded memory, in memory or from file to file."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from cloudchamber.errors import InputError
from cloudchamber.infer.bundle import about_card
from cloudchamber.infer.predict import device_of
from cloudchamber.infer.voxels_bundle import VoxelsBundle
from cloudchamber.labels import VoxelLabel
from cloudchamber.prepare.cube import CUBE_SYMMETRIES
from cloudchamber.prepare.voxel_features import place_voxels, scale_energy
from cloudchamber.progress import progress
from cloudchamber.source.hdf5 import open_hdf5
from cloudchamber.source.predictions import CLASSES, PROBABILITY
from cloudchamber.source.voxel_predictions import VOXEL_PREDICTION_TABLES, VOXEL_PREDICTION_UNITS
from cloudchamber.source.voxels import POSITION, VOXEL_COUNT, VOXELS_AXES, find_events, iterate_events
from cloudchamber.source.writer import write_store
from cloudchamber.voxel_events import VoxelEvents

VIEWS = tuple(range(0, CUBE_SYMMETRIES, 6))  # eight symmetries: all orders of the axes, flips of each
MOST_VOXELS = 100_000  # in a batch; an event that has more is a batch of its own


def batches_of(events: VoxelEvents, most_voxels: int = MOST_VOXELS) -> Iterator[VoxelEvents]:
    """Yield runs of events with at most so many voxels together, or single events that have more."""
    start = 0
    while start < len(events):
        limit = events.voxel_offsets[start] + most_voxels
        stop = int(np.searchsorted(events.voxel_offsets, limit, side="right")) - 1
        stop = min(max(stop, start + 1), len(events))
        yield events.chosen(start, stop)
        start = stop


@torch.inference_mode()
def predict_events(
    bundle: VoxelsBundle,
    events: VoxelEvents,
    *,
    symmetries: bool | None = None,
    most_voxels: int = MOST_VOXELS,
) -> tuple[UInt8[np.ndarray, "voxel"], Float32[np.ndarray, "voxel class"]]:
    """Return the class of each voxel and the probability of each class.

    ``symmetries``: the mean probability over eight of the 48 symmetries of a cube (an image that is no cube
    is seen as it is); unless said, as the bundle says.

    Raises
    ------
    InputError
        if the voxels are of another size than the network was trained on.
    """
    config = bundle.config
    if abs(events.voxel_mm - config.voxel_mm) > 1e-3 * config.voxel_mm:
        raise InputError("voxel_mm", "", f"voxels of {config.voxel_mm:g} mm", f"{events.voxel_mm:g} mm")
    device = device_of(bundle.network)
    probability = np.empty((len(events.position), len(VoxelLabel)), np.float32)
    wanted = config.symmetries if symmetries is None else symmetries
    weights = torch.tensor(config.log_weights or [0.0], device=device)
    views = VIEWS if wanted and len(set(events.shape)) == 1 else (0,)
    done = 0
    for some in batches_of(events, most_voxels):
        if not len(some.position):
            continue
        features = torch.from_numpy(scale_energy(some.energy_mev, config.energy)).to(device)
        rows = slice(done, done + len(some.position))
        total = torch.zeros(len(some.position), len(VoxelLabel), device=device)
        for view in views:
            places = place_voxels(some, [view] * len(some) if view else None)
            logits = bundle.network(features, torch.from_numpy(places).to(device))
            total += torch.softmax(logits.float() - weights, dim=1)
        probability[rows] = (total / len(views)).cpu().numpy()
        done = rows.stop
    return probability.argmax(axis=1).astype(np.uint8), probability


def predict_voxels_file(
    bundle: VoxelsBundle, source: Path, target: Path, *, symmetries: bool | None = None
) -> int:
    """Predict every event of ``source`` and write ``target`` as a whole; ``symmetries`` as in predict_events.

    ``target`` holds the voxels, ``preds`` (uint8), ``probability`` (float16, voxel, class), and the bundle's
    name.

    Returns
    -------
    The number of events.

    Raises
    ------
    InputError
        if the source is no data set of sparse events or does not fit the network, or the target cannot be
        written.
    """
    if target.exists() and target.samefile(source):
        raise InputError(target, "", "another file than the input", "the same")
    n = sum(len(block) for block in iterate_events(source, truth=False))  # damage at the end is found at once
    with open_hdf5(source) as file:
        found = find_events(file, source, False)
        grid = {key: found.attributes[key] for key in ("nx", "ny", "nz", "voxel_mm")}
    attributes = {
        "task": "voxels", **grid, "model": bundle.config.name, "card": about_card(bundle.card),
        "source": source.name,
        "labels": "relabelled" if bundle.config.relabelled else "regular",
    }  # fmt: skip
    with (
        progress("predicting", n, "events") as advance,
        write_store(
            target, n, attributes, VOXEL_PREDICTION_UNITS, axes=VOXELS_AXES, tables=VOXEL_PREDICTION_TABLES
        ) as add,
    ):
        for block in iterate_events(source, 64, truth=False):
            label, probability = predict_events(bundle, block, symmetries=symmetries)
            add({
                VOXEL_COUNT: np.diff(block.voxel_offsets), POSITION: block.position, CLASSES: label,
                PROBABILITY: probability.astype(np.float16),
            })  # fmt: skip
            advance(len(block))
    return n
