"""The leaderboard as text; tests/browser opens pages."""

import re
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.score.bootstrap import bootstrap_mean
from cloudchamber.score.leaderboard import Leaderboard, LeaderboardRow, rank, start_row
from cloudchamber.show.leaderboard import (
    HEAD,
    MORE,
    duration_text,
    leaderboard_notes,
    leaderboard_rows,
    write_leaderboard,
)
from cloudchamber.show.leaderboard_plots import plot_cost, plot_ranking, row_label


def board(quick: bool = True) -> Leaderboard:
    rng = np.random.default_rng(1)
    volumes = {name: rng.uniform(low, 0.9, 50) for name, low in (("walls/bury", 0.6), ("<new>", 0.7))}

    def row(published: str, entry: str, ms: float) -> LeaderboardRow:
        figures = {
            "entry": entry, "iou": bootstrap_mean(volumes[entry]), "n_test": 50, "parameters": 12_345,
            "train_volumes": 4000, "epochs": 3, "train_seconds": 100.0, "inference_ms": ms,
        }  # fmt: skip
        return start_row(published, entry).model_copy(update=figures)

    rows = [row("Bury", "walls/bury", 0.5), row("", "<new>", 20.0)]
    return Leaderboard(
        task="walls", command="cloudchamber compare walls -o x", quick=quick,
        measured_on="cloudchamber's simulation", test="Test set: 50 volumes.", training="Trained on 4,000.",
        hardware="Times on 1 thread.", rows=rank(rows, volumes),
    )  # fmt: skip


def test_rows_put_published_and_measured_side_by_side() -> None:
    found = leaderboard_rows(board())
    assert found["head"] == [*HEAD, *MORE]
    assert leaderboard_rows(board(), wide=False)["head"] == HEAD
    names = [row[0] for row in found["rows"]]
    assert names[:2] == ["<new>", "Bury"]
    bury, single = found["rows"][1], found["rows"][names.index("Single cut")]
    assert bury[1:3] == ["0.7925", "0.7931"]
    assert re.fullmatch(r"0\.7\d{3} ± 0\.0\d{3}", bury[3])
    assert bury[4:6] == ["12,345", "0.5"]
    assert re.fullmatch(r"0\.0\d{3} ± 0\.0\d{3}", bury[6])
    assert bury[7:] == ["4,000 × 3", "2 min"]
    assert single[1:] == ["–", "0.222†", "–", "–", "–", "–", "–", "–"]


def test_page_says_where_numbers_come_from(tmp_path: Path) -> None:
    write_leaderboard(tmp_path / "board.html", board())
    page = (tmp_path / "board.html").read_text(encoding="utf-8")
    for part in (
        "the quick version", "&lt;new&gt;", "0.7931", "cloudchamber compare walls -o x", "Test set: 50",
        "Trained on 4,000.", "Times on 1 thread.", "on the challenge&#39;s own volumes", 'id="plot-cost',
        'id="plot-ranking',
    ):  # fmt: skip
        assert part in page, part
    assert "<new>" not in re.sub(r'aria-label="[^"]*"', "", page)
    assert "<script" not in page
    assert len(page) < 400_000
    assert not re.search(r'<(img|link|iframe)[^>]+(src|href)="(?!data:)', page)


def test_page_of_the_full_version_and_of_nothing_measured(tmp_path: Path) -> None:
    assert not any("quick" in note for note in leaderboard_notes(board(quick=False)))
    empty = board(quick=False).model_copy(update={"rows": rank((), {})})
    write_leaderboard(tmp_path / "empty.html", empty)
    assert 'class="result"' not in (tmp_path / "empty.html").read_text(encoding="utf-8")


def test_plots_show_what_was_measured() -> None:
    rows = board().rows
    ranking, cost = plot_ranking(rows).axes[0], plot_cost(rows).axes[0]
    widths = [bar.get_window_extent().width / ranking.bbox.width for bar in ranking.patches]
    assert widths == pytest.approx([row.iou.value for row in rows if row.iou])
    assert [label.get_text() for label in ranking.get_yticklabels()] == [row.name for row in rows]
    assert cost.get_xscale() == "log"
    assert {text.get_text() for text in cost.texts} == {"Bury", "<new>"}


def test_cost_leaves_out_what_takes_no_time() -> None:
    rows = [row.model_copy(update={"inference_ms": 1e-5}) for row in board().rows]
    assert len(plot_cost(rows).axes[0].texts) == 0


def test_many_points_on_one_spot_all_have_their_label() -> None:
    row = next(row for row in board().rows if row.iou)
    many = [row.model_copy(update={"name": f"system {k}", "entry": str(k)}) for k in range(14)]
    assert len(plot_cost(many).axes[0].texts) == 14


def test_names_that_are_given_twice() -> None:
    rows = [LeaderboardRow(name=name, kind="ours", entry=entry) for name, entry in ("ab", "ac", "dd")]
    assert [row_label(row, rows) for row in rows] == ["a (b)", "a (c)", "d"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0.2, "0 s"), (89, "89 s"), (600, "10 min"), (7200, "2.0 h"), (1e6, "11.6 days")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [(None, "–"), (6e-5, "<0.001"), (0.301, "0.3"), (3.28, "3.3"), (99, "99"), (1234.5, "1,234")],
)
def test_milliseconds(ms: float | None, text: str) -> None:
    rows = [row.model_copy(update={"inference_ms": ms}) for row in board().rows]
    found = leaderboard_rows(board().model_copy(update={"rows": tuple(rows)}))
    assert found["rows"][0][5] == text
