"""``cloudchamber convert lumin|to-lumin``: LUMIN's fold files of muons in a calorimeter to ours and back."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from cyclopts import Parameter
from jaxtyping import Float32

from cloudchamber.cli.options import Count

if TYPE_CHECKING:
    from cloudchamber.calorimeter_events import CalorimeterEvents
    from cloudchamber.source.lumin import LuminMuons

Output = Annotated[Path, Parameter(name=["-o", "--output"])]
LEAST_FOLDS, FOLD = 10, 2500  # folds of a file by default, and the muons of one at most


def lumin(
    source: Path,
    *,
    output: Output,
    folds: Annotated[list[int] | None, Parameter(consume_multiple=True)] = None,
    layer_mm: float = 40.64,
    cell_mm: float = 3.75,
    overwrite: bool = False,
) -> None:
    """Turn a LUMIN fold file, such as those of doi:10.5281/zenodo.5163817, into a data set of ours.

    The standardised features have no place in a data set of ours and are left out.

    Parameters
    ----------
    source
        HDF5 file with groups fold_0, fold_1, ...
    output
        The HDF5 file to write.
    folds
        The folds to take, in this order; all unless said otherwise.
    layer_mm
        Distance between the layers, which the file does not say.
    cell_mm
        Width of a cell, which the file does not say.
    overwrite
        Replace the file if it exists.
    """
    from cloudchamber.calorimeter_events import CalorimeterGrid
    from cloudchamber.errors import InputError
    from cloudchamber.progress import progress
    from cloudchamber.source.energy import write_muons
    from cloudchamber.source.lumin import count_lumin, iterate_lumin
    from cloudchamber.source.lumin_about import read_lumin_grid
    from cloudchamber.source.writer import check_target

    for name, size in (("--layer-mm", layer_mm), ("--cell-mm", cell_mm)):
        if not 1e-3 <= size <= 1e4:
            raise InputError(name, "", "a size from 0.001 to 10000 mm", f"{size:g}")
    check_target(output, overwrite)
    grid = read_lumin_grid(source, CalorimeterGrid(layer_mm=layer_mm, cell_mm=cell_mm))
    counts = count_lumin(source)
    chosen = list(counts) if folds is None else folds
    for fold in chosen:
        if fold not in counts or chosen.count(fold) > 1:
            raise InputError("--folds", "", f"some of {', '.join(map(str, counts))}, each once", str(fold))
    n, cells = sum(counts[fold] for fold in chosen), 0

    def counted() -> "Iterator[CalorimeterEvents]":
        nonlocal cells
        for part in iterate_lumin(source, chosen, grid=grid):
            cells += len(part.events.energy_gev)
            advance(len(part))
            yield part.events

    with progress("converting", n, "muons", plain=False) as advance:
        write_muons(output, n, counted(), {"source": f"converted from {source.name}"})
    print(f"{output}: {n} muons, {cells} cells")


def to_lumin(
    source: Path,
    *,
    output: Output,
    folds: Count | None = None,
    like: Path | None = None,
    overwrite: bool = False,
) -> None:
    """Write a data set of ours as a LUMIN fold file, with the 28 high-level features.

    Parameters
    ----------
    source
        Data set of muons, whose entry points must be known.
    output
        The HDF5 file to write.
    folds
        Folds of the file, of about as many muons each; 10, or more where one would be above 2500 muons. A
        fold is held in memory.
    like
        Data set of ours whose features are standardised to mean 0 and standard deviation 1, such as the
        training set for a test set; the source itself unless said otherwise.
    overwrite
        Replace the file if it exists.
    """
    from cloudchamber.errors import InputError
    from cloudchamber.prepare.feature_scale import fit_feature_scale
    from cloudchamber.source.energy import read_muons
    from cloudchamber.source.lumin import LuminMuons
    from cloudchamber.source.lumin_writer import write_lumin
    from cloudchamber.source.writer import check_target

    check_target(output, overwrite)
    features = _features(source)
    n = len(features)
    count = min(n, max(LEAST_FOLDS, -(-n // FOLD))) if folds is None else folds
    if count > n:
        raise InputError("--folds", "", f"1 to {n}, the number of muons", str(count))
    scaled = fit_feature_scale(features if like is None else _features(like))(features)
    edges = np.linspace(0, n, count + 1).astype(int).tolist()

    def parts() -> "Iterator[LuminMuons]":
        for start, stop in pairwise(edges):
            events, _ = read_muons(source, truth=True, start=start, stop=stop)
            energy = events.muons["energy_gev"] if events.muons is not None else np.full(len(events), np.nan)
            yield LuminMuons(events, scaled[start:stop], energy)

    print(f"{output}: {write_lumin(output, parts(), overwrite=overwrite)} muons, {count} folds")


def _features(path: Path) -> Float32[np.ndarray, "event 28"]:
    """Return the features of all muons of a file.

    Raises
    ------
    InputError
        if it is not known where a muon enters.
    """
    from cloudchamber.errors import InputError
    from cloudchamber.prepare.muon_features import muon_features
    from cloudchamber.source.energy import iterate_muons

    found = []
    for block in iterate_muons(path, truth=True):
        try:
            found.append(muon_features(block))
        except ValueError as error:
            wanted = "x_mm and y_mm of every muon, from which its features are made"
            raise InputError(path, "muons", wanted, str(error)) from error
    return np.concatenate(found)
