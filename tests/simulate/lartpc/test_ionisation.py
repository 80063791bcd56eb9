"""Energy loss: published tables of muons and protons, and spectra against the means they must add up to."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.integrate import quad

from cloudchamber.simulate.lartpc.constants import (
    ELECTRON_MEV,
    EXCITATION_MEV,
    GRAMS_PER_MM,
    HALF_K_MEV_MM,
    MUON_MEV,
    PROTON_MEV,
)
from cloudchamber.simulate.lartpc.ionisation import (
    bhabha,
    density_effect,
    electron_soft_loss,
    largest_transfer,
    moller,
    soft_loss,
)

ALL = 1e9  # a cut above every transfer
# T in MeV: range in g/cm2. Muons in liquid argon, Groom et al. (2001); protons in argon, PSTAR.
MUON_RANGES = {
    10: 0.9833, 14: 1.786, 20: 3.321, 30: 6.598, 40: 10.58, 80: 30.84, 100: 42.50, 140: 67.32, 200: 106.3,
    300: 172.5, 400: 238.5, 800: 493.4, 1000: 616.3,
}  # fmt: skip
PROTON_RANGES = {
    10: 0.1887, 20: 0.6335, 30: 1.296, 50: 3.208, 70: 5.824, 100: 10.92, 150: 22.15, 200: 36.27, 300: 71.44,
    500: 161.4, 1000: 445.4, 2000: 1090.0,
}  # fmt: skip
PROTON_RANGE_1_MEV = 4.336e-3


def per_gram(kinetic_mev: float, mass: float) -> float:
    return float(soft_loss(kinetic_mev, mass, ALL)) / GRAMS_PER_MM


def csda_range(kinetic_mev: float, mass: float, least: float = 1.0) -> float:
    """Return the integral of 1/loss from ``least``, in g/cm2."""
    edges = np.geomspace(least, kinetic_mev, 12)
    return float(sum(quad(lambda t: 1 / per_gram(t, mass), a, b)[0] for a, b in pairwise(edges)))


@pytest.mark.parametrize(("kinetic_mev", "published"), MUON_RANGES.items())
def test_ranges_of_muons_are_the_published_ones(kinetic_mev: float, published: float) -> None:
    assert csda_range(kinetic_mev, MUON_MEV) == pytest.approx(published, rel=0.01)


@pytest.mark.parametrize(("kinetic_mev", "published"), PROTON_RANGES.items())
def test_ranges_of_protons_are_those_of_pstar(kinetic_mev: float, published: float) -> None:
    ours = PROTON_RANGE_1_MEV + csda_range(kinetic_mev, PROTON_MEV)
    assert ours == pytest.approx(published, rel=0.03 if kinetic_mev < 50 else 0.01)


def test_least_loss_of_muons_is_the_published_one() -> None:
    kinetic = np.linspace(100, 600, 501)
    loss = np.array([per_gram(t, MUON_MEV) for t in kinetic])
    assert loss.min() == pytest.approx(1.508, rel=0.003)
    assert kinetic[loss.argmin()] == pytest.approx(266, abs=20)
    assert 10 * loss.min() * GRAMS_PER_MM == pytest.approx(2.1, abs=0.02)  # MeV/cm


@given(
    kinetic_mev=st.floats(5.0, 5000.0),
    mass=st.sampled_from([MUON_MEV, PROTON_MEV]),
    cut=st.floats(0.01, 1.0),
)
def test_soft_and_hard_collisions_add_up_to_bethe(kinetic_mev: float, mass: float, cut: float) -> None:
    """The hard part is the integral of T (1 - beta^2 T/T_max) / T^2 above the cut."""
    top = float(largest_transfer(kinetic_mev, mass))
    assume(cut < top)
    beta2 = kinetic_mev * (kinetic_mev + 2 * mass) / (kinetic_mev + mass) ** 2
    hard = HALF_K_MEV_MM / beta2 * quad(lambda t: (1 - beta2 * t / top) / t, cut, top)[0]
    assert float(soft_loss(kinetic_mev, mass, cut)) + hard == pytest.approx(
        float(soft_loss(kinetic_mev, mass, ALL)), rel=1e-6
    )


@given(kinetic_mev=st.floats(0.2, 2000.0), share=st.floats(0.02, 0.9), positron=st.booleans())
def test_soft_loss_of_electrons_grows_by_the_spectrum_at_the_cut(
    kinetic_mev: float, share: float, positron: bool
) -> None:
    """d(loss below the cut) / d cut = cut times the cross-section of Moller or Bhabha there."""
    cut = share * kinetic_mev * (1.0 if positron else 0.5)
    h = 1e-4 * cut
    slope = (
        float(electron_soft_loss(kinetic_mev, cut + h, positron))
        - float(electron_soft_loss(kinetic_mev, cut - h, positron))
    ) / (2 * h)
    beta2 = 1 - 1 / (1 + kinetic_mev / ELECTRON_MEV) ** 2
    shape = float((bhabha if positron else moller)(kinetic_mev, cut))
    assert slope * cut * beta2 / HALF_K_MEV_MM == pytest.approx(shape, rel=1e-3, abs=1e-4)


@given(kinetic_mev=st.floats(0.1, 3000.0), share=st.floats(1e-4, 1.0))
def test_thinning_has_a_bound_above_the_spectra(kinetic_mev: float, share: float) -> None:
    assert 0 < float(moller(kinetic_mev, 0.5 * share * kinetic_mev)) <= 2.25 * (1 + 1e-9)
    assert 0 < float(bhabha(kinetic_mev, share * kinetic_mev)) <= 1 + 1e-9


def test_density_effect_is_plasma_loss_at_high_energy() -> None:
    """delta/2 -> ln(plasma energy / I) + ln(beta gamma) - 1/2 (PDG 2024, eq. 34.6); 22.85 eV is argon's."""
    assert 0.5 * float(density_effect(1e8)) == pytest.approx(
        np.log(22.85e-6 / EXCITATION_MEV) + 0.5 * np.log(1e8) - 0.5, abs=0.01
    )
    assert float(density_effect(1.0)) == 0.0
