"""The leaderboard: published results beside what was measured here, row by row."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np
from jaxtyping import Float

from cloudchamber.errors import InputError
from cloudchamber.score.bootstrap import Estimate, Frozen, bootstrap_mean
from cloudchamber.score.published import BASELINES, SOLUTIONS, STEPS, PublishedResult

Kind = Literal["published solution", "baseline", "ours"]
_ESTIMATES = ("iou", "behind")


class LeaderboardRow(Frozen):
    """One system: its published figures, and what it reached here.

    The published IOU (``public_iou``, ``private_iou``, or ``other_iou`` with ``measured_on``) is that on the
    challenge's own volumes; ``iou`` is that of the ``n_test`` volumes of this leaderboard, with its bootstrap
    error, and ``behind`` how far it lies behind the best on the same volumes. ``entry`` names the recipe, the
    bundle or the cuts that were measured; it is empty where nothing was.
    """

    name: str
    kind: Kind
    method: str = ""
    public_iou: float | None = None
    private_iou: float | None = None
    other_iou: float | None = None
    measured_on: str = ""
    entry: str = ""
    iou: Estimate | None = None
    behind: Estimate | None = None
    n_test: int | None = None
    parameters: int | None = None
    train_volumes: int | None = None
    epochs: int | None = None
    train_seconds: float | None = None
    inference_ms: float | None = None
    notes: str = ""

    @property
    def published_iou(self) -> float | None:
        """The published IOU, the private one if there are several."""
        known = (self.private_iou, self.public_iou, self.other_iou)
        return next((value for value in known if value is not None), None)


class Leaderboard(Frozen):
    """All rows of one comparison, sorted, and where its numbers come from.

    ``measured_on`` says in two words whose volumes the test set holds; ``test``, ``training`` and
    ``hardware`` are whole sentences on data, sizes and seeds, and on what the times were measured.
    """

    task: str
    command: str
    quick: bool
    measured_on: str
    test: str
    training: str
    hardware: str
    rows: tuple[LeaderboardRow, ...]


def find_published(name: str) -> tuple[PublishedResult, Kind]:
    """Return a published result by name, and whether it is a solution or a baseline.

    Raises
    ------
    InputError
        if there is none of that name.
    """
    kinds: tuple[tuple[tuple[PublishedResult, ...], Kind], ...] = (
        ((*SOLUTIONS, *STEPS), "published solution"),
        (BASELINES, "baseline"),
    )
    for results, kind in kinds:
        for result in results:
            if result.name == name:
                return result, kind
    names = ", ".join(result.name for result in (*SOLUTIONS, *STEPS, *BASELINES))
    raise InputError("published", name, f"one of {names}", "none of that name")


def start_row(published: str, name: str = "") -> LeaderboardRow:
    """Return the row of a published result before anything is measured, or of ours if it has none.

    Parameters
    ----------
    published : name of the published result; empty for ours.
    name : of ours.

    Raises
    ------
    InputError
        if no result of that name was published.
    """
    if not published:
        return LeaderboardRow(name=name, kind="ours")
    result, kind = find_published(published)
    wanted = ("name", "method", "public_iou", "private_iou", "other_iou", "measured_on", "parameters")
    return LeaderboardRow(kind=kind, **{key: getattr(result, key) for key in wanted})


def rank(
    rows: Iterable[LeaderboardRow], volumes: Mapping[str, Float[np.ndarray, "sample"]]
) -> tuple[LeaderboardRow, ...]:
    """Sort rows, the best first, complete them with published results, and say how far each is behind.

    Rows with an IOU of their own come first; then those that are published alone, by their published IOU.
    Results that are published and of which no row bears the name are added.

    Parameters
    ----------
    rows : one for each system; the ``entry`` of those with an IOU is different in each.
    volumes : IOU of every test volume (sample,) by ``entry``. The difference to the best is taken volume by
        volume, so its error is smaller than that of either: hard volumes are hard for both.

    Raises
    ------
    InputError
        if two entries were measured on different numbers of volumes.
    """
    given = list(rows)
    named = {row.name for row in given}
    given += [start_row(result.name) for result in (*SOLUTIONS, *BASELINES) if result.name not in named]
    ordered = sorted(given, key=_order)
    best = volumes.get(ordered[0].entry)
    return tuple(
        row.model_copy(update={"behind": _behind(best, volumes[row.entry], row.entry)})
        if best is not None and row.entry in volumes
        else row
        for row in ordered
    )


def _order(row: LeaderboardRow) -> tuple[bool, float, str, str]:
    value = row.iou.value if row.iou is not None and row.iou.value is not None else None
    shown = row.published_iou if value is None else value
    return (value is None, -(shown or 0.0), row.name, row.entry)


def _behind(
    best: Float[np.ndarray, "sample"], iou: Float[np.ndarray, "sample"], entry: str
) -> Estimate | None:
    if best.shape != iou.shape:
        raise InputError("leaderboard", entry, f"the IOU of {len(best)} volumes", f"{len(iou)}")
    return None if best is iou else bootstrap_mean(best - iou)


def csv_text(rows: Iterable[LeaderboardRow]) -> str:
    """Return rows as CSV with full precision: an estimate is two columns, what is not known is empty."""
    names: list[str] = []
    for name in LeaderboardRow.model_fields:
        names += [name, f"{name}_error"] if name in _ESTIMATES else [name]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        cells = row.model_dump()
        for name in _ESTIMATES:
            estimate = cells[name] or {"value": None, "error": None}
            cells |= {name: estimate["value"], f"{name}_error": estimate["error"]}
        writer.writerow(cells)
    return stream.getvalue()
