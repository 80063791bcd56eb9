"""The report of a score of wire images: one HTML page, with the published result, tables, plots, images."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int64, UInt8
from markupsafe import Markup
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict

from cloudchamber.errors import InputError
from cloudchamber.files import write_text
from cloudchamber.score.beam import BeamScore, beam_iou_of_images
from cloudchamber.score.published_beam import DATA, DECK
from cloudchamber.show.beam_plots import plot_by_beam, plot_classes, plot_image, plot_image_iou
from cloudchamber.show.beam_tables import (
    MEASURED_ON,
    beam_rows,
    class_rows,
    confusion_rows,
    published_rows,
    summary_items,
)
from cloudchamber.show.page import render_page
from cloudchamber.show.theme import inline_svg
from cloudchamber.show.voxels_tables import percent


class BeamFacts(BaseModel):
    """What a report says of how its numbers came about.

    Parameters
    ----------
    data, chosen, truth, model_card, timing : whole sentences; ``model`` is a name.
    commands : the command lines that make it all again.
    simulated : whether the events come from cloudchamber's simulation; the page says so beside every number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = "Beam and cosmics on the wires of a LArTPC"
    data: str = ""
    chosen: str = ""
    truth: str = ""
    seed: int | None = None
    model: str = ""
    model_card: str = ""
    timing: str = ""
    commands: tuple[str, ...] = ()
    simulated: bool = True

    @property
    def measured_on(self) -> str:
        """Say where the events come from."""
        return MEASURED_ON if self.simulated else "the events given"


class ShownImage(BaseModel):
    """An image of the page: the number of its event, what is drawn, and the size of its plane."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    event: int
    signal: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    wires: int
    time_us: float


def _plot(figure: Figure, name: str, caption: str) -> dict[str, Any]:
    return {"svg": Markup(inline_svg(figure, name, caption)), "caption": caption}


def choose_events(iou: Float[np.ndarray, "image"], beam: Int64[np.ndarray, "image"], n: int = 4) -> list[int]:
    """Return images from the best beam IOU to the worst, evenly spread over those with most beam hits."""
    known = np.flatnonzero(np.isfinite(iou))
    many = known[np.argsort(-beam[known], kind="stable")][: max(n, len(known) // 2)]
    ordered = many[np.argsort(-iou[many], kind="stable")]
    if not len(ordered):
        return []
    places = np.linspace(0, len(ordered) - 1, n).round().astype(int)
    return list(dict.fromkeys(int(ordered[k]) for k in places))


def write_beam_report(
    path: Path,
    *,
    truth: UInt8[np.ndarray, "image wire drift"],
    predicted: UInt8[np.ndarray, "image wire drift"],
    score: BeamScore,
    images: list[ShownImage],
    facts: BeamFacts,
) -> None:
    """Write one self-contained HTML page that needs no network.

    Parameters
    ----------
    path : where the page goes.
    truth, predicted : of the images scored.
    score : of these, from :func:`cloudchamber.score.beam.score_beam`.
    images : to show.
    facts : how data and model came about.

    Raises
    ------
    InputError
        if the path cannot be written, or the score is of other images.
    """
    if score.n_images != len(truth):
        raise InputError("report", "score", f"that of {len(truth)} images", str(score.n_images))
    iou = beam_iou_of_images(truth, predicted)
    plots = [
        _plot(
            plot_classes(score), "plot-classes",
            "IOU over all pixels with its bootstrap error over images, and the published one (quoted).",
        ),
        _plot(
            plot_image_iou(iou, score.image_beam_iou.value), "plot-images",
            "IOU of the beam in each image that holds beam, in truth or prediction.",
        ),
    ]  # fmt: skip
    tables = [{"title": "Confusion, in pixels", **confusion_rows(score)}]
    if score.by_beam:
        plots.append(_plot(plot_by_beam(score), "plot-beam", "IOU by the number of beam hits of an event."))
        tables.append({"title": "By beam hits", **beam_rows(score)})
    events = [
        _plot(
            plot_image(
                each.signal, each.truth, each.predicted, wires=each.wires, time_us=each.time_us
            ),
            f"event-{each.event}",
            f"Event {each.event}: signal, true and predicted classes.",
        )
        for each in images
    ]  # fmt: skip
    value, _, error = percent(score.mean_iou, 2).partition(" ± ")
    page = render_page(
        "beam_report.html",
        title=facts.title,
        facts=facts,
        n_images=f"{score.n_images:,}",
        size=f"{score.wires} × {score.drifts}",
        merit={"value": value, "error": error},
        tiles=summary_items(score),
        published=published_rows(score, facts.model or "this prediction", facts.measured_on),
        classes=class_rows(score),
        quoted={"deck": DECK, "data": DATA},
        plots=plots,
        tables=tables,
        events=events,
    )
    write_text(Path(path), page)
