"""The published numbers, as they were shown."""

from cloudchamber.score.published import BASELINES, SOLUTIONS


def test_five_solutions_best_first() -> None:
    private = [result.private_iou for result in SOLUTIONS]
    assert private == [0.824, 0.7931, 0.7719, 0.6921, 0.6659]
    assert [result.public_iou for result in SOLUTIONS] == [0.822, 0.7925, 0.7728, 0.6916, 0.6628]


def test_baselines_say_on_what_they_were_measured() -> None:
    assert [result.other_iou for result in BASELINES] == [0.611, 0.2244, 0.222]
    assert all(result.measured_on and result.public_iou is None for result in BASELINES)
    assert all(result.source.startswith("MODE data challenge") for result in (*SOLUTIONS, *BASELINES))
