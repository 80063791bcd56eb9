"""The report of a score of voxels: one HTML page, with the published results, tables and plots."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from markupsafe import Markup
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict

from cloudchamber.errors import InputError
from cloudchamber.files import write_text
from cloudchamber.score.michel import Michels
from cloudchamber.score.michel_energy import michel_spectrum
from cloudchamber.score.michel_score import MichelScore, score_michels
from cloudchamber.score.published_voxels import ACCURACIES, DATA, DECK, JOURNAL
from cloudchamber.score.voxels import VoxelsScore
from cloudchamber.score.voxels_parts import shower_scores
from cloudchamber.show.michel_plots import plot_cluster_sizes, plot_michel_spectrum
from cloudchamber.show.page import render_page
from cloudchamber.show.theme import inline_svg
from cloudchamber.show.voxels_plots import (
    plot_class_accuracies,
    plot_class_shares,
    plot_confusion,
    plot_reliability,
    plot_shower_scores,
    plot_track_ends,
)
from cloudchamber.show.voxels_tables import (
    class_rows,
    confusion_rows,
    distance_rows,
    end_point_rows,
    michel_count_rows,
    michel_rows,
    percent,
    published_accuracy_rows,
    summary_items,
)
from cloudchamber.voxel_events import VoxelEvents

REGULAR, RELABELLED = ACCURACIES[0], ACCURACIES[2]


class VoxelsFacts(BaseModel):
    """What a report says of how its numbers came about.

    Parameters
    ----------
    data, model_card, timing : whole sentences; ``model`` is a name.
    commands : the command lines that make it all again.
    simulated : whether the events come from cloudchamber's simulation; the page says so beside every number.
    relabelled : whether the true labels are relabelled, so that only primary ionisation is Michel.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = "Voxels of a liquid-argon chamber"
    data: str = ""
    seed: int | None = None
    model: str = ""
    model_card: str = ""
    timing: str = ""
    commands: tuple[str, ...] = ()
    simulated: bool = True
    relabelled: bool = False

    @property
    def measured_on(self) -> str:
        """Say where the events come from."""
        return "cloudchamber's simulation" if self.simulated else "the events given"


def _plot(figure: Figure, name: str, caption: str) -> dict[str, Any]:
    return {"svg": Markup(inline_svg(figure, name, caption)), "caption": caption}


def _voxel_plots(
    score: VoxelsScore,
    truth: VoxelEvents,
    predicted: UInt8[np.ndarray, "voxel"],
    probability: Float[np.ndarray, "voxel class"] | None,
    relabelled: bool,
) -> list[dict[str, Any]]:
    published = RELABELLED if relabelled else REGULAR
    plots = [
        _plot(
            plot_class_accuracies(score, published.accuracy, "published"), "plot-accuracy",
            "Accuracy of each class with its bootstrap error over events, and the published one "
            f"({published.trained_on}, scored on {published.scored_on}; quoted).",
        ),
        _plot(
            plot_confusion(score), "plot-confusion",
            "Which share of the voxels of a true class, a row, is found as which class.",
        ),
    ]  # fmt: skip
    if score.by_track_end:
        caption = "Accuracy of HIP and MIP voxels against the distance to the end of their particle."
        plots.append(_plot(plot_track_ends(score), "plot-ends", caption))
    if truth.label is not None:
        caption = "Share of the voxels that each class has, on a logarithmic axis."
        plots.append(_plot(plot_class_shares(truth.label, predicted), "plot-shares", caption))
    if probability is not None and score.shower_uniformity is not None:
        caption = (
            "Uniformity of the shower score: its mean over the true shower voxels of an event, and its "
            "standard deviation over them; events with 20 of them or more."
        )
        plots.append(_plot(plot_shower_scores(shower_scores(truth, probability)), "plot-shower", caption))
    if score.reliability:
        caption = "Share of voxels that are right against the highest of their five probabilities."
        plots.append(_plot(plot_reliability(score), "plot-reliability", caption))
    return plots


def _michel_part(michels: Michels, measured_on: str) -> dict[str, Any]:
    """Return what the page says of the Michel chain."""
    score: MichelScore = score_michels(michels)
    spectrum = michel_spectrum(michels)
    plots = [
        _plot(
            plot_michel_spectrum(spectrum), "plot-spectrum",
            "Energy of the candidates, of the true clusters attached at the end of a track, and of their "
            "electrons. The dashed line is the end point of the total energy, 52.8 MeV.",
        ),
        _plot(
            plot_cluster_sizes(michels), "plot-sizes",
            "Voxels of each matched candidate against those of the true cluster that it is matched to.",
        ),
    ]  # fmt: skip
    return {
        "table": michel_rows(score, measured_on),
        "plots": plots,
        "tables": [
            {"title": "Clusters", **michel_count_rows(score)},
            {"title": "End point", **end_point_rows(spectrum)},
        ],
    }


def write_voxels_report(
    path: Path,
    *,
    truth: VoxelEvents,
    predicted: UInt8[np.ndarray, "voxel"],
    probability: Float[np.ndarray, "voxel class"] | None = None,
    score: VoxelsScore,
    michels: Michels | None = None,
    facts: VoxelsFacts,
) -> None:
    """Write one self-contained HTML page (well under 1 MB) that needs no network.

    Parameters
    ----------
    path : where the page goes.
    truth, predicted, probability : the events scored.
    score : of these, from :func:`cloudchamber.score.voxels.score_voxels`.
    michels : of these, from :func:`cloudchamber.score.michel.find_michels`; without, no part on them.
    facts : how data and model came about.

    Raises
    ------
    InputError
        if the path cannot be written, or the score is of other events.
    """
    if score.n_voxels != len(predicted) or score.n_events != len(truth):
        found = f"{score.n_events} events, {score.n_voxels} voxels"
        raise InputError("report", "score", f"that of {len(truth)} events, {len(predicted)} voxels", found)
    tables = [{"title": "Confusion, in voxels", **confusion_rows(score)}]
    if score.by_track_end:
        tables.append({"title": "By distance to a track's end", **distance_rows(score.by_track_end)})
    value, _, error = percent(score.accuracy, 2).partition(" ± ")
    page = render_page(
        "voxels_report.html",
        title=facts.title,
        facts=facts,
        n_events=f"{score.n_events:,}",
        n_voxels=f"{score.n_voxels:,}",
        accuracy={"value": value, "error": error},
        tiles=summary_items(score)[1:],
        classes=class_rows(score),
        published=published_accuracy_rows(score, facts.model or "this prediction", facts.measured_on),
        quoted={"data": DATA, "deck": DECK, "journal": JOURNAL},
        plots=_voxel_plots(score, truth, predicted, probability, facts.relabelled),
        tables=tables,
        michel=None if michels is None else _michel_part(michels, facts.measured_on),
    )
    write_text(Path(path), page)
