"""The numbers of a score as rows of text, for pages and terminals alike."""

from typing import TypedDict

from cloudchamber.score.bootstrap import Estimate
from cloudchamber.score.calibration import CalibrationBin
from cloudchamber.score.challenge import ChallengeScore
from cloudchamber.score.published import BASELINES, SOLUTIONS
from cloudchamber.score.walls import CountBin, WallsScore


class Rows(TypedDict):
    """A table: its head and its rows."""

    head: list[str]
    rows: list[list[str]]


def percent_text(estimate: Estimate) -> str:
    """Return ``62.1 ± 0.8 %``."""
    if estimate.value is None:
        return "–"
    error = "" if estimate.error is None else f" ± {100 * estimate.error:.1f}"
    return f"{100 * estimate.value:.1f}{error} %"


def iou_text(iou: float | None) -> str:
    """Return a published IOU with the three or four digits that were published, decimal points in line."""
    if iou is None:
        return "–"
    text = f"{iou:.4f}"
    return text.removesuffix("0") + "\u2007" if text.endswith("0") else text


def layer_rows(score: WallsScore, voxel_m: float = 1.0) -> Rows:
    """Return a row for each layer, the highest first."""
    n = len(score.layers)
    rows = [
        [
            str(layer.layer),
            f"{(n - 1 - layer.layer) * voxel_m:g}–{(n - layer.layer) * voxel_m:g}",
            layer.iou.text(),
            layer.iou_not_empty.text(),
            f"{layer.n_not_empty:,}",
        ]
        for layer in reversed(score.layers)
    ]
    return Rows(
        head=["layer", "depth (m)", "IOU, empty = 1", "IOU where not empty", "volumes, not empty"], rows=rows
    )


def count_rows(bins: tuple[CountBin, ...], what: str) -> Rows:
    """Return a row for each bin of a count."""
    rows = [[f"{b.low}–{b.high}" if b.low != b.high else str(b.low), f"{b.n:,}", b.iou.text()] for b in bins]
    return Rows(head=[what, "volumes", "mean IOU"], rows=rows)


def calibration_rows(bins: tuple[CalibrationBin, ...]) -> Rows:
    """Return a row for each bin of probability."""
    rows = [
        [
            f"{b.low:.1f}–{b.high:.1f}",
            f"{b.mean_probability:.3f}",
            f"{b.wall_fraction:.3f} ± {b.error:.3f}",
            f"{b.n:,}",
        ]
        for b in bins
    ]
    return Rows(head=["probability", "mean probability", "fraction of wall", "voxels"], rows=rows)


def summary_items(score: WallsScore) -> list[tuple[str, str]]:
    """Return name and value, with error, of what is said of whole volumes."""
    return [
        ("precision, all voxels", score.precision.text()),
        ("recall, all voxels", score.recall.text()),
        ("right deepest layer", percent_text(score.base_right)),
        ("right highest layer", percent_text(score.top_right)),
        ("all columns on one level", percent_text(score.one_base)),
        ("volumes without an error", percent_text(score.perfect)),
        ("layers added per volume", score.layers_added.text(2)),
        ("layers missed per volume", score.layers_missed.text(2)),
    ]


def summary_rows(score: WallsScore) -> Rows:
    """Return :func:`summary_items` as a table."""
    return Rows(head=["", "value"], rows=[[name, value] for name, value in summary_items(score)])


def published_rows(score: WallsScore, model: str, measured_on: str) -> Rows:
    """Return the published results, best first, with this one beneath them.

    On the challenge's own test set this one too has its public and its private IOU.
    """
    rows = [
        [result.name, iou_text(result.public_iou), iou_text(result.private_iou), ""] for result in SOLUTIONS
    ]
    rows += [
        [result.name, "", "", f"{iou_text(result.other_iou).rstrip()}, {result.measured_on}"]
        for result in BASELINES
    ]
    parts = ["", ""]
    if isinstance(score, ChallengeScore):
        parts = [score.public_iou.text(4), score.private_iou.text(4)]
    rows.append([model, *parts, f"{score.iou.text(4)}, {measured_on}"])
    return Rows(head=["solution", "public test", "private test", "other volumes"], rows=rows)
