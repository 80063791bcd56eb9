"""Whole events: the same every time, consistent, and as many voxels of each class as are published."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cloudchamber.labels import Process, VoxelLabel
from cloudchamber.simulate.lartpc import event as module
from cloudchamber.simulate.lartpc.config import CrossingMuons, Vertex, VoxelsConfig, bomb
from cloudchamber.simulate.lartpc.event import LEAST_VOXELS, event_rng, simulate_event, simulate_events
from cloudchamber.simulate.lartpc.primaries import crossing_muons, draw_primaries
from cloudchamber.simulate.lartpc.statistics import low_energy_scatters, summarise
from cloudchamber.voxel_events import VoxelEvents

CONFIG = bomb()


@pytest.fixture(scope="module")
def events() -> VoxelEvents:
    return simulate_events(3, range(40), CONFIG)


def same(one: VoxelEvents, other: VoxelEvents) -> bool:
    pairs = [
        (one.position, other.position), (one.energy_mev, other.energy_mev), (one.label, other.label),
        (one.particle, other.particle), (one.particles, other.particles),
    ]  # fmt: skip
    return all(np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in pairs)


def test_an_event_is_a_function_of_seed_index_and_configuration(events: VoxelEvents) -> None:
    with ThreadPoolExecutor(2) as pool:
        again = list(pool.map(lambda index: simulate_event(3, index, CONFIG), (7, 0, 39)))
    assert all(same(events.chosen(i, i + 1), event) for i, event in zip((7, 0, 39), again, strict=True))
    assert not same(again[0], simulate_event(4, 7, CONFIG))
    assert not same(again[0], again[1])


def test_room_for_deposits_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = simulate_event(3, 1, CONFIG)
    monkeypatch.setattr(module, "_CAPACITY", 256)
    assert same(simulate_event(3, 1, CONFIG), expected)


def test_events_are_consistent(events: VoxelEvents) -> None:
    for event in events:
        n = event.shape[0]
        x, y, z = event.position.astype(np.int64).T
        assert (np.diff((z * n + y) * n + x) > 0).all()
        assert event.position.min() >= 0
        assert event.position.max() < n
        assert len(event.position) >= LEAST_VOXELS
        assert event.energy_mev.min() >= CONFIG.threshold_mev * (1 - 1e-6)
        table, particle, label = event.particles, event.particle, event.label
        assert table is not None
        assert particle is not None
        assert label is not None
        assert np.array_equal(np.bincount(particle, minlength=len(table)), table["voxels"])
        assert np.array_equal(table["label"][particle], label)
        assert table["deposit_mev"].sum(dtype=float) == pytest.approx(
            event.energy_mev.sum(dtype=float), rel=1e-5
        )
        primary = table["parent"] == -1
        assert np.array_equal(primary, table["process"] == Process.PRIMARY)
        assert (table["parent"] < np.arange(len(table))).all()
        assert (table["voxels"][~primary] > 0).all()
        assert (np.diff(table["track_id"]) > 0).all()


def test_labels_follow_from_kind_process_and_parent(events: VoxelEvents) -> None:
    table = events.particles
    assert table is not None
    assert (table["label"][table["pdg"] == 2212] == VoxelLabel.HIP).all()
    assert (table["label"][np.isin(table["pdg"], [13, -13, 211, -211])] == VoxelLabel.MIP).all()
    electron = np.abs(table["pdg"]) == 11
    delta, decay = table["process"] == Process.IONISATION, table["process"] == Process.DECAY
    assert (table["label"][electron & delta] == VoxelLabel.DELTA).all()
    assert (table["label"][electron & decay] == VoxelLabel.MICHEL).all()
    assert (table["kinetic_mev"][electron & decay] < 52.4).all()
    assert (table["label"][electron & (table["process"] == Process.PRIMARY)] == VoxelLabel.SHOWER).all()
    for event in events:
        rows = event.particles
        assert rows is not None
        for row in rows[np.isin(rows["label"], [VoxelLabel.MICHEL, VoxelLabel.DELTA])]:
            if row["process"] not in (Process.DECAY, Process.IONISATION):
                assert row["label"] == rows["label"][row["parent"]]


def test_secondaries_are_shower_where_they_do_not_inherit(events: VoxelEvents) -> None:
    config = CONFIG.model_copy(update={"secondaries_inherit": False})
    others = simulate_events(3, range(40), config)
    assert np.array_equal(others.position, events.position)
    table = others.particles
    assert table is not None
    photons = (Process.CONVERSION, Process.COMPTON, Process.PHOTOELECTRIC)
    assert (table["label"][np.isin(table["process"], photons)] == VoxelLabel.SHOWER).all()
    assert events.label is not None
    assert others.label is not None
    changed = others.label != events.label
    assert changed.any()
    assert np.isin(events.label[changed], [VoxelLabel.MICHEL, VoxelLabel.DELTA]).all()
    assert (others.label[changed] == VoxelLabel.SHOWER).all()


def test_events_are_never_empty() -> None:
    """Most protons of 20 MeV leave a handful of voxels; these are drawn again until one event has 50."""
    vertex = Vertex(
        particles=(1, 6), weights={"p": 0.9, "mu-": 0.1}, kinetic_mev={"p": (20, 20), "mu-": (200, 200)}
    )
    config = VoxelsConfig(side_px=64, vertex=vertex, muons=CrossingMuons(count=(0, 0)))
    assert all(len(simulate_event(1, i, config).position) >= LEAST_VOXELS for i in range(20))


def test_a_configuration_that_leaves_nothing_is_an_error() -> None:
    vertex = Vertex(particles=(1, 1), weights={"p": 1.0}, kinetic_mev={"p": (2, 2)})
    config = VoxelsConfig(side_px=32, vertex=vertex, muons=CrossingMuons(count=(0, 0)))
    with pytest.raises(ValueError, match="50 voxels"):
        simulate_event(1, 0, config)


def test_muons_enter_through_the_faces_from_above() -> None:
    side = 1536.0
    muons = crossing_muons(event_rng(1, 0), CrossingMuons(count=(4000, 4000)), side)
    distance = np.minimum(np.abs(muons.position_mm), np.abs(muons.position_mm - side)).min(axis=1)
    assert distance.max() < 1e-6
    assert muons.position_mm.min() > -1e-6
    assert muons.position_mm.max() < side + 1e-6
    assert (muons.direction[:, 1] < 0).all()
    inside = muons.position_mm + 1e-3 * muons.direction
    assert ((inside > 0) & (inside < side)).all(axis=1).mean() > 0.99
    low, high = CONFIG.muons.least_mev, CONFIG.muons.most_mev
    assert low <= muons.kinetic_mev.min() <= muons.kinetic_mev.max() <= high
    # The share below 1 GeV of (T + 1000)^-2.7.
    power = [(t + 1000) ** -1.7 for t in (low, 1000.0, high)]
    expected = (power[0] - power[1]) / (power[0] - power[2])
    assert (muons.kinetic_mev < 1000).mean() == pytest.approx(expected, abs=0.03)


def test_vertex_particles_start_together_and_as_configured() -> None:
    for index in range(50):
        primaries = draw_primaries(event_rng(2, index), CONFIG)
        count = len(primaries.kind)
        assert 2 <= count <= 11
        assert np.linalg.norm(primaries.direction, axis=1) == pytest.approx(np.ones(count))
        first = (primaries.position_mm == primaries.position_mm[0]).all(axis=1).sum()
        assert 1 <= first <= 6
        assert (primaries.position_mm[0] > 0.15 * 1536).all()
        assert primaries.kinetic_mev.min() >= 30


def test_low_energy_scatters_are_small_fragments_of_shower() -> None:
    position = np.array(
        [[i, 0, 0] for i in range(10)] + [[i, 5, i] for i in range(9)] + [[20, 20, 20]], dtype=np.int32
    )
    label = np.full(20, VoxelLabel.SHOWER, dtype=np.uint8)
    label[-1] = VoxelLabel.MICHEL
    event = VoxelEvents((32, 32, 32), 3.0, np.array([0, 20]), position, np.ones(20, np.float32), label)
    assert np.array_equal(np.flatnonzero(low_energy_scatters(event)), np.arange(10, 19))
    figures = summarise(event)
    assert figures["low_energy"] == pytest.approx(9 / 20)
    assert figures["shower"] == pytest.approx(10 / 11)
    assert figures["michel"] == pytest.approx(1 / 11)
    assert figures["voxels_mean"] == 20


@pytest.mark.slow
def test_classes_have_the_published_shares() -> None:
    """Counts of PILArNet-M without low-energy scatters, each within a quarter; 4,300 voxels within 15%."""
    figures = summarise(simulate_events(2024, range(3000), CONFIG))
    assert figures["voxels_mean"] == pytest.approx(4300, rel=0.15)
    assert figures["shower"] == pytest.approx(0.471, rel=0.25)
    assert figures["track"] == pytest.approx(0.498, rel=0.25)
    assert figures["delta"] == pytest.approx(0.0225, rel=0.25)
    assert figures["michel"] == pytest.approx(0.0083, rel=0.25)
