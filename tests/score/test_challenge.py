"""Public and private IOU, as the challenge computed them."""

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from cloudchamber.errors import InputError
from cloudchamber.score.bootstrap import Estimate
from cloudchamber.score.challenge import ChallengeScore, is_test_set, score_parts
from cloudchamber.score.walls import WallsScore, score_walls
from cloudchamber.show.tables import published_rows


@pytest.fixture(scope="module")
def score() -> WallsScore:
    walls = np.zeros((2, 10, 10, 10), bool)
    return score_walls(walls, walls)


def test_parts_are_those_of_the_challenge(score: WallsScore) -> None:
    rng = np.random.default_rng(0)
    preds, walls = rng.random((2, 30_036, 2, 2, 2)) < 0.4
    found = score_parts(score, preds, walls)
    of_walls = train_test_split(walls, test_size=25_000, random_state=3452, shuffle=True)
    of_preds = train_test_split(preds, test_size=25_000, random_state=3452, shuffle=True)
    for estimate, p, w in zip((found.public_iou, found.private_iou), of_preds, of_walls, strict=True):
        both, either = (p & w).sum((1, 2, 3)), (p | w).sum((1, 2, 3))
        assert estimate.value == pytest.approx(np.mean((both + 1e-17) / (either + 1e-17)), abs=1e-12)
    assert (found.public_iou.error or 0) > (found.private_iou.error or 1) > 0
    assert found.iou == score.iou


def test_only_the_test_set_is_split(score: WallsScore) -> None:
    assert is_test_set((30_036, 10, 10, 10))
    assert not is_test_set((30_036, 8, 10, 10))
    few = np.zeros((12, 2, 2, 2), bool)
    with pytest.raises(InputError, match="expected the 30036 samples"):
        score_parts(score, few, few)


def test_both_parts_stand_in_the_columns_of_the_published_ones(score: WallsScore) -> None:
    parts = {"public_iou": Estimate(value=0.5, error=0.01), "private_iou": Estimate(value=0.6, error=0.02)}
    found = ChallengeScore.model_validate({**score.model_dump(), **parts})
    assert published_rows(found, "ours", "x")["rows"][-1][1:3] == ["0.5000 ± 0.0100", "0.6000 ± 0.0200"]
    assert published_rows(score, "ours", "x")["rows"][-1][1:3] == ["", ""]
