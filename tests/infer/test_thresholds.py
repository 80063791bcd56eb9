import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.infer.thresholds import CANDIDATES, Thresholds, fit_global, fit_layers, fit_thresholds
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
