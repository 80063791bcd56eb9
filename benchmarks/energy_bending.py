"""How much MI says about a network, and how much about where its predictions bend.

The published correction is a straight line through mean predictions up to 4 TeV. It leaves a bend of the
predictions as it is, so that a map s (1 - exp(-p / s)) of the same predictions p, which adds no information,
changes MI; the correction by medians undoes any such map. Prints both, of the uncorrected predictions,
with every other muon for the corrections and the rest for the score, and the rank correlation, which no map
changes.

    cloudchamber simulate energy -n 10000 --seed 2026 -o test.h5
    cloudchamber predict energy/best test.h5 -o out.h5
    python benchmarks/energy_bending.py out.h5 test.h5
"""

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr

from cloudchamber.cli.score_energy import read_energy_pair
from cloudchamber.score.energy import score_energy
from cloudchamber.score.energy_calibration import fit_deck_calibration, fit_median_calibration

SCALES_GEV = (np.inf, 8000.0, 4000.0, 2000.0, 1000.0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("predictions", type=Path)
    parser.add_argument("muons", type=Path)
    chosen = parser.parse_args()
    predicted, true_gev = read_energy_pair(chosen.predictions, chosen.muons)
    raw = predicted.raw_gev.astype(float)
    fit, test = slice(0, None, 2), slice(1, None, 2)
    table = Table(title=f"{len(true_gev[test]):,} muons of {chosen.muons.name}")
    for name in ("s (TeV)", "MI, published line (%)", "MI, medians (%)"):
        table.add_column(name, justify="right")
    for scale in SCALES_GEV:
        bent = raw if np.isinf(scale) else -scale * np.expm1(-raw / scale)
        scores = [
            score_energy(true_gev[test], bent[test], calibration=fitted(true_gev[fit], bent[fit]))
            for fitted in (fit_deck_calibration, fit_median_calibration)
        ]
        name = "as they are" if np.isinf(scale) else f"{scale / 1000:g}"
        table.add_row(name, *(score.mi.text(2) for score in scores))
    console = Console(width=90)
    console.print(table)
    console.print(f"rank correlation of truth and prediction: {spearmanr(true_gev, raw).statistic:.4f}")


if __name__ == "__main__":
    main()
