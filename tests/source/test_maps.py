"""Maps made of the muons' tracks, in files beside the X0 map."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.source.check import check_dataset
from cloudchamber.source.store import MAP_UNITS, iterate_walls, read_walls

Arrays = dict[str, np.ndarray]


def _with_maps(arrays: Arrays) -> Arrays:
    rng = np.random.default_rng(1)
    shape = arrays["x0"].shape
    return {**arrays, **{name: rng.random(shape).astype(np.float32) for name in MAP_UNITS}}


def test_round_trip(tmp_path: Path, plausible: Callable[..., Arrays], write: Callable[..., Path]) -> None:
    arrays = _with_maps(plausible())
    path = write(tmp_path / "walls.h5", arrays)
    data = read_walls(path, maps=("score", "x0", "poca_count"))
    assert set(data.maps) == {"score", "poca_count"}
    for name, values in data.maps.items():
        assert np.array_equal(values, arrays[name])
    blocks = list(iterate_walls(path, 7, maps=("score",)))
    assert np.array_equal(np.concatenate([b.maps["score"] for b in blocks]), arrays["score"])
    assert not read_walls(path).maps


def test_a_missing_map_is_named(walls_file: Path) -> None:
    with pytest.raises(InputError, match="score: expected a data set"):
        read_walls(walls_file, maps=("score",))


@pytest.mark.parametrize(
    ("name", "value", "good"),
    [
        ("score", -3.0, True), ("score", np.nan, False), ("poca_count", -1.0, False),
        ("poca_theta2", np.inf, False), ("score_information", 0.0, True),
    ],
)  # fmt: skip
def test_values(
    tmp_path: Path, plausible: Callable[..., Arrays], write: Callable[..., Path], name: str, value: float,
    good: bool,
) -> None:  # fmt: skip
    arrays = _with_maps(plausible())
    arrays[name][5, 1, 2, 3] = value
    path = write(tmp_path / "walls.h5", arrays)
    if good:
        assert read_walls(path, maps=(name,)).maps[name][5, 1, 2, 3] == np.float32(value)
        assert name in check_dataset(path).checks
    else:
        for read in (lambda: read_walls(path, maps=(name,)), lambda: check_dataset(path)):
            with pytest.raises(InputError, match=f"{name}.*sample 5"):
                read()


def test_another_shape_is_refused(
    tmp_path: Path, plausible: Callable[..., Arrays], write: Callable[..., Path]
) -> None:
    arrays = _with_maps(plausible())
    arrays["score"] = arrays["score"][:, :9]
    path = write(tmp_path / "walls.h5", arrays)
    with pytest.raises(InputError, match="the shape of x0"):
        read_walls(path, maps=("score",))
