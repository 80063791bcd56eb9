"""The calibration curve of probabilities that are known to be right, and of those that are not."""

import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.score.calibration import calibrate

RNG = np.random.default_rng(2)
PROBABILITY = RNG.random((50, 5, 10, 10))


def test_true_probabilities_are_calibrated() -> None:
    bins = calibrate(PROBABILITY, RNG.random(PROBABILITY.shape) < PROBABILITY)
    pulls = np.array([(b.wall_fraction - b.mean_probability) / b.error for b in bins])
    assert len(bins) == 10
    assert sum(b.n for b in bins) == PROBABILITY.size
    assert np.abs(pulls).max() < 4
    assert 0.3 < np.mean(pulls**2) < 3


def test_edges_and_empty_bins() -> None:
    probability = np.array([0.0, 1.0, 0.05, 1.0]).reshape(1, 1, 2, 2)
    bins = calibrate(probability, np.array([False, True, False, True]).reshape(1, 1, 2, 2))
    assert [(b.low, b.n, b.wall_fraction) for b in bins] == [(0.0, 2, 0.0), (0.9, 2, 1.0)]
    assert all(b.error > 0 for b in bins)


def test_blocks_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    walls = PROBABILITY > 0.5
    whole = calibrate(PROBABILITY, walls)
    monkeypatch.setattr("cloudchamber.score.calibration._BLOCK", 7)
    for one, other in zip(whole, calibrate(PROBABILITY, walls), strict=True):
        assert (one.n, one.wall_fraction) == (other.n, other.wall_fraction)
        assert one.mean_probability == pytest.approx(other.mean_probability)


@pytest.mark.parametrize("wrong", [-0.1, 1.5, np.nan])
def test_what_is_no_probability(wrong: float) -> None:
    probability = PROBABILITY.copy()
    probability[3, 2, 1, 0] = wrong
    with pytest.raises(InputError, match="probability"):
        calibrate(probability, probability > 0.5)


def test_wrong_shape() -> None:
    with pytest.raises(InputError, match="shape"):
        calibrate(PROBABILITY[:2], PROBABILITY > 0.5)
