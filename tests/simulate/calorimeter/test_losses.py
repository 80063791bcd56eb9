"""Stopping power of muons: published tables and constants; spectra against what they must add up to."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float
from scipy.integrate import quad
from scipy.optimize import brentq

from cloudchamber.simulate.calorimeter.bethe import density_effect, ionisation, knock_on, largest_transfer
from cloudchamber.simulate.calorimeter.config import CalorimeterConfig, Material, Sternheimer
from cloudchamber.simulate.calorimeter.constants import ALPHA, HBAR_C2, NUCLEON
from cloudchamber.simulate.calorimeter.losses import PROCESSES, SPECTRA, mean_radiated, stopping_power
from cloudchamber.simulate.calorimeter.photonuclear import proton_structure
from cloudchamber.simulate.calorimeter.radiative import largest_radiated, pair_production
from cloudchamber.simulate.calorimeter.tables import muon_tables

TUNGSTATE = Material()
IRON = Material(
    name="Fe", density_g_cm3=7.874, elements={26: (55.845, 1)}, excitation_ev=286,
    density_effect=Sternheimer(a=0.1468, k=2.9632, x0=-0.0012, x1=3.1531, c=4.2911, delta0=0.12),
)  # fmt: skip
LEAD = Material(
    name="Pb", density_g_cm3=11.35, elements={82: (207.2, 1)}, excitation_ev=823,
    density_effect=Sternheimer(a=0.09359, k=3.1608, x0=0.3776, x1=3.8073, c=6.2018, delta0=0.14),
)  # fmt: skip
WATER = Material(
    name="H2O", density_g_cm3=1.0, elements={1: (1.008, 2), 8: (15.999, 1)}, excitation_ev=79.7,
    density_effect=Sternheimer(a=0.09116, k=3.4773, x0=0.24, x1=2.8004, c=3.5017),
)  # fmt: skip
COLUMNS = ("ionisation", "bremsstrahlung", "pair_production", "photonuclear", "total")


def table(path: Path) -> Float[np.ndarray, "energy column"]:
    return np.loadtxt(path, delimiter=",", skiprows=2)


@pytest.mark.reference
@pytest.mark.parametrize("column", range(5), ids=COLUMNS)
def test_each_process_meets_the_reference_within_3_percent(reference: Path, column: int) -> None:
    rows = table(reference / "muon_dedx_pbwo4.csv")
    rows = rows[(rows[:, 0] >= 10) & (rows[:, 0] <= 8000)]
    ours = list(stopping_power(TUNGSTATE, rows[:, 0]).values())[column]
    np.testing.assert_allclose(ours, rows[:, 1 + column], rtol=0.03)


@pytest.mark.parametrize(
    ("material", "least", "at_gev"),
    [(TUNGSTATE, 1.229, 0.227), (IRON, 1.451, 0.266), (LEAD, 1.122, 0.227), (WATER, 1.992, 0.317)],
    ids=lambda value: getattr(value, "name", None),
)
def test_least_ionisation_is_the_published_one(material: Material, least: float, at_gev: float) -> None:
    """PDG, atomic and nuclear properties of materials; water there as liquid with I = 79.7 eV."""
    kinetic = np.linspace(0.1, 0.6, 1001)
    loss = 1e3 * ionisation(material, kinetic)
    assert loss.min() == pytest.approx(least, rel=0.007)
    assert kinetic[loss.argmin()] == pytest.approx(at_gev, abs=0.015)


@pytest.mark.parametrize(
    ("material", "critical"), [(IRON, 347), (WATER, 1032)], ids=lambda value: getattr(value, "name", None)
)
def test_critical_energy_of_muons_is_the_published_one(material: Material, critical: float) -> None:
    def excess(kinetic: float) -> float:
        losses = stopping_power(material, np.array([kinetic]))
        return float(losses["total"][0] - 2 * losses["ionisation"][0])

    assert brentq(excess, 50, 5000) == pytest.approx(critical, rel=0.015)


def test_bragg_additivity() -> None:
    lead = Material(elements={82: (207.2, 1)})
    oxygen = Material(elements={8: (15.999, 1)})
    oxide = Material(elements={82: (207.2, 1), 8: (15.999, 1)})
    share = 207.2 / (207.2 + 15.999)
    kinetic = np.array([20.0, 3000.0])
    for process in PROCESSES:
        parts = [stopping_power(each, kinetic)[process] for each in (lead, oxygen, oxide)]
        np.testing.assert_allclose(parts[2], share * parts[0] + (1 - share) * parts[1], rtol=1e-9)


@pytest.mark.parametrize("material", [TUNGSTATE, IRON, WATER], ids=lambda each: each.name)
def test_density_effect_joins_its_three_ranges(material: Material) -> None:
    effect = material.density_effect
    for x, tolerance in ((effect.x0, 0.05), (effect.x1, 1e-4)):
        gamma = np.sqrt(1 + 10 ** (2 * (x + np.array([-1e-6, 1e-6]))))
        low, high = density_effect(material, (gamma - 1) * 0.1056583755)
        assert low == pytest.approx(high, abs=tolerance)


def test_density_effect_cancels_the_growth_of_distant_collisions() -> None:
    """Where it is complete, delta/2 grows as ln(beta gamma): the loss below a cut has reached its plateau."""
    gamma = np.array([1e4, 1e5])
    delta = density_effect(TUNGSTATE, gamma * 0.1056583755)
    assert np.diff(delta)[0] == pytest.approx(2 * np.log(10), rel=1e-4)


@given(kinetic=st.floats(0.5, 9000.0), cut=st.floats(1e-3, 1e-2))
def test_knock_on_electrons_above_a_cut_leave_the_restricted_loss(kinetic: float, cut: float) -> None:
    """What is left of Bethe's loss is that below the cut (PDG 2024, eq. 34.12), a plateau at high energy."""
    k, top = np.array([kinetic]), float(largest_transfer(np.array([kinetic]))[0])
    edges = np.log(np.geomspace(cut, top, 6))
    taken = sum(
        quad(lambda log_t: float(np.exp(log_t) * knock_on(TUNGSTATE, k, np.exp([log_t]))[0]), a, b)[0]
        for a, b in pairwise(edges)
    )
    m_e, mass, excitation = 0.51099895e-3, 0.1056583755, 600.7e-9
    gamma2 = (1 + kinetic / mass) ** 2
    beta2 = 1 - 1 / gamma2
    zed = (82 + 74 + 4 * 8) / (207.2 + 183.84 + 4 * 15.999)
    logarithm = np.log(2 * m_e * (gamma2 - 1) * cut / excitation**2) / 2 - beta2 / 2 * (1 + cut / top)
    restricted = 0.307075e-3 * zed / beta2 * (logarithm - float(density_effect(TUNGSTATE, k)[0]) / 2)
    assert float(ionisation(TUNGSTATE, k)[0]) - taken == pytest.approx(restricted, rel=0.015)


