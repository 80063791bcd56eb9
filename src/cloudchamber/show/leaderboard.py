"""A leaderboard as rows of text and as one HTML page with its plots."""

from pathlib import Path
from typing import Any

from markupsafe import Markup

from cloudchamber.files import write_text
from cloudchamber.score.leaderboard import Leaderboard, LeaderboardRow
from cloudchamber.score.published import SOURCE
from cloudchamber.show.leaderboard_plots import plot_cost, plot_ranking, row_label
from cloudchamber.show.page import render_page
from cloudchamber.show.tables import Rows, iou_text
from cloudchamber.show.theme import inline_svg

_RANKING = (
    "Mean IOU. Bars: measured here, on {here}, with bootstrap errors over volumes. Diamonds: published, on "
    "the challenge's private test set, or where marked † on other volumes of the challenge."
)
_COST = (
    "IOU measured here against the time that a volume takes, symmetric views and cuts included. The area of "
    "a mark grows with the cube root of the number of parameters. What takes less than a microsecond (the "
    "cuts on X0) is left out."
)


def duration_text(seconds: float | None) -> str:
    """Return a duration in seconds, minutes or hours, whichever is readable."""
    if seconds is None:
        return "–"
    for limit, unit, size in ((90, "s", 1), (5400, "min", 60), (172_800, "h", 3600)):
        if seconds < limit:
            return f"{seconds / size:.{1 if size == 3600 else 0}f} {unit}"
    return f"{seconds / 86_400:.1f} days"


def _count(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"


def _milliseconds(value: float | None) -> str:
    if value is None:
        return "–"
    if value < 0.001:
        return "<0.001"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def _training(row: LeaderboardRow) -> str:
    if row.train_volumes is None:
        return "–"
    return f"{row.train_volumes:,}" + (f" × {row.epochs}" if row.epochs else "")


def _published(row: LeaderboardRow) -> tuple[str, str]:
    """Return public and private IOU; a dagger marks what was measured on other volumes."""
    if row.other_iou is not None:
        return "–", f"{iou_text(row.other_iou).rstrip()}†"
    return iou_text(row.public_iou), iou_text(row.private_iou)


HEAD = ["system", "public", "private", "IOU here", "parameters", "ms/volume"]
MORE = ["behind the best", "trained on", "training"]


def _cells(row: LeaderboardRow, name: str) -> list[str]:
    return [
        name,
        *_published(row),
        "–" if row.iou is None else row.iou.text(4),
        _count(row.parameters),
        _milliseconds(row.inference_ms),
    ]


def _more_cells(row: LeaderboardRow) -> list[str]:
    behind = "–" if row.behind is None else row.behind.text(4)
    return [behind, _training(row), duration_text(row.train_seconds)]


def leaderboard_rows(board: Leaderboard, *, wide: bool = True) -> Rows:
    """Return the leaderboard as a table: the published IOU beside that measured here, and its cost.

    Without ``wide`` it fits 80 letters: it leaves out the distance to the best and the training.
    """
    rows = [
        [*_cells(row, row_label(row, board.rows)), *(_more_cells(row) if wide else [])] for row in board.rows
    ]
    return Rows(head=[*HEAD, *(MORE if wide else [])], rows=rows)


def leaderboard_notes(board: Leaderboard) -> list[str]:
    """Return what a reader must know to compare the columns, a sentence or two each."""
    notes = [
        "Published: on the challenge's own volumes (5036 public, 25,000 private), trained on its own data. "
        f"Here: on {board.measured_on}. Compare the columns with that in mind.",
        "† on other volumes of the challenge: "
        + "; ".join(f"{row.name}: {row.measured_on}" for row in board.rows if row.other_iou is not None)
        + ".",
        "Errors are bootstrap errors over the test volumes; they do not hold the spread between trainings. "
        "The distance to the best is taken volume by volume, on the same volumes.",
    ]
    if board.quick:
        notes.insert(
            0,
            "This is the quick version: few volumes and epochs, so that all parts are seen at work. Its IOU "
            "says little of what the systems reach when they are trained in full.",
        )
    return notes


PAGE_HEAD = [
    "published, public", "published, private", "IOU here", "parameters", "trained on, volumes × epochs",
    "ms per volume",
]  # fmt: skip


def _full_name(row: LeaderboardRow) -> str:
    return row.name if row.entry in ("", row.name) else f"{row.name} ({row.entry})"


def _table_row(row: LeaderboardRow) -> dict[str, Any]:
    """Return a row of the page; in ``under`` what stands under a cell, by the cell's column."""
    entry = "" if row.entry in ("", row.name) else row.entry
    _, public, private, here, parameters, ms = _cells(row, "")
    behind, trained, seconds = _more_cells(row)
    columns = [
        (public, ""), (private, ""), (here, f"{behind} behind" if row.behind else ""), (parameters, ""),
        (trained, seconds if row.train_seconds is not None else ""), (ms, ""),
    ]  # fmt: skip
    about = "; ".join(part for part in (row.method, entry, row.notes) if part)
    return {"name": row.name, "about": about, "columns": columns, "ours": row.kind == "ours"}


def write_leaderboard(path: Path, board: Leaderboard) -> None:
    """Write a leaderboard as one self-contained HTML page that needs no network.

    Raises
    ------
    InputError
        if the path cannot be written.
    """
    measured = [row for row in board.rows if row.iou is not None]
    best = measured[0] if measured else None
    plots = [
        (plot_ranking(board.rows), "plot-ranking", _RANKING.format(here=board.measured_on)),
        (plot_cost(board.rows), "plot-cost", _COST),
    ]
    page = render_page(
        "leaderboard.html",
        title="Buried walls: the leaderboard" if board.task == "walls" else f"{board.task}: the leaderboard",
        board=board,
        best=_full_name(best) if best else "",
        best_iou=best.iou.text() if best and best.iou else "",
        head=["system", *PAGE_HEAD],
        rows=[_table_row(row) for row in board.rows],
        notes=leaderboard_notes(board),
        plots=[
            {"svg": Markup(inline_svg(figure, name, caption)), "caption": caption}
            for figure, name, caption in plots
        ],
        source=SOURCE,
    )
    write_text(path, page)
