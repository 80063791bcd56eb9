"""The fit of the end point on toys whose answer is known, and the model of the loss against another one."""

import numpy as np
import pytest
from jaxtyping import Float
from scipy.integrate import quad
from scipy.stats import norm

from cloudchamber.errors import InputError
from cloudchamber.score.michel import find_michels
from cloudchamber.score.michel_energy import michel_spectrum
from cloudchamber.score.michel_spectrum import (
    CRITICAL_MEV,
    END_POINT_MEV,
    EndPoint,
    bin_shares,
    expected_counts,
    fit_end_point,
    kept_shares,
    michel_share,
)
from cloudchamber.voxel_events import join_events

from .lartpc import event, label_of, stopping


def electrons(rng: np.random.Generator, n: int, end_point_mev: float = END_POINT_MEV) -> np.ndarray:
    """Draw energies by von Neumann's method from x^2 (3 - 2 x)."""
    x, y = rng.random((2, 4 * n))
    return np.asarray(end_point_mev * x[y < x**2 * (3 - 2 * x)][:n])


def stop(rng: np.random.Generator, energy_mev: np.ndarray) -> np.ndarray:
    """Stop electrons in steps of 2 mm; return what they ionise. Photons below 0.3 MeV stay with them."""
    energy, ionised = energy_mev.copy(), np.zeros_like(energy_mev)
    step_cm, x0_cm, soft_mev = 0.2, 14.0, 0.3
    while (energy > 0).any():
        lost = np.minimum(CRITICAL_MEV / x0_cm * step_cm, energy)
        energy, ionised = energy - lost, ionised + lost
        top = np.maximum(energy, soft_mev)
        photon = soft_mev * (top / soft_mev) ** rng.random(len(energy))
        y = photon / top
        mean = step_cm / x0_cm * 4 / 3 * np.log(top / soft_mev)
        emitted = (rng.random(len(energy)) < mean) & (rng.random(len(energy)) < 1 - y + 0.75 * y**2)
        energy = energy - np.where(emitted & (photon < energy), photon, 0)
    return ionised


def test_end_point_of_the_decay() -> None:
    assert pytest.approx(52.83, abs=0.005) == END_POINT_MEV


def test_share_is_the_integral_of_the_spectrum() -> None:
    for x in (0.2, 0.7, 1.0):
        assert michel_share(np.array([x]))[0] == pytest.approx(
            quad(lambda t: 2 * t**2 * (3 - 2 * t), 0, x)[0]
        )


def test_smeared_spectrum_is_the_convolution() -> None:
    edges = np.arange(0.0, 72.0, 4.0)
    found = bin_shares(edges, 52.8, 3.0, 0.0)
    for k, low in enumerate(edges[:-1]):

        def smeared(e: float, low: float = float(low)) -> float:
            inside = norm.cdf(low + 4, e, 3.0) - norm.cdf(low, e, 3.0)
            return float(inside * 2 * (e / 52.8) ** 2 * (3 - 2 * e / 52.8) / 52.8)

        assert found[k] == pytest.approx(quad(smeared, 0, 52.8)[0], abs=2e-4)


def test_fit_recovers_the_end_point_within_its_errors() -> None:
    rng = np.random.default_rng(1)
    pulls, deviance = [], []
    for _ in range(100):
        fit = fit_end_point(electrons(rng, 2000) + rng.normal(0, 2.5, 2000))
        pulls.append((fit.end_point_mev - END_POINT_MEV) / fit.error_mev)
        deviance.append(fit.chi2 / fit.n_dof)
    assert np.mean(pulls) == pytest.approx(0, abs=0.3)
    assert np.std(pulls) == pytest.approx(1, abs=0.2)
    assert 0.6 < np.mean(deviance) < 1.1
    assert fit.error_mev < 0.4
    assert fit.resolution_mev == pytest.approx(2.5, abs=5 * fit.resolution_error_mev)


