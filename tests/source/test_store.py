"""Data sets and predictions come back as they were written, or not at all."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cloudchamber.errors import InputError
from cloudchamber.source.predictions import read_predictions, write_predictions
from cloudchamber.source.store import WALLS_UNITS, iterate_walls, open_hdf5, read_walls, write_store

Arrays = dict[str, np.ndarray]
SHAPES = st.tuples(*[st.integers(1, 6)] * 4)


@st.composite
def walls(draw: st.DrawFn) -> Arrays:
    shape = draw(SHAPES)
    x0_m = draw(hnp.arrays(np.float32, shape, elements=st.floats(2**-9, 0.875, width=32)))
    return {"x0": x0_m, "targs": draw(hnp.arrays(np.int64, shape, elements=st.integers(0, 1)))}


@given(arrays=walls(), block=st.integers(1, 7))
@settings(max_examples=40)
def test_what_was_written_is_read(arrays: Arrays, block: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "walls.h5"
        with write_store(path, len(arrays["x0"]), {"task": "walls"}, WALLS_UNITS) as add:
            for start in range(0, len(arrays["x0"]), block):
                add({name: array[start : start + block] for name, array in arrays.items()})
        data = read_walls(path)
        parts = list(iterate_walls(path, block))
    assert data.walls is not None
    np.testing.assert_array_equal(data.x0_m, arrays["x0"])
    np.testing.assert_array_equal(data.walls, arrays["targs"] == 1)
    np.testing.assert_array_equal(np.concatenate([part.x0_m for part in parts]), arrays["x0"])
    assert data.x0_m.dtype == np.float32


@given(
    kind=st.sampled_from(["<f2", "<f4", ">f4", "<f8", ">f8"]),
    labels=st.sampled_from(["?", "i1", "u1", ">i4", "<i8", "u8"]),
    options=st.sampled_from([{}, {"compression": "lzf"}, {"compression": "gzip", "shuffle": True}]),
    shape=SHAPES,
)
@settings(max_examples=30)
def test_foreign_files_are_read(
    kind: str, labels: str, options: dict[str, Any], shape: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(1)
    x0_m, targets = rng.uniform(0.01, 0.1, shape).astype(kind), rng.integers(0, 2, shape).astype(labels)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.h5"
        with h5py.File(path, "w") as file:
            file.create_dataset("x0", data=x0_m, **options)
            file.create_dataset("targs", data=targets, **options)
        data = read_walls(path, targets=True)
    np.testing.assert_array_equal(data.x0_m, x0_m.astype(np.float32))
    np.testing.assert_array_equal(data.walls, targets.astype(bool))
    assert data.attributes == {}


def test_bytes_depend_on_the_samples_alone(
    tmp_path: Path, plausible: Callable[..., Arrays], write: Callable[..., Path]
) -> None:
    arrays = plausible(100)
    files = [write(tmp_path / "a.h5", arrays, block=100)]
    time.sleep(1.1)  # HDF5 keeps times in seconds, if it is let
    files += [write(tmp_path / f"{block}.h5", arrays, block=block) for block in (1, 7, 64)]
    assert len({file.read_bytes() for file in files}) == 1


def test_chunks_and_attributes(walls_file: Path) -> None:
    with h5py.File(walls_file) as file:
        for name in ("x0", "targs"):
            data = file[name]
            assert data.compression == "lzf"
            assert data.shuffle
            assert data.fletcher32
            assert 60_000 <= np.prod(data.chunks) * data.dtype.itemsize <= 2**18
            assert set(data.attrs) == {"unit", "sha256"}
        assert file["targs"].dtype == np.int64
        assert {"task", "seed", "format", "package_version", "n", "axes"} <= set(file.attrs)
    assert read_walls(walls_file).attributes["n"] == 40


def test_targets_only_where_wanted(
    tmp_path: Path, plausible: Callable[..., Arrays], write: Callable[..., Path], walls_file: Path
) -> None:
    bare = write(tmp_path / "test.h5", {"x0": plausible(3)["x0"]})
    assert read_walls(bare).walls is None
    assert read_walls(walls_file, targets=False).walls is None
    with pytest.raises(InputError, match=r"test\.h5: targs: expected .* found none of that name"):
        read_walls(bare, targets=True)


def test_other_shapes_are_read(
    tmp_path: Path, plausible: Callable[..., Arrays], write: Callable[..., Path]
) -> None:
    path = write(tmp_path / "large.h5", plausible(3, (64, 64, 32)))
    assert read_walls(path).x0_m.shape == (3, 64, 64, 32)


@pytest.mark.parametrize("change", ["length", "shape", "dtype", "few", "many"])
def test_blocks_that_do_not_fit(tmp_path: Path, plausible: Callable[..., Arrays], change: str) -> None:
    first, second = plausible(4), plausible(4)
    if change == "length":
        second["targs"] = second["targs"][:3]
    if change == "shape":
        second = plausible(4, (10, 10, 9))
    if change == "dtype":
        second["x0"] = second["x0"].astype(np.float64)
    total = {"few": 9, "many": 7}.get(change, 8)
    with pytest.raises(ValueError, match=r"announced|must have"):  # noqa: PT012, SIM117
        with write_store(tmp_path / "walls.h5", total, {}, WALLS_UNITS) as add:
            add(first)
            add(second)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("factor", [1e3, 1e-3])
def test_another_unit_is_refused(
    tmp_path: Path, plausible: Callable[..., Arrays], write: Callable[..., Path], factor: float
) -> None:
    arrays = plausible(5)
    arrays["x0"] *= np.float32(factor)
    with pytest.raises(InputError, match=r"x0, samples 0 to 4: expected radiation lengths in metres"):
        read_walls(write(tmp_path / "walls.h5", arrays))


def test_a_bad_voxel_is_named(
    tmp_path: Path, plausible: Callable[..., Arrays], write: Callable[..., Path]
) -> None:
    arrays = plausible(30)
    arrays["x0"][17, 1, 2, 3] = np.nan
    with pytest.raises(InputError, match=r"x0, sample 17, voxel \(z, x, y\) = \(1, 2, 3\): .*found nan"):
        list(iterate_walls(write(tmp_path / "walls.h5", arrays), 8))


def test_reference_simulation(reference: Path) -> None:
    data = read_walls(reference / "walls_reference.h5", targets=True)
    assert data.x0_m.shape == (400, 10, 10, 10)


@given(shape=SHAPES, probable=st.booleans())
@settings(max_examples=20)
def test_predictions_come_back(shape: tuple[int, ...], probable: bool) -> None:
    rng = np.random.default_rng(0)
    probability = rng.random(shape, dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "preds.h5"
        write_predictions(path, probability > 0.5, probability if probable else None, {"threshold": 0.5})
        found = read_predictions(path)
        with open_hdf5(path) as file:
            assert file["preds"].dtype == np.int64
    np.testing.assert_array_equal(found.walls, probability > 0.5)
    assert found.attributes["threshold"] == 0.5
    assert (found.probability is not None) == probable
    if found.probability is not None:
        np.testing.assert_array_equal(found.probability, probability)


def test_bad_predictions_are_not_written(tmp_path: Path) -> None:
    classes, path = np.zeros((2, 2, 2, 2), np.int64), tmp_path / "preds.h5"
    with pytest.raises(InputError, match="preds, sample 0"):
        write_predictions(path, classes + 2, None, {})
    with pytest.raises(InputError, match="between 0 and 1"):
        write_predictions(path, classes, classes - 0.5, {})
    with pytest.raises(InputError, match="the shape of preds"):
        write_predictions(path, classes, np.zeros((2, 2, 2, 1)), {})
    with pytest.raises(InputError, match="axes"):
        write_predictions(path, classes[0], None, {})
    assert list(tmp_path.iterdir()) == []
