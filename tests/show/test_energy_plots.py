"""Plots and tables of muon energies: what is in them, and that they become pictures."""

from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.axes import Axes

from cloudchamber.errors import InputError
from cloudchamber.score.bootstrap import Estimate
from cloudchamber.score.energy import score_energy
from cloudchamber.score.published_energy import ABLATIONS
from cloudchamber.show import energy_plots as plots
from cloudchamber.show import energy_tables as tables
from cloudchamber.show import energy_validation_plots as validation
from cloudchamber.show.theme import inline_svg, png_bytes
from tests.show.energy import Scored, scored_muons

OURS = {row.key: Estimate(value=17.0 + 0.1 * k, error=0.2) for k, row in enumerate(ABLATIONS[:-1])}


@pytest.fixture(scope="module")
def scored() -> Scored:
    return scored_muons()


def labelled(axes: Axes, label: str) -> np.ndarray:
    line = next(line for line in axes.lines if line.get_label() == label)
    return np.array([line.get_xdata(), line.get_ydata()], np.float64)


def test_resolution_has_the_bins_of_the_score(scored: Scored) -> None:
    axes = plots.plot_resolution(scored.score).axes[0]
    at, values = labelled(axes, "calorimeter")
    bins = (*scored.score.bins, *scored.score.beyond)
    np.testing.assert_allclose(values, [100 * (each.resolution.value or 0) for each in bins])
    np.testing.assert_allclose(at, [(each.low_gev + each.high_gev) / 2000 for each in bins])
    _, both = labelled(axes, "both together")
    _, tracker = labelled(axes, "tracker, 20% × E / TeV")
    np.testing.assert_allclose(tracker, [0, 160])
    assert (both <= np.minimum(values, 20 * at) + 1e-9).all()
    assert axes.get_xlabel() == "true energy (TeV)"


def test_predictions_are_counted(scored: Scored) -> None:
    axes = plots.plot_predictions(scored.true_gev, scored.predicted_gev, scored.calibration).axes[0]
    shown = axes.collections[0].get_array()
    assert shown is not None
    counts = np.ma.filled(shown, 0)
    assert 0.98 * len(scored.true_gev) < counts.sum() <= len(scored.true_gev)
    at, curve = labelled(axes, "calibration")
    np.testing.assert_allclose(curve, scored.calibration.predicted(1000 * at) / 1000)


def test_bias_beyond_the_axis_is_marked(scored: Scored) -> None:
    low = score_energy(scored.true_gev, 0.5 * scored.predicted_gev, resamples=5)
    axes = plots.plot_bias({"halved": low, "corrected": scored.score}).axes[0]
    marks = sum(np.size(line.get_xdata()) for line in axes.lines if line.get_marker() == "v")
    assert marks == len(low.bins) + len(low.beyond)
    assert axes.get_ylim() == pytest.approx((-15, 15))
    close = plots.plot_bias({"corrected": score_energy(scored.true_gev, scored.true_gev, resamples=5)}).axes[
        0
    ]
    assert close.get_ylim() == pytest.approx((-6.6, 6.6))


def test_coverage_and_ablation_show_what_they_are_given(scored: Scored) -> None:
    axes = plots.plot_coverage(scored.score).axes[0]
    drawn = [container for container in axes.containers if str(container.get_label()).startswith("by ")]
    assert len(drawn) == 2
    figure = plots.plot_ablation(OURS, {"trees": Estimate(value=15.0, error=None)})
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == [row.name for row in ABLATIONS] + ["trees"]
    points = [len(box.lines[0].get_xdata()) for box in figure.axes[0].containers]  # type: ignore[attr-defined]
    assert points == [len(ABLATIONS), len(OURS) + 1]


def test_plots_need_what_they_draw(scored: Scored) -> None:
    nothing = scored.score.model_copy(update={"bins": (), "beyond": (), "coverage": ()})
    for plot in (plots.plot_resolution, plots.plot_coverage):
        with pytest.raises(InputError):
            plot(nothing)
    with pytest.raises(InputError, match="one score or more"):
        plots.plot_bias({})


def test_validation_plots_hold_ours_against_the_reference() -> None:
    energy = np.array([1.0, 10.0, 100.0, 1000.0])
    table = {"ionisation": np.full(4, 2.0), "total": np.array([2.0, 2.5, 4.0, 17.0])}
    figure = validation.plot_stopping_power(energy, {key: 1.02 * each for key, each in table.items()}, table)
    ratios = [np.array(line.get_ydata()) for line in figure.axes[1].lines if np.size(line.get_xdata()) == 4]
    np.testing.assert_allclose(ratios, np.full((2, 4), 2.0))
    assert figure.axes[1].get_ylim() == pytest.approx((-6, 6))
    losses = {"p16": 0.003 * energy, "mean": 0.02 * energy}
    errors = {key: 0.01 * each for key, each in losses.items()}
    figure = validation.plot_loss_quantiles(energy[2:], *({k: v[2:] for k, v in each.items()}
                                                          for each in (losses, errors, losses)))  # fmt: skip
    assert [text.get_text() for text in figure.axes[1].get_xticklabels()] == ["100 GeV", "1 TeV"]
    at, ours = np.arange(5.0), np.arange(5.0) + 1
    profile = validation.plot_profile(at, ours, 0.1 * ours, ours, 0.1 * ours, log=True)
    edges = np.geomspace(1e-4, 10, 6)
    spectrum = validation.plot_cell_spectrum(edges, {"1 TeV": ours}, {"1 TeV": ours * 1.1})
    np.testing.assert_allclose(np.array(spectrum.axes[0].lines[-1].get_ydata()), ours)
    for k, each in enumerate((figure, profile, spectrum)):
        root = ElementTree.fromstring(inline_svg(each, f"plot{k}", "what it shows"))
        assert root.get("aria-label") == "what it shows"
        assert png_bytes(each).startswith(b"\x89PNG")


def test_tables_say_what_was_found(scored: Scored) -> None:
    rows = tables.energy_rows(scored.score)["rows"]
    assert len(rows) == len(scored.score.bins) + len(scored.score.beyond)
    assert rows[0][0] == "100–295"
    assert rows[0][5] == "4.0"
    assert {len(row) for row in rows} == {len(tables.energy_rows(scored.score)["head"])}
    coverage = tables.coverage_rows(scored.score.coverage)["rows"]
    assert [row[0] for row in coverage][:1] == ["all"]
    assert len(coverage) == 6
    items = dict(tables.summary_items(scored.score))
    assert items["mean improvement over the tracker, MI"] == f"{scored.score.mi.text(2)} %"
    assert items["rank correlation with the truth"] == scored.score.rank.text(4)
    bias, error = np.array([(each.bias.value, each.bias.error) for each in scored.score.bins], float).T
    assert items["χ² of these biases"] == f"{((bias / error) ** 2).sum():.1f} in {len(bias)} bins"
    assert len(items) == 8


def test_the_ablation_table_has_published_figures_beside_ours() -> None:
    table = tables.ablation_rows(OURS, {"trees": Estimate(value=15.3, error=0.1)})
    default, first = table["rows"][:2]
    assert default == ["default", "19.42 ± 0.08", "–", "17.00 ± 0.20", "–"]
    assert first[:4] == ["no batch norm", "18.5 ± 0.3", "−5 ± 1", "17.10 ± 0.20"]
    assert first[4] == "+0.6 ± 1.7"  # 0.2 / 17 and 0.2 / 17.1 in quadrature
    assert table["rows"][-2][3:] == ["–", "–"]
    assert table["rows"][-1] == ["trees", "–", "–", "15.30 ± 0.10", "−10.0 ± 1.2"]
