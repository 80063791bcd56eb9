"""The scores of muon energies as rows of text, the published ones beside them."""

from collections.abc import Mapping

from cloudchamber.score.bootstrap import Estimate
from cloudchamber.score.energy import EnergyScore
from cloudchamber.score.energy_intervals import CoverageBin
from cloudchamber.score.published_energy import ABLATIONS
from cloudchamber.show.tables import Rows
from cloudchamber.show.voxels_tables import percent

MEASURED_ON = "cloudchamber's simulation"


def improvement_text(mi: Estimate | None) -> str:
    """Return MI, which is in per cent already: ``19.42 ± 0.08``."""
    return "–" if mi is None else mi.text(2)


def _printed(figure: Estimate) -> str:
    """Return a published figure with the digits that its error was published with."""
    error = figure.error or 0.0
    return figure.text(0 if error >= 1 else 1 if error >= 0.1 else 2).replace("-", "−")


def _change(mi: Estimate | None, default: Estimate | None) -> str:
    """Return the change against the default in per cent of it, with the error of independent samples."""
    if mi is None or default is None or mi.value is None or not default.value:
        return "–"
    ratio = mi.value / default.value
    parts = [(each.error or 0.0) / each.value for each in (mi, default) if each.value]
    error = abs(ratio) * sum(part**2 for part in parts) ** 0.5
    return f"{100 * (ratio - 1):+.1f} ± {100 * error:.1f}".replace("-", "−")


def ablation_rows(
    ours: Mapping[str, Estimate],
    others: Mapping[str, Estimate] | None = None,
    measured_on: str = MEASURED_ON,
) -> Rows:
    """Return MI of each network of the ablation, published beside ours, and its change in per cent of MI.

    Parameters
    ----------
    ours : MI by the key of :data:`cloudchamber.score.published_energy.ABLATIONS`.
    others : MI of what has no published figure, by name, beneath.
    measured_on : what ours are measured on.
    """
    default = ours.get("default")
    rows = []
    for row in ABLATIONS:
        mine = ours.get(row.key)
        published = "–" if row.change_percent is None else _printed(row.change_percent)
        change = "–" if row.key == "default" else _change(mine, default)
        rows.append([row.name, _printed(row.mi), published, improvement_text(mine), change])
    rows += [
        [name, "–", "–", improvement_text(mi), _change(mi, default)] for name, mi in (others or {}).items()
    ]
    head = [
        "network", "published MI (%)", "published change (%)", f"MI on {measured_on} (%)", "change (%)"
    ]  # fmt: skip
    return Rows(head=head, rows=rows)


def energy_rows(score: EnergyScore) -> Rows:
    """Return a row for each bin of true energy."""
    rows = [
        [
            f"{each.low_gev:g}–{each.high_gev:g}",
            f"{each.n_muons:,}",
            percent(each.bias),
            percent(each.c68),
            percent(each.resolution),
            f"{100 * each.tracker:.1f}",
            percent(each.combined),
        ]
        for each in (*score.bins, *score.beyond)
    ]
    head = [
        "true energy (GeV)", "muons", "median bias (%)", "c68 (%)", "fractional RMSE (%)", "tracker (%)",
        "both (%)",
    ]  # fmt: skip
    return Rows(head=head, rows=rows)


def coverage_rows(bins: tuple[CoverageBin, ...], what: str = "true energy (GeV)") -> Rows:
    """Return a row for all muons and for each fifth of them: how many intervals hold the truth."""
    rows = [
        [
            "all" if k == 0 else f"{each.low_gev:.0f}–{each.high_gev:.0f}",
            f"{each.n_muons:,}",
            percent(each.coverage),
            percent(each.half_width),
        ]
        for k, each in enumerate(bins)
    ]
    return Rows(head=[what, "muons", "hold the truth (%)", "half width / truth (%)"], rows=rows)


def _worst_bias(score: EnergyScore) -> str:
    """Return the largest median bias of a bin, and where it is."""
    known = [(abs(each.bias.value), each) for each in score.bins if each.bias.value is not None]
    if not known:
        return "–"
    worst = max(known, key=lambda pair: pair[0])[1]
    return f"{percent(worst.bias)} % at {worst.true_gev:.0f} GeV"


def summary_items(score: EnergyScore) -> list[tuple[str, str]]:
    """Return name and value of what is said of all muons."""
    items = [
        ("mean improvement over the tracker, MI", f"{improvement_text(score.mi)} %"),
        ("rank correlation with the truth", score.rank.text(4)),
    ]
    for wanted in (1000.0, 3900.0):
        for each in score.bins:
            if each.low_gev <= wanted < each.high_gev:
                where = f"{each.true_gev / 1000:.1f} TeV"
                items.append((f"calorimeter's resolution at {where}", f"{percent(each.resolution)} %"))
    items.append(("largest median bias up to 4 TeV", _worst_bias(score)))
    pulls = [each.bias.value / each.bias.error for each in score.bins if each.bias.value and each.bias.error]
    if pulls:
        items.append(("χ² of these biases", f"{sum(pull**2 for pull in pulls):.1f} in {len(pulls)} bins"))
    if score.coverage:
        items.append(("68% intervals that hold the truth", f"{percent(score.coverage[0].coverage)} %"))
        fifths = [100 * each.coverage.value for each in score.coverage[1:] if each.coverage.value is not None]
        if fifths:
            items.append(("least and most, fifths of true energy", f"{min(fifths):.1f}–{max(fifths):.1f} %"))
    return items
