"""Trees: they find a known function, their quantiles are those of the noise, the same seed gives the same."""

import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.score.energy_trees import event_weights, fit_energy_trees


def muons(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two features, of which one tells the energy to 10% and the other nothing, and the energies."""
    rng = np.random.default_rng(seed)
    energy = rng.uniform(50, 4000, n)
    seen = energy * rng.normal(1, 0.1, n)
    features = np.stack([np.log(np.maximum(seen, 1)), rng.normal(size=n)], axis=1).astype(np.float32)
    features[::50, 1] = np.nan
    return features, energy


def test_trees_find_the_energy_and_its_quantiles() -> None:
    trees = fit_energy_trees(*muons(4000, 1), seed=3, quantiles=True, iterations=80)
    features, energy = muons(4000, 2)
    high = energy > 1000
    off = trees.predict(features)[high] / energy[high] - 1
    assert np.percentile(np.abs(off), 68) < 0.13
    low, middle, top = trees.predict_quantiles(features).T
    assert (low <= middle).all()
    assert (middle <= top).all()
    assert np.mean((low <= energy) & (energy <= top)) == pytest.approx(0.68, abs=0.1)


def test_the_same_seed_gives_the_same_trees() -> None:
    data = muons(600, 1)
    found = [fit_energy_trees(*data, seed=seed, iterations=10).predict(data[0]) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


def test_weights_are_those_of_the_deck() -> None:
    energy = np.array([50.0, 4700.0, 5000.0, 5600.0, 8000.0])
    expected = 1 - 1 / (1 + np.exp(-np.array([-16.5, -1, 0, 1, 5])))
    np.testing.assert_allclose(event_weights(energy), expected)


def test_mistakes_are_told() -> None:
    features, energy = muons(60, 1)
    with pytest.raises(InputError, match="60 rows"):
        fit_energy_trees(features[:9], energy)
    with pytest.raises(InputError, match="50 muons"):
        fit_energy_trees(features[:9], energy[:9])
    with pytest.raises(InputError, match="with quantiles"):
        fit_energy_trees(features, energy, iterations=2).predict_quantiles(features)
