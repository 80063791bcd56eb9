"""LUMIN's fold files: what is written comes back, and what a plain reading of the format gives is read."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.calorimeter_events import CalorimeterEvents, CalorimeterGrid
from cloudchamber.errors import InputError
from cloudchamber.source.kinds import task_of
from cloudchamber.source.lumin import LuminMuons, count_lumin, iterate_lumin, join_lumin, read_lumin
from cloudchamber.source.lumin_writer import write_lumin

Make = Callable[..., CalorimeterEvents]
Same = Callable[[CalorimeterEvents, CalorimeterEvents], None]
GRID = CalorimeterGrid((7, 6, 5), 40.64, 3.75)


def fold_of(make: Make, n: int, seed: int) -> LuminMuons:
    """Return random muons with all that a fold file keeps of them."""
    events = make(n, seed)
    assert events.muons is not None
    target = events.muons["energy_gev"].copy()
    muons = events.muons.copy()
    for name in muons.dtype.names or ():
        muons[name] = 0 if name == "charge" else np.nan
    muons["energy_gev"] = target
    owner = events.event_of_cell()
    muons["deposit_gev"] = np.bincount(owner, events.energy_gev, minlength=n)
    features = np.random.default_rng(seed).standard_normal((n, 28)).astype(np.float32)
    return LuminMuons(replace(events, muons=muons), features, target)


def assert_equal(same: Same, a: LuminMuons, b: LuminMuons) -> None:
    same(a.events, b.events)
    np.testing.assert_array_equal(a.features, b.features)
    np.testing.assert_array_equal(a.target_gev, b.target_gev)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lumin")


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1), sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    block=st.integers(1, 9),
)  # fmt: skip
def test_what_was_written_is_read(
    folder: Path, random_muons: Make, same: Same, seed: int, sizes: list[int], block: int
) -> None:
    folds = [fold_of(random_muons, n + 1, seed + at) for at, n in enumerate(sizes)]
    path = folder / "folds.hdf5"
    assert write_lumin(path, iter(folds), overwrite=True) == sum(map(len, folds))
    assert_equal(same, read_lumin(path, grid=GRID), join_lumin(folds))
    assert_equal(same, read_lumin(path, [len(folds) - 1], grid=GRID), folds[-1])
    assert_equal(same, join_lumin(list(iterate_lumin(path, grid=GRID, block=block))), join_lumin(folds))
    assert count_lumin(path) == {at: len(fold) for at, fold in enumerate(folds)}
    assert task_of(path) == "energy"


def test_the_file_is_what_lumin_reads(tmp_path: Path, random_muons: Make) -> None:
    """The grids are those that numpy makes of the rows, as LUMIN makes them with torch."""
    folds = [fold_of(random_muons, 6, 1), fold_of(random_muons, 4, 2)]
    path = tmp_path / "folds.hdf5"
    write_lumin(path, folds)
    with h5py.File(path) as file:
        assert set(file) == {"fold_0", "fold_1", "meta_data"}
        about = {name: json.loads(file["meta_data"][name][()]) for name in file["meta_data"]}
        for number, fold in enumerate(folds):
            group = file[f"fold_{number}"]
            assert all(group[name].dtype == np.float32 for name in group)
            assert all(group[name].compression == "lzf" for name in group)
            rows = group["matrix_inputs"][:]
            grids = np.zeros((len(group["targets"]), *about["matrix_feats"]["shape"]), np.float32)
            grids[tuple(rows[1:].astype(int))] = rows[0]
            np.testing.assert_array_equal(grids[:, 0], fold.events.dense())
            np.testing.assert_array_equal(group["inputs"][:], fold.features)
            np.testing.assert_array_equal(group["targets"][:], fold.target_gev)
    assert len(about["cont_feats"]) == len(set(about["cont_feats"])) == 28
    assert about["cat_feats"] == []
    assert about["targ_feats"] == "true_energy"
    assert about["matrix_feats"]["is_sparse"] is True


def test_muons_without_cells_count_even_at_the_end(tmp_path: Path, random_muons: Make) -> None:
    fold = fold_of(random_muons, 12, 3)
    counts = np.diff(fold.events.cell_offsets)
    assert counts[-1] == 0
    path = tmp_path / "folds.hdf5"
    write_lumin(path, [fold])
    np.testing.assert_array_equal(np.diff(read_lumin(path, grid=GRID).events.cell_offsets), counts)


def raw_file(path: Path, rows: np.ndarray, target: np.ndarray) -> Path:
    with h5py.File(path, "w") as file:
        file["fold_3/inputs"] = np.zeros((len(target), 28), np.float32)
        file["fold_3/targets"] = target.astype(np.float32)
        file["fold_3/matrix_inputs"] = rows.astype(np.float32)
    return path


ROWS = np.array(
    [
        [0.5, 0.25, 0.125, 0.0, 2.0],  # energy
        [2, 0, 2, 0, 0],  # muon
        [0, 0, 0, 0, 0],  # channel
        [6, 1, 6, 1, 0],  # z
        [5, 2, 5, 2, 0],  # x
        [4, 3, 3, 4, 0],  # y
    ]
)


@pytest.mark.parametrize("column", [False, True])
def test_cells_in_any_order_and_cells_of_no_energy(tmp_path: Path, column: bool) -> None:
    target = np.array([100.0, 200.0, 300.0, -1.0])
    found = read_lumin(raw_file(tmp_path / "a.hdf5", ROWS, target[:, None] if column else target), grid=GRID)
    np.testing.assert_array_equal(found.events.cell_offsets, [0, 2, 2, 4, 4])
    np.testing.assert_array_equal(found.events.position, [[0, 0, 0], [1, 2, 3], [6, 5, 3], [6, 5, 4]])
    np.testing.assert_array_equal(found.events.energy_gev, [2.0, 0.25, 0.125, 0.5])
    np.testing.assert_array_equal(found.target_gev, [100, 200, 300, np.nan])
    muons = found.events.muons
    assert muons is not None
    np.testing.assert_array_equal(muons["energy_gev"], found.target_gev)
    np.testing.assert_array_equal(muons["deposit_gev"], [2.25, 0, 0.625, 0])
    assert np.isnan(muons["x_mm"]).all()
    assert not muons["charge"].any()
    blocks = list(iterate_lumin(tmp_path / "a.hdf5", grid=GRID, block=3))
    np.testing.assert_array_equal(join_lumin(blocks).events.position, found.events.position)


def test_targets_that_are_not_known_become_minus_one(tmp_path: Path, random_muons: Make) -> None:
    fold = fold_of(random_muons, 3, 4)
    fold.target_gev[1] = np.nan
    write_lumin(tmp_path / "a.hdf5", [fold])
    with h5py.File(tmp_path / "a.hdf5") as file:
        assert file["fold_0/targets"][1] == -1
    assert np.isnan(read_lumin(tmp_path / "a.hdf5", grid=GRID).target_gev[1])


def test_what_is_not_written(tmp_path: Path, random_muons: Make) -> None:
    path, fold = tmp_path / "a.hdf5", fold_of(random_muons, 5, 5)
    empty = LuminMuons(fold.events.chosen(4, 5), fold.features[4:], fold.target_gev[4:])
    other = replace(fold, events=replace(fold.events, grid=CalorimeterGrid((9, 9, 9))))
    with pytest.raises(InputError, match="expected folds to write"):
        write_lumin(path, [])
    with pytest.raises(InputError, match="fold_1: expected muons with cells, found 1 muons without any"):
        write_lumin(path, [fold, empty])
    with pytest.raises(ValueError, match="28 features and a target for each of 5 muons"):
        write_lumin(path, [replace(fold, features=fold.features[:, :27])])
    with pytest.raises(ValueError, match="one grid"):
        write_lumin(path, [fold, other])
    assert list(tmp_path.iterdir()) == []
    write_lumin(path, [fold])
    with pytest.raises(InputError, match="--overwrite"):
        write_lumin(path, [fold])
