import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.infer.thresholds import (
    CANDIDATES,
    Thresholds,
    fit_global,
    fit_layers,
    fit_thresholds,
    largest_expected_iou,
)
from cloudchamber.score.walls import iou_per_sample

RNG = np.random.default_rng(4)
WALLS = RNG.random((60, 4, 5, 5)) < 0.2
SHIFT = np.array([0.25, 0.4, 0.55, 0.7])[None, :, None, None]
PROBABILITY = np.clip(np.where(WALLS, SHIFT + 0.08, SHIFT - 0.08) + 0.05 * RNG.normal(size=WALLS.shape), 0, 1)


def _iou(thresholds: Thresholds) -> float:
    return float(iou_per_sample(thresholds(PROBABILITY), WALLS).mean())


def test_the_global_cut_is_the_best_of_its_candidates() -> None:
    by_hand = [iou_per_sample(cut < PROBABILITY, WALLS).mean() for cut in CANDIDATES]
    assert _iou(fit_global(PROBABILITY, WALLS)) == pytest.approx(max(by_hand))


def test_layers_find_their_own_cuts() -> None:
    fitted = fit_layers(PROBABILITY, WALLS)
    assert fitted.cuts == pytest.approx([0.25, 0.4, 0.55, 0.7], abs=0.05)
    assert _iou(fitted) > _iou(fit_global(PROBABILITY, WALLS)) + 0.1


def test_layers_are_never_worse_on_what_they_are_fitted_to() -> None:
    noise = RNG.random(WALLS.shape)
    layered, single = fit_layers(noise, WALLS), fit_global(noise, WALLS)
    assert iou_per_sample(layered(noise), WALLS).mean() >= iou_per_sample(single(noise), WALLS).mean()


def test_fixed_is_one_half() -> None:
    assert fit_thresholds("fixed", PROBABILITY, WALLS).cuts == (0.5,)


def test_wrong_number_of_layers() -> None:
    with pytest.raises(InputError, match="expected 4, found 3"):
        fit_layers(PROBABILITY, WALLS)(PROBABILITY[:, :3])


def test_expected_iou_is_the_best_of_all_sets() -> None:
    """Against the expectation over all 2^6 truths, for every one of the 2^6 predictions."""
    rng = np.random.default_rng(3)
    sets = np.array(list(np.ndindex(*[2] * 6)), dtype=bool)
    both = (sets[:, None] & sets[None]).sum(axis=2)
    either = (sets[:, None] | sets[None]).sum(axis=2)
    iou = np.where(either > 0, both / np.maximum(either, 1), 1.0)
    for _ in range(20):
        p = rng.beta(0.5, 0.5, 6)
        chance = np.where(sets, p, 1 - p).prod(axis=1)
        expected = iou @ chance
        chosen = largest_expected_iou(p.reshape(1, 6, 1, 1)).ravel()
        found = expected[np.flatnonzero((sets == chosen).all(axis=1))[0]]
        assert found > expected.max() - 0.06  # the ratio of expectations is good to first order
        assert found >= expected[np.flatnonzero((sets == (p > 0.5)).all(axis=1))[0]] - 0.03


def test_cuts_of_layers_alone_are_each_layers_best() -> None:
    rng = np.random.default_rng(4)
    walls = rng.random((60, 3, 5, 5)) < 0.3
    noise = rng.normal(size=walls.shape)
    probability = 1 / (1 + np.exp(-(2.0 * walls - 1 + noise + np.array([0, 1.0, -1.0])[None, :, None, None])))
    cuts = fit_thresholds("layers-alone", probability, walls).cuts
    assert cuts[2] < cuts[0] < cuts[1]


def test_fixed_cut() -> None:
    assert fit_thresholds("fixed", np.zeros((1, 1, 1, 1)), np.zeros((1, 1, 1, 1), bool), 0.35).cuts == (0.35,)
