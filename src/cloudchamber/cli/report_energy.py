"""Reports on muon energies, for ``cloudchamber report``, ``score --report`` and the demo."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from cloudchamber.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float

    from cloudchamber.show.energy_report import EnergyFacts
    from cloudchamber.source.energy_predictions import EnergyPredictions


def find_energy_facts(out: Path, truth: Path) -> "EnergyFacts":
    """Return what predictions and data set say of themselves."""
    from cloudchamber.cli.score_energy import read_truth
    from cloudchamber.show.energy_report import EnergyFacts
    from cloudchamber.source.energy_predictions import read_energy_predictions

    muons, attributes = read_truth(truth)
    about = read_energy_predictions(out).attributes
    try:
        config = json.loads(str(attributes.get("config", "{}")))
    except json.JSONDecodeError:
        config = {}
    simulated = "seed" in attributes and isinstance(config, dict) and "setting" in config
    grid = " × ".join(str(attributes[key]) for key in ("nz", "nx", "ny"))
    n, cells = len(muons), f"{grid} cells (z, x, y)"
    where, found = shlex.quote(str(truth)), shlex.quote(str(out))
    commands = [f"cloudchamber report {found} {where}"]
    data = f"{n:,} muons in {cells} were read."
    if simulated:
        data = f"{n:,} muons in {cells} were simulated, setting {config['setting']}."
        commands.insert(
            0,
            f"cloudchamber simulate energy -n {n} -o {where} --seed {attributes['seed']} "
            f"--setting {config['setting']}",
        )
    return EnergyFacts(
        data=data, seed=int(attributes["seed"]) if simulated else None, model=str(about.get("model", "")),
        model_card=str(about.get("card", "")), commands=tuple(commands), simulated=simulated,
    )  # fmt: skip


def write_report_of(
    path: Path,
    facts: "EnergyFacts",
    predicted: "EnergyPredictions",
    true_gev: "Float[np.ndarray, 'event']",
    out: Path,
) -> None:
    """Score predictions of muon energies, which came from ``out``, and write the report."""
    from cloudchamber.cli.score_energy import read_curves, score_all
    from cloudchamber.show.energy_report import write_energy_report

    curves = read_curves(predicted, out)
    found = score_all(predicted, true_gev, curves)
    write_energy_report(
        path, true_gev=true_gev, predicted_gev=predicted.raw_gev.astype(float), score=found.energy,
        raw=found.raw, published=found.deck, calibration=curves.calibration, facts=facts,
    )  # fmt: skip


def report_energy(out: Path, truth: Path, output: Path) -> None:
    """Write the report on predictions of muon energies."""
    from cloudchamber.cli.score_energy import read_energy_pair

    if output in (out, truth):
        raise InputError(output, "", "another file than the input", "the same")
    write_report_of(output, find_energy_facts(out, truth), *read_energy_pair(out, truth), out)
    print(output)
