"""Predicted energies of muons: one number per muon, and an interval about it where a network gives one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32

from cloudchamber.errors import InputError
from cloudchamber.source.hdf5 import find_dataset, holds, open_hdf5, read_attributes
from cloudchamber.source.ragged import FileAttributes, check_header, check_number, read_whole
from cloudchamber.source.writer import Attributes, write_store

PREDICTED, RAW, LOW, HIGH = "energy_gev", "raw_gev", "low_gev", "high_gev"
ENERGY_PREDICTION_UNITS = {
    PREDICTED: "GeV, bias corrected",
    RAW: "GeV, as the network gives it",
    LOW: "GeV, lower end of the interval",
    HIGH: "GeV, upper end of the interval",
}
ENERGY_PREDICTION_AXES = "(event)"


@dataclass(frozen=True)
class EnergyPredictions:
    """Corrected and raw prediction of each muon's energy; the interval where there is one; attributes."""

    energy_gev: Float32[np.ndarray, "event"]
    raw_gev: Float32[np.ndarray, "event"]
    low_gev: Float32[np.ndarray, "event"] | None
    high_gev: Float32[np.ndarray, "event"] | None
    attributes: FileAttributes

    def __len__(self) -> int:
        """Return the number of muons."""
        return len(self.energy_gev)


def holds_predictions(path: Path) -> bool:
    """Say whether a file of the task "energy" holds predictions, not muons.

    Raises
    ------
    InputError
        if it is not HDF5, cut off or damaged.
    """
    with open_hdf5(path) as file:
        return holds(file, path, RAW)


def write_energy_predictions(
    path: Path,
    energy_gev: Float[np.ndarray, "event"],
    raw_gev: Float[np.ndarray, "event"],
    interval_gev: tuple[Float[np.ndarray, "event"], Float[np.ndarray, "event"]] | None,
    attributes: Attributes,
) -> None:
    """Write predictions as float32; ``interval_gev`` is its lower and upper ends.

    Raises
    ------
    InputError
        if there are none, the path cannot be written, or the arrays are not what a reader would accept.
    """
    arrays = {PREDICTED: energy_gev, RAW: raw_gev}
    if interval_gev is not None:
        arrays |= {LOW: interval_gev[0], HIGH: interval_gev[1]}
    found = {name: np.asarray(values, np.float32) for name, values in arrays.items()}
    n = len(found[PREDICTED])
    if n < 1:
        raise InputError(path, "", "predictions to write", "none")
    _check(found, path)
    about = {"task": "energy", **attributes}
    with write_store(path, n, about, ENERGY_PREDICTION_UNITS, axes=ENERGY_PREDICTION_AXES) as add:
        add(found)


def read_energy_predictions(path: Path) -> EnergyPredictions:
    """Read predicted energies.

    Raises
    ------
    InputError
        if the file is not HDF5, cut off or damaged; lacks a table, or types or lengths do not fit; an energy
        is not finite; or an interval has but one end, or ends in the wrong order.
    """
    with open_hdf5(path) as file:
        attributes = read_attributes(file, path)
        if "task" not in attributes:
            raise InputError(path, "attribute task", "'energy'", "none")
        check_header(attributes, path, "energy")
        names = [PREDICTED, RAW]
        if holds(file, path, LOW) or holds(file, path, HIGH):
            names += [LOW, HIGH]
        found = {}
        for name in names:
            dataset = find_dataset(file, path, name, "f", axes=ENERGY_PREDICTION_AXES)
            with np.errstate(over="ignore"):
                found[name] = read_whole(dataset, path, name).astype(np.float32)
    _check(found, path)
    check_number(attributes, path, PREDICTED, len(found[PREDICTED]))
    return EnergyPredictions(found[PREDICTED], found[RAW], found.get(LOW), found.get(HIGH), attributes)


def _check(found: Mapping[str, Float32[np.ndarray, "event"]], path: Path) -> None:
    for name, values in found.items():
        if values.shape != found[PREDICTED].shape or values.ndim != 1:
            wanted = f"one number for each of {len(found[PREDICTED])} muons"
            raise InputError(path, name, wanted, f"the shape {values.shape}")
        bad = ~np.isfinite(values)
        if bad.any():
            event = int(np.argmax(bad))
            raise InputError(path, f"{name}, event {event}", "a finite energy", str(values[event]))
    if LOW in found:
        bad = found[LOW] > found[HIGH]
        if bad.any():
            event = int(np.argmax(bad))
            wanted = f"an energy up to {HIGH}, {found[HIGH][event]}"
            raise InputError(path, f"{LOW}, event {event}", wanted, str(found[LOW][event]))


def check_same_muons(predicted: EnergyPredictions, muons: int, path: Path, truth: Path) -> None:
    """Check that there is a prediction for each of the muons.

    Raises
    ------
    InputError
        if there are more or fewer.
    """
    if len(predicted) != muons:
        raise InputError(path, PREDICTED, f"the {muons} muons of {truth}", str(len(predicted)))
