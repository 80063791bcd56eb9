"""Points of a plan are simulated and scored once, whatever interrupts."""

from pathlib import Path

import numpy as np
import pytest

from cloudchamber.infer.bundle import Bundle
from cloudchamber.infer.planning import PointWork, read_score, score_point, volumes_of
from cloudchamber.simulate.walls.config import Muons, WallsConfig
from cloudchamber.simulate.walls.exposure import with_count
from cloudchamber.source.store import WALLS_UNITS
from cloudchamber.source.writer import write_store

CONFIG = WallsConfig(muons=Muons(count=100))


class Simulation:
    """Stands for a simulation: noise, of an X0 that no check of plausibility would let through."""

    def __init__(self, fails: bool = False) -> None:
        self.calls, self.fails = list[tuple[int, bool]](), fails

    def __call__(self, path: Path, config: WallsConfig, n: int, maps: bool) -> None:
        self.calls.append((n, maps))
        if self.fails:
            raise KeyboardInterrupt
        rng = np.random.default_rng(config.muons.count)
        x0 = rng.lognormal(-12, 1, (n, 10, 10, 10)).astype(np.float32)
        with write_store(path, n, {"task": "walls", "seed": 1}, WALLS_UNITS) as add:
            add({"x0": x0, "targs": (rng.random(x0.shape) < 0.1).astype(np.int64)})


def test_a_point_is_done_once(tmp_path: Path, bundle: Bundle) -> None:
    work, simulate = PointWork(CONFIG, 3, 1), Simulation()
    assert read_score(tmp_path, work, bundle) is None
    first = score_point(tmp_path, work, {"small": bundle}, simulate)
    assert first["small"].n == 3
    assert first["small"].iou.value is not None
    assert score_point(tmp_path, work, {"small": bundle}, simulate) == first
    assert simulate.calls == [(3, False)]
    assert read_score(tmp_path, work, bundle) == first["small"]
    assert not list(tmp_path.glob("*.h5"))


@pytest.mark.parametrize(
    "other",
    [PointWork(CONFIG, 4, 1), PointWork(CONFIG, 3, 2), PointWork(with_count(CONFIG, 101), 3, 1)],
)
def test_another_point_is_another(tmp_path: Path, bundle: Bundle, other: PointWork) -> None:
    simulate = Simulation()
    for work in (PointWork(CONFIG, 3, 1), other):
        score_point(tmp_path, work, {"small": bundle}, simulate)
    assert len(simulate.calls) == 2


def test_a_broken_record_is_made_again(tmp_path: Path, bundle: Bundle) -> None:
    work, simulate = PointWork(CONFIG, 2, 1), Simulation()
    first = score_point(tmp_path, work, {"small": bundle}, simulate)
    (record,) = tmp_path.glob("*.json")
    record.write_text('{"n": ')
    assert score_point(tmp_path, work, {"small": bundle}, simulate) == first
    assert len(simulate.calls) == 2


def test_an_interruption_leaves_no_record(tmp_path: Path, bundle: Bundle) -> None:
    work = PointWork(CONFIG, 2, 1)
    with pytest.raises(KeyboardInterrupt):
        score_point(tmp_path, work, {"small": bundle}, Simulation(fails=True))
    assert not list(tmp_path.iterdir())


def test_volumes_that_are_there_are_not_simulated_again(tmp_path: Path, bundle: Bundle) -> None:
    work, simulate = PointWork(CONFIG, 2, 1), Simulation()
    simulate(tmp_path / f"{work.key}.h5", CONFIG, 2, False)
    score_point(tmp_path, work, {"small": bundle}, simulate)
    assert len(simulate.calls) == 1


@pytest.mark.parametrize(("count", "n", "volumes"), [(10_000, 200, 200), (100_000, 200, 60), (100_000, 1, 1)])
def test_fewer_volumes_of_many_muons(count: int, n: int, volumes: int) -> None:
    assert volumes_of(with_count(CONFIG, count), n) == volumes
