"""What a file of the task energy holds, for ``cloudchamber check`` and ``cloudchamber info``."""

from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from cloudchamber.calorimeter_events import CalorimeterEvents

LOSSES = ("ionisation", "bremsstrahlung", "pair", "photonuclear")
CELL_CUTS_GEV = 0.01, 0.1


class EnergyKind(Enum):
    """The files of the task energy."""

    MUONS = "muons in a calorimeter"
    PREDICTIONS = "predicted energies"
    LUMIN = "muons in a calorimeter (LUMIN's fold file)"


def energy_kind(path: Path) -> EnergyKind:
    """Return what a file of the task energy holds.

    Raises
    ------
    InputError
        if it is not HDF5, cut off or damaged.
    """
    from cloudchamber.source.energy_predictions import holds_predictions
    from cloudchamber.source.hdf5 import holds, open_hdf5

    with open_hdf5(path) as file:
        if holds(file, path, "fold_0"):
            return EnergyKind.LUMIN
    return EnergyKind.PREDICTIONS if holds_predictions(path) else EnergyKind.MUONS


def _recorded(path: Path) -> str:
    from cloudchamber.source.check import check_sums

    sums = check_sums(path)
    recorded = f"as recorded ({', '.join(sums)})" if sums else "none recorded"
    return f"SHA-256: {recorded}"


def _blocks(path: Path, kind: EnergyKind) -> "Iterator[CalorimeterEvents]":
    from cloudchamber.source.energy import iterate_muons
    from cloudchamber.source.lumin import iterate_lumin
    from cloudchamber.source.lumin_about import read_lumin_grid

    if kind is EnergyKind.LUMIN:
        yield from (part.events for part in iterate_lumin(path, grid=read_lumin_grid(path)))
    else:
        yield from iterate_muons(path)


def check_energy(path: Path) -> str:
    """Read the whole of a file of muons, or of predictions of them, and say what was found good.

    Raises
    ------
    InputError
        that names the first fault: table, muon, cell.
    """
    from cloudchamber.source.energy_predictions import read_energy_predictions

    kind = energy_kind(path)
    if kind is EnergyKind.PREDICTIONS:
        found = read_energy_predictions(path)
        interval = "absent" if found.low_gev is None else "ends finite, in order"
        return (
            f"{path}: good. {len(found)} {kind.value}. energy_gev, raw_gev: finite; interval: {interval}; "
            f"{_recorded(path)}"
        )
    n, cells, known = 0, 0, True
    for block in _blocks(path, kind):
        n, cells, known = n + len(block), cells + len(block.energy_gev), known and block.muons is not None
    if kind is EnergyKind.LUMIN:
        from cloudchamber.source.lumin import count_lumin

        checks = [
            f"{len(count_lumin(path))} folds", "inputs: 28 finite features", "targets: energies or -1",
            "matrix_inputs: in the grid, each cell of a muon once, energies from 0 GeV up",
        ]  # fmt: skip
    else:
        checks = [
            "position: in the grid, each cell once, in order", "energy_gev: finite, from 0 GeV up",
            f"muons: {'energies above 0, losses from 0 GeV up, or not known' if known else 'absent'}",
        ]  # fmt: skip
    return f"{path}: good. {n} {kind.value}, {cells:,} cells. {'; '.join([*checks, _recorded(path)])}"


def describe_energy(path: Path) -> dict[str, Any]:
    """Return what a file of the task energy is like: numbers, energies, cells, losses, its origin.

    Raises
    ------
    InputError
        that names the first fault found in it.
    """
    from cloudchamber.source.check import check_sums
    from cloudchamber.source.hdf5 import open_hdf5, read_attributes

    kind = energy_kind(path)
    found: dict[str, Any] = {"path": str(path), "holds": kind.value}
    found |= _describe_predictions(path) if kind is EnergyKind.PREDICTIONS else _describe_muons(path, kind)
    with open_hdf5(path) as file:
        attributes = dict(read_attributes(file, path))
    return {**found, "SHA-256": check_sums(path), "attributes": attributes}


