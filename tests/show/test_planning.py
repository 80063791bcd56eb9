"""The page of a plan: every curve and number on it, one file, no network."""

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.container import ErrorbarContainer

from cloudchamber.score.bootstrap import Estimate
from cloudchamber.score.planning import Plan, PlanPoint, Rates
from cloudchamber.show.plan_plots import number_text, plot_scan
from cloudchamber.show.planning import rate_text, write_plan
from cloudchamber.simulate.walls.config import CHALLENGE, FULL
from cloudchamber.simulate.walls.variations import SCANS, Scan, vary


def made() -> Plan:
    points = []
    for scan in SCANS:
        for setting in (CHALLENGE, FULL):
            for k, variation in enumerate(vary(scan.name, setting)):
                unknown = scan.name == "span" and k == 0
                known = Estimate(value=None if unknown else 0.123 + 0.1 * k, error=None if unknown else 0.017)
                points.append(
                    PlanPoint(
                        scan=scan.name, setting=setting, bundle=f"net-{setting}", x=variation.x,
                        label=variation.label, changed=variation.changed, seconds=0.5, n=20,
                        muons=variation.config.muons.count,
                        iou=known, precision=known, recall=known, base_right=known, top_right=known,
                        perfect=known,
                    )
                )  # fmt: skip
    rates = tuple(
        Rates(
            setting=setting, flux_hz_per_m2=109, area_m2=270, reaching=0.51, hz=15_000.0, least_momentum_gev=p
        )
        for setting, p in ((CHALLENGE, 1.0), (FULL, 0.5))
    )
    return Plan(
        version="0", command="cloudchamber plan walls", seed=9, n=20, rates=rates, points=tuple(points)
    )


def test_page_holds_every_curve_and_number(tmp_path: Path) -> None:
    plan = made()
    paths = write_plan(tmp_path / "new" / "plan", plan)
    assert [path.name for path in paths] == ["plan.json", "plan.csv", "plan.html"]
    assert Plan.model_validate_json(paths[0].read_text()) == plan
    assert len(paths[1].read_text().splitlines()) == len(plan.points) + 1
    page = paths[2].read_text()
    assert page.count("<svg ") == len(SCANS)
    for words in ("mean IOU", "hit resolution (mm)", "muons per volume", "scanning time at sea level (full)",
                  "0.123 ± 0.017", "net-full", "cloudchamber plan walls", "Seed 9", "100,000"):  # fmt: skip
        assert words in page
    assert not re.search(r'(src|href)="?https?:', page)
    assert "plotly" not in page
    assert len(page) < 400_000


def test_rates_say_what_they_count() -> None:
    challenge, full = (rate_text(rate) for rate in made().rates)
    assert "above 1 GeV/c, as if each had 1 GeV/c" in challenge
    assert "muons above 0.5 GeV/c" in full
    assert "15,000 per second, 0.9 million a minute" in full


@pytest.mark.parametrize("scan", SCANS, ids=[each.name for each in SCANS])
def test_axes_have_units_and_all_points(scan: Scan) -> None:
    axes = plot_scan(made(), scan).axes[0]
    assert axes.get_ylim() == (0, 1)
    assert axes.get_ylabel() == "mean IOU"
    assert axes.get_xlabel() == ("" if scan.scale == "names" else scan.axis)
    bars = [each for each in axes.containers if isinstance(each, ErrorbarContainer)]
    drawn = sum(np.size(each.lines[0].get_xdata()) for each in bars)
    points = [point for point in made().points if point.scan == scan.name]
    assert drawn == len([point for point in points if point.iou.value is not None])
    assert {axes.get_legend_handles_labels()[1][k] for k in (0, 1)} == {CHALLENGE, FULL}


def test_several_bundles_are_told_apart() -> None:
    plan = made()
    more = tuple(point.model_copy(update={"bundle": "second"}) for point in plan.points)
    axes = plot_scan(plan.model_copy(update={"points": plan.points + more}), SCANS[0]).axes[0]
    assert f"{FULL}, second" in axes.get_legend_handles_labels()[1]


def test_numbers_on_axes() -> None:
    assert [number_text(v) for v in (0.05, 10, 3000, 1e5, 2e6)] == ["0.05", "10", "3k", "100k", "2M"]
