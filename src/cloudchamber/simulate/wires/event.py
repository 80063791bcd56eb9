"""One readout: particles drawn and followed, their charge drifted, digitised, labelled, hits found."""

from collections.abc import Iterable

import numpy as np
from numpy.random import PCG64DXSM, Generator, SeedSequence

from cloudchamber.labels import Origin
from cloudchamber.simulate.lartpc.event import follow_in
from cloudchamber.simulate.random import new_stream
from cloudchamber.simulate.wires.config import WiresConfig
from cloudchamber.simulate.wires.digitise import code_type, coded, measure, readout_of
from cloudchamber.simulate.wires.drift import collect
from cloudchamber.simulate.wires.geometry import layout_of
from cloudchamber.simulate.wires.hit_finder import find_hits
from cloudchamber.simulate.wires.ionise import ionise
from cloudchamber.simulate.wires.noise import wire_rms
from cloudchamber.simulate.wires.primaries import WirePrimaries, draw_wire_primaries
from cloudchamber.simulate.wires.response import pulse_width_ticks
from cloudchamber.simulate.wires.truth import (
    label_pixels,
    mark_points,
    particle_table,
    points_of_interest,
)
from cloudchamber.voxel_events import offsets_of
from cloudchamber.wire_events import WireEvents, join_wire_events

_CAPACITY = 1 << 20
_TASK = 6  # sets these random numbers apart from those of other data sets with the same seed


def readout_rng(seed: int, index: int) -> Generator:
    """Return the random numbers of readout ``index`` of the data set with ``seed``, whoever makes it."""
    return Generator(PCG64DXSM(SeedSequence((seed, index, _TASK))))


def simulate_wires(seed: int, index: int, config: WiresConfig) -> WireEvents:
    """Simulate readout ``index`` of the data set with ``seed``: a function of its arguments alone."""
    rng = readout_rng(seed, index)
    return simulate_particles(rng, draw_wire_primaries(rng, config, layout_of(config)), config)


def simulate_particles(rng: Generator, primaries: WirePrimaries, config: WiresConfig) -> WireEvents:
    """Simulate the readout of given particles, in the frame of the box of ``layout_of``."""
    layout = layout_of(config)
    record = follow_in(primaries.particles, new_stream(rng), layout.box, capacity=_CAPACITY)
    deposits = ionise(record, config.drift)
    of_beam = np.asarray(primaries.origin == Origin.BEAM)[deposits.root]
    tick_of_row = primaries.tick[deposits.root] + deposits.late_us / config.electronics.tick_us
    deposit_mev = np.bincount(deposits.row, weights=deposits.energy_mev, minlength=len(of_beam))
    points = points_of_interest(record, config)
    own, coherent = wire_rms(config.noise, layout.wires)
    width = pulse_width_ticks(config.electronics)
    shape = layout.wires, config.electronics.ticks // config.rebin
    code = np.empty(shape, code_type(config))
    beam, activity, michel, vertex = (np.empty(shape, np.uint8) for _ in range(4))
    row = np.empty(shape, np.int32)
    hits = []
    for face in layout.faces:
        wires = slice(face.first_wire, face.first_wire + face.wires)
        collected = collect(deposits, of_beam, tick_of_row, layout, face, config, width)
        signals = measure(rng, collected, own[wires], coherent, config)
        labels = label_pixels(record, collected, signals, config)
        code[wires] = coded(signals.measured, config)
        beam[wires], activity[wires], michel[wires], row[wires] = labels
        vertex[wires] = mark_points(points, tick_of_row, layout, face, config)
        hits.append(find_hits(signals.measured, config, face.first_wire))
    origin = primaries.origin[deposits.root]
    table, particle = particle_table(record, row, deposit_mev, origin, layout)
    found = np.concatenate(hits)
    return WireEvents(
        readout_of(config), code[None], beam[None], activity[None], michel[None], vertex[None],
        particle[None], offsets_of([len(table)]), table, offsets_of([len(found)]), found,
    )  # fmt: skip


def simulate_wires_events(seed: int, indices: Iterable[int], config: WiresConfig) -> WireEvents:
    """Simulate several readouts of a data set, one after the other."""
    return join_wire_events([simulate_wires(seed, index, config) for index in indices])
