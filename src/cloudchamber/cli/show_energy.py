"""Displays of muons in a calorimeter, for ``cloudchamber show``."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.errors import InputError

if TYPE_CHECKING:
    from cloudchamber.calorimeter_events import CalorimeterEvents


def show_energy(file: Path, index: int, prediction: Path | None, output: Path) -> None:
    """Write one muon as a page, with its predicted energy beside the true one if there is one.

    Raises
    ------
    InputError
        if the file holds no muons or not as many, or the predictions are of other muons.
    """
    from cloudchamber.show.energy_display import write_energy_display
    from cloudchamber.source.energy_predictions import check_same_muons, read_energy_predictions

    muon, index, n = _read_muon(file, index)
    facts = {"file": file.name, "muon": str(index)}
    predicted = interval = None
    if prediction is not None:
        found = read_energy_predictions(prediction)
        check_same_muons(found, n, prediction, file)
        predicted = found.energy_gev[index : index + 1].astype(np.float64)
        if found.low_gev is not None and found.high_gev is not None:
            interval = np.array([[found.low_gev[index], found.high_gev[index]]], np.float64)
        facts["prediction"] = str(found.attributes.get("model", prediction.name))
    write_energy_display(
        output, muon, predicted_gev=predicted, interval_gev=interval, title=f"{file.name}, muon {index}",
        names=(f"muon {index}",), facts=facts,
    )  # fmt: skip
    print(output)


def _read_muon(file: Path, index: int) -> "tuple[CalorimeterEvents, int, int]":
    """Read one muon of a data set of ours or of a LUMIN fold file; return it, its number and that of all."""
    from cloudchamber.cli.info_energy import EnergyKind, energy_kind
    from cloudchamber.source.energy import find_muons, read_muons
    from cloudchamber.source.hdf5 import open_hdf5
    from cloudchamber.source.lumin import count_lumin

    kind = energy_kind(file)
    if kind is EnergyKind.PREDICTIONS:
        raise InputError(file, "", EnergyKind.MUONS.value, kind.value)
    if kind is EnergyKind.LUMIN:
        n = sum(count_lumin(file).values())
    else:
        with open_hdf5(file) as opened:
            n = len(find_muons(opened, file))
    if not -n <= index < n:
        raise InputError(file, "", f"a muon within 0..{n - 1}", str(index))
    index %= n
    if kind is EnergyKind.LUMIN:
        return _read_lumin_muon(file, index), index, n
    return read_muons(file, start=index, stop=index + 1)[0], index, n


def _read_lumin_muon(file: Path, index: int) -> "CalorimeterEvents":
    from cloudchamber.source.lumin import BLOCK, count_lumin, iterate_lumin
    from cloudchamber.source.lumin_about import read_lumin_grid

    counts = count_lumin(file)
    ends = np.cumsum(list(counts.values()))
    place = int(np.searchsorted(ends, index, side="right"))
    fold = list(counts)[place]
    start = index - int(ends[place]) + counts[fold]
    parts = iterate_lumin(file, [fold], grid=read_lumin_grid(file), block=BLOCK)
    part = next(islice(parts, start // BLOCK, None))
    return part.events.chosen(start % BLOCK, start % BLOCK + 1)
