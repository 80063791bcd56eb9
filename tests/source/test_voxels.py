"""Sparse events come back as they were written, and what is wrong with a file is said with its place."""

from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.source.check import check_sums
from cloudchamber.source.produce import produce
from cloudchamber.source.voxels import (
    VOXELS_AXES,
    VOXELS_TABLES,
    VOXELS_UNITS,
    grid_attributes,
    iterate_events,
    read_events,
    table_arrays,
    write_events,
)
from cloudchamber.voxel_events import PARTICLE, VoxelEvents, join_events, offsets_of

SHAPE = (24, 16, 20)


def random_events(n: int, seed: int = 0, *, truth: bool = True, most: int = 40) -> VoxelEvents:
    """Return ``n`` events of up to ``most`` voxels; some are empty, but not the first."""
    rng = np.random.default_rng(seed)
    voxels = rng.integers(0, most, n)
    voxels[0] += 1
    particles = rng.integers(1, 5, n)
    ids = np.concatenate([np.sort(rng.choice(int(np.prod(SHAPE)), k, replace=False)) for k in voxels])
    x, rest = ids % SHAPE[0], ids // SHAPE[0]
    position = np.stack([x, rest % SHAPE[1], rest // SHAPE[1]], axis=1).astype(np.int32)
    energy_mev = rng.uniform(0.05, 5, len(ids)).astype(np.float32)
    offsets = offsets_of(voxels)
    if not truth:
        return VoxelEvents(SHAPE, 3.0, offsets, position, energy_mev)
    table = np.zeros(int(particles.sum()), PARTICLE)
    table["pdg"] = rng.choice([11, 13, 22, 2212], len(table))
    table["kinetic_mev"] = rng.uniform(1, 100, len(table))
    row = np.concatenate([rng.integers(-1, p, k) for p, k in zip(particles, voxels, strict=True)])
    return VoxelEvents(
        SHAPE, 3.0, offsets, position, energy_mev, rng.integers(0, 5, len(ids)).astype(np.uint8),
        row.astype(np.int32), offsets_of(particles), table,
    )  # fmt: skip


def same(a: VoxelEvents, b: VoxelEvents) -> None:
    for field in fields(VoxelEvents):
        np.testing.assert_array_equal(getattr(a, field.name), getattr(b, field.name))


def pieces(events: VoxelEvents, size: int) -> Iterator[VoxelEvents]:
    return (events.chosen(i, min(len(events), i + size)) for i in range(0, len(events), size))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target, events = tmp_path / "events.h5", random_events(9)
    write_events(target, 9, iter([events]), {"seed": 1})
    return target


@pytest.mark.parametrize("truth", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_what_was_written_is_read(tmp_path: Path, seed: int, truth: bool) -> None:
    events = random_events(30, seed, truth=truth)
    write_events(tmp_path / "a.h5", 30, iter([events]), {"seed": seed})
    found, attributes = read_events(tmp_path / "a.h5")
    same(found, events)
    assert attributes["seed"] == seed
    same(join_events(list(iterate_events(tmp_path / "a.h5", 7))), events)
    same(read_events(tmp_path / "a.h5", start=3, stop=11)[0], events.chosen(3, 11))
    same(join_events(list(events)), events)
    check_sums(tmp_path / "a.h5")


def test_bytes_do_not_depend_on_blocks(tmp_path: Path) -> None:
    events = random_events(700, most=400)  # more than one chunk of each table
    for size in (700, 1, 64):
        write_events(tmp_path / f"{size}.h5", 700, pieces(events, size), {"seed": 1})
    assert len({(tmp_path / f"{size}.h5").read_bytes() for size in (700, 1, 64)}) == 1


def make_one(index: int) -> dict[str, np.ndarray]:
    return table_arrays(random_events(1, index))


def test_production_joins_events_of_any_size(tmp_path: Path) -> None:
    make = partial(make_one)
    produce(
        tmp_path / "a.h5", make, 11, attributes=grid_attributes(SHAPE, 3.0), block=4, units=VOXELS_UNITS,
        axes=VOXELS_AXES, tables=VOXELS_TABLES,
    )  # fmt: skip
    same(read_events(tmp_path / "a.h5")[0], join_events([random_events(1, index) for index in range(11)]))


def test_truth_is_left_out_or_asked_for(path: Path, tmp_path: Path) -> None:
    blind = read_events(path, truth=False)[0]
    assert blind.label is None
    assert blind.particles is None
    write_events(tmp_path / "blind.h5", 9, iter([blind]), {})
    with pytest.raises(InputError, match="label"):
        read_events(tmp_path / "blind.h5", truth=True)


def put(name: str, row: Any, value: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[name][row] = value

    return change


def drop(name: str) -> Callable[[h5py.File], None]:
    return lambda file: file.__delitem__(name)


def mark(name: str, value: Any) -> Callable[[h5py.File], None]:
    return lambda file: file.attrs.__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (put("position", 0, (-1, 0, 0)), "position, event 0, voxel 0: expected voxels within the image"),
        (put("position", 0, (SHAPE[0], 0, 0)), "expected voxels within the image of 24 x 16 x 20"),
        (put("position", 1, (0, 0, 0)), "position, event 0, voxel 1: expected voxels in rising order"),
        (put("energy_mev", 2, np.nan), "energy_mev, event 0, voxel 2: expected finite"),
        (put("energy_mev", 2, -1.0), "expected energies from 0 MeV up, found -1.0"),
        (put("label", 3, 5), "label, event 0, voxel 3: expected a label from 0 to 4, found 5"),
        (put("particle", 3, 99), "expected a row of the event's particles, or -1, found 99"),
        (put("voxel_count", 0, -4), "voxel_count, event 0: expected a number of rows"),
        (put("voxel_count", 0, 1), "rows, the sum of the counts"),
        (put("particle_count", 0, 77), "particles: expected"),
        (drop("position"), "position: expected a data set of whole numbers with the axes (voxel, 3)"),
        (drop("energy_mev"), "energy_mev: expected"),
        (drop("particles"), "particles: expected"),
        (drop("voxel_count"), "voxel_count: expected"),
        (mark("nx", 0), "attribute nx: expected"),
        (mark("voxel_mm", -3.0), "attribute voxel_mm: expected"),
        (mark("task", "walls"), "attribute task: expected 'voxels'"),
        (mark("n", 4), "voxel_count: expected 4 events"),
    ],
)  # fmt: skip
def test_faults_are_named(path: Path, change: Callable[[h5py.File], None], says: str) -> None:
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(InputError) as caught:
        read_events(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_cut_file_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError):
            read_events(path)


def test_events_that_are_not_there(path: Path) -> None:
    with pytest.raises(InputError, match="found 9 events"):
        read_events(path, start=5, stop=12)


def test_blocks_must_fit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="events to write"):
        write_events(tmp_path / "a.h5", 3, iter([]), {})
    with pytest.raises(ValueError, match="announced"):
        write_events(tmp_path / "a.h5", 3, iter([random_events(2)]), {})
    assert list(tmp_path.iterdir()) == []
