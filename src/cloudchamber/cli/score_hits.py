"""Scores of hits, for ``cloudchamber score`` and the demo."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cloudchamber.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float32
    from rich.table import Table

    from cloudchamber.score.hits import HitsScore
    from cloudchamber.score.hits_truth import HitTruth
    from cloudchamber.source.ragged import FileAttributes


class HitsPair(NamedTuple):
    """Truth and scores of the hits of all events, and what the file of scores says of itself."""

    n_events: int
    truth: "HitTruth"
    probability: "Float32[np.ndarray, 'hit 4']"
    about: "FileAttributes"


def read_hits_pair(out: Path, truth: Path) -> HitsPair:
    """Read scores of hits and the truth at them.

    Raises
    ------
    InputError
        if a file cannot be read, the events have no truth or no hits, or their hits are others.
    """
    import numpy as np

    from cloudchamber.score.hits_truth import join_truth, pixels_of_hits, truth_at
    from cloudchamber.source.hit_predictions import (
        HitPredictions,
        check_same_hits,
        holds_hit_predictions,
        read_hit_predictions,
    )
    from cloudchamber.source.wire_files import count_wire_file, iterate_wire_file

    if not holds_hit_predictions(out):
        raise InputError(out, "hit_scores", "scores of hits", "none; predict on readouts with hits")
    predicted, about = read_hit_predictions(out)
    n = count_wire_file(truth)
    if n != len(predicted):
        raise InputError(out, "hit_count", f"the {n} events of {truth}", str(len(predicted)))
    parts = []
    for event, block in enumerate(iterate_wire_file(truth, truth=True)):
        own = HitPredictions(
            predicted.hit_offsets[event : event + 2] - predicted.hit_offsets[event], predicted.scores[:0]
        )
        check_same_hits(own, block, out, truth)
        try:
            parts.append(truth_at(block, pixels_of_hits(block)))
        except ValueError as error:
            raise InputError(truth, f"event {event}", "activity, Michel, hits", str(error)) from error
    return HitsPair(n, join_truth(parts, [1] * n), np.asarray(predicted.scores, np.float32), about)


def score_pair(pair: HitsPair) -> "HitsScore":
    """Score the hits of all events."""
    from cloudchamber.score.hits import score_hits

    return score_hits(pair.truth, pair.probability, n_events=pair.n_events)


def hits_tables(score: "HitsScore", model: str) -> list["Table"]:
    """Return the tables of a score."""
    from cloudchamber.cli.score import make_table
    from cloudchamber.show import hits_tables as rows

    tables = [
        make_table("Areas", rows.area_rows({model: score})),
        make_table("Mistags", rows.mistag_rows(score)),
        make_table("Selections", rows.selection_rows(score)),
    ]
    if score.by_energy:
        tables.append(make_table("By kinetic energy", rows.bin_rows(score.by_energy, "MeV")))
    if score.by_distance:
        title = "By distance to the next interaction"
        tables.append(make_table(title, rows.bin_rows(score.by_distance, "mm")))
    return tables


def score_hits_files(out: Path, truth: Path, json: Path | None, report: Path | None) -> None:
    """Score hits and print what came out."""
    from rich.console import Console

    from cloudchamber.files import write_text

    pair = read_hits_pair(out, truth)
    score = score_pair(pair)
    if json is not None:
        write_text(json, score.model_dump_json(indent=2) + "\n")
    if report is not None:
        from cloudchamber.cli.report_hits import find_hits_facts, write_report_of

        write_report_of(report, find_hits_facts(out, truth, pair), pair, score)
    console = Console(soft_wrap=False)
    for table in hits_tables(score, str(pair.about.get("model", "")) or "this prediction"):
        console.print(table)
    print(
        f"areas under the ROC curve on {score.n:,} hits of {score.n_events:,} events: EM against track "
        f"{score.em.area.text(4)}, Michel {score.michel.area.text(4)}"
    )
    for written in (json, report):
        if written is not None:
            print(written)
