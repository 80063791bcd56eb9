"""Against muons of the reference simulation, where the file is at hand (tests/conftest.py).

It has 60 muons at each of two energies. What few muons lose by chance differs by far more than what cells
make of a loss (at 1 TeV half of them lose 7 to 30 GeV), so each is compared with muons that enter where it
entered and deposit what it deposited; that the losses themselves are right is tested in test_muon.py.
"""

from pathlib import Path

import h5py
import numpy as np
import pytest
from jaxtyping import Float64

from cloudchamber.calorimeter_events import MUON, CalorimeterEvents, CalorimeterGrid, join_muons
from cloudchamber.simulate.calorimeter.config import Beam, CalorimeterConfig
from cloudchamber.simulate.calorimeter.event import cross, muon_rng, simulate_muons, work_of
from cloudchamber.simulate.calorimeter.statistics import (
    alike,
    deposits,
    high_cells,
    layer_profile,
    low_shares,
    radial_profile,
)

pytestmark = [pytest.mark.reference, pytest.mark.slow]

RINGS = np.array([0, 3.75, 7.5, 11.25, 15, 20, 25, 30, 40, 50, 65])  # as in benchmarks/energy_fidelity.py
DRAWN, KEPT = 48, 4  # muons of ours for one of theirs, and of these the nearest in deposit


def _config(energy: float) -> CalorimeterConfig:
    """Return the reference's block: no gaps, electromagnetic processes only."""
    return CalorimeterConfig(photonuclear=False, gap_mm=0, beam=Beam(fixed_gev=(energy,)))


def _read(path: Path, energy: float) -> CalorimeterEvents:
    """Return the reference's muons of one energy."""
    with h5py.File(path) as file:
        chosen = np.flatnonzero(np.abs(file["true_energy_gev"][:] - energy) < 1)
        event = file["event"][:]
        kept = np.isin(event, chosen)
        cells = np.stack([file[name][:][kept] for name in ("iz", "ix", "iy")], axis=1)
        order = np.lexsort((*cells.T[::-1], event[kept]))
        muons = np.zeros(len(chosen), MUON)
        muons["energy_gev"] = energy
        for ours, theirs in (("x_mm", "true_x_mm"), ("y_mm", "true_y_mm"), ("charge", "charge")):
            muons[ours] = file[theirs][:][chosen]
        counts = np.bincount(event[kept])[chosen]
        return CalorimeterEvents(
            CalorimeterGrid(layer_mm=39.6), np.concatenate([[0], np.cumsum(counts)]),
            cells[order].astype(np.int16), file["energy_gev"][:][kept][order], muons,
        )  # fmt: skip


def _like(theirs: CalorimeterEvents, energy: float) -> CalorimeterEvents:
    """Return ``KEPT`` of ours for each of theirs, in their order."""
    assert theirs.muons is not None
    config = _config(energy)
    work, ours = work_of(config), []
    for number, (muon, wanted) in enumerate(zip(theirs.muons, deposits(theirs), strict=True)):
        given = (energy, int(muon["charge"]), float(muon["x_mm"]), float(muon["y_mm"]), 0.0, 0.0)
        drawn = [cross(muon_rng(number, each), given, config, work) for each in range(DRAWN)]
        found = np.concatenate([deposits(each) for each in drawn])
        ours += [drawn[each] for each in alike(np.array([wanted]), found, KEPT)]
    return join_muons(ours)


@pytest.fixture(scope="module", params=[100.0, 1000.0])
def both(reference: Path, request: pytest.FixtureRequest) -> tuple[CalorimeterEvents, CalorimeterEvents]:
    theirs = _read(reference / "calorimeter_reference.h5", request.param)
    assert len(theirs) == 60
    return theirs, _like(theirs, request.param)


def _share(
    values: Float64[np.ndarray, "event part"], events: CalorimeterEvents
) -> Float64[np.ndarray, "e p"]:
    return np.asarray(values / deposits(events)[:, None])


def test_cells_above_100_mev(both: tuple[CalorimeterEvents, CalorimeterEvents]) -> None:
    theirs, ours = both
    expected = np.median(high_cells(theirs))
    assert np.median(high_cells(ours)) == pytest.approx(expected, rel=0.1)


def test_share_of_energy_in_cells_below_10_mev(both: tuple[CalorimeterEvents, CalorimeterEvents]) -> None:
    theirs, ours = both
    assert np.median(low_shares(ours)) == pytest.approx(np.median(low_shares(theirs)), abs=0.025)
    total = [low_shares(each) @ deposits(each) / deposits(each).sum() for each in both]
    assert total[1] == pytest.approx(total[0], abs=0.025)


def test_lit_cells(both: tuple[CalorimeterEvents, CalorimeterEvents]) -> None:
    theirs, ours = (np.median(np.diff(each.cell_offsets)) for each in both)
    assert ours == pytest.approx(theirs, rel=0.1)


@pytest.mark.parametrize(("least_gev", "within"), [(1e-3, 0.15), (1e-2, 0.05)])
def test_cells_of_low_energy(
    both: tuple[CalorimeterEvents, CalorimeterEvents], least_gev: float, within: float
) -> None:
    theirs, ours = (
        np.median(np.bincount(each.event_of_cell()[each.energy_gev > least_gev], minlength=len(each)))
        for each in both
    )
    assert ours == pytest.approx(theirs, rel=within)


def test_layer_profile(both: tuple[CalorimeterEvents, CalorimeterEvents]) -> None:
    """Mean shares of the energy in tenths of the depth, within the error of 60 muons."""
    theirs, ours = (_share(layer_profile(each).reshape(len(each), 10, 5).sum(axis=2), each) for each in both)
    error = theirs.std(axis=0) / np.sqrt(len(theirs))
    pull = (ours.mean(axis=0) - theirs.mean(axis=0)) / (error * np.sqrt(1 + 1 / KEPT))
    assert np.abs(pull).max() < 3
    assert (pull**2).mean() < 2


def test_radial_profile(both: tuple[CalorimeterEvents, CalorimeterEvents]) -> None:
    """Mean shares of the energy in rings about the entry, within the error of 60 muons."""
    theirs, ours = (_share(radial_profile(each, RINGS), each) for each in both)
    error = theirs.std(axis=0) / np.sqrt(len(theirs))
    pull = (ours.mean(axis=0) - theirs.mean(axis=0)) / (error * np.sqrt(1 + 1 / KEPT))
    assert np.abs(pull).max() < 2.5
    assert (pull**2).mean() < 1.5


@pytest.mark.parametrize(("energy", "cells"), [(1000.0, 24), (4000.0, 56)])
def test_cells_above_100_mev_of_any_muons(energy: float, cells: int) -> None:
    """Medians that are stated for the reference, taken to be of 60 muons each, as those in the file are.

    Within 10% and twice the error of a median of so few.
    """
    ours = high_cells(simulate_muons(1, range(1200), _config(energy)))
    medians = np.median(ours.reshape(20, 60), axis=1)
    assert abs(cells - medians.mean()) < 0.1 * cells + 2 * medians.std()
