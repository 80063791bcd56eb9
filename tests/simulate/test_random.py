"""Random numbers of the compiled loops, against their distributions."""

import numpy as np
import pytest
from jaxtyping import Float
from scipy import stats

from cloudchamber.compiled import compiled
from cloudchamber.simulate.random import new_stream, normal, uniform

N = 400_000
LEAST_P = 1e-4  # of a test; the seeds are fixed, so nothing here passes or fails by chance


@compiled
def _normals(stream, out):  # type: ignore[no-untyped-def]
    for i in range(out.size):
        out[i], stream = normal(stream)


@compiled
def _uniforms(stream, out):  # type: ignore[no-untyped-def]
    for i in range(out.size):
        out[i], stream = uniform(stream)


def normals(seed: int, n: int = N) -> Float[np.ndarray, "n"]:
    out = np.empty(n)
    _normals(new_stream(np.random.default_rng(seed)), out)
    return out


def uniforms(seed: int, n: int = N) -> Float[np.ndarray, "n"]:
    out = np.empty(n)
    _uniforms(new_stream(np.random.default_rng(seed)), out)
    return out


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_normals_are_normal(seed: int) -> None:
    assert stats.kstest(normals(seed), "norm").pvalue > LEAST_P


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_uniforms_are_uniform(seed: int) -> None:
    u = uniforms(seed)
    assert u.min() >= 0
    assert u.max() < 1
    assert stats.kstest(u, "uniform").pvalue > LEAST_P


@pytest.mark.parametrize(("power", "expected", "variance"), [(1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)])
def test_moments_of_normals(power: int, expected: float, variance: float) -> None:
    moment = (normals(4, 2_000_000) ** power).mean()
    assert moment == pytest.approx(expected, abs=4 * np.sqrt(variance / 2e6))


@pytest.mark.parametrize("beyond", [2.0, 3.0, 3.6541528853610088, 4.2])
def test_tails_of_normals(beyond: float) -> None:
    """The ziggurat draws its tail by another rule: both sides, and past the border, must be right."""
    x = normals(5, 4_000_000)
    expected = x.size * stats.norm.sf(beyond)
    for count in ((x > beyond).sum(), (x < -beyond).sum()):
        assert count == pytest.approx(expected, abs=4 * np.sqrt(expected))
    far = np.abs(x[np.abs(x) > 3.6541528853610088])
    sf = stats.norm.sf(far) / stats.norm.sf(3.6541528853610088)
    assert stats.kstest(sf, "uniform").pvalue > LEAST_P


def test_layers_of_the_ziggurat_join_smoothly() -> None:
    counts, edges = np.histogram(normals(6, 4_000_000), bins=np.linspace(-4, 4, 801))
    expected = 4_000_000 * np.diff(stats.norm.cdf(edges))
    chi2 = ((counts - expected) ** 2 / expected).sum()
    assert stats.chi2.sf(chi2, len(counts)) > LEAST_P


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 7, 256])
def test_neighbours_are_independent(lag: int) -> None:
    x, u = normals(7), uniforms(7) - 0.5
    for series in (x, u, x**2 - 1):
        correlation = np.corrcoef(series[:-lag], series[lag:])[0, 1]
        assert abs(correlation) < 4 / np.sqrt(N)


def test_streams_are_independent() -> None:
    """Streams of one generator, and of generators of neighbouring seeds."""
    rng = np.random.default_rng(100)
    streams = np.empty((30, 20_000))
    for row in streams[:20]:
        _normals(new_stream(rng), row)
    for seed, row in enumerate(streams[20:]):
        _normals(new_stream(np.random.default_rng(seed)), row)
    matrix = np.asarray(np.corrcoef(streams))
    correlations = matrix[np.triu_indices(30, 1)] * np.sqrt(streams.shape[1])
    assert stats.kstest(correlations, "norm").pvalue > LEAST_P
    assert np.unique(streams).size == streams.size


def test_a_seed_gives_the_same_numbers() -> None:
    np.testing.assert_array_equal(normals(9, 100), normals(9, 100))
    assert not np.array_equal(normals(9, 100), normals(10, 100))