def _describe_predictions(path: Path) -> dict[str, Any]:
    import numpy as np

    from cloudchamber.source.energy_predictions import read_energy_predictions

    found = read_energy_predictions(path)
    described: dict[str, Any] = {
        "muons": len(found),
        "predicted energy (GeV), least, median, most": _spread(found.energy_gev),
        "as the network gives it (GeV)": _spread(found.raw_gev),
    }
    if found.low_gev is not None and found.high_gev is not None:
        share = (found.high_gev - found.low_gev) / np.maximum(np.abs(found.energy_gev), 1e-9)
        described["half width of the interval / energy, median"] = round(float(np.median(share)) / 2, 4)
    return described


def _describe_muons(path: Path, kind: EnergyKind) -> dict[str, Any]:
    import numpy as np

    counts, hard, soft_gev, truth = list[int](), list[int](), np.zeros(2), list[np.ndarray]()
    grid = None
    for block in _blocks(path, kind):
        grid = block.grid
        owner, energy = block.event_of_cell(), block.energy_gev
        counts += np.diff(block.cell_offsets).tolist()
        hard += np.bincount(owner[energy > CELL_CUTS_GEV[1]], minlength=len(block)).tolist()
        soft_gev += energy[energy <= CELL_CUTS_GEV[0]].sum(dtype=np.float64), energy.sum(dtype=np.float64)
        if block.muons is not None:
            truth.append(block.muons)
    described: dict[str, Any] = {"muons": len(counts)}
    if kind is EnergyKind.LUMIN:
        from cloudchamber.source.lumin import count_lumin

        described["muons of each fold"] = {f"fold_{k}": n for k, n in count_lumin(path).items()}
    if grid is not None:
        described |= {
            "cells along z, x, y": list(grid.shape),
            "layer, cell (mm)": [grid.layer_mm, grid.cell_mm],
        }
    described |= {
        "cells of a muon, mean": float(np.mean(counts)),
        "cells of a muon, least and most": [min(counts), max(counts)],
        f"cells above {CELL_CUTS_GEV[1]:g} GeV of a muon, median": float(np.median(hard)),
        "energy in the cells of a muon (GeV), mean": float(soft_gev[1] / len(counts)),
        f"share of energy in cells up to {CELL_CUTS_GEV[0]:g} GeV": _rounded(soft_gev[0] / soft_gev[1])
        if soft_gev[1] > 0
        else None,
    }
    return described | _describe_truth(np.concatenate(truth) if truth else None)


def _describe_truth(muons: "np.ndarray | None") -> dict[str, Any]:
    """Return what is known of energies, charges and losses; nothing of what is not known of any muon."""
    import numpy as np

    if muons is None:
        return {"energy of the muons": "not in the file"}
    energy = muons["energy_gev"][np.isfinite(muons["energy_gev"])]
    described: dict[str, Any] = {"energy of the muons": "not known"}
    if len(energy):
        described = {"energy of the muons (GeV), least, median, most": _spread(energy)}
    if muons["charge"].any():
        described["share of mu+"] = _rounded(np.mean(muons["charge"][muons["charge"] != 0] > 0))
    losses = {name: muons[f"{name}_gev"].astype(np.float64) for name in LOSSES}
    known = np.all([np.isfinite(each) for each in losses.values()], axis=0)
    total = sum(float(each[known].sum()) for each in losses.values())
    if total > 0:
        described["energy lost in the block (GeV), mean"] = total / int(known.sum())
        shares = {name: _rounded(each[known].sum() / total) for name, each in losses.items()}
        described["share of the energy lost"] = shares
    return described


def _rounded(share: float) -> float:
    return round(float(share), 5)


def _spread(values: "np.ndarray") -> list[float]:
    import numpy as np

    return [round(float(each), 3) for each in (values.min(), np.median(values), values.max())]


def print_energy_info(path: Path, json: bool) -> None:
    """Print what a file of the task energy is like, as a table or as JSON."""
    found = describe_energy(path)
    if json:
        from json import dumps

        print(dumps(found, indent=2))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(str(path)), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in found.items():
        table.add_row(name, escape(_text(value)))
    Console(soft_wrap=False).print(table)


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)
