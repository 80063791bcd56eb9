"""Numbers of muons drawn for each volume: repeatable, log-uniform, apart from all else that is random."""

import numpy as np
import pytest
from scipy import stats

from cloudchamber.cli.simulate import data_attributes, make_walls, read_exposure
from cloudchamber.errors import InputError
from cloudchamber.simulate.walls.config import WallsConfig
from cloudchamber.simulate.walls.exposure import draw_count, mean_count, with_count

RANGE = (300, 100_000)


def test_counts_are_a_function_of_seed_and_index() -> None:
    assert [draw_count(3, k, RANGE) for k in range(5)] == [draw_count(3, k, RANGE) for k in range(5)]
    counts = [draw_count(3, k, RANGE) for k in range(50)] + [draw_count(4, k, RANGE) for k in range(50)]
    assert len(set(counts)) > 95


def test_counts_are_log_uniform() -> None:
    counts = np.array([draw_count(1, k, RANGE) for k in range(4000)])
    assert counts.min() >= 300
    assert counts.max() <= 100_000
    uniform = np.log(counts / 300) / np.log(100_000 / 300)
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    assert counts.mean() == pytest.approx(mean_count(RANGE), rel=0.06)


def test_both_ends_are_reached() -> None:
    assert {draw_count(1, k, (2, 4)) for k in range(60)} == {2, 3, 4}
    assert {draw_count(1, k, (7, 7)) for k in range(9)} == {7}
    assert mean_count((7, 7)) == 7


@pytest.mark.parametrize("wrong", [(0, 5), (5, 4), (-1, -1)])
def test_exposures_out_of_order(wrong: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="in order"):
        draw_count(1, 0, wrong)


def test_a_drawn_number_changes_nothing_else() -> None:
    """The volume is the one that the same number, fixed, gives: no random number was spent on drawing it."""
    config, exposure = WallsConfig(), (20, 3000)
    for index in range(3):
        fixed = with_count(config, draw_count(8, index, exposure))
        drawn = make_walls(8, config, index, maps=True, muons=exposure)
        for name, values in make_walls(8, fixed, index, maps=True).items():
            np.testing.assert_array_equal(drawn[name], values)
        few = make_walls(8, with_count(config, 20), index)
        np.testing.assert_array_equal(drawn["targs"], few["targs"])


def test_a_fixed_number_leaves_the_attributes_as_they_were() -> None:
    config = WallsConfig()
    assert data_attributes(5, config) == {"task": "walls", "seed": 5, "config": config.model_dump_json()}
    drawn = data_attributes(5, config, maps=True, muons=RANGE)
    assert drawn["muons"] == "300:100000, log-uniform"
    assert drawn["maps"] == "tracks"
    assert '"count":[300,100000]' in str(drawn["config"])


@pytest.mark.parametrize(("text", "exposure"), [("300:100000", RANGE), ("10000", (10_000, 10_000))])
def test_exposures_are_read(text: str, exposure: tuple[int, int]) -> None:
    assert read_exposure(text) == exposure


@pytest.mark.parametrize("text", ["", "x", "0", "0:5", "9:3", "1:2:3", "1e4", "3:", ":3", "-3", "3.5", "٣"])
def test_malformed_exposures(text: str) -> None:
    with pytest.raises(InputError, match="--muons"):
        read_exposure(text)
