"""PILArNet-M's files are read as its own loaders read them, and ours come back."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.errors import InputError
from cloudchamber.labels import Process, VoxelLabel
from cloudchamber.source.larcv_names import mass_mev
from cloudchamber.source.pilarnet import count_pilarnet, iterate_pilarnet
from cloudchamber.source.pilarnet_tables import Revision
from cloudchamber.source.pilarnet_write import write_pilarnet
from cloudchamber.voxel_events import PARTICLE, VoxelEvents, join_events

SIDE = 32
Rows = dict[str, list[np.ndarray]]
Make = Callable[..., VoxelEvents]
Read = Callable[..., VoxelEvents]
WriteRows = Callable[..., Path]
OneEvent = Callable[[], Rows]
Same = Callable[[VoxelEvents, VoxelEvents], None]


def voxels_by_particle(event: VoxelEvents) -> list[tuple[int, list[int]]]:
    """Return the voxels of each particle that has some, by the particle's track_id."""
    assert event.particles is not None
    assert event.particle is not None
    tracks = enumerate(event.particles["track_id"].tolist())
    sets = [(track, np.flatnonzero(event.particle == row).tolist()) for row, track in tracks]
    return sorted((track, voxels) for track, voxels in sets if voxels)


@given(seed=st.integers(0, 2**32), n=st.integers(1, 5), revision=st.sampled_from([2, 3]))
@settings(max_examples=25)
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    n: int,
    revision: Revision,
    random_events: Make,
    read: Read,
    same_voxels: Same,
) -> None:
    path, events = tmp_path_factory.mktemp("pilarnet") / "a.h5", random_events(n, seed)
    assert write_pilarnet(path, events, revision=revision) == n
    found = read(path)
    same_voxels(found, events)
    for ours, theirs in zip(found, events, strict=True):
        assert voxels_by_particle(ours) == voxels_by_particle(theirs)
        assert ours.particles is not None
        assert theirs.particles is not None
        kept = theirs.particles[theirs.particles["voxels"] > 0]  # those without voxels are lost
        for name in PARTICLE.names or ():
            wanted = kept[name]
            if name == "process" and revision == 2:
                wanted = np.full(len(kept), Process.UNKNOWN)
            np.testing.assert_allclose(ours.particles[name], wanted, rtol=1e-4, atol=1e-3, err_msg=name)


@given(seed=st.integers(0, 2**32), revision=st.sampled_from([2, 3]), bare=st.booleans())
@settings(max_examples=25)
def test_any_labels_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    revision: Revision,
    bare: bool,
    random_events: Make,
    read: Read,
    same_voxels: Same,
) -> None:
    path, events = tmp_path_factory.mktemp("pilarnet") / "a.h5", random_events(3, seed, mixed=True)
    if bare:
        events = replace(events, particle=None, particle_offsets=None, particles=None)
    write_pilarnet(path, events, revision=revision)
    same_voxels(read(path), events)


def test_first_revision_does_not_tell_protons(
    tmp_path: Path, random_events: Make, read: Read, same_voxels: Same
) -> None:
    events = random_events(5, mixed=True)
    write_pilarnet(tmp_path / "a.h5", events, revision=1)
    assert events.label is not None
    label = np.where(events.label == VoxelLabel.HIP, VoxelLabel.MIP, events.label)
    found = read(tmp_path / "a.h5")
    same_voxels(found, replace(events, label=label))
    assert found.particles is not None
    assert (found.particles["pdg"] == 0).all()
    assert np.isnan(found.particles["kinetic_mev"]).all()


def test_an_event_by_hand(tmp_path: Path, read: Read, write_rows: WriteRows, one_event: OneEvent) -> None:
    event = read(write_rows(tmp_path / "a.h5", one_event()))
    assert event.label is not None
    assert event.particle is not None
    assert event.particles is not None
    assert event.position.tolist() == [
        [1, 2, 3], [9, 2, 3], [5, 5, 5], [6, 5, 5], [5, 5, 6], [5, 6, 7], [20, 0, 31]
    ]  # fmt: skip
    np.testing.assert_allclose(event.energy_mev, [0.1, 0.2, 2.5, 0.7, 2.5, 1.5, 9.0], rtol=1e-6)
    shower, mip, hip = VoxelLabel.SHOWER, VoxelLabel.MIP, VoxelLabel.HIP
    delta, michel = VoxelLabel.DELTA, VoxelLabel.MICHEL
    assert event.label.tolist() == [shower, shower, mip, delta, mip, michel, hip]
    assert event.particle.tolist() == [-1, -1, 0, 2, 0, 1, 3]
    table = event.particles
    assert table["pdg"].tolist() == [13, 11, 11, 2212]
    assert table["track_id"].tolist() == [4, 7, 9, 12]
    assert table["parent"].tolist() == [-1, 0, 0, -1]
    primary = Process.PRIMARY
    assert table["process"].tolist() == [primary, Process.DECAY, Process.IONISATION, primary]
    assert table["label"].tolist() == [mip, michel, delta, hip]
    assert table["voxels"].tolist() == [2, 1, 1, 1]
    wanted = [np.hypot(m, p) - m for m, p in ((105.658, 300), (0.511, 30), (0.511, 2), (938.272, 400))]
    np.testing.assert_allclose(table["kinetic_mev"], wanted, rtol=1e-4)
    np.testing.assert_allclose(table["start_mm"][1], [16.5, 18.0, 21.0])


