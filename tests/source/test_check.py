"""Checks and descriptions of data sets."""

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.source.check import check_dataset, check_sums
from cloudchamber.source.fingerprint import fingerprint
from cloudchamber.source.predictions import write_predictions

Arrays = dict[str, np.ndarray]


def test_a_good_file(walls_file: Path) -> None:
    report = check_dataset(walls_file)
    assert (report.holds, report.samples, report.shape) == ("walls", 40, (40, 10, 10, 10))
    assert report.checks["SHA-256"] == "as recorded (targs, x0)"
    assert set(check_sums(walls_file)) == {"x0", "targs"}


def test_a_foreign_file_without_targets(tmp_path: Path, plausible: Callable[..., Arrays]) -> None:
    path = tmp_path / "test.h5"
    with h5py.File(path, "w") as file:
        file["x0"] = plausible(3)["x0"]
    report = check_dataset(path)
    assert report.checks["targs"] == "absent"
    assert report.checks["SHA-256"] == "none recorded"


def test_predictions(tmp_path: Path) -> None:
    path = tmp_path / "preds.h5"
    probability = np.random.default_rng(0).random((3, 10, 10, 10), dtype=np.float32)
    write_predictions(path, probability > 0.5, probability, {})
    assert check_dataset(path).holds == "predicted walls"


def test_a_changed_number_does_not_pass_the_sum(walls_file: Path) -> None:
    """Written by HDF5 itself, so that the Fletcher-32 sums are right."""
    with h5py.File(walls_file, "r+") as file:
        file["x0"][3, 1, 1, 1] *= 1.01
    with pytest.raises(InputError, match="x0: expected the recorded SHA-256"):
        check_dataset(walls_file)


@pytest.mark.parametrize(
    ("key", "value"), [("task", b"hits"), ("format", 99), ("n", 41)], ids=["task", "format", "n"]
)
def test_attributes_that_do_not_fit(walls_file: Path, key: str, value: object) -> None:
    with h5py.File(walls_file, "r+") as file:
        file.attrs[key] = value
    with pytest.raises(InputError, match=r"walls\.h5: "):
        check_dataset(walls_file)


def test_statistics_per_layer(
    tmp_path: Path, plausible: Callable[..., Arrays], write: Callable[..., Path]
) -> None:
    arrays, config = plausible(50), {"muons": {"count": 3}}
    arrays["targs"][:, 9] = 0
    found = fingerprint(write(tmp_path / "walls.h5", arrays, config=json.dumps(config)))
    x0_m, walls = arrays["x0"].astype(float), arrays["targs"] == 1
    assert (found.samples, found.shape) == (50, (10, 10, 10))
    assert found.attributes["config"] == config
    assert found.x0_mean_m == pytest.approx(x0_m.mean())
    assert found.x0_std_m == pytest.approx(x0_m.std())
    assert found.wall_voxels_mean == pytest.approx(walls.sum((1, 2, 3)).mean())
    for z, layer in enumerate(found.layers[:9]):
        assert layer.wall_fraction == pytest.approx(walls[:, z].mean())
        for values, median_m, mean_m in (
            (x0_m[:, z][~walls[:, z]], layer.soil_median_m, layer.soil_mean_m),
            (x0_m[:, z][walls[:, z]], layer.wall_median_m, layer.wall_mean_m),
        ):
            assert median_m == pytest.approx(np.median(values), rel=5e-3)
            assert mean_m == pytest.approx(values.mean())
    assert found.layers[9].wall_median_m is None


def test_without_targets(
    tmp_path: Path, plausible: Callable[..., Arrays], write: Callable[..., Path]
) -> None:
    found = fingerprint(write(tmp_path / "test.h5", {"x0": plausible(4)["x0"]}))
    assert found.wall_fraction is None
    assert found.layers[0].wall_fraction is None


def test_reference_simulation(reference: Path) -> None:
    """Facts of the reference simulation, from 2388 volumes of which the file holds 400."""
    found = fingerprint(reference / "walls_reference.h5")
    assert found.wall_voxels_mean == pytest.approx(68.6, abs=4)
    assert found.layers[4].soil_median_m == pytest.approx(0.018, rel=0.05)
    assert found.layers[9].wall_fraction == 0
