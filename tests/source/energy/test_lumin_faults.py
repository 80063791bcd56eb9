"""What is wrong with a fold file is said with fold, table, and muon or column."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from cloudchamber.calorimeter_events import CalorimeterGrid
from cloudchamber.errors import InputError
from cloudchamber.source.lumin import count_lumin, read_lumin

GRID = CalorimeterGrid((7, 6, 5), 40.64, 3.75)
Change = Callable[[h5py.File], None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two folds of three muons; their cells are in order in the first one and not in the second."""
    target = tmp_path / "folds.hdf5"
    rows = np.zeros((6, 8), np.float32)
    rows[0] = 0.5
    rows[1] = 0, 0, 0, 1, 1, 1, 1, 1
    rows[3:, :3], rows[3:, 3:] = np.arange(3), np.arange(5)
    with h5py.File(target, "w") as file:
        for number, order in enumerate((slice(None), slice(None, None, -1))):
            file[f"fold_{number}/inputs"] = np.zeros((3, 28), np.float32)
            file[f"fold_{number}/targets"] = np.array([100, 200, 300], np.float32)
            file[f"fold_{number}/matrix_inputs"] = rows[:, order]
    return target


def put(name: str, at: Any, value: Any) -> Change:
    return lambda file: file[name].__setitem__(at, value)


def again(name: str, values: np.ndarray | None) -> Change:
    def change(file: h5py.File) -> None:
        del file[name]
        if values is not None:
            file[name] = values

    return change


def no_folds(file: h5py.File) -> None:
    del file["fold_0"], file["fold_1"]


def link(file: h5py.File) -> None:
    del file["fold_1"]
    file["fold_1"] = h5py.ExternalLink("other.h5", "fold_1")


def test_the_file_without_faults_is_read(path: Path) -> None:
    found = read_lumin(path, grid=GRID)
    np.testing.assert_array_equal(np.diff(found.events.cell_offsets), [3, 5, 0, 3, 5, 0])


F, M = np.zeros((3, 28), np.float32), np.zeros((6, 8), np.float32)
NOT_INDEX = "expected whole numbers from 0 to"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (again("fold_0", None), None),
        (no_folds, "expected groups fold_0, fold_1, ..., found nothing"),
        (again("fold_1/targets", None), "fold_1/targets: expected a data set of floating-point"),
        (again("fold_1/targets", np.zeros((3, 2), "f4")), "fold_1/targets: expected"),
        (again("fold_1/targets", np.zeros((3, 1, 1), "f4")), "fold_1/targets: expected"),
        (again("fold_1/targets", np.ones(3, "i4")), "fold_1/targets: expected"),
        (again("fold_1/targets", np.ones(2, "f4")), "fold_1/inputs: expected as many muons as targets, 2"),
        (put("fold_1/targets", 2, np.nan), "fold_1/targets, muon 2: expected an energy above 0"),
        (put("fold_1/targets", 2, -7), "fold_1/targets, muon 2: expected an energy above 0"),
        (put("fold_1/targets", 0, 0), "fold_1/targets, muon 0: expected an energy above 0"),
        (put("fold_1/targets", 0, np.inf), "fold_1/targets, muon 0: expected an energy above 0"),
        (again("fold_0/inputs", None), "fold_0/inputs: expected"),
        (again("fold_0/inputs", F[:, 1:]), "fold_0/inputs: expected"),
        (again("fold_0/inputs", F[0]), "fold_0/inputs: expected"),
        (again("fold_0/inputs", F[:2]), "fold_0/inputs: expected as many muons as targets, 3, found 2"),
        (put("fold_0/inputs", (2, 5), np.nan), "fold_0/inputs, muon 2, feature 5: expected finite"),
        (put("fold_1/inputs", (0, 27), np.inf), "fold_1/inputs, muon 0, feature 27: expected finite numbers"),
        (again("fold_0/matrix_inputs", None), "fold_0/matrix_inputs: expected a data set"),
        (again("fold_0/matrix_inputs", M[:5]), "fold_0/matrix_inputs: expected"),
        (again("fold_0/matrix_inputs", M[:, :0]), "fold_0/matrix_inputs: expected"),
        (again("fold_0/matrix_inputs", M[0]), "fold_0/matrix_inputs: expected"),
        (again("fold_0/matrix_inputs", M.astype(int)), "fold_0/matrix_inputs: expected"),
        (put("fold_0/matrix_inputs", (0, 4), np.nan), "row 0 (energy), column 4: expected energies"),
        (put("fold_0/matrix_inputs", (0, 4), -0.5), "row 0 (energy), column 4: expected energies"),
        (put("fold_0/matrix_inputs", (0, 4), np.inf), "row 0 (energy), column 4: expected energies"),
        (put("fold_0/matrix_inputs", (1, 7), 3), f"row 1 (muon), column 7: {NOT_INDEX} 2, found 3"),
        (put("fold_0/matrix_inputs", (1, 0), -1), f"row 1 (muon), column 0: {NOT_INDEX} 2"),
        (put("fold_0/matrix_inputs", (1, 0), 0.5), f"row 1 (muon), column 0: {NOT_INDEX} 2"),
        (put("fold_0/matrix_inputs", (1, 0), np.nan), f"row 1 (muon), column 0: {NOT_INDEX} 2"),
        (put("fold_0/matrix_inputs", (2, 0), 1), f"row 2 (channel), column 0: {NOT_INDEX} 0"),
        (put("fold_0/matrix_inputs", (3, 6), 7), f"row 3 (z), column 6: {NOT_INDEX} 6"),
        (put("fold_0/matrix_inputs", (4, 6), 6), f"row 4 (x), column 6: {NOT_INDEX} 5"),
        (put("fold_0/matrix_inputs", (5, 6), 5), f"row 5 (y), column 6: {NOT_INDEX} 4"),
        (put("fold_1/matrix_inputs", (5, 6), 5), f"fold_1/matrix_inputs, row 5 (y), column 6: {NOT_INDEX} 4"),
        (put("fold_1/matrix_inputs", (5, 2), 1.5), f"matrix_inputs, row 5 (y), column 2: {NOT_INDEX} 4"),
        (put("fold_0/matrix_inputs", (5, 2), np.nan), f"row 5 (y), column 2: {NOT_INDEX} 4"),
        (put("fold_0/matrix_inputs", (slice(3, 6), 2), 1), "column 2: expected each cell of a muon once"),
        (put("fold_1/matrix_inputs", (slice(3, 6), 5), 1), "column 6: expected each cell of a muon once"),
        (link, "fold_1: expected a group, found a link to another file"),
    ],
)  # fmt: skip
def test_faults_are_named(path: Path, change: Change, says: str | None) -> None:
    with h5py.File(path, "r+") as file:
        change(file)
    if says is None:
        assert len(read_lumin(path, grid=GRID)) == 3
        return
    with pytest.raises(InputError) as caught:
        read_lumin(path, grid=GRID)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_folds_that_are_not_there(path: Path) -> None:
    with pytest.raises(InputError, match="fold_2: expected one of the 2 folds"):
        read_lumin(path, [0, 2], grid=GRID)


def test_another_grid(path: Path) -> None:
    with pytest.raises(InputError, match="whole numbers from 0 to 3"):
        read_lumin(path, grid=CalorimeterGrid((4, 6, 5)))


def test_a_cut_file_is_refused(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError):
            read_lumin(path, grid=GRID)
        with pytest.raises(InputError):
            count_lumin(path)
    with pytest.raises(InputError):
        read_lumin(tmp_path)
