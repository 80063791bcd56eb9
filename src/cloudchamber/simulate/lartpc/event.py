"""One event: particles drawn, followed, and voxelised."""

from collections.abc import Iterable

import numpy as np
from numpy.random import PCG64DXSM, Generator, SeedSequence

from cloudchamber.labels import Process
from cloudchamber.simulate.lartpc.config import VoxelsConfig
from cloudchamber.simulate.lartpc.primaries import Primaries, draw_primaries
from cloudchamber.simulate.lartpc.record import FULL, Box, Record, new_box_record, push
from cloudchamber.simulate.lartpc.tracks import follow_all
from cloudchamber.simulate.lartpc.voxelise import voxelise
from cloudchamber.simulate.random import new_stream
from cloudchamber.voxel_events import VoxelEvents, join_events

LEAST_VOXELS = 50
_CAPACITY = 1 << 17


def event_rng(seed: int, index: int) -> Generator:
    """Return the random numbers of event ``index`` of the data set with ``seed``, whoever makes it."""
    return Generator(PCG64DXSM(SeedSequence((seed, index))))


def follow(primaries: Primaries, stream: np.uint64, config: VoxelsConfig) -> Record:
    """Follow primaries and all they make in the cube of a configuration, see ``follow_in``."""
    side, voxel = config.side_px, config.voxel_mm
    box = Box((side, side, side), (voxel, voxel, voxel), config.margin_mm)
    return follow_in(primaries, stream, box, config.secondaries_inherit, _CAPACITY)


def follow_in(
    primaries: Primaries, stream: np.uint64, box: Box, inherit: bool = True, capacity: int = _CAPACITY
) -> Record:
    """Follow primaries and all they make; a record that is too small is made again, twice as large."""
    while True:
        record = new_box_record(stream, box, inherit, capacity)
        for kind, energy, place, direction in zip(*primaries, strict=True):
            push(record, kind, -1, int(Process.PRIMARY), energy, *place, *direction)
        follow_all(record)
        if record.counts[FULL] == 0:
            return record
        capacity *= 2


def simulate_event(seed: int, index: int, config: VoxelsConfig) -> VoxelEvents:
    """Simulate event ``index`` of the data set with ``seed``: a function of its arguments alone.

    An event of fewer than 50 voxels is drawn again, from the same random numbers further on, up to 1000
    times, so that no event is empty.

    Raises
    ------
    ValueError
        if none of these has 50 voxels: the configuration leaves nothing in the image.
    """
    rng = event_rng(seed, index)
    for _ in range(1000):
        primaries = draw_primaries(rng, config)
        event = voxelise(follow(primaries, new_stream(rng), config), config)
        if len(event.position) >= LEAST_VOXELS:
            return event
    raise ValueError(f"no event of this configuration has {LEAST_VOXELS} voxels")


def simulate_events(seed: int, indices: Iterable[int], config: VoxelsConfig) -> VoxelEvents:
    """Simulate several events of a data set, one after the other."""
    return join_events([simulate_event(seed, index, config) for index in indices])