def test_low_energy_deposits_can_be_dropped(
    tmp_path: Path, read: Read, write_rows: WriteRows, one_event: OneEvent
) -> None:
    path = write_rows(tmp_path / "a.h5", one_event())
    whole, rest = read(path), read(path, low_energy="drop")
    np.testing.assert_array_equal(rest.position, whole.position[2:])
    assert rest.particle is not None
    assert (rest.particle >= 0).all()


def test_other_number_types_and_revisions(
    tmp_path: Path, read: Read, write_rows: WriteRows, one_event: OneEvent, same_voxels: Same
) -> None:
    rows = one_event()
    whole = read(write_rows(tmp_path / "a.h5", rows))
    other = read(write_rows(tmp_path / "b.h5", rows, {"point": "f8", "cluster": "i4", "cluster_extra": "f8"}))
    same_voxels(other, whole)
    floats = read(write_rows(tmp_path / "c.h5", rows, {"cluster": "f4"}))
    same_voxels(floats, whole)
    second = {**rows, "cluster_extra": [rows["cluster_extra"][0][:, :5]]}
    found = read(write_rows(tmp_path / "d.h5", second))
    same_voxels(found, whole)
    assert found.particles is not None
    assert Process.PRIMARY not in found.particles["process"]
    first = {"point": rows["point"], "cluster": [rows["cluster"][0][:, :5]]}
    found = read(write_rows(tmp_path / "e.h5", first))
    np.testing.assert_array_equal(found.energy_mev, whole.energy_mev)
    assert found.label is not None
    assert found.label.tolist()[-1] == VoxelLabel.MIP


def test_written_tables_are_those_of_the_data_set(tmp_path: Path, random_events: Make) -> None:
    """The classes of points follow from the sizes of clusters, as the data set's own loaders have it."""
    events = random_events(4, 3)
    write_pilarnet(tmp_path / "a.h5", events)
    assert events.label is not None
    with h5py.File(tmp_path / "a.h5") as file:
        for number, event in enumerate(events):
            point = file["point"][number].reshape(-1, 8)
            cluster = file["cluster"][number].reshape(-1, 6)
            extra = file["cluster_extra"][number].reshape(-1, 6)
            assert len(extra) == len(cluster)
            semantic = np.repeat(cluster[:, 4], cluster[:, 0])
            pid = np.repeat(cluster[:, 5], cluster[:, 0])
            at = {tuple(place): index for index, place in enumerate(event.position.tolist())}
            assert event.label is not None
            for place, energy, kind, particle in zip(point[:, :3], point[:, 3], semantic, pid, strict=True):
                voxel = at.pop(tuple(int(p) for p in place))
                assert energy == event.energy_mev[voxel]
                label = event.label[voxel]
                low = event.particle is not None and event.particle[voxel] < 0
                assert kind == (4 if low else {0: 1, 1: 1, 2: 0, 3: 3, 4: 2}[int(label)])
                assert (particle == 4) == (label == VoxelLabel.HIP)
            assert at == {}
            known = cluster[:, 5] == 2  # muons
            np.testing.assert_allclose(extra[known, 0], mass_mev(13), rtol=1e-6)


def test_blocks_spans_and_counts(tmp_path: Path, random_events: Make, read: Read, same_voxels: Same) -> None:
    path, events = tmp_path / "a.h5", random_events(9)
    assert write_pilarnet(path, iter(events)) == 9
    assert count_pilarnet(path) == 9
    whole = read(path)
    for block in (1, 4, 100):
        found = join_events(list(iterate_pilarnet(path, side=SIDE, block=block)))
        same_voxels(found, whole)
        np.testing.assert_array_equal(found.particle, whole.particle)
    same_voxels(read(path, start=2, stop=5), events.chosen(2, 5))
    for start, stop in ((3, 3), (-1, 2), (0, 10), (9, None)):
        with pytest.raises(InputError, match="9 events"):
            read(path, start=start, stop=stop)


def test_events_without_points(
    tmp_path: Path, read: Read, write_rows: WriteRows, one_event: OneEvent
) -> None:
    rows = one_event()
    nothing = {name: [events[0][:0], events[0], events[0][:0]] for name, events in rows.items()}
    found = read(write_rows(tmp_path / "a.h5", nothing))
    assert np.diff(found.voxel_offsets).tolist() == [0, 7, 0]
    assert found.particle_offsets is not None
    assert np.diff(found.particle_offsets).tolist() == [0, 4, 0]


def test_writing_refuses(tmp_path: Path, random_events: Make) -> None:
    path, events = tmp_path / "a.h5", random_events(2)
    with pytest.raises(InputError, match="event 0: expected labels"):
        write_pilarnet(path, replace(events, label=None))
    with pytest.raises(InputError, match="events to write"):
        write_pilarnet(path, [])
    assert list(tmp_path.iterdir()) == []
    write_pilarnet(path, events)
    with pytest.raises(InputError, match="--overwrite"):
        write_pilarnet(path, events)
    assert write_pilarnet(path, events.chosen(0, 1), overwrite=True) == 1
