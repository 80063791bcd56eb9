"""One muon: drawn, followed through the block, its losses put into the cells."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float64
from numpy.random import PCG64DXSM, Generator, SeedSequence

from cloudchamber.calorimeter_events import MUON, CalorimeterEvents, join_muons
from cloudchamber.compiled import compiled
from cloudchamber.simulate.calorimeter.config import Beam, CalorimeterConfig
from cloudchamber.simulate.calorimeter.deposit import block_of, deposit, empty_cells, grid_of, lit_cells
from cloudchamber.simulate.calorimeter.hadronic import hadronic_shower, hadrons_of
from cloudchamber.simulate.calorimeter.muon import HADRONIC, PAIR, PHOTON, cross_block
from cloudchamber.simulate.calorimeter.showers import (
    electromagnetic_shower,
    pair_shower,
    photon_shower,
    showers_of,
)
from cloudchamber.simulate.calorimeter.tables import buffers, muon_tables
from cloudchamber.simulate.random import new_stream

Work = tuple[Float64[np.ndarray, "step 4"], Float64[np.ndarray, "secondary 8"], Float64[np.ndarray, "cell"]]


Muon = tuple[float, int, float, float, float, float]  # kinetic energy in GeV, charge, x, y in mm, ux, uy


def muon_rng(seed: int, index: int) -> Generator:
    """Return the random numbers of muon ``index`` of the data set with ``seed``, whoever makes it."""
    return Generator(PCG64DXSM(SeedSequence((seed, index))))


def draw_muon(rng: Generator, index: int, beam: Beam) -> Muon:
    """Return a muon of a beam.

    Fixed energies come in turn with ``index``. The angle to the axis is ``beam.angle_mrad``, at any azimuth.
    """
    energy = float(rng.uniform(*beam.energy_gev))
    if beam.fixed_gev:
        energy = beam.fixed_gev[index % len(beam.fixed_gev)]
    charge = 1 if rng.random() < beam.positive else -1
    x, y = rng.uniform(-beam.half_width_mm, beam.half_width_mm, 2).tolist()
    azimuth, sine = rng.uniform(0, 2 * np.pi), np.sin(1e-3 * beam.angle_mrad)
    return energy, charge, x, y, float(sine * np.cos(azimuth)), float(sine * np.sin(azimuth))


@compiled
def fill(stream, energy, charge, x, y, ux, uy, tables, showers, hadrons, block, steps, secondaries, cells):
    """Follow a muon and put what it loses into the cells; return its losses by process in GeV."""
    stream, n_steps, n_secondaries, ionisation, bremsstrahlung, pair, photonuclear, _ = cross_block(
        stream, energy, charge, x, y, ux, uy, tables, steps, secondaries
    )
    for row in range(n_steps):
        deposit(cells, block, steps[row, 3], steps[row, 0], steps[row, 1], steps[row, 2])
    for row in range(n_secondaries):
        kind, kinetic, depth, at_x, at_y, uz, to_x, to_y = secondaries[row]
        if kind == HADRONIC:
            stream = hadronic_shower(
                stream, cells, block, showers, hadrons, kinetic, depth, at_x, at_y, uz, to_x, to_y
            )
        elif kind == PAIR:
            stream = pair_shower(stream, cells, block, showers, kinetic, depth, at_x, at_y, uz, to_x, to_y)
        elif kind == PHOTON:
            stream = photon_shower(stream, cells, block, showers, kinetic, depth, at_x, at_y, uz, to_x, to_y)
        else:
            stream = electromagnetic_shower(
                stream, cells, block, showers, kinetic, depth, at_x, at_y, uz, to_x, to_y
            )
    return ionisation, bremsstrahlung, pair, photonuclear


def work_of(config: CalorimeterConfig) -> Work:
    """Return arrays in which muons of a configuration are simulated, one after the other."""
    return (*buffers(config), empty_cells(block_of(config)))


def cross(rng: Generator, muon: Muon, config: CalorimeterConfig, work: Work) -> CalorimeterEvents:
    """Simulate a muon that is given; ``work`` holds what an earlier one left there."""
    steps, secondaries, cells = work
    cells[:] = 0
    block = block_of(config)
    losses = fill(
        new_stream(rng), *muon, muon_tables(config), showers_of(config), hadrons_of(config), block, steps,
        secondaries, cells,
    )  # fmt: skip
    position, energy = lit_cells(cells, block)
    truth = np.array([(*muon[:4], *losses, cells.sum())], MUON)
    return CalorimeterEvents(grid_of(config), np.array([0, len(energy)]), position, energy, truth)


def simulate_muon(seed: int, index: int, config: CalorimeterConfig) -> CalorimeterEvents:
    """Simulate muon ``index`` of the data set with ``seed``: a function of its arguments alone."""
    return simulate_muons(seed, [index], config)


def simulate_muons(seed: int, indices: Iterable[int], config: CalorimeterConfig) -> CalorimeterEvents:
    """Simulate several muons of a data set, one after the other.

    Raises
    ------
    ValueError
        if there are no indices.
    """
    work, events = work_of(config), []
    for index in indices:
        rng = muon_rng(seed, index)
        events.append(cross(rng, draw_muon(rng, index, config.beam), config, work))
    return join_muons(events)
