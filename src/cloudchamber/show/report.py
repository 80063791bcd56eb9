"""The report of a score: one HTML page, with the published results, the plots and three volumes in 3D."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from markupsafe import Markup

from cloudchamber.files import write_text
from cloudchamber.score.published import BASELINES, SOLUTIONS, SOURCE, PublishedResult
from cloudchamber.score.walls import WallsScore, iou_per_sample
from cloudchamber.show.event import Event, show_event
from cloudchamber.show.facts import ReportFacts
from cloudchamber.show.page import render_page
from cloudchamber.show.plots import plot_calibration, plot_iou, plot_layers
from cloudchamber.show.tables import calibration_rows, count_rows, iou_text, layer_rows, summary_items
from cloudchamber.show.theme import inline_svg
from cloudchamber.show.volumes import Grid


def _published(result: PublishedResult) -> dict[str, Any]:
    best = result.private_iou or result.public_iou or result.other_iou or 0.0
    size = "" if result.parameters is None else f"; {result.parameters:,} parameters"
    if result.parameters is not None and result.parameters % 1000 == 0:
        size = size.replace("; ", "; about ")
    return {
        "name": result.name,
        "method": result.method + size,
        "percent": round(100 * best, 1),
        "public": iou_text(result.public_iou),
        "private": iou_text(result.private_iou),
        "other": "" if result.other_iou is None else iou_text(result.other_iou),
        "measured_on": result.measured_on,
    }


def _plots(score: WallsScore, iou: Float[np.ndarray, "sample"], voxel_m: float) -> list[dict[str, Any]]:
    def plot(figure: Any, name: str, caption: str) -> dict[str, Any]:
        return {"svg": Markup(inline_svg(figure, name, caption)), "caption": caption}

    plots = [
        plot(
            plot_layers(score, voxel_m=voxel_m), "plot-layers",
            "Mean IOU of each layer with its bootstrap error, against the depth of the layer's middle.",
        ),
        plot(plot_iou(iou, score.iou), "plot-iou", "IOU of all volumes, and their mean."),
    ]  # fmt: skip
    if score.calibration is not None:
        caption = "Fraction of voxels that are wall against the predicted probability, with binomial errors."
        plots.insert(1, plot(plot_calibration(score), "plot-calibration", caption))
    return plots


def _tables(score: WallsScore, voxel_m: float) -> list[dict[str, Any]]:
    tables = [
        {"title": "By layer", **layer_rows(score, voxel_m)},
        {"title": "By number of wall voxels", **count_rows(score.by_voxels, "wall voxels")},
        {"title": "By number of wall columns", **count_rows(score.by_columns, "wall columns")},
    ]
    if score.calibration is not None:
        tables.append({"title": "Calibration", **calibration_rows(score.calibration)})
    return tables


def choose_samples(iou: Float[np.ndarray, "sample"]) -> list[tuple[str, int]]:
    """Return name and number of the best, the median and the worst volume, each once."""
    order = np.argsort(iou, kind="stable")
    chosen: dict[int, str] = {}
    for name, index in (("Best", order[-1]), ("Median", order[(len(order) - 1) // 2]), ("Worst", order[0])):
        chosen.setdefault(int(index), name)
    return [(name, index) for index, name in chosen.items()]


def write_report(
    path: Path,
    *,
    x0_m: Float[np.ndarray, "sample z x y"],
    walls: Bool[np.ndarray, "sample z x y"],
    preds: Bool[np.ndarray, "sample z x y"],
    probability: Float[np.ndarray, "sample z x y"] | None = None,
    score: WallsScore,
    facts: ReportFacts,
    voxel_m: float = 1.0,
    base_m: float = 1.0,
) -> None:
    """Write one self-contained HTML page (about 5 MB, mostly plotly.js) that needs no network.

    Parameters
    ----------
    path : where the page goes.
    x0_m, walls, preds, probability : the volumes scored, axes (sample, z, x, y), z = 0 the deepest layer; X0
        in metres. The best, the median and the worst are shown.
    score : of these volumes, from :func:`cloudchamber.score.walls.score_walls`.
    facts : how data and model came about.
    voxel_m, base_m : side of a voxel; height of the lower face of a volume above z = 0.

    Raises
    ------
    InputError
        if the path cannot be written or predictions and walls differ in shape.
    """
    iou = iou_per_sample(preds, walls)
    grid = Grid(voxel_m, base_m)
    events: list[Event] = []
    for name, index in choose_samples(iou):
        subtitle = (
            f"IOU {iou[index]:.3f} · number {index} · {int(np.count_nonzero(walls[index]))} wall voxels"
        )
        p = None if probability is None else probability[index]
        volume = x0_m[index], walls[index], preds[index], p
        events.append(show_event(name.lower(), *volume, title=name, subtitle=subtitle, grid=grid))
    value = score.iou.value or 0.0
    page = render_page(
        "report.html",
        title=facts.title,
        facts=facts,
        n=f"{score.n:,}",
        iou={
            "value": f"{value:.3f}",
            "error": "" if score.iou.error is None else f"{score.iou.error:.3f}",
            "text": score.iou.text(),
        },
        percent=round(100 * value, 1),
        tiles=summary_items(score),
        published=[_published(result) for result in (*SOLUTIONS, *BASELINES)],
        source=SOURCE,
        plots=_plots(score, iou, voxel_m),
        tables=_tables(score, voxel_m),
        events=events,
    )
    write_text(Path(path), page)
