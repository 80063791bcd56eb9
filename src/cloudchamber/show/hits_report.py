"""The report of a score of hits: one HTML page with ROC curves, efficiencies and tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from markupsafe import Markup
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict

from cloudchamber.errors import InputError
from cloudchamber.files import write_text
from cloudchamber.labels import Activity
from cloudchamber.prepare.hit_images import CLASSES
from cloudchamber.score.hits import HitsScore, VertexScore, em_score
from cloudchamber.score.hits_truth import HitTruth
from cloudchamber.score.published_hits import DECK
from cloudchamber.show.hits_plots import plot_bins, plot_distribution, plot_roc
from cloudchamber.show.hits_tables import (
    MEASURED_ON,
    RealPlane,
    area_rows,
    bin_rows,
    mistag_rows,
    selection_rows,
    summary_items,
    time_rows,
    vertex_rows,
)
from cloudchamber.show.page import render_page
from cloudchamber.show.tables import Rows
from cloudchamber.show.theme import inline_svg


class HitsFacts(BaseModel):
    """What a report says of how its numbers came about; as of the other tasks.

    Parameters
    ----------
    data, model_card, timing : whole sentences; ``model`` is a name.
    commands : the command lines that make it all again.
    simulated : whether the events come from cloudchamber's simulation; the page says so beside every number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = "Hits on the wires of a liquid-argon chamber"
    data: str = ""
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


def _plot(figure: Figure, name: str, caption: str) -> dict[str, Any]:
    return {"svg": Markup(inline_svg(figure, name, caption)), "caption": caption}


def _distributions(truth: HitTruth, probability: Float[np.ndarray, "hit 4"]) -> list[dict[str, Any]]:
    is_em, is_track = (truth.classes == CLASSES.index(each) for each in (Activity.EM, Activity.TRACK))
    em, michel = em_score(probability), probability[:, 3].astype(np.float64)
    return [
        _plot(
            plot_distribution({"track": em[is_track], "em": em[is_em]}, "p(em) / (p(track) + p(em))"),
            "plot-em-scores", "Share of true tracks and of true electromagnetic hits by score.",
        ),
        _plot(
            plot_distribution(
                {"track": michel[is_track], "em": michel[is_em & ~truth.michel],
                 "Michel": michel[truth.michel]}, "p(Michel)",
            ),
            "plot-michel-scores", "Share of hits by the score for Michel electrons.",
        ),
    ]  # fmt: skip


def _plots(score: HitsScore, others: Mapping[str, HitsScore], name: str) -> list[dict[str, Any]]:
    every = {name: score, **others}
    plots = [
        _plot(
            plot_roc({key: each.em for key, each in every.items()}, "EM hits", "track hits"), "plot-roc-em",
            "Share of track hits selected as EM-like against the efficiency for EM hits.",
        ),
        _plot(
            plot_roc({key: each.michel for key, each in every.items()}, "Michel hits", "other hits"),
            "plot-roc-michel",
            "Share of other hits selected as Michel-like against the efficiency for Michel hits.",
        ),
    ]  # fmt: skip
    for bins, label, key, caption in (
        (score.by_energy, "kinetic energy (MeV)", "energy",
         "Efficiency at a cut of a half by the kinetic energy of the particle behind a hit."),
        (score.by_distance, "distance to the next interaction (mm)", "distance",
         "Efficiency at a cut of a half by the distance, along wires and drift, to the next interaction."),
    ):  # fmt: skip
        if bins:
            plots.append(_plot(plot_bins(bins, label), f"plot-{key}", caption))
    return plots


def _beside_real(planes: Sequence[RealPlane]) -> list[dict[str, Any]]:
    return [
        _plot(
            plot_distribution(
                {where: em_score(each) for where, each in plane.sets.items()},
                "p(em) / (p(track) + p(em))", of="lit pixels",
            ),
            f"plot-real-{k}", f"{plane.name}: share of lit pixels by score, simulated and of a real plane.",
        )
        for k, plane in enumerate(planes)
    ]  # fmt: skip


def write_hits_report(
    path: Path,
    *,
    truth: HitTruth,
    probability: Float[np.ndarray, "hit 4"],
    score: HitsScore,
    others: Mapping[str, HitsScore] | None = None,
    vertices: VertexScore | None = None,
    beside: Mapping[str, Rows] | None = None,
    planes: Sequence[RealPlane] = (),
    seconds: Mapping[str, tuple[float, int]] | None = None,
    facts: HitsFacts,
) -> None:
    """Write one self-contained HTML page (well under 1 MB) that needs no network.

    Parameters
    ----------
    path : where the page goes.
    truth, probability : of the hits scored.
    score : of these, from :func:`cloudchamber.score.hits.score_hits`.
    others : scores of other networks, or on other data, to be drawn beside it.
    vertices : the score of a network for vertices.
    beside : further tables, by title, of other models or data.
    planes : what models say of lit pixels of the simulation and of a real plane, to be drawn.
    seconds : time of an event of 6 APAs and processors, by name, beside the published times.
    facts : how data and model came about.

    Raises
    ------
    InputError
        if the path cannot be written, or the score is of other hits.
    """
    if not score.n == len(truth) == len(probability):
        wanted = f"that of {len(truth)} hits with {len(probability)} predictions"
        raise InputError("report", "score", wanted, f"{score.n} hits")
    name = facts.model or "this prediction"
    tables = [{"title": "Selections", **selection_rows(score)}]
    for bins, title, label in (
        (score.by_energy, "By kinetic energy", "MeV"),
        (score.by_distance, "By distance to the next interaction", "mm"),
    ):
        if bins:
            tables.append({"title": title, **bin_rows(bins, label)})
    page = render_page(
        "hits_report.html",
        title=facts.title,
        facts=facts,
        n_hits=f"{score.n:,}",
        at=score.at,
        n_events=f"{score.n_events:,}",
        em=score.em.area.text(4),
        michel=score.michel.area.text(4),
        tiles=summary_items(score)[2:],
        areas=area_rows({name: score, **(others or {})}),
        mistags=mistag_rows(score),
        plots=[
            *_plots(score, others or {}, name),
            *_distributions(truth, probability),
            *_beside_real(planes),
        ],
        tables=tables,
        beside=[{"title": title, **rows} for title, rows in (beside or {}).items()],
        vertices=None if vertices is None else vertex_rows(vertices),
        times=time_rows(seconds),
        quoted={"deck": DECK},
    )
    write_text(Path(path), page)
