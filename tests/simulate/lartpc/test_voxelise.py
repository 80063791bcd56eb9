"""Voxels and the table of particles, against a slow and plain way to make them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.labels import Process, VoxelLabel
from cloudchamber.simulate.lartpc.config import PRIORITIES, VoxelsConfig
from cloudchamber.simulate.lartpc.constants import ELECTRON, GAMMA, MU_MINUS, PROTON
from cloudchamber.simulate.lartpc.record import (
    Box,
    Record,
    deposit,
    is_gone,
    new_box_record,
    new_record,
    push,
)
from cloudchamber.simulate.lartpc.voxelise import voxelise
from cloudchamber.voxel_events import VoxelEvents

KINDS = [MU_MINUS, PROTON, ELECTRON, GAMMA]
NO_MERGE = VoxelsConfig(side_px=32, least_delta_voxels=0)
START = (48.0, 48.0, 48.0, 0.0, 0.0, 1.0)


def add(record: Record, kind: int, parent: int, process: Process) -> int:
    push(record, kind, parent, int(process), 10.0, *START)
    return int(record.counts[1]) - 1


def leave(record: Record, row: int, energy: float, *voxel: int) -> None:
    deposit(record, row, energy, *(3.0 * index + 1.5 for index in voxel))


def empty() -> Record:
    return new_record(np.uint64(1), 32, 3.0, 0.0, True, 4096)


def labels_by_voxel(event: VoxelEvents) -> dict[tuple[int, ...], tuple[int, int]]:
    assert event.label is not None
    assert event.particle is not None
    rows = zip(event.position.tolist(), event.label.tolist(), event.particle.tolist(), strict=True)
    return {tuple(position): (label, particle) for position, label, particle in rows}


@given(seed=st.integers(0, 10_000), priority=st.sampled_from(sorted(PRIORITIES)))
def test_voxels_are_those_of_a_plain_sum(seed: int, priority: str) -> None:
    rng = np.random.default_rng(seed)
    config = NO_MERGE.model_copy(update={"priority": PRIORITIES[priority], "threshold_mev": 0.3})
    record = empty()
    for _ in range(6):
        count = int(record.counts[1])
        parent = int(rng.integers(-1, count)) if count else -1
        process = Process.PRIMARY if parent < 0 else Process(int(rng.integers(2, 9)))
        add(record, int(rng.choice(KINDS)), parent, process)
    deposits = [
        (int(rng.integers(0, 6)), float(rng.exponential(0.3)), tuple(rng.integers(4, 6, size=3).tolist()))
        for _ in range(40)
    ]
    for row, energy, voxel in deposits:
        leave(record, row, energy, *voxel)
    event = voxelise(record, config)
    label_of_row = record.rows[:6, 3]
    order = {int(label): rank for rank, label in enumerate(config.priority)}
    expected = {}
    for voxel in {voxel for _, _, voxel in deposits}:
        parts: dict[int, float] = {}
        for row, energy, place in deposits:
            if place == voxel:
                parts[row] = parts.get(row, 0.0) + energy
        if sum(parts.values()) >= config.threshold_mev:
            best = min(parts, key=lambda row: (order[int(label_of_row[row])], -parts[row]))
            expected[voxel] = (sum(parts.values()), int(label_of_row[best]), best)
    found = labels_by_voxel(event)
    assert found.keys() == expected.keys()
    assert event.particles is not None
    track_id = event.particles["track_id"]
    for voxel, energy in zip(event.position.tolist(), event.energy_mev.tolist(), strict=True):
        total, label, row = expected[tuple(voxel)]
        assert energy == pytest.approx(total, rel=1e-5)
        assert found[tuple(voxel)][0] == label
        assert track_id[found[tuple(voxel)][1]] == row + 1
    # Nothing of the energy in the image is lost with the particles that have no row.
    total = sum(value[0] for value in expected.values())
    kept = event.particles["deposit_mev"].sum()
    assert kept == pytest.approx(total, rel=1e-5, abs=1e-6)


def test_children_of_particles_without_voxels_go_to_the_next_ancestor() -> None:
    record = empty()
    photon = add(record, GAMMA, -1, Process.PRIMARY)
    pair = add(record, ELECTRON, photon, Process.CONVERSION)
    second = add(record, GAMMA, pair, Process.BREMSSTRAHLUNG)
    blip = add(record, ELECTRON, second, Process.COMPTON)
    leave(record, pair, 1.0, 4, 4, 4)
    leave(record, second, 0.01, 4, 4, 4)
    leave(record, blip, 1.0, 9, 9, 9)
    particles = voxelise(record, NO_MERGE).particles
    assert particles is not None
    assert particles["pdg"].tolist() == [22, 11, 11]
    assert particles["parent"].tolist() == [-1, 0, 1]
    assert particles["voxels"].tolist() == [0, 1, 1]
    assert particles["deposit_mev"] == pytest.approx([0, 1.01, 1.0])
    assert particles["process"].tolist() == [Process.PRIMARY, Process.CONVERSION, Process.COMPTON]


def delta_on_a_track(own_voxels: int) -> Record:
    """Return a muon along x with a delta electron of some voxels off it, and a blip of that one's photon."""
    record = empty()
    muon = add(record, MU_MINUS, -1, Process.PRIMARY)
    delta = add(record, ELECTRON, muon, Process.IONISATION)
    knocked = add(record, ELECTRON, delta, Process.MOLLER)
    photon = add(record, GAMMA, delta, Process.BREMSSTRAHLUNG)
    blip = add(record, ELECTRON, photon, Process.COMPTON)
    for x in range(20):
        leave(record, muon, 0.6, x, 5, 5)
        leave(record, delta, 0.1, x, 5, 5)
    for step in range(own_voxels):
        leave(record, delta if step else knocked, 0.5, 3, 6 + step, 5)
    leave(record, blip, 0.5, 25, 25, 25)
    return record