@pytest.mark.parametrize("process", SPECTRA)
@pytest.mark.parametrize("kinetic", [5.0, 300.0, 8000.0])
def test_means_are_the_integrals_of_the_spectra(process: str, kinetic: float) -> None:
    k = np.array([kinetic])
    edges = np.geomspace(1e-7 * kinetic, kinetic, 15)
    slow = sum(
        quad(lambda q: float(SPECTRA[process](TUNGSTATE, k, np.array([q]))[0]), a, b, limit=200)[0]
        for a, b in pairwise(edges)
    )
    assert float(mean_radiated(TUNGSTATE, k, process, k)[0]) == pytest.approx(
        slow, rel=1e-2 if process == "photonuclear" else 1e-3
    )


@pytest.mark.parametrize("process", SPECTRA)
def test_no_more_is_radiated_than_the_muon_has(process: str) -> None:
    kinetic = np.geomspace(0.3, 8000, 50)
    rate = SPECTRA[process](TUNGSTATE, kinetic[:, None], kinetic[:, None] * np.array([0.5, 1.0, 1.1]))
    assert (rate >= 0).all()
    assert (rate[:, 1:] == 0).all()
    assert (rate[kinetic > 3, 0] > 0).all()
    assert (largest_radiated(8, kinetic) < kinetic).all()


def test_pairs_need_four_electron_masses() -> None:
    rates = pair_production(TUNGSTATE, np.array([100.0]), np.array([2.04e-3, 2.05e-3, 1e-2]))
    assert rates[0] == 0
    assert 0 < rates[1] < rates[2]


def test_structure_function_gives_the_cross_section_of_real_photons() -> None:
    """4 pi^2 alpha F2 / Q^2 at Q^2 -> 0: ZEUS measured 174 +- 1 +- 13 microbarn at W = 209 GeV (2002)."""
    q2 = 1e-4
    f2 = proton_structure(np.array([q2 / (209.0**2 - NUCLEON**2)]), np.array([q2]))[0]
    microbarn = 4 * np.pi**2 * ALPHA * f2 / q2 * HBAR_C2 * 1e30
    assert microbarn == pytest.approx(174, abs=13)


def test_tables_add_up_to_the_stopping_power() -> None:
    tables = muon_tables(CalorimeterConfig())
    kinetic = np.exp(tables.log_least + np.arange(len(tables.rate)) / tables.nodes_per_log)
    loss = stopping_power(TUNGSTATE, kinetic)
    high = kinetic > 1
    for row, process in enumerate(PROCESSES):
        span = tables.log_span[:, row, None] * np.diff(tables.place)
        q = tables.soft_gev * np.exp(tables.log_span[:, row, None] * tables.place)
        drawn = -np.diff(tables.tail[row], axis=1) * np.diff(q, axis=1) / span
        mean = tables.mean[:, row] + tables.rate[:, row] * drawn.sum(axis=1)
        tolerance = 0.012 if process == "photonuclear" else 0.003  # shadowing has kinks
        np.testing.assert_allclose(1e3 * mean[high], loss[process][high], rtol=tolerance)
    assert (np.diff(tables.tail, axis=2) <= 0).all()
    assert (tables.mean >= 0).all()


def test_tables_are_built_once_and_without_photonuclear_if_so_asked() -> None:
    config = CalorimeterConfig(photonuclear=False)
    tables = muon_tables(config)
    assert muon_tables(CalorimeterConfig(photonuclear=False)) is tables
    assert (tables.rate[:, 3] == 0).all()
    assert (tables.rate[-1, :3] > 0).all()
