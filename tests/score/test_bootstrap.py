"""Bootstrap errors against those that are known in closed form."""

import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.score.bootstrap import Estimate, bootstrap_mean, bootstrap_ratios


def test_error_of_a_mean_is_sigma_over_root_n() -> None:
    values = np.random.default_rng(3).normal(2.0, 0.5, 4000)
    found = bootstrap_mean(values, resamples=2000)
    assert found.value == pytest.approx(values.mean())
    # 2000 resamples know the error to 1/sqrt(2 * 2000) = 1.6 %.
    assert found.error == pytest.approx(values.std(ddof=1) / np.sqrt(len(values)), rel=0.06)


def test_coverage_of_one_standard_error() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for k in range(200):
        found = bootstrap_mean(rng.exponential(1.0, 200), resamples=200, seed=k)
        hits += found.value is not None and found.error is not None and abs(found.value - 1) < found.error
    assert 0.68 - 0.11 < hits / 200 < 0.68 + 0.11


def test_error_of_a_ratio() -> None:
    """Delta method: var(sum a / sum b) = var(a - r b) / (n mean(b)^2)."""
    rng = np.random.default_rng(7)
    below = rng.poisson(50, 3000).astype(float)
    above = rng.binomial(below.astype(int), 0.8).astype(float)
    found = bootstrap_ratios(above[:, None], below[:, None])[0]
    ratio = above.sum() / below.sum()
    assert found.value == pytest.approx(ratio)
    assert found.error == pytest.approx((above - ratio * below).std() / np.sqrt(3000) / below.mean(), rel=0.1)


def test_same_seed_same_error_and_blocks_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).random(100)
    first = bootstrap_mean(values, seed=4)
    assert bootstrap_mean(values, seed=4) == first
    assert bootstrap_mean(values, seed=5) != first
    monkeypatch.setattr("cloudchamber.score.bootstrap._BLOCK", 700)
    again = bootstrap_mean(values, seed=4)
    assert again.value == first.value
    assert again.error == pytest.approx(first.error)


def test_what_is_not_known_is_none() -> None:
    zeros, ones = np.zeros((5, 1)), np.ones((5, 1))
    assert bootstrap_ratios(ones, zeros)[0] == Estimate(value=None, error=None)
    assert bootstrap_mean(np.array([0.3])) == Estimate(value=0.3, error=None)


def test_text() -> None:
    assert Estimate(value=0.6123, error=0.0042).text() == "0.612 ± 0.004"
    assert Estimate(value=0.6123, error=None).text(2) == "0.61"
    assert Estimate(value=None, error=None).text() == "–"


def test_many_samples_need_little_memory() -> None:
    found = bootstrap_mean(np.random.default_rng(0).random(30_000), resamples=100)
    assert found.error == pytest.approx(1 / np.sqrt(12 * 30_000), rel=0.3)


@pytest.mark.parametrize(("shape", "other"), [((0, 1), (0, 1)), ((3, 1), (2, 1)), ((3,), (3,))])
def test_wrong_shapes(shape: tuple[int, ...], other: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="bootstrap"):
        bootstrap_ratios(np.ones(shape), np.ones(other))


def test_too_few_resamples() -> None:
    with pytest.raises(InputError, match="resamples"):
        bootstrap_mean(np.ones(3), resamples=1)