@pytest.mark.parametrize(("own", "merged"), [(9, True), (10, False)])
def test_small_delta_electrons_are_part_of_their_track(own: int, merged: bool) -> None:
    """Voxels shared with the track do not count; what photons of a merged electron made is shower."""
    event = voxelise(delta_on_a_track(own), VoxelsConfig(side_px=32))
    found = labels_by_voxel(event)
    assert found[(3, 5, 5)][0] == VoxelLabel.MIP
    assert found[(3, 6, 5)][0] == (VoxelLabel.MIP if merged else VoxelLabel.DELTA)
    assert found[(25, 25, 25)][0] == (VoxelLabel.SHOWER if merged else VoxelLabel.DELTA)
    particles = event.particles
    assert particles is not None
    assert particles["pdg"].tolist() == ([13, 11] if merged else [13, 11, 11, 11])
    assert particles["deposit_mev"].sum() == pytest.approx(event.energy_mev.sum())
    assert particles["voxels"].sum() == len(event.position) == 20 + own + 1


def test_a_box_has_cells_and_margins_of_its_own() -> None:
    record = new_box_record(np.uint64(1), Box((10, 1, 4), (0.5, 100.0, 2.0), 1.0), True, 4096)
    push(record, 4, -1, 1, 10.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    deposit(record, 0, 1.0, 4.9, 99.0, 7.9, 0.3)
    deposit(record, 0, 2.0, 4.6, 1.0, 6.1, 0.4)  # the same cell
    deposit(record, 0, 4.0, 0.1, 1.0, 0.1)
    for place in ((5.1, 1.0, 1.0), (1.0, 101.0, 1.0), (1.0, 1.0, 8.1), (-0.1, 1.0, 1.0)):
        deposit(record, 0, 1.0, *place)
    assert record.counts[2] == 2
    assert record.key[:2].tolist() == [3 * 10 + 9, 0]
    assert record.energy[:2].tolist() == [3.0, 4.0]
    assert record.length[:2] == pytest.approx([0.7, 0.0])
    assert not is_gone(record, 5.9, 100.9, 8.9)
    assert is_gone(record, 6.1, 1.0, 1.0)
    assert is_gone(record, 1.0, 101.1, 1.0)
    assert is_gone(record, 1.0, 1.0, -1.1)
