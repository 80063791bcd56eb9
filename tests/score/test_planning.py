"""Points of a plan: curves, CSV, times as text."""

import csv
import io

import pytest

from cloudchamber.score.bootstrap import Estimate
from cloudchamber.score.planning import Plan, PlanPoint, plan_csv, scan_time_text


def point(scan: str, setting: str, x: float, iou: float | None, bundle: str = "b") -> PlanPoint:
    known = Estimate(value=iou, error=None if iou is None else 0.01)
    return PlanPoint(
        scan=scan, setting=setting, bundle=bundle, x=x, label=f"{x:g}", changed=False, muons=1000,
        seconds=90.0, n=5,
        iou=known, precision=known, recall=known, base_right=known, top_right=known, perfect=known,
    )  # fmt: skip


def plan(*points: PlanPoint) -> Plan:
    return Plan(version="0", command="c", seed=1, n=5, rates=(), points=points)


def test_curves_are_by_setting_and_bundle() -> None:
    made = plan(
        point("span", "full", 5, 0.2),
        point("exposure", "full", 300, 0.1),
        point("exposure", "full", 300, 0.3, "other"),
        point("exposure", "full", 1000, 0.2),
    )
    assert [scan.name for scan in made.scans] == ["exposure", "span"]
    curves = made.curves("exposure")
    assert [(curve.bundle, [p.x for p in curve.points]) for curve in curves] == [
        ("b", [300, 1000]),
        ("other", [300]),
    ]
    assert Plan.model_validate_json(made.model_dump_json()) == made


def test_csv_has_a_line_per_point_and_leaves_the_unknown_empty() -> None:
    text = plan_csv(plan(point("span", "full", 5, 0.2), point("span", "full", 10, None)))
    one, other = csv.DictReader(io.StringIO(text))
    assert (one["scan"], one["x"], one["iou"], one["iou_error"]) == ("span", "5", "0.2000", "0.0100")
    assert one["scan_minutes"] == "1.5"
    assert (other["iou"], other["iou_error"]) == ("", "")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0164, "0.016 s"), (0.67, "0.67 s"), (55.0, "55 s"), (90.0, "90 s"), (600.0, "10 min"), (1e4, "2.8 h"),
     (1e6, "12 d")],
)  # fmt: skip
def test_times(seconds: float, text: str) -> None:
    assert scan_time_text(seconds) == text
