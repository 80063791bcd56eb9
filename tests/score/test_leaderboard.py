"""Rows of the leaderboard: order, completion, differences, CSV."""

import csv
import io

import numpy as np
import pytest

from cloudchamber.errors import InputError
from cloudchamber.score.bootstrap import Estimate, bootstrap_mean
from cloudchamber.score.leaderboard import LeaderboardRow, csv_text, find_published, rank, start_row
from cloudchamber.score.published import BASELINES, SOLUTIONS

RNG = np.random.default_rng(3)
HARD = RNG.uniform(0.2, 0.9, 400)
VOLUMES = {"walls/a": HARD + 0.05 + 0.01 * RNG.standard_normal(400), "walls/bury": HARD, "single": HARD - 0.1}


def measured(row: LeaderboardRow, entry: str) -> LeaderboardRow:
    return row.model_copy(update={"entry": entry, "iou": bootstrap_mean(VOLUMES[entry]), "n_test": 400})


ROWS = (
    measured(start_row("Single cut"), "single"),
    measured(start_row("Bury"), "walls/bury"),
    measured(start_row("", "walls/a"), "walls/a"),
)


def test_measured_first_then_published_alone() -> None:
    rows = rank(ROWS, VOLUMES)
    assert [row.entry for row in rows[:3]] == ["walls/a", "walls/bury", "single"]
    rest = [row.name for row in rows[3:]]
    wanted = [each for each in (*SOLUTIONS, *BASELINES) if each.name not in ("Bury", "Single cut")]
    assert sorted(rest) == sorted(each.name for each in wanted)
    values = [row.published_iou or 0.0 for row in rows[3:]]
    assert values == sorted(values, reverse=True)
    assert all(row.iou is None and row.behind is None for row in rows[3:])


def test_published_figures_stay_beside_ours() -> None:
    bury = next(row for row in rank(ROWS, VOLUMES) if row.name == "Bury")
    assert (bury.public_iou, bury.private_iou, bury.published_iou) == (0.7925, 0.7931, 0.7931)
    assert bury.kind == "published solution"
    assert find_published("Single cut")[1] == "baseline"
    assert start_row("", "walls/a").kind == "ours"
    with pytest.raises(InputError, match="published: Burry: expected one of Strong, Bury"):
        start_row("Burry")


def test_distance_to_the_best_is_taken_volume_by_volume() -> None:
    best, bury, single = rank(ROWS, VOLUMES)[:3]
    assert best.behind is None
    assert bury.behind is not None
    assert bury.iou is not None
    assert single.behind is not None
    assert bury.behind.value == pytest.approx(np.mean(VOLUMES["walls/a"] - HARD))
    assert (bury.behind.error or 1) < 0.1 * (bury.iou.error or 0)
    assert (single.behind.value or 0) > (bury.behind.value or 0)


def test_other_volumes_cannot_be_subtracted() -> None:
    with pytest.raises(InputError, match="leaderboard: single: expected the IOU of 400 volumes, found 7"):
        rank(ROWS, VOLUMES | {"single": np.zeros(7)})


def test_order_does_not_depend_on_the_order_given() -> None:
    assert rank(reversed(ROWS), VOLUMES) == rank(ROWS, VOLUMES)
    assert rank((), {})[0].name == "Strong"


def from_csv(line: dict[str, str]) -> LeaderboardRow:
    values: dict[str, object] = {}
    for name in LeaderboardRow.model_fields:
        text = line[name]
        if name in ("iou", "behind"):
            error = line[f"{name}_error"]
            values[name] = Estimate(value=float(text), error=float(error)) if text else None
        elif text or name in ("method", "measured_on", "entry", "notes"):
            values[name] = text
    return LeaderboardRow.model_validate(values)


def test_csv_holds_every_number_to_the_last_digit() -> None:
    awkward = ROWS[2].model_copy(
        update={"notes": 'commas, "quotes"\nand lines', "inference_ms": 1 / 3, "train_seconds": 1e-9}
    )
    rows = rank((*ROWS[:2], awkward), VOLUMES)
    text = csv_text(rows)
    assert tuple(from_csv(line) for line in csv.DictReader(io.StringIO(text))) == rows
    assert text.splitlines()[0].startswith("name,kind,method,public_iou,private_iou,")
