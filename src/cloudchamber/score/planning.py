"""What a user plans with: scores at every point of a scan, with errors and the time it takes."""

import csv
import io

from cloudchamber.score.bootstrap import Estimate, Frozen
from cloudchamber.score.walls import WallsScore
from cloudchamber.simulate.walls.variations import SCANS, Scan

__all__ = ["SCANS", "Curve", "Plan", "PlanPoint", "Rates", "Scan", "plan_csv", "scan_time_text"]
_FIGURES = ("iou", "precision", "recall", "base_right", "top_right", "perfect")


class PlanPoint(Frozen):
    """One point of a scan: ``x`` in the axis' unit, what was simulated there and how it was scored.

    ``seconds`` is how long the muons take at sea level; errors are bootstrap errors over the ``n`` volumes.
    ``changed``: more than the exposure differs from the setting, and so from what a network was trained on.
    """

    scan: str
    setting: str
    bundle: str
    x: float
    label: str
    changed: bool
    muons: int
    seconds: float
    n: int
    iou: Estimate
    precision: Estimate
    recall: Estimate
    base_right: Estimate
    top_right: Estimate
    perfect: Estimate

    @classmethod
    def of(cls, score: WallsScore, **where: str | float | int) -> "PlanPoint":
        """Return the point that a score belongs to."""
        figures = {name: getattr(score, name) for name in _FIGURES}
        return cls.model_validate({**where, "n": score.n, **figures})


class Rates(Frozen):
    """Where the scanning time of one setting comes from (see ``cloudchamber.simulate.walls.flux``)."""

    setting: str
    flux_hz_per_m2: float
    area_m2: float
    reaching: float
    hz: float
    least_momentum_gev: float


class Curve(Frozen):
    """The points of one scan in one setting with one bundle, in order."""

    setting: str
    bundle: str
    points: tuple[PlanPoint, ...]


class Plan(Frozen):
    """All that was measured, and how."""

    version: str
    command: str
    seed: int
    n: int
    rates: tuple[Rates, ...]
    points: tuple[PlanPoint, ...]

    @property
    def scans(self) -> tuple[Scan, ...]:
        """The scans there are points of."""
        there = {point.scan for point in self.points}
        return tuple(scan for scan in SCANS if scan.name in there)

    def curves(self, scan: str) -> tuple[Curve, ...]:
        """Return the curves of a scan: one for each setting and bundle, in the order measured."""
        found: dict[tuple[str, str], list[PlanPoint]] = {}
        for point in self.points:
            if point.scan == scan:
                found.setdefault((point.setting, point.bundle), []).append(point)
        return tuple(Curve(setting=s, bundle=b, points=tuple(points)) for (s, b), points in found.items())


def scan_time_text(seconds: float) -> str:
    """Return a time with two digits and the unit that suits it."""
    for unit, length in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{float(f'{seconds / length:.2g}'):g} {unit}"
    return f"{float(f'{seconds:.2g}'):g} s"


def plan_csv(plan: Plan) -> str:
    """Return one line per point; an unknown value or error is empty."""
    figures = [part for name in _FIGURES for part in (name, f"{name}_error")]
    stream = io.StringIO()
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(
        ["scan", "setting", "bundle", "x", "label", "changed", "muons", "scan_minutes", "volumes", *figures]
    )
    for point in plan.points:
        rows.writerow(
            [
                point.scan, point.setting, point.bundle, f"{point.x:g}", point.label,
                int(point.changed), point.muons, f"{point.seconds / 60:.4g}", point.n,
                *(
                    "" if part is None else f"{part:.4f}"
                    for name in _FIGURES
                    for part in (getattr(point, name).value, getattr(point, name).error)
                ),
            ]
        )  # fmt: skip
    return stream.getvalue()
