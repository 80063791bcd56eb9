"""The report of a score of muon energies: one HTML page, with the published results, tables and plots."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict

from cloudchamber.errors import InputError
from cloudchamber.files import write_text
from cloudchamber.score.bootstrap import Estimate
from cloudchamber.score.energy import EnergyScore
from cloudchamber.score.energy_calibration import DeckCalibration, Energies, MedianCalibration
from cloudchamber.score.published_energy import DATA, DECK
from cloudchamber.show.energy_plots import (
    plot_ablation,
    plot_bias,
    plot_coverage,
    plot_predictions,
    plot_resolution,
)
from cloudchamber.show.energy_tables import (
    MEASURED_ON,
    ablation_rows,
    coverage_rows,
    energy_rows,
    improvement_text,
    summary_items,
)
from cloudchamber.show.page import render_page
from cloudchamber.show.theme import inline_svg


class EnergyFacts(BaseModel):
    """What a report says of how its numbers came about.

    Parameters
    ----------
    data, model_card, timing : whole sentences; ``model`` is a name.
    commands : the command lines that make it all again.
    simulated : whether the muons come from cloudchamber's simulation; the page says so beside every number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = "Muon energies from a fine calorimeter"
    data: str = ""
    seed: int | None = None
    model: str = ""
    model_card: str = ""
    timing: str = ""
    commands: tuple[str, ...] = ()
    simulated: bool = True

    @property
    def measured_on(self) -> str:
        """Say where the muons come from."""
        return MEASURED_ON if self.simulated else "the muons given"


def _plot(figure: Figure, name: str, caption: str) -> dict[str, Any]:
    return {"svg": Markup(inline_svg(figure, name, caption)), "caption": caption}


def _plots(
    score: EnergyScore,
    raw: EnergyScore | None,
    true_gev: Energies,
    predicted_gev: Energies,
    calibration: DeckCalibration | MedianCalibration | None,
) -> list[dict[str, Any]]:
    bias = {"corrected": score} if raw is None else {"as predicted": raw, "corrected": score}
    plots = [
        _plot(
            plot_resolution(score), "plot-resolution",
            "Fractional resolution of the calorimeter, of the tracker and of both together, with bootstrap "
            "errors as bands.",
        ),
        _plot(
            plot_predictions(true_gev, predicted_gev, calibration), "plot-predictions",
            "Muons by true energy and prediction, and the curve that corrects the predictions."
            if calibration is not None
            else "Muons by true energy and prediction.",
        ),
        _plot(
            plot_bias(bias), "plot-bias",
            "Median prediction over median true energy, less 1, in bins of true energy. Arrows lie beyond "
            "the axis.",
        ),
    ]  # fmt: skip
    if score.coverage:
        caption = (
            "How many of the 68% intervals hold the true energy, in fifths of the muons. By true energy is "
            "what they are made for; by prediction they may be off where the spectrum ends."
        )
        plots.append(_plot(plot_coverage(score), "plot-coverage", caption))
    return plots


def write_energy_report(
    path: Path,
    *,
    true_gev: Energies,
    predicted_gev: Energies,
    score: EnergyScore,
    raw: EnergyScore | None = None,
    published: EnergyScore | None = None,
    calibration: DeckCalibration | MedianCalibration | None = None,
    ablation: Mapping[str, Estimate] | None = None,
    others: Mapping[str, Estimate] | None = None,
    facts: EnergyFacts,
) -> None:
    """Write one self-contained HTML page (well under 1 MB) that needs no network.

    Parameters
    ----------
    path : where the page goes.
    true_gev, predicted_gev : of the muons scored, before any correction.
    score : of these, corrected, from :func:`cloudchamber.score.energy.score_energy`.
    raw : of these as predicted, for the plot of the bias.
    published : of these with the published correction, which alone compares with published figures.
    calibration : that corrected them.
    ablation, others : MI of several networks, see :func:`cloudchamber.show.energy_tables.ablation_rows`;
        without the former, no part on them.
    facts : how data and model came about.

    Raises
    ------
    InputError
        if the path cannot be written, the score is of other muons, or none of them is in a bin of energy.
    """
    if not score.n_muons == len(true_gev) == len(predicted_gev):
        wanted = f"that of {len(true_gev)} muons with {len(predicted_gev)} predictions"
        raise InputError("report", "score", wanted, f"{score.n_muons} muons")
    tables = [{"title": "By true energy", **energy_rows(score)}]
    if score.coverage:
        tables += [
            {"title": "Intervals by true energy", **coverage_rows(score.coverage)},
            {
                "title": "Intervals by prediction",
                **coverage_rows(score.coverage_by_prediction, "prediction (GeV)"),
            },
        ]
    part = None
    if ablation is not None:
        caption = "MI of the default network and of each ablation, published (diamonds) and here (circles)."
        part = {
            "table": ablation_rows(ablation, others, facts.measured_on),
            "plots": [_plot(plot_ablation(ablation, others), "plot-ablation", caption)],
        }
    value, _, error = improvement_text(score.mi).partition(" ± ")
    tiles = summary_items(score)[1:]
    if published is not None:
        tiles.insert(0, ("MI with the published correction", f"{improvement_text(published.mi)} %"))
    page = render_page(
        "energy_report.html",
        title=facts.title,
        facts=facts,
        n_muons=f"{score.n_muons:,}",
        mi={"value": value, "error": error},
        tiles=tiles,
        plots=_plots(score, raw, true_gev, predicted_gev, calibration),
        tables=tables,
        ablation=part,
        quoted={"data": DATA, "deck": DECK},
    )
    write_text(Path(path), page)