@pytest.mark.parametrize("scale", [0.9, 1.1])
def test_energy_scale(scale: float) -> None:
    rng = np.random.default_rng(2)
    fit = fit_end_point(scale * electrons(rng, 5000) + rng.normal(0, 2, 5000))
    assert fit.scale == pytest.approx(scale, abs=4 * fit.error_mev / END_POINT_MEV)
    assert fit.radiation_error is None


def test_what_a_weak_source_of_photons_takes() -> None:
    """To first order an electron radiates the integral of E dE / E_c, less what is too soft to be lost."""
    energy = 0.5 * np.arange(len(kept_shares(1e-3)))
    lost = (energy - kept_shares(1e-3) @ energy) / 1e-3
    first_order = energy**2 / (2 * CRITICAL_MEV) - 4 / 3 * 0.25 * energy / CRITICAL_MEV
    np.testing.assert_allclose(lost[40:], first_order[40:], rtol=0.03)


def test_what_is_kept_is_on_average_a_little_less_than_rossi_says() -> None:
    """Less, for his electrons do not fluctuate, and what is kept is concave in the energy."""
    kept = kept_shares(1.0)
    energy = 0.5 * np.arange(len(kept))
    np.testing.assert_allclose(kept.sum(axis=1), 1)
    rossi = CRITICAL_MEV * np.log1p(energy[40:] / CRITICAL_MEV)
    ratio = (kept @ energy)[40:] / rossi
    assert 0.9 < ratio.min() < ratio.max() < 1.0
    assert (np.diff(ratio) < 0).all()
    assert (np.triu(kept, 1) == 0).all()
    np.testing.assert_array_equal(kept_shares(0.0), np.eye(len(kept)))


def test_fit_of_clusters_that_lack_the_photons() -> None:
    """Electrons stopped in another way, particle by particle, give the end point again."""
    rng = np.random.default_rng(3)
    energies = stop(rng, electrons(rng, 10_000))
    assert energies.mean() < 0.7 * 37
    fit = fit_end_point(energies + rng.normal(0, 1.5, len(energies)), radiation=None)
    assert fit.end_point_mev == pytest.approx(END_POINT_MEV, abs=2.5 * fit.error_mev)
    assert fit.error_mev < 4
    assert fit.radiation == pytest.approx(1, abs=0.2)
    assert fit.chi2 < fit.n_dof + 4 * np.sqrt(2 * fit.n_dof)
    wrong = fit_end_point(energies, radiation=0.0)
    assert wrong.chi2 > 4 * fit.chi2


def test_expected_counts_add_up_to_the_electrons_in_the_window() -> None:
    fit = fit_end_point(electrons(np.random.default_rng(4), 500))
    edges: Float[np.ndarray, edge] = np.arange(10.0, 81.0, 1.0)
    assert expected_counts(fit, edges).sum() == pytest.approx(fit.n)
    assert EndPoint.model_validate_json(fit.model_dump_json()) == fit


def test_too_few_electrons() -> None:
    with pytest.raises(InputError, match="50 electrons or more at 10 to 80 MeV, found 49"):
        fit_end_point(np.full(49, 30.0))


def test_spectrum_of_events() -> None:
    rng = np.random.default_rng(6)
    kinetic = electrons(rng, 120)
    events = join_events(
        [event(stopping(20, n_michel=int(e / 2) + 5), kinetic_mev=[200, e]) for e in kinetic]
    )
    spectrum = michel_spectrum(find_michels(events, label_of(events)))
    assert spectrum.reconstructed == spectrum.deposited
    assert sum(spectrum.kinetic) == 120
    assert spectrum.kinetic == tuple(np.histogram(kinetic.astype(np.float32), spectrum.edges_mev)[0])
    assert spectrum.kinetic_fit is not None
    assert spectrum.kinetic_fit.end_point_mev == pytest.approx(END_POINT_MEV, abs=4)
