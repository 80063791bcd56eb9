"""Predicted energies come back, and what is wrong with them is said with its place."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from cloudchamber.calorimeter_events import CalorimeterEvents
from cloudchamber.errors import InputError
from cloudchamber.source.energy import write_muons
from cloudchamber.source.energy_predictions import (
    check_same_muons,
    holds_predictions,
    read_energy_predictions,
    write_energy_predictions,
)
from cloudchamber.source.kinds import task_of

RAW = np.array([100.0, 2000.0, 3900.0])
INTERVAL = (0.8 * RAW, 1.3 * RAW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "predicted.h5"
    write_energy_predictions(target, 1.1 * RAW, RAW, INTERVAL, {"bundle": "cnn"})
    return target


def test_what_was_written_is_read(path: Path, tmp_path: Path) -> None:
    found = read_energy_predictions(path)
    assert len(found) == 3
    assert found.attributes["bundle"] == "cnn"
    for name, theirs in (
        ("energy_gev", 1.1 * RAW), ("raw_gev", RAW), ("low_gev", INTERVAL[0]), ("high_gev", INTERVAL[1])
    ):  # fmt: skip
        np.testing.assert_array_equal(getattr(found, name), theirs.astype(np.float32))
    write_energy_predictions(tmp_path / "plain.h5", 1.1 * RAW, RAW, None, {})
    plain = read_energy_predictions(tmp_path / "plain.h5")
    assert (plain.low_gev, plain.high_gev) == (None, None)
    assert task_of(path) == "energy"


def test_predictions_are_told_from_muons(
    path: Path, tmp_path: Path, random_muons: Callable[..., CalorimeterEvents]
) -> None:
    write_muons(tmp_path / "muons.h5", 3, iter([random_muons(3)]), {})
    assert holds_predictions(path)
    assert not holds_predictions(tmp_path / "muons.h5")
    with pytest.raises(InputError, match="raw_gev: expected"):
        read_energy_predictions(tmp_path / "muons.h5")


def put(name: str, value: float) -> Callable[[h5py.File], None]:
    return lambda file: file[name].__setitem__(1, value)


def drop(name: str) -> Callable[[h5py.File], None]:
    return lambda file: file.__delitem__(name)


def again(name: str, values: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = values

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (put("energy_gev", np.nan), "energy_gev, event 1: expected a finite energy, found nan"),
        (put("raw_gev", np.inf), "raw_gev, event 1: expected a finite energy, found inf"),
        (put("low_gev", 9e9), "low_gev, event 1: expected an energy up to high_gev, 2600.0"),
        (drop("raw_gev"), "raw_gev: expected a data set of floating-point numbers with the axes (event)"),
        (drop("high_gev"), "high_gev: expected"),
        (drop("low_gev"), "low_gev: expected"),
        (again("raw_gev", np.zeros(2)), "raw_gev: expected one number for each of 3 muons"),
        (again("raw_gev", np.zeros((3, 1))), "raw_gev: expected"),
        (again("energy_gev", np.full(3, 1e300)), "energy_gev, event 0: expected a finite energy"),
        (lambda file: file.attrs.__setitem__("task", "walls"), "attribute task: expected 'energy'"),
        (lambda file: file.attrs.__delitem__("task"), "attribute task: expected 'energy', found none"),
        (lambda file: file.attrs.__setitem__("n", 8), "energy_gev: expected 8 events"),
    ],
)
def test_faults_are_named(path: Path, change: Callable[[h5py.File], None], says: str) -> None:
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(InputError) as caught:
        read_energy_predictions(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_what_no_reader_would_take_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    for energy, raw, interval, says in (
        (RAW, RAW[:2], None, "raw_gev: expected one number for each of 3 muons"),
        (RAW, np.full(3, np.nan), None, "raw_gev, event 0"),
        (RAW, RAW, (INTERVAL[1], INTERVAL[0]), "low_gev, event 0"),
        (RAW[:0], RAW[:0], None, "predictions to write"),
    ):
        with pytest.raises(InputError, match=says):
            write_energy_predictions(path, energy, raw, interval, {})
    assert not path.exists()


def test_as_many_predictions_as_muons(path: Path) -> None:
    found = read_energy_predictions(path)
    check_same_muons(found, 3, path, Path("truth.h5"))
    with pytest.raises(InputError, match=r"energy_gev: expected the 4 muons of truth\.h5, found 3"):
        check_same_muons(found, 4, path, Path("truth.h5"))
