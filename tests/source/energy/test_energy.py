"""Muons come back as they were written, and what is wrong with a file is said with its place."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from cloudchamber.calorimeter_events import CalorimeterEvents, CalorimeterGrid, join_muons
from cloudchamber.errors import InputError
from cloudchamber.source.check import check_sums
from cloudchamber.source.energy import (
    ENERGY_AXES,
    ENERGY_TABLES,
    ENERGY_UNITS,
    calorimeter_attributes,
    iterate_muons,
    muon_arrays,
    read_muons,
    write_muons,
)
from cloudchamber.source.kinds import task_of
from cloudchamber.source.produce import produce

Make = Callable[..., CalorimeterEvents]
Same = Callable[[CalorimeterEvents, CalorimeterEvents], None]
GRID = CalorimeterGrid((7, 6, 5), 40.64, 3.75)


def pieces(events: CalorimeterEvents, size: int) -> Iterator[CalorimeterEvents]:
    return (events.chosen(i, min(len(events), i + size)) for i in range(0, len(events), size))


@pytest.fixture
def path(tmp_path: Path, random_muons: Make) -> Path:
    target = tmp_path / "muons.h5"
    write_muons(target, 9, iter([random_muons(9)]), {"seed": 1})
    return target


@pytest.mark.parametrize("truth", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_what_was_written_is_read(
    tmp_path: Path, random_muons: Make, same: Same, seed: int, truth: bool
) -> None:
    events, path = random_muons(30, seed, truth=truth), tmp_path / "a.h5"
    write_muons(path, 30, iter([events]), {"seed": seed})
    found, attributes = read_muons(path)
    same(found, events)
    assert attributes["seed"] == seed
    same(join_muons(list(iterate_muons(path, 7))), events)
    same(read_muons(path, start=3, stop=11)[0], events.chosen(3, 11))
    check_sums(path)
    assert task_of(path) == "energy"


def test_bytes_do_not_depend_on_blocks(tmp_path: Path, random_muons: Make) -> None:
    grid = CalorimeterGrid((50, 32, 32))
    events = random_muons(300, most=700, grid=grid)  # more than one chunk of each table
    for size in (300, 1, 64):
        write_muons(tmp_path / f"{size}.h5", 300, pieces(events, size), {"seed": 1})
    assert len({(tmp_path / f"{size}.h5").read_bytes() for size in (300, 1, 64)}) == 1


def one(make: Make, index: int) -> dict[str, np.ndarray]:
    return muon_arrays(make(2, index).chosen(0, 1))


def test_production_joins_muons_of_any_size(tmp_path: Path, random_muons: Make, same: Same) -> None:
    produce(
        tmp_path / "a.h5", partial(one, random_muons), 11, attributes=calorimeter_attributes(GRID), block=4,
        units=ENERGY_UNITS, axes=ENERGY_AXES, tables=ENERGY_TABLES,
    )  # fmt: skip
    wanted = join_muons([random_muons(2, index).chosen(0, 1) for index in range(11)])
    same(read_muons(tmp_path / "a.h5")[0], wanted)


def test_truth_is_left_out_or_asked_for(path: Path, tmp_path: Path) -> None:
    blind = read_muons(path, truth=False)[0]
    assert blind.muons is None
    assert read_muons(path, truth=True)[0].muons is not None
    write_muons(tmp_path / "blind.h5", 9, iter([blind]), {})
    assert read_muons(tmp_path / "blind.h5")[0].muons is None
    with pytest.raises(InputError, match="muons: expected a data set of records"):
        read_muons(tmp_path / "blind.h5", truth=True)


def put(name: str, row: Any, value: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[name][row] = value

    return change


def put_field(field: str, row: int, value: float) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        rows = file["muons"][:]
        rows[field][row] = value
        file["muons"][:] = rows

    return change


def drop(name: str) -> Callable[[h5py.File], None]:
    return lambda file: file.__delitem__(name)


def again(name: str, rows: np.ndarray) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = rows

    return change


def mark(name: str, value: Any) -> Callable[[h5py.File], None]:
    return lambda file: file.attrs.__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (put("position", 0, (-1, 0, 0)), "position, event 0, cell 0: expected cells (z, x, y) within"),
        (put("position", 0, (7, 0, 0)), "within the grid of 7 x 6 x 5, found [7 0 0]"),
        (put("position", 1, (0, 0, 0)), "position, event 0, cell 1: expected cells in rising order"),
        (put("energy_gev", 2, np.nan), "energy_gev, event 0, cell 2: expected finite energies, found nan"),
        (put("energy_gev", 2, np.inf), "energy_gev, event 0, cell 2: expected finite energies, found inf"),
        (put("energy_gev", 2, -1.0), "expected energies from 0 to 1e+09 GeV, found -1.0"),
        (put("cell_count", 0, -4), "cell_count, event 0: expected a number of rows"),
        (put("cell_count", 0, 1), "rows, the sum of the counts"),
        (put_field("energy_gev", 3, 0), "muons, event 3, energy_gev: expected above 0"),
        (put_field("charge", 3, 2), "muons, event 3, charge: expected -1 or 1"),
        (put_field("x_mm", 8, np.inf), "muons, event 8, x_mm: expected a finite place"),
        (put_field("deposit_gev", 0, -1), "muons, event 0, deposit_gev: expected an energy from 0 GeV up"),
        (drop("position"), "position: expected a data set of whole numbers with the axes (cell, 3)"),
        (drop("energy_gev"), "energy_gev: expected a data set of floating-point numbers with the axes"),
        (drop("cell_count"), "cell_count: expected"),
        (again("muons", np.zeros(9)), "muons: expected a data set of records"),
        (again("muons", np.zeros(9, [("e", "f4")])), "muons: expected records of energy_gev, charge"),
        (mark("nz", 0), "attribute nz: expected cells along an axis"),
        (mark("nx", 2**15 + 1), "attribute nx: expected cells along an axis"),
        (mark("cell_mm", -3.0), "attribute cell_mm: expected the size of a cell in mm"),
        (mark("layer_mm", np.nan), "attribute layer_mm: expected the size of a layer in mm"),
        (mark("task", "voxels"), "attribute task: expected 'energy', found 'voxels'"),
        (mark("format", 99), "attribute format: expected"),
        (mark("n", 4), "cell_count: expected 4 events"),
    ],
)  # fmt: skip
def test_faults_are_named(path: Path, change: Callable[[h5py.File], None], says: str) -> None:
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(InputError) as caught:
        read_muons(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_too_few_rows_of_truth(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        rows = file["muons"][:5]
        del file["muons"]
        file["muons"] = rows
    with pytest.raises(InputError, match="expected as many muons as cell_count, 9, found 5"):
        read_muons(path)


def test_a_fault_in_a_later_block_has_the_number_of_its_event(path: Path) -> None:
    events = read_muons(path)[0]
    event = int(np.flatnonzero(np.diff(events.cell_offsets) > 2)[-1])
    assert event >= 4
    with h5py.File(path, "r+") as file:
        file["energy_gev"][int(events.cell_offsets[event]) + 2] = np.nan
    with pytest.raises(InputError, match=f"energy_gev, event {event}, cell 2: expected finite"):
        list(iterate_muons(path, 2))


def test_a_cut_file_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError):
            read_muons(path)


def test_muons_that_are_not_there(path: Path) -> None:
    with pytest.raises(InputError, match="expected muons 5 to 11, found 9 muons"):
        read_muons(path, start=5, stop=12)


def test_blocks_must_fit(tmp_path: Path, random_muons: Make) -> None:
    with pytest.raises(InputError, match="muons to write"):
        write_muons(tmp_path / "a.h5", 3, iter([]), {})
    with pytest.raises(ValueError, match="announced"):
        write_muons(tmp_path / "a.h5", 3, iter([random_muons(2)]), {})
    other = random_muons(2, grid=CalorimeterGrid((7, 6, 4)))
    with pytest.raises(ValueError, match="one grid"):
        write_muons(tmp_path / "a.h5", 4, iter([random_muons(2), other]), {})
    assert list(tmp_path.iterdir()) == []
