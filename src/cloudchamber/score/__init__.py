"""Figures of merit with their errors, and the numbers the field has published."""

from cloudchamber.score.bootstrap import Estimate, bootstrap_mean, bootstrap_ratios
from cloudchamber.score.calibration import CalibrationBin, calibrate
from cloudchamber.score.published import BASELINES, SOLUTIONS, PublishedResult
from cloudchamber.score.walls import (
    CountBin,
    LayerScore,
    WallsScore,
    iou_per_layer,
    iou_per_sample,
    score_walls,
)

__all__ = [
    "BASELINES", "SOLUTIONS", "CalibrationBin", "CountBin", "Estimate", "LayerScore", "PublishedResult",
    "WallsScore", "bootstrap_mean", "bootstrap_ratios", "calibrate", "iou_per_layer", "iou_per_sample",
    "score_walls",
]  # fmt: skip
