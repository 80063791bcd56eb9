"""Tables, plots and report of a score of hits."""

import re
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.score.hits import score_hits, score_vertices
from cloudchamber.score.hits_truth import HitTruth
from cloudchamber.show.hits_plots import plot_bins, plot_roc
from cloudchamber.show.hits_report import HitsFacts, write_hits_report
from cloudchamber.show.hits_tables import (
    area_rows,
    bin_rows,
    mistag_rows,
    selection_rows,
    summary_items,
    time_rows,
    vertex_rows,
)


def _hits(n: int = 3000) -> tuple[HitTruth, np.ndarray]:
    rng = np.random.default_rng(4)
    classes = rng.integers(0, 3, n).astype(np.uint8)
    michel = (classes == 1) & (rng.random(n) < 0.2)
    truth = HitTruth(
        np.sort(rng.integers(0, 12, n)), classes, michel, rng.integers(0, 5, n).astype(np.uint8),
        rng.gamma(2, 100, n).astype(np.float32), rng.gamma(2, 100, n),
    )  # fmt: skip
    em = 1 / (1 + np.exp(-rng.normal(2 * (classes == 1) - 1, 1)))
    p = 1 / (1 + np.exp(-rng.normal(4 * michel - 3, 1)))
    return truth, np.column_stack([0.9 * (1 - em), 0.9 * em, np.full(n, 0.1), p]).astype(np.float32)


TRUTH, PROBABILITY = _hits()
SCORE = score_hits(TRUTH, PROBABILITY, n_events=12)
VERTICES = score_vertices(
    TRUTH, np.random.default_rng(1).dirichlet((1,) * 5, len(TRUTH)).astype(np.float32), n_events=12
)


def test_tables_say_what_was_measured() -> None:
    assert area_rows({"a": SCORE})["rows"] == [
        ["a", SCORE.em.area.text(4), SCORE.michel.area.text(4), "3,000"]
    ]
    rows = selection_rows(SCORE)["rows"]
    assert [row[0] for row in rows[:2]] == ["em-like, p > 0.5", "track-like, p > 0.5"]
    assert rows[0][1] == f"{np.count_nonzero(TRUTH.classes == 1):,}"
    curve = SCORE.em
    mistag = float(mistag_rows(SCORE)["rows"][0][1]) / 100
    assert np.interp(0.9, curve.efficiency, curve.mistag) == pytest.approx(mistag, abs=0.03)
    assert len(bin_rows(SCORE.by_energy, "MeV")["rows"]) == len(SCORE.by_energy)
    assert bin_rows(SCORE.by_energy, "MeV")["rows"][-1][0].endswith("1000")
    assert vertex_rows(VERTICES)["rows"][-1][0] == "any"
    assert dict(summary_items(SCORE))["Michel"] == SCORE.michel.area.text(4)


def test_published_times_stand_beside_ours() -> None:
    rows = time_rows({"hits/best": (6.04, 2)})["rows"]
    assert [row[1:] for row in rows] == [["606.1", "4"], ["50.7", "4"], ["6.0", "2"]]
    assert all("quoted" in row[0] for row in rows[:2])


def test_plots_draw_every_curve_and_bin() -> None:
    axes = plot_roc({"one": SCORE.em, "two": SCORE.michel}, "EM", "tracks").axes[0]
    assert len(axes.lines) == 2
    assert axes.get_yscale() == "log"
    figure = plot_bins(SCORE.by_energy, "MeV")
    assert len(figure.axes[0].get_xticklabels()) == len(SCORE.by_energy)


def test_the_report_is_one_page_with_the_numbers(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    facts = HitsFacts(data="12 events were simulated.", seed=3, model="hits/best", commands=("cmd <x>",))
    write_hits_report(
        path, truth=TRUTH, probability=PROBABILITY, score=SCORE, others={"hits/paper": SCORE},
        vertices=VERTICES, seconds={"hits/best": (6.0, 2)}, facts=facts,
    )  # fmt: skip
    page = path.read_text(encoding="utf-8")
    for text in (
        SCORE.em.area.text(4), "12 events were simulated.", "cmd &lt;x&gt;", "plot-roc-em", "plot-energy",
        "plot-michel-scores", "606.1", "cloudchamber&#39;s simulation", "Vertices", "hits/paper",
    ):  # fmt: skip
        assert text in page, text
    assert not re.search(r'(src|href)="http', page)
    assert path.stat().st_size < 1_000_000


def test_a_score_of_other_hits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="3000 hits"):
        write_hits_report(
            tmp_path / "x.html", truth=TRUTH, probability=PROBABILITY[:5], score=SCORE, facts=HitsFacts()
        )
    assert not (tmp_path / "x.html").exists()
