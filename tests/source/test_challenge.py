"""The challenge's files, split and submissions."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from cloudchamber.errors import InputError
from cloudchamber.source import challenge
from cloudchamber.source.challenge import (
    check_test_set,
    convert_split,
    convert_walls,
    read_submission,
    split_index,
    split_test_set,
    write_submission,
)
from cloudchamber.source.predictions import write_predictions
from cloudchamber.source.store import read_walls

Arrays = dict[str, np.ndarray]


def write_challenge(path: Path, arrays: Arrays) -> Path:
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array, compression="lzf")
    return path


def test_split_is_that_of_the_challenge() -> None:
    public, private = split_test_set()
    assert (len(public), len(private)) == (5036, 25_000)
    assert len(np.union1d(public, private)) == 30_036
    targets = np.random.default_rng(0).integers(0, 2, (30_036, 8))
    wanted = train_test_split(targets, test_size=25_000, random_state=3452, shuffle=True)
    np.testing.assert_array_equal(targets[public], wanted[0])
    np.testing.assert_array_equal(targets[private], wanted[1])


def test_split_of_other_sizes() -> None:
    with pytest.raises(InputError, match=r"expected the 30036 samples .* found 12"):
        split_test_set(12)
    public, private = split_index(np.arange(12), 10)
    assert (len(public), len(private)) == (2, 10)


@pytest.mark.parametrize("names", [("x0",), ("x0", "targs")])
def test_conversion(tmp_path: Path, plausible: Callable[..., Arrays], names: tuple[str, ...]) -> None:
    arrays = {name: plausible(30)[name] for name in names}
    source, target = write_challenge(tmp_path / "train.h5", arrays), tmp_path / "walls.h5"
    assert convert_walls(source, target) == 30
    data = read_walls(target)
    np.testing.assert_array_equal(data.x0_m, arrays["x0"])
    assert (data.walls is not None) == ("targs" in names)
    assert data.attributes["source"] == "converted from train.h5"
    with pytest.raises(InputError, match="expected a new file"):
        convert_walls(source, target)
    again = tmp_path / "again.h5"
    convert_walls(target, again)
    assert again.read_bytes() == target.read_bytes()


def test_conversion_of_the_split(
    tmp_path: Path, plausible: Callable[..., Arrays], monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = plausible(30)
    source = write_challenge(tmp_path / "test_private.h5", arrays)
    with pytest.raises(InputError, match=r"test_private\.h5: x0: expected the 30036 samples"):
        convert_split(source, tmp_path / "parts")
    assert not (tmp_path / "parts").exists()
    monkeypatch.setattr(challenge, "TEST_SAMPLES", 30)
    monkeypatch.setattr(challenge, "PRIVATE_SAMPLES", 25)
    assert convert_split(source, tmp_path / "parts") == {"public": 5, "private": 25}
    public = read_walls(tmp_path / "parts" / "public.h5", targets=True)
    chosen = split_index(np.arange(30), 25).public
    np.testing.assert_array_equal(public.x0_m, arrays["x0"][chosen])
    assert public.attributes["split"] == "public"


def test_the_test_set_is_known_by_its_shape(
    tmp_path: Path, plausible: Callable[..., Arrays], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_challenge(tmp_path / "test.h5", {"x0": plausible(30)["x0"]})
    with pytest.raises(InputError, match=r"test\.h5: x0: .* \(30036, 10, 10, 10\), found \(30, 10, 10, 10\)"):
        check_test_set(source)
    monkeypatch.setattr(challenge, "TEST_SAMPLES", 30)
    check_test_set(source)


def test_submission(tmp_path: Path) -> None:
    probability = np.random.default_rng(0).random((6, 10, 10, 10), dtype=np.float32)
    source = tmp_path / "preds.h5"
    write_predictions(source, probability > 0.5, probability, {})
    path = write_submission(source, tmp_path, "Gonzalez", "07", samples=6)
    assert path.name == "Gonzalez_ID07.h5"
    with h5py.File(path) as file:
        assert list(file) == ["preds"]
        assert file["preds"].dtype == np.int64
        assert file["preds"].compression == "lzf"
    np.testing.assert_array_equal(read_submission(path, 6), probability > 0.5)
    with pytest.raises(InputError, match=r"preds: expected the shape \(30036, 10, 10, 10\), found \(6,"):
        read_submission(path)
    with pytest.raises(InputError, match="expected a new file"):
        write_submission(source, tmp_path, "Gonzalez", "07", samples=6)


@pytest.mark.parametrize(("name", "idx"), [("../x", "00"), ("", "00"), ("x", "7"), ("x", "٠٠"), (".x", "00")])
def test_bad_names(tmp_path: Path, name: str, idx: str) -> None:
    with pytest.raises(InputError, match=r"--name|--id"):
        write_submission(tmp_path / "preds.h5", tmp_path, name, idx)
