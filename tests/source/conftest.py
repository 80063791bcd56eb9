"""Small data sets of plausible walls."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.source.store import WALLS_UNITS, write_store

Arrays = dict[str, np.ndarray]


def plausible(n: int = 40, shape: tuple[int, int, int] = (10, 10, 10), seed: int = 0) -> Arrays:
    """``x0`` spread about 0.03 m as in the challenge, and one voxel in fifteen wall."""
    rng = np.random.default_rng(seed)
    x0_m = (0.03 * np.exp(0.7 * rng.standard_normal((n, *shape)))).astype(np.float32)
    return {"x0": x0_m, "targs": (rng.random((n, *shape)) < 0.07).astype(np.int64)}


def write(path: Path, arrays: Arrays, block: int = 16, **attributes: str | int) -> Path:
    n = len(arrays["x0"])
    with write_store(path, n, {"task": "walls", "seed": 0, **attributes}, WALLS_UNITS) as add:
        for start in range(0, n, block):
            add({name: array[start : start + block] for name, array in arrays.items()})
    return path


@pytest.fixture(name="plausible")
def _plausible() -> Callable[..., Arrays]:
    return plausible


@pytest.fixture(name="write")
def _write() -> Callable[..., Path]:
    return write


@pytest.fixture
def walls_file(tmp_path: Path) -> Path:
    return write(tmp_path / "walls.h5", plausible())
