"""A plan as files: plan.json, plan.csv and one HTML page with its curves."""

from pathlib import Path
from typing import Any

from markupsafe import Markup

from cloudchamber.files import write_text
from cloudchamber.score.planning import Plan, Rates, Scan, plan_csv
from cloudchamber.show.page import render_page
from cloudchamber.show.plan_plots import plot_scan
from cloudchamber.show.tables import Rows
from cloudchamber.show.theme import inline_svg

JSON, CSV, HTML = "plan.json", "plan.csv", "plan.html"
HEAD = [
    "", "physics", "model", "IOU", "right deepest layer", "right highest layer", "muons", "minutes",
    "volumes",
]  # fmt: skip


def scan_rows(plan: Plan, scan: Scan) -> Rows:
    """Return a row for each point of a scan."""
    rows = [
        [
            point.label,
            point.setting,
            point.bundle,
            point.iou.text(),
            point.base_right.text(2),
            point.top_right.text(2),
            f"{point.muons:,}",
            f"{point.seconds / 60:.2g}",
            f"{point.n:,}",
        ]
        for curve in plan.curves(scan.name)
        for point in curve.points
    ]
    return Rows(head=[scan.axis, *HEAD[1:]], rows=rows)


def rate_text(rate: Rates) -> str:
    """Say where the scanning time of a setting comes from."""
    of = "all muons above 1 GeV/c, as if each had 1 GeV/c" if rate.least_momentum_gev == 1.0 else (
        f"muons above {rate.least_momentum_gev:g} GeV/c"
    )  # fmt: skip
    return (
        f"{rate.setting}: {of}: {rate.flux_hz_per_m2:.0f} per m² and second through a horizontal plane, "
        f"{rate.area_m2:.0f} m² of start area on the highest panel; {100 * rate.reaching:.0f}% of them head "
        f"for the volume: {rate.hz:,.0f} per second, {60 * rate.hz / 1e6:.2g} million a minute."
    )


def write_plan(folder: Path, plan: Plan) -> tuple[Path, Path, Path]:
    """Write plan.json, plan.csv and plan.html, one page that needs no network; return their paths.

    Raises
    ------
    InputError
        if the folder cannot be written.
    """
    plots: list[dict[str, Any]] = []
    for scan in plan.scans:
        svg = inline_svg(plot_scan(plan, scan), f"plan-{scan.name}", f"Mean IOU against {scan.axis}")
        plots.append(
            {"svg": Markup(svg), "title": scan.title, "caption": scan.about, **scan_rows(plan, scan)}
        )
    models: dict[str, list[str]] = {}
    for point in plan.points:
        if point.bundle not in models.setdefault(point.setting, []):
            models[point.setting].append(point.bundle)
    page = render_page(
        "plan.html",
        title="Planning a scan for buried walls",
        plan=plan,
        plots=plots,
        models=[(setting, ", ".join(names)) for setting, names in models.items()],
        rates=[rate_text(rate) for rate in plan.rates],
    )
    texts = {JSON: plan.model_dump_json(indent=2) + "\n", CSV: plan_csv(plan), HTML: page}
    for name, text in texts.items():
        write_text(folder / name, text)
    return folder / JSON, folder / CSV, folder / HTML
