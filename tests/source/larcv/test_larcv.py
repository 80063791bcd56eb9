"""larcv2's genuine file is read to the last deposit."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import uproot

from cloudchamber.errors import InputError
from cloudchamber.labels import Process, VoxelLabel
from cloudchamber.source.larcv import LarcvChoice, iterate_larcv, read_larcv
from cloudchamber.source.larcv_write import write_larcv
from cloudchamber.voxel_events import VoxelEvents, join_events

Same = Callable[[VoxelEvents, VoxelEvents], None]


def slow_sets(path: Path) -> Iterator[list[list[tuple[int, float]]]]:
    """Yield every entry's sets of (number, energy), struct by struct, from the genuine file's baskets."""
    tree = uproot.open({path: "cluster3d_mcst_tree"})
    branch = next(b for name, b in tree.iteritems(recursive=True) if name.endswith("_voxel_vv._voxel_v"))
    for basket in (branch.basket(number) for number in range(branch.num_baskets)):
        for start, stop in zip(basket.byte_offsets[:-1], basket.byte_offsets[1:], strict=True):
            data, at, sets = basket.data[start:stop].tobytes(), 12, []
            while at < len(data):
                (n,) = struct.unpack_from(">I", data, at)
                numbers = struct.unpack_from(f">{n}Q", data, at + 4)
                values = struct.unpack_from(f">{n}f", data, at + 4 + 8 * n)
                sets.append(list(zip(numbers, values, strict=True)))
                at += 4 + 12 * n
            yield sets


@pytest.mark.reference
def test_genuine_sums_are_those_of_the_particles(genuine: Path) -> None:
    events = read_larcv(genuine)
    assert (len(events), events.shape) == (5, (172, 89, 154))
    assert events.voxel_mm == pytest.approx(9.95, abs=0.01)
    assert events.particles is not None
    assert events.particle is not None
    deposits = (102.645, 290.484, 130.384, 63.601, 57.759)
    np.testing.assert_allclose(events.particles["deposit_mev"], deposits, atol=0.001)
    # Protons of a few tens of MeV stop by ionisation alone: all kinetic energy is deposited.
    np.testing.assert_allclose(events.particles["kinetic_mev"], deposits, atol=0.001)
    for event, deposit in zip(events, deposits, strict=True):
        assert event.energy_mev.sum(dtype=float) == pytest.approx(deposit, abs=0.007)
    assert (events.particles["pdg"] == 2212).all()
    assert (events.particles["process"] == Process.PRIMARY).all()
    assert (events.particles["parent"] == -1).all()


@pytest.mark.reference
def test_genuine_voxels_are_those_of_a_slow_reading(genuine: Path) -> None:
    events = read_larcv(genuine)
    nx, ny, _ = events.shape
    for event, sets in zip(events, slow_sets(genuine), strict=True):
        deposits: dict[int, list[float]] = {}
        for row, voxels in enumerate(sets):
            for number, energy in voxels:
                deposits.setdefault(number, [0.0, 0.0])[row] += energy
        x, y, z = event.position.T.astype(int)
        numbers = (z * ny + y) * nx + x
        assert numbers.tolist() == sorted(deposits)
        np.testing.assert_allclose(event.energy_mev, [sum(deposits[n]) for n in sorted(deposits)], rtol=1e-6)
        owners = [0 if deposits[n][0] >= deposits[n][1] else -1 for n in sorted(deposits)]
        assert event.particle is not None
        assert event.label is not None
        assert event.particle.tolist() == owners
        labels = [VoxelLabel.HIP if owner == 0 else VoxelLabel.SHOWER for owner in owners]
        assert event.label.tolist() == labels


@pytest.mark.reference
def test_genuine_protons_lie_where_their_voxels_are(genuine: Path) -> None:
    """Within 4 voxels: the file's first and last steps are not exactly on its own voxels."""
    for event in read_larcv(genuine):
        assert event.particles is not None
        ends = np.stack([event.particles[0]["start_mm"], event.particles[0]["end_mm"]]) / event.voxel_mm
        inside = event.position[event.particle == 0]
        for end in ends:
            assert np.abs(inside + 0.5 - end).max(axis=1).min() < 4.0


@pytest.mark.reference
def test_genuine_choices_and_blocks(genuine: Path, same: Same) -> None:
    whole = read_larcv(genuine)
    same(join_events(list(iterate_larcv(genuine, block=2))), whole)
    same(read_larcv(genuine, start=1, stop=4), whole.chosen(1, 4))
    bare = read_larcv(genuine, LarcvChoice(particles=None, voxel_mm=3.0))
    assert bare.label is None
    assert bare.particles is None
    assert bare.voxel_mm == 3.0
    np.testing.assert_array_equal(bare.energy_mev, whole.energy_mev)
    for choice in (LarcvChoice(energies="data"), LarcvChoice(clusters=None)):
        with pytest.raises(InputError, match="sparse3d"):
            read_larcv(genuine, choice)


@pytest.mark.reference
def test_genuine_written_and_read_again(genuine: Path, tmp_path: Path, same: Same) -> None:
    assert write_larcv(tmp_path / "a.root", iterate_larcv(genuine, block=2)) == 5
    same(read_larcv(tmp_path / "a.root"), read_larcv(genuine))


@pytest.mark.reference
@pytest.mark.parametrize("share", [0.0001, 0.01, 0.2, 0.5, 0.9, 0.9999])
def test_genuine_cut_off(genuine: Path, tmp_path: Path, share: float) -> None:
    data, bad = genuine.read_bytes(), tmp_path / "bad.root"
    bad.write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match=r"bad\.root"):
        read_larcv(bad)


@pytest.mark.reference
@pytest.mark.parametrize("seed", range(12))
def test_genuine_with_flipped_bits_is_read_right_or_refused(genuine: Path, tmp_path: Path, seed: int) -> None:
    """ROOT keeps no checksums of its own; compressed baskets have them, so deposits never change unseen."""
    rng, bad = np.random.default_rng(seed), tmp_path / "bad.root"
    tree = uproot.open({genuine: "cluster3d_mcst_tree"})
    branch = next(b for name, b in tree.iteritems(recursive=True) if name.endswith("_voxel_vv._voxel_v"))
    start = int(branch.member("fBasketSeek")[seed % branch.num_baskets])
    size = int(branch.member("fBasketBytes")[seed % branch.num_baskets])
    data = bytearray(genuine.read_bytes())
    data[start + int(rng.integers(size))] ^= 1 << int(rng.integers(8))
    bad.write_bytes(data)
    try:
        found = read_larcv(bad)
    except InputError as error:
        said = str(error)
        found = read_larcv(genuine)
    else:
        said = str(bad)
    assert said.startswith(str(bad))
    np.testing.assert_array_equal(found.energy_mev, read_larcv(genuine).energy_mev)
