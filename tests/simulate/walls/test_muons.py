"""Cosmic muons: angles, positions, momenta."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from cloudchamber.errors import InputError
from cloudchamber.simulate.walls.config import Muons, Panels, WallsConfig, challenge_2022
from cloudchamber.simulate.walls.muons import (
    DECAY_ENERGY_GEV,
    ENERGY_SHIFT_GEV,
    MUON_MASS_GEV,
    SPECTRAL_INDEX,
    generate_muons,
    sample_momentum,
    zenith_density,
)


def on_top(bins: int | None, horizontal_flux: bool) -> WallsConfig:
    """Muons that start on the volume's upper face, so that (nearly) none is drawn again."""
    return WallsConfig(
        panels=Panels(above_m=(11 + 1e-6, 11.0)),
        muons=Muons(theta_bins=bins, horizontal_flux=horizontal_flux, margin_deg=0.0),
    )


@pytest.mark.parametrize("bins", [200, None])
@pytest.mark.parametrize("horizontal_flux", [False, True])
def test_zenith_angles_follow_their_density(bins: int | None, horizontal_flux: bool) -> None:
    muons = generate_muons(np.random.default_rng(1), on_top(bins, horizontal_flux), 200_000)
    theta = np.arccos(-muons.direction[:, 2])
    edges = np.radians(np.linspace(0, 70, 201))
    counts, _ = np.histogram(theta, edges)
    expected = zenith_density((edges[1:] + edges[:-1]) / 2, horizontal_flux)
    expected *= len(theta) / expected.sum()
    chi2 = ((counts - expected) ** 2 / expected).sum()
    assert stats.chi2.sf(chi2, 199) > 1e-4
    if bins:
        assert np.unique(np.round(theta, 9)).size == 200


def test_density_is_nearly_cosine_squared_and_the_flux_adds_sine_cosine() -> None:
    theta = np.linspace(0.01, 1.2, 50)
    bare = zenith_density(theta, False)
    at_zenith = zenith_density(np.array([0.0]), False)
    np.testing.assert_allclose(bare / at_zenith, np.cos(theta) ** 2, atol=0.03)
    np.testing.assert_allclose(zenith_density(theta, True) / bare, np.sin(theta) * np.cos(theta))


def test_directions_are_unit_vectors_uniform_in_azimuth_and_go_down() -> None:
    muons = generate_muons(np.random.default_rng(2), on_top(200, False), 50_000)
    np.testing.assert_allclose(np.linalg.norm(muons.direction, axis=1), 1, atol=1e-12)
    assert (muons.direction[:, 2] < 0).all()
    phi = np.arctan2(muons.direction[:, 1], muons.direction[:, 0])
    assert stats.kstest((phi + np.pi) / (2 * np.pi), "uniform").pvalue > 1e-4


def test_challenge_muons() -> None:
    muons = generate_muons(np.random.default_rng(3), challenge_2022(), 50_000)
    assert (muons.momentum_gev == 1).all()
    assert (muons.position_m[:, 2] == 12).all()
    xy = muons.position_m[:, :2]
    assert xy.min() == pytest.approx(-12 * np.tan(np.radians(15)), abs=0.01)
    assert xy.max() == pytest.approx(10 + 12 * np.tan(np.radians(15)), abs=0.01)
    # Mean of the reference simulation: 26.8 deg.
    assert np.degrees(np.arccos(-muons.direction[:, 2])).mean() == pytest.approx(26.8, abs=0.3)


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.floats(0, 60), st.floats(5, 85))
def test_every_line_enters_the_footprint(seed: int, margin_deg: float, theta_max_deg: float) -> None:
    config = WallsConfig(muons=Muons(margin_deg=margin_deg, theta_max_deg=theta_max_deg))
    muons = generate_muons(np.random.default_rng(seed), config, 300)
    fall = 12 - np.arange(2, 12)  # down to the tops of the layers
    slope = muons.direction[:, :2] / -muons.direction[:, 2:]
    at = muons.position_m[:, None, :2] + slope[:, None] * fall[None, :, None]
    assert ((at >= 0) & (at <= 10)).all(2).any(1).all()


def _flux(energy_gev: float) -> float:
    return float((ENERGY_SHIFT_GEV + energy_gev) ** -SPECTRAL_INDEX / (1 + energy_gev / DECAY_ENERGY_GEV))


def test_spectrum_above_thresholds_is_the_integral_of_the_flux() -> None:
    n = 200_000
    momentum = sample_momentum(np.random.default_rng(4), n, 0.5)
    assert momentum.shape == (n,)
    assert momentum.min() >= 0.5
    total = integrate.quad(_flux, np.hypot(0.5, MUON_MASS_GEV), np.inf)[0]
    for least_gev in (1.0, 3.0, 10.0, 100.0, 1000.0):
        share = integrate.quad(_flux, np.hypot(least_gev, MUON_MASS_GEV), np.inf)[0] / total
        error = np.sqrt(share * (1 - share) / n)
        assert (momentum > least_gev).mean() == pytest.approx(share, abs=4 * error)


def test_spectrum_without_the_decay_factor_is_the_power_law() -> None:
    """At low energy the factor 1/(1 + E/854 GeV) is nearly 1: the integral is then analytic."""
    momentum = sample_momentum(np.random.default_rng(5), 200_000, 0.5)
    low = np.hypot(momentum, MUON_MASS_GEV) + ENERGY_SHIFT_GEV
    least = np.hypot(0.5, MUON_MASS_GEV) + ENERGY_SHIFT_GEV
    for ratio in (1.2, 2.0):
        assert (low > ratio * least).mean() == pytest.approx(ratio ** -(SPECTRAL_INDEX - 1), rel=0.02)


def test_muons_that_cannot_hit_are_an_input_error() -> None:
    config = WallsConfig(muons=Muons(margin_deg=89.9999))
    with pytest.raises(InputError, match="margin_deg: expected muons that hit the volume"):
        generate_muons(np.random.default_rng(6), config, 10)


def test_blocks_of_muons_are_drawn_as_asked() -> None:
    rng = np.random.default_rng(7)
    assert len(generate_muons(rng, challenge_2022(), 17).momentum_gev) == 17
    assert len(generate_muons(rng, WallsConfig(muons=Muons(count=23))).momentum_gev) == 23
