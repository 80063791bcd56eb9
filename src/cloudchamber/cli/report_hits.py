"""Reports on hits, for ``cloudchamber report``, ``score --report`` and the demo."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.cli.score_hits import HitsPair
    from cloudchamber.score.hits import HitsScore
    from cloudchamber.show.hits_report import HitsFacts


def find_hits_facts(out: Path, truth: Path, pair: "HitsPair") -> "HitsFacts":
    """Return what predictions and data set say of themselves."""
    from cloudchamber.show.hits_report import HitsFacts
    from cloudchamber.source.hdf5 import open_hdf5, read_attributes

    with open_hdf5(truth) as file:
        attributes = read_attributes(file, truth)
    try:
        config = json.loads(str(attributes.get("config", "{}")))
    except json.JSONDecodeError:
        config = {}
    simulated = "seed" in attributes and isinstance(config, dict) and "setting" in config
    where, found = shlex.quote(str(truth)), shlex.quote(str(out))
    commands = [f"cloudchamber report {found} {where}"]
    data = f"{pair.n_events} readouts were read."
    if simulated:
        data = f"{pair.n_events} readouts were simulated, setting {config['setting']}."
        commands.insert(
            0,
            f"cloudchamber simulate wires -n {pair.n_events} -o {where} --seed {attributes['seed']} "
            f"--setting {config['setting']}",
        )
    return HitsFacts(
        data=data, seed=int(attributes["seed"]) if simulated else None,
        model=str(pair.about.get("model", "")), model_card=str(pair.about.get("card", "")),
        commands=tuple(commands), simulated=simulated,
    )  # fmt: skip


def write_report_of(
    path: Path,
    facts: "HitsFacts",
    pair: "HitsPair",
    score: "HitsScore",
    seconds: Mapping[str, tuple[float, int]] | None = None,
) -> None:
    """Write the report on scores of hits; ``seconds`` as in ``show.hits_report``."""
    from cloudchamber.show.hits_report import write_hits_report

    write_hits_report(
        path, truth=pair.truth, probability=pair.probability, score=score, seconds=seconds, facts=facts
    )


def report_hits(out: Path, truth: Path, output: Path) -> None:
    """Write the report on scores of hits."""
    from cloudchamber.cli.score_hits import read_hits_pair, score_pair

    if output in (out, truth):
        raise InputError(output, "", "another file than the input", "the same")
    pair = read_hits_pair(out, truth)
    write_report_of(output, find_hits_facts(out, truth, pair), pair, score_pair(pair))
    print(output)
