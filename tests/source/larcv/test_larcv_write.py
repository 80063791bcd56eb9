"""What was written in larcv2's names is read again, by us and by plain uproot."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.errors import InputError
from cloudchamber.source.larcv import count_larcv, iterate_larcv, read_larcv
from cloudchamber.source.larcv_names import mass_mev
from cloudchamber.source.larcv_write import write_larcv
from cloudchamber.voxel_events import VoxelEvents, join_events

Make = Callable[..., VoxelEvents]
Same = Callable[[VoxelEvents, VoxelEvents], None]


@given(seed=st.integers(0, 2**32), n=st.integers(1, 6))
@settings(max_examples=8)
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n: int, random_events: Make, same: Same
) -> None:
    path, events = tmp_path_factory.mktemp("written") / "a.root", random_events(n, seed)
    assert write_larcv(path, events) == n
    same(read_larcv(path), events)


def test_blocks_spans_and_counts(good: Path, tmp_path: Path, random_events: Make, same: Same) -> None:
    events = random_events()
    write_larcv(tmp_path / "a.root", iter(events))
    for path in (good, tmp_path / "a.root"):
        assert count_larcv(path) == 7
        for block in (1, 3, 100):
            same(join_events(list(iterate_larcv(path, block=block))), events)
        same(read_larcv(path, start=1, stop=2), events.chosen(1, 2))
    for start, stop in ((3, 3), (-1, 2), (0, 8), (7, None)):
        with pytest.raises(InputError, match="7 events"):
            read_larcv(good, start=start, stop=stop)


def test_without_truth(tmp_path: Path, random_events: Make, same: Same) -> None:
    blind = replace(random_events(), label=None, particle=None, particle_offsets=None, particles=None)
    write_larcv(tmp_path / "a.root", blind)
    same(read_larcv(tmp_path / "a.root"), blind)


def test_plain_uproot_reads_it(good: Path, random_events: Make) -> None:
    events, file = random_events(), uproot.open(good)
    data = file["sparse3d_data_tree"]
    assert ak.flatten(data["_voxel_v._value"].array()).to_list() == events.energy_mev.tolist()
    nx, ny, nz = events.shape
    x, y, z = events.position.T.astype(int)
    assert ak.flatten(data["_voxel_v._id"].array()).to_list() == ((z * ny + y) * nx + x).tolist()
    assert data["_meta._p2.z"].array().to_list() == pytest.approx([nz * 0.3] * 7)
    particles = file["particle_mcst_tree"]
    assert events.particles is not None
    total = ak.to_numpy(ak.flatten(particles["_part_v._energy_init"].array()))
    momentum = [ak.to_numpy(ak.flatten(particles[f"_part_v._p{axis}"].array())) for axis in "xyz"]
    mass = [mass_mev(pdg) for pdg in events.particles["pdg"].tolist()]
    # Energy and momentum of every particle give its mass.
    difference = total**2 - np.square(momentum).sum(axis=0) - np.square(mass)
    np.testing.assert_array_less(np.abs(difference), 1e-5 * total**2)


def test_writing_refuses(tmp_path: Path, random_events: Make) -> None:
    events, path = random_events(), tmp_path / "a.root"
    assert events.particles is not None
    twins = replace(events, particles=events.particles.copy())
    assert twins.particles is not None
    twins.particles["track_id"] = 1
    with pytest.raises(InputError, match="a track_id of each particle's own"):
        write_larcv(path, twins)
    with pytest.raises(InputError, match="events to write"):
        write_larcv(path, [])
    with pytest.raises(ValueError, match="one grid"):
        write_larcv(path, [events, replace(events, voxel_mm=4.0)])
    assert list(tmp_path.iterdir()) == []
    write_larcv(path, events)
    with pytest.raises(InputError, match="--overwrite"):
        write_larcv(path, events)
    assert write_larcv(path, events.chosen(0, 2), overwrite=True) == 2
    with pytest.raises(InputError, match="a folder to write to"):
        write_larcv(path / "b.root", events)
