"""Scores of muon energies, for ``cloudchamber score`` and the demo."""

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cloudchamber.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float, Shaped
    from rich.table import Table

    from cloudchamber.score.energy import EnergyScore
    from cloudchamber.score.energy_calibration import DeckCalibration, EnergyCalibration
    from cloudchamber.source.energy_predictions import EnergyPredictions
    from cloudchamber.source.ragged import FileAttributes


class Scored(NamedTuple):
    """Scores of predictions: as the file corrects them, as the network gives them, by the published curve."""

    energy: "EnergyScore"
    raw: "EnergyScore"
    deck: "EnergyScore | None"


class Curves(NamedTuple):
    """The curves that a file of predictions names, none where it does not."""

    calibration: "EnergyCalibration | None"
    deck: "DeckCalibration | None"


def read_truth(path: Path) -> tuple["Shaped[np.ndarray, 'event']", "FileAttributes"]:
    """Read the truth of all muons of a data set, without their cells, and its attributes.

    Raises
    ------
    InputError
        if the file has none, or an energy is not known.
    """
    from cloudchamber.source.energy import MUONS, find_muons
    from cloudchamber.source.hdf5 import open_hdf5
    from cloudchamber.source.muon_checks import check_muons
    from cloudchamber.source.ragged import read_whole

    with open_hdf5(path) as file:
        opened = find_muons(file, path, truth=True)
        if opened.muons is None:
            raise InputError(path, MUONS, "the truth of each muon", "none")
        muons = read_whole(opened.muons, path, MUONS)
    check_muons(muons, path, MUONS, 0)
    if not len(muons) or not (muons["energy_gev"] > 0).all():
        raise InputError(path, f"{MUONS}, energy_gev", "one known energy or more, all of them known", "none")
    return muons, opened.attributes


def read_energy_pair(out: Path, truth: Path) -> tuple["EnergyPredictions", "Float[np.ndarray, 'event']"]:
    """Read predictions and the true energies of the muons they are of.

    Raises
    ------
    InputError
        if a file cannot be read, the muons have no truth, or there are more or fewer of them.
    """
    from cloudchamber.source.energy_predictions import check_same_muons, read_energy_predictions

    muons, _ = read_truth(truth)
    predicted = read_energy_predictions(out)
    check_same_muons(predicted, len(muons), out, truth)
    return predicted, muons["energy_gev"].astype(float)


def read_curves(predicted: "EnergyPredictions", out: Path) -> Curves:
    """Return the curves that a file of predictions names.

    Raises
    ------
    InputError
        if they make no sense.
    """
    from pydantic import TypeAdapter, ValidationError

    from cloudchamber.score.energy_calibration import DeckCalibration, EnergyCalibration

    adapter: TypeAdapter[Any] = TypeAdapter(EnergyCalibration)
    try:
        found = jsonlib.loads(str(predicted.attributes.get("curves", "{}")))
        curves = {key: adapter.validate_python(found[key]) for key in Curves._fields if key in found}
    except (ValueError, TypeError, ValidationError) as error:
        raise InputError(out, "attribute curves", "curves that correct predictions", str(error)) from error
    deck = curves.get("deck")
    return Curves(curves.get("calibration"), deck if isinstance(deck, DeckCalibration) else None)


def score_all(
    predicted: "EnergyPredictions", true_gev: "Float[np.ndarray, 'event']", curves: Curves
) -> Scored:
    """Score energies and their intervals, corrected in each way there is."""
    from cloudchamber.score.energy import score_energy

    deck = curves.deck
    return Scored(
        score_energy(true_gev, predicted.energy_gev, predicted.low_gev, predicted.high_gev),
        score_energy(true_gev, predicted.raw_gev),
        None if deck is None else score_energy(true_gev, predicted.raw_gev, calibration=deck),
    )


def energy_tables(found: Scored, model: str) -> list["Table"]:
    """Return the tables of a score, beside the published figures."""
    from cloudchamber.cli.score import make_table
    from cloudchamber.score.published_energy import ABLATIONS, DATA
    from cloudchamber.show import energy_tables as rows
    from cloudchamber.show.tables import Rows

    quoted = [
        [f"published: {each.name}", rows.improvement_text(each.mi), DATA]
        for each in ABLATIONS
        if each.key in ("default", "no_cnn")
    ]
    ours = [
        [f"{model}, corrected by {how}", rows.improvement_text(score.mi), "the muons given"]
        for how, score in (
            ("the published curve", found.deck),
            ("nothing", found.raw),
            ("its own curve", found.energy),
        )
        if score is not None
    ]
    tables = [
        make_table(
            "Mean improvement over a tracker, published (quoted) and this one",
            Rows(head=["network", "MI (%)", "measured on"], rows=[*quoted, *ours]), last=True,
        ),
        make_table(
            "All muons",
            Rows(head=["", "value"], rows=[list(item) for item in rows.summary_items(found.energy)]),
        ),
        make_table("By true energy", rows.energy_rows(found.energy)),
    ]  # fmt: skip
    if found.energy.coverage:
        tables += [
            make_table("68% intervals by true energy", rows.coverage_rows(found.energy.coverage)),
            make_table(
                "68% intervals by prediction",
                rows.coverage_rows(found.energy.coverage_by_prediction, "prediction (GeV)"),
            ),
        ]
    return tables


def score_energy_files(out: Path, truth: Path, json: Path | None, report: Path | None) -> None:
    """Score predicted energies and print what came out."""
    from rich.console import Console

    from cloudchamber.files import write_text

    predicted, true_gev = read_energy_pair(out, truth)
    found = score_all(predicted, true_gev, read_curves(predicted, out))
    model = str(predicted.attributes.get("model", "")) or "this prediction"
    if json is not None:
        parts = {
            name: None if part is None else part.model_dump(mode="json")
            for name, part in found._asdict().items()
        }
        write_text(json, jsonlib.dumps(parts, indent=2) + "\n")
    if report is not None:
        from cloudchamber.cli.report_energy import find_energy_facts, write_report_of

        write_report_of(report, find_energy_facts(out, truth), predicted, true_gev, out)
    console = Console(soft_wrap=False)
    console.print(f"MI {found.energy.mi.text(2)} % on {found.energy.n_muons:,} muons")
    for table in energy_tables(found, model):
        console.print(table)
    for written in (json, report):
        if written is not None:
            print(written)
