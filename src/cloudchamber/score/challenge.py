"""The score of a submission to the MODE challenge of 2022, in the two parts that the challenge told."""

import numpy as np
from jaxtyping import Bool

from cloudchamber.score.bootstrap import Estimate, bootstrap_mean
from cloudchamber.score.walls import WallsScore, iou_per_sample
from cloudchamber.source.challenge import SHAPE, TEST_SAMPLES, split_test_set


class ChallengeScore(WallsScore):
    """The score of the challenge's 30,036 test volumes, with the mean IOU of its two parts."""

    public_iou: Estimate
    private_iou: Estimate


def is_test_set(shape: tuple[int, ...]) -> bool:
    """Say whether volumes (sample, z, x, y) can be the challenge's test set: (30036, 10, 10, 10)."""
    return shape == (TEST_SAMPLES, *SHAPE)


def score_parts(
    score: WallsScore,
    preds: Bool[np.ndarray, "sample z x y"],
    walls: Bool[np.ndarray, "sample z x y"],
) -> ChallengeScore:
    """Return a score with the IOU of the public and of the private part, each with its bootstrap error.

    Parameters
    ----------
    score : of all volumes, from :func:`cloudchamber.score.walls.score_walls`.
    preds, walls : (30036, 10, 10, 10), in the order of the challenge's files.

    Raises
    ------
    InputError
        if there are not 30,036 volumes.
    """
    split, iou = split_test_set(len(walls)), iou_per_sample(preds, walls)
    return ChallengeScore(
        **{name: getattr(score, name) for name in WallsScore.model_fields},
        public_iou=bootstrap_mean(iou[split.public]),
        private_iou=bootstrap_mean(iou[split.private]),
    )
