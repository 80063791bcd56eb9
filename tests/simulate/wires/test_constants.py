"""The constants of ProtoDUNE are found again in simulated signals."""

import numpy as np
import pytest

from cloudchamber.simulate.wires import statistics as of
from cloudchamber.simulate.wires.config import Drift, Geometry, Noise, WiresConfig
from cloudchamber.simulate.wires.event import simulate_wires
from cloudchamber.simulate.wires.noise import pixel_noise, wire_rms

CONFIG = WiresConfig()


@pytest.fixture(scope="module")
def points() -> of.Calibration:
    quiet = CONFIG.model_copy(update={"noise": Noise(scale=0.1)})
    return of.calibrate(quiet, 3, 1)


def test_drift_velocity_and_peak_times(points: of.Calibration) -> None:
    assert of.drift_velocity(points, CONFIG).value == pytest.approx(1.6, rel=1e-3)
    expected = 500 + points.distance_mm / 1.6 / 0.5
    assert np.abs(points.peak_tick - expected).max() < 0.1  # the pulse peaks where its charge arrives


def test_diffusion_along_and_across(points: of.Calibration) -> None:
    along, across = of.longitudinal_diffusion(points, CONFIG), of.transverse_diffusion(points, CONFIG)
    assert along.value == pytest.approx(4.0, rel=0.03)
    assert across.value == pytest.approx(8.8, rel=0.03)
    assert along.error < 0.12
    assert across.error < 0.26


def test_lifetime(points: of.Calibration) -> None:
    assert of.electron_lifetime(points).value == pytest.approx(35.0, rel=0.05)
    short = CONFIG.model_copy(update={"drift": Drift(lifetime_ms=3.0), "noise": Noise(scale=0.1)})
    assert of.electron_lifetime(of.calibrate(short, 1, 2)).value == pytest.approx(3.0, rel=0.01)


def test_minimum_ionisation_leaves_29_ke_on_a_wire() -> None:
    charge = of.muon_charge(CONFIG, of.MINIMUM_IONISING_MEV + 30, 300, 1)
    mean = of.mean_of(charge.ravel())
    assert mean.error < 200
    assert mean.value == pytest.approx(29e3, rel=0.05)


def test_noise_of_wires_and_pixels() -> None:
    changes = {"noise": Noise(spread_adc=0.0, coherent_adc=1.0), "geometry": Geometry(apas=1)}
    config = CONFIG.model_copy(update=changes)
    rms = of.noise_rms(config, 1)
    assert rms.mean() == pytest.approx(3.8, rel=0.02)
    assert rms.std() < 0.25
    own, coherent = wire_rms(CONFIG.noise, 5760)
    total = np.hypot(own, coherent)
    assert total.mean() == pytest.approx(3.8, rel=0.02)
    assert total.std() == pytest.approx(0.9, rel=0.05)
    assert np.array_equal(own, wire_rms(CONFIG.noise, 5760)[0])  # a detector, not a draw
    assert pixel_noise(config, 1) == pytest.approx(rms.mean(), rel=0.02)
    assert pixel_noise(config, 1) > pixel_noise(config, 6) > pixel_noise(config, 1) / np.sqrt(6)


def test_noise_is_common_to_groups() -> None:
    changes = {"noise": Noise(spread_adc=0.0, coherent_adc=2.0), "geometry": Geometry(apas=1), "rebin": 1}
    config = of.without_particles(CONFIG.model_copy(update=changes))
    signal = simulate_wires(1, 0, config).signal()[0].astype(np.float64)
    groups = signal.reshape(15, 32, -1).mean(axis=1)
    own = (3.8**2 - 2.0**2) / 32
    assert groups.std() == pytest.approx(np.sqrt(2.0**2 + own), rel=0.05)
    together = np.corrcoef(signal)
    within = np.kron(np.eye(15), np.ones((32, 32))) - np.eye(480) > 0
    assert together[within].mean() == pytest.approx((2 / 3.8) ** 2, rel=0.08)
    assert abs(together[within == np.eye(480)].mean()) < 0.02
