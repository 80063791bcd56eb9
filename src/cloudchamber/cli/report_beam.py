"""Reports on labelled wire images and planes, for ``cloudchamber report``, ``score`` and the demo."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.cli.score_beam import BeamPair, chosen_score, read_beam_pair
from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.show.beam_report import BeamFacts

_SIDE = 480  # pixels of a shown plane, at most


def find_beam_facts(out: Path, truth: Path) -> "BeamFacts":
    """Return what predictions and data set say of themselves."""
    from cloudchamber.infer.beam_files import IMAGES
    from cloudchamber.show.beam_report import BeamFacts
    from cloudchamber.source.wire_predictions import read_wire_predictions
    from cloudchamber.source.wires import read_wire_events

    about = read_wire_predictions(out, stop=1)[1]
    events, attributes = read_wire_events(truth, stop=1)
    try:
        config = json.loads(str(attributes.get("config", "{}")))
    except json.JSONDecodeError:
        config = {}
    simulated = "seed" in attributes and isinstance(config, dict) and "setting" in config
    where, found, n = shlex.quote(str(truth)), shlex.quote(str(out)), attributes["n"]
    size = f"{n} events of {events.wires} wires and {events.drifts} pixels of {events.readout.rebin} ticks"
    flag = " --images" if IMAGES in about else ""
    model = shlex.quote(str(about.get("model", "")) or "MODEL")
    commands = [
        f"cloudchamber predict {model} {where} -o {found}{flag}",
        f"cloudchamber report {found} {where}",
    ]
    if simulated:
        commands.insert(
            0, f"cloudchamber simulate wires -n {n} -o {where} --seed {attributes['seed']} "
            f"--setting {config['setting']}",
        )  # fmt: skip
    least = about.get("least_signal", 0)
    truth_text = (
        f"What has less than {least:g} {events.readout.unit} per tick counts as background." if least else ""
    )
    return BeamFacts(
        data=f"{size} were {'simulated' if simulated else 'read'}.",
        truth=truth_text, seed=int(attributes["seed"]) if simulated else None,
        model=str(about.get("model", "")), model_card=str(about.get("card", "")), commands=tuple(commands),
        simulated=simulated,
    )  # fmt: skip


def write_report_of(path: Path, facts: "BeamFacts", pair: BeamPair, truth: Path) -> None:
    """Score predictions and write the report, with some of the events."""
    from cloudchamber.prepare.windows import reduce_windows
    from cloudchamber.score.beam import beam_iou_of_images
    from cloudchamber.show.beam_report import ShownImage, choose_events, write_beam_report
    from cloudchamber.source.wires import read_wire_events

    score = chosen_score(pair)
    rows = np.flatnonzero(pair.beam >= pair.least_beam)
    chosen_text = f"Scored are the {len(rows)} with {pair.least_beam} beam hits or more."
    if not len(rows) or not pair.least_beam:
        rows, chosen_text = np.arange(len(pair.beam)), ""
    iou = beam_iou_of_images(pair.truth[rows], pair.predicted[rows])
    shown = []
    for k in rows[choose_events(iou, pair.beam[rows])].tolist():
        event = read_wire_events(truth, start=k, stop=k + 1)[0]
        sides = [min(_SIDE, size) for size in pair.truth.shape[1:]]
        drawn = [
            reduce_windows(np.maximum, each, *sides)[0]
            for each in (event.signal(), pair.truth[k : k + 1], pair.predicted[k : k + 1])
        ]
        readout = event.readout
        shown.append(
            ShownImage(
                event=k, signal=drawn[0], truth=drawn[1], predicted=drawn[2], wires=event.wires,
                time_us=event.drifts * readout.rebin * readout.tick_us,
            )
        )  # fmt: skip
    write_beam_report(
        path, truth=pair.truth[rows], predicted=pair.predicted[rows], score=score, images=shown,
        facts=facts.model_copy(update={"chosen": chosen_text}),
    )  # fmt: skip


def report_beam(out: Path, truth: Path, output: Path) -> None:
    """Write the report on predictions of wire images or planes."""
    if output in (out, truth):
        raise InputError(output, "", "another file than the input", "the same")
    write_report_of(output, find_beam_facts(out, truth), read_beam_pair(out, truth), truth)
    print(output)
