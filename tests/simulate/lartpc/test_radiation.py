"""Photons and bremsstrahlung: published attenuation, the radiation length, the critical energy."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import kstest

from cloudchamber.simulate.lartpc.config import VoxelsConfig
from cloudchamber.simulate.lartpc.constants import (
    ELECTRON_MEV,
    ELECTRONS_PER_MM3,
    GRAMS_PER_MM,
    RADIUS2_MM2,
    X0_MM,
)
from cloudchamber.simulate.lartpc.ionisation import electron_soft_loss
from cloudchamber.simulate.lartpc.radiation import (
    bremsstrahlung_shape,
    compton_per_mm,
    compton_ratio,
    pair_shape,
    photoelectric_per_mm,
    screened,
)
from cloudchamber.simulate.lartpc.record import new_record

# Attenuation of argon in cm2/g, coherent scattering included (NIST, Hubbell and Seltzer, NISTIR 5632), and
# how much of it is coherent below 1 MeV (Elam, Ravel and Sieber, Radiat. Phys. Chem. 63 (2002) 121).
ATTENUATION = {
    0.03: (2.697, 0.1616), 0.05: (0.7012, 0.0707), 0.08: (0.2760, 0.0311), 0.1: (0.2043, 0.0206),
    0.15: (0.1427, 0.0096), 0.2: (0.1205, 0.0055), 0.3: (0.09953, 0.0025), 0.5: (0.07958, 0.0009),
    0.8: (0.06419, 0.0004), 1.0: (0.05762, 0.0), 1.5: (0.04695, 0.0), 2.0: (0.04074, 0.0),
    3.0: (0.03384, 0.0), 5.0: (0.02802, 0.0), 8.0: (0.02517, 0.0), 10.0: (0.02451, 0.0),
    15.0: (0.02418, 0.0), 20.0: (0.02453, 0.0),
}  # fmt: skip


def pairs_per_x0(k: float) -> float:
    least = ELECTRON_MEV / k
    return float(quad(lambda share: pair_shape(k, share), least, 1 - least, limit=200)[0])


def radiated_per_mm(kinetic_mev: float) -> float:
    total = kinetic_mev + ELECTRON_MEV
    return float(quad(lambda k: bremsstrahlung_shape(total, k), 0, kinetic_mev, limit=200)[0]) / X0_MM


@pytest.mark.parametrize(("k", "published"), ATTENUATION.items())
def test_attenuation_is_the_published_one(k: float, published: tuple[float, float]) -> None:
    pairs = pairs_per_x0(k) / X0_MM if k > 2 * ELECTRON_MEV else 0.0
    ours = float(compton_per_mm(k)) + float(photoelectric_per_mm(k)) + pairs
    # The binding of electrons takes up to a tenth off Compton scattering below 0.1 MeV; ours are free.
    tolerance = 0.09 if k < 0.15 else 0.03
    assert ours / GRAMS_PER_MM == pytest.approx(published[0] - published[1], rel=tolerance)


def test_photons_of_high_energy_convert_after_nine_sevenths_of_x0() -> None:
    assert pairs_per_x0(1e6) == pytest.approx(7 / 9, rel=0.01)


def test_electrons_of_high_energy_lose_their_energy_over_x0() -> None:
    """The screening functions differ by 1/6 at complete screening, so a little above 1: 1 + 1/(18 L)."""
    assert radiated_per_mm(1e6) * X0_MM / 1e6 == pytest.approx(1.0, rel=0.02)


def test_critical_energy_is_that_of_liquid_argon() -> None:
    """Rossi: where ionisation takes the energy over a radiation length; 32.8 MeV for liquid argon (PDG)."""
    critical = brentq(lambda t: float(electron_soft_loss(t, 1e9, False)) * X0_MM - t, 10, 100)
    assert critical == pytest.approx(32.8, rel=0.04)


def test_screening_functions_are_continuous_and_bounded() -> None:
    delta = np.linspace(0, 30, 3001)
    first, second = np.array([screened(d) for d in delta]).T
    assert first[0] == 1.0
    assert (second <= first + 1e-3).all()
    assert np.abs(np.diff(first)).max() < 0.01
    assert (first >= 0).all()


def test_compton_photons_have_the_spectrum_of_klein_and_nishina() -> None:
    record = new_record(np.uint64(3), 32, 3.0, 0.0, True, 1024)
    for k in (0.3, 2.0, 20.0):
        a = k / ELECTRON_MEV
        least = 1 / (1 + 2 * a)
        ratio = np.array([compton_ratio(record, k) for _ in range(20_000)])
        grid = np.linspace(least, 1, 4001)
        density = grid + 1 / grid - 1 + (1 - (1 / grid - 1) / a) ** 2
        cumulative = np.concatenate([[0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
        assert kstest(ratio, lambda x, g=grid, c=cumulative: np.interp(x, g, c / c[-1])).pvalue > 1e-3
        # And the total is the integral of the same formula.
        total = quad(lambda x, a=a: x + 1 / x - 1 + (1 - (1 / x - 1) / a) ** 2, least, 1)[0] / a
        expected = np.pi * RADIUS2_MM2 * ELECTRONS_PER_MM3 * total
        assert float(compton_per_mm(k)) == pytest.approx(expected, rel=1e-6)


def test_a_photon_goes_as_far_as_its_attenuation_says(shoot) -> None:  # type: ignore[no-untyped-def]
    """Depth of the first interaction: where the electrons that name the photon as parent start."""
    count = 1500
    record = shoot(0, 20.0, count, VoxelsConfig(side_px=4000))
    rows = record.rows[: record.counts[1]]
    first = np.full(count, np.inf)
    children = np.flatnonzero((rows[:, 1] >= 0) & (rows[:, 1] < count))
    depth = record.kinetics[children, 6] - 6000
    np.minimum.at(first, rows[children, 1], depth)
    expected = 1 / (pairs_per_x0(20.0) / X0_MM + float(compton_per_mm(20.0)))
    assert first.mean() == pytest.approx(expected, rel=4 / np.sqrt(count))
