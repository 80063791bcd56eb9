"""The score of wire images as rows of text, the published ones beside it."""

from collections.abc import Mapping

from cloudchamber.labels import BeamLabel
from cloudchamber.score.beam import BeamScore
from cloudchamber.score.bootstrap import Estimate
from cloudchamber.score.published_beam import TIRAMISU, PublishedIou
from cloudchamber.show.tables import Rows
from cloudchamber.show.voxels_tables import percent

MEASURED_ON = "cloudchamber's simulation"
_HEAD = ["background (%)", "not beam (%)", "beam (%)", "mean (%)", "without background (%)"]


def class_name(name: str) -> str:
    """Return the name of a class as a reader reads it."""
    return name.lower().replace("_", " ")


def headline(score: BeamScore) -> str:
    """Return the figures of merit in a line."""
    return (
        f"mean IOU {percent(score.mean_iou, 2)} %, without background "
        f"{percent(score.mean_iou_without_background, 2)} %, on {score.n_images:,} images of "
        f"{score.wires} × {score.drifts} pixels"
    )


def _quoted(quoted: PublishedIou) -> list[str]:
    ious = [f"{100 * quoted.iou[label]:.2f}".removesuffix("0") for label in BeamLabel]
    return [*ious, f"{100 * quoted.mean_iou:.1f}", f"{100 * quoted.mean_iou_without_background:.2f}"]


def _measured(score: BeamScore) -> list[str]:
    """Return IOUs per class (dashes for more classes than three) and their means."""
    ious = [percent(each.iou, 2) for each in score.classes]
    if len(ious) != len(BeamLabel):
        ious = [*ious[:2], "–"]
    return [*ious, percent(score.mean_iou, 2), percent(score.mean_iou_without_background, 2)]


def published_rows(score: BeamScore, model: str, measured_on: str = MEASURED_ON) -> Rows:
    """Return the published IOUs with ours beneath."""
    rows = [
        [f"published: {TIRAMISU.name}, {TIRAMISU.trained_on}", *_quoted(TIRAMISU)],
        [f"{model}, on {measured_on}", *_measured(score)],
    ]
    return Rows(head=["IOU", *_HEAD], rows=rows)


def compare_rows(scores: Mapping[str, tuple[int, BeamScore]]) -> Rows:
    """Return the published IOUs and those of several systems: by name, images trained on and score."""
    rows = [[f"published: {TIRAMISU.name}", "2,600", *_quoted(TIRAMISU)]]
    rows += [[name, f"{n:,}", *_measured(score)] for name, (n, score) in scores.items()]
    return Rows(head=["system", "trained on", *_HEAD], rows=rows)


def class_rows(score: BeamScore) -> Rows:
    """Return a row for each class."""
    total = max(1, sum(each.n_pixels for each in score.classes))
    rows = [
        [
            class_name(each.name), f"{each.n_pixels:,}", f"{100 * each.n_pixels / total:.2f}",
            percent(each.iou, 2), percent(each.accuracy), percent(each.purity),
        ]
        for each in score.classes
    ]  # fmt: skip
    return Rows(head=["class", "pixels", "share (%)", "IOU (%)", "found (%)", "purity (%)"], rows=rows)


def confusion_rows(score: BeamScore) -> Rows:
    """Return the counts of pixels, a row for each true class."""
    names = [class_name(each.name) for each in score.classes]
    rows = [
        [name, *(f"{count:,}" for count in counts)]
        for name, counts in zip(names, score.confusion, strict=True)
    ]
    return Rows(head=["true class", *(f"found as {name}" for name in names)], rows=rows)


def beam_rows(score: BeamScore) -> Rows:
    """Return a row for each bin of the beam hits of an event."""
    rows = [
        [
            f"{each.low:,} and more" if each.high is None else f"{each.low:,}–{each.high - 1:,}",
            f"{each.n_images:,}", percent(each.not_beam_iou), percent(each.beam_iou),
            percent(each.mean_iou_without_background),
        ]
        for each in score.by_beam
    ]  # fmt: skip
    head = ["beam hits", "events", "IOU of not-beam (%)", "IOU of beam (%)", "mean of both (%)"]
    return Rows(head=head, rows=rows)


def summary_items(score: BeamScore) -> list[tuple[str, str]]:
    """Return name and value of what is said of all pixels."""

    def said(estimate: Estimate, digits: int = 2) -> str:
        return f"{percent(estimate, digits)} %"

    items = [(f"IOU of {class_name(each.name)}", said(each.iou)) for each in score.classes]
    items.append(("mean IOU without background", said(score.mean_iou_without_background)))
    items.append(("IOU of the beam, mean of the images' own", said(score.image_beam_iou, 1)))
    return items
