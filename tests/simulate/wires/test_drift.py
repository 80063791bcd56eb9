"""Charge is kept, spread and attributed as it should be; signals add up."""

import numpy as np
import pytest

from cloudchamber.simulate.wires.config import Drift, WiresConfig
from cloudchamber.simulate.wires.drift import PAD_TICKS, buffer_ticks, collect
from cloudchamber.simulate.wires.geometry import layout_of
from cloudchamber.simulate.wires.response import (
    cold_electronics,
    deconvolution_spectrum,
    electrons_filter,
    pulse_shape,
    pulse_width_ticks,
    response_spectrum,
)
from cloudchamber.simulate.wires.statistics import point_charges, read_points


def test_charge_is_kept_but_for_attachment(quiet: WiresConfig) -> None:
    distance = np.array([50.0, 400.0, 750.0])
    deposits = point_charges(quiet, distance, np.array([20.3, 40.6, 60.9]), 1e5)
    collected, _ = read_points(quiet, deposits, 100.0, 1)
    left = 1e5 * np.exp(-distance / 1.6 / 35e3)
    for wire, expected in zip((20, 40, 60), left, strict=True):
        assert collected.other[wire - 4 : wire + 5].sum(dtype=float) == pytest.approx(expected, rel=1e-3)
    assert collected.beam.sum() == 0
    middle = (collected.other[40].astype(float) * np.arange(buffer_ticks(quiet))).sum()
    assert middle / collected.other[40].sum(dtype=float) - PAD_TICKS == pytest.approx(
        100 + 400 / 0.8, abs=0.6
    )


def test_what_arrives_outside_is_cut(quiet: WiresConfig) -> None:
    deposits = point_charges(quiet, np.array([400.0, 400.0]), np.array([20.5, 60.5]), 1e5)
    early = read_points(quiet, deposits, -700.0, 1)[1]
    late = read_points(quiet, deposits, 1600.0, 1)[1]
    assert not early.measured.any()
    assert not late.measured.any()
    edge = read_points(quiet, deposits, -502.0, 1)[1].measured  # arrives at -2: the tail is seen
    assert edge[20, 0] > edge[20, 5] > 10
    assert not edge[20, 200:].any()  # nothing comes round from the end


def test_signals_add_up(quiet: WiresConfig) -> None:
    one = point_charges(quiet, np.array([100.0, 500.0]), np.array([30.2, 31.7]), 4e4)
    whole = read_points(quiet, one, 100.0, 1)[1]
    parts = [
        read_points(quiet, point_charges(quiet, np.array([d]), np.array([w]), 4e4), 100.0, 1)[1]
        for d, w in ((100.0, 30.2), (500.0, 31.7))
    ]
    assert np.abs(whole.other - parts[0].other - parts[1].other).max() < 1e-3
    assert np.abs(whole.measured - parts[0].measured - parts[1].measured).max() <= 1.5  # codes


def test_the_particle_with_most_charge_has_the_pixel(quiet: WiresConfig) -> None:
    deposits = point_charges(quiet, np.array([300.0, 300.0, 600.0]), np.array([30.5, 30.5, 50.5]), 3e4)
    deposits.electrons[1] = 5e4
    layout = layout_of(quiet)
    collected = collect(
        deposits, np.array([True, False, False]), np.full(3, 50.0), layout, layout.faces[0], quiet, 2.6
    )
    pixel = int((50 + 300 / 0.8) // 6)
    assert collected.row[30, pixel] == 1
    assert collected.row[50, int((50 + 600 / 0.8) // 6)] == 2
    assert collected.row[10, 10] == -1
    assert collected.beam[30].sum(dtype=float) < collected.other[30].sum(dtype=float)
    total = deposits.energy_mev.sum()
    assert collected.energy_mev.sum(dtype=float) == pytest.approx(total, rel=0.01)


def test_pulses_peak_when_charge_arrives_and_keep_it() -> None:
    electronics = WiresConfig().electronics
    pulse = pulse_shape(electronics, 4096)
    assert int(np.argmax(pulse)) == 0
    assert pulse.sum() == pytest.approx(1 / 24.2)
    assert 29e3 * pulse.sum() == pytest.approx(1200, rel=0.01)
    assert 120 < 29e3 * pulse.max() <= 200
    assert 2 < pulse_width_ticks(electronics) < 4
    time = np.linspace(-2, 20, 2201)
    shape = cold_electronics(time, 2.2)
    assert (shape[time <= 0] == 0).all()
    assert shape[-1] < 1e-3 * shape.max()
    assert 1.0 < time[np.argmax(shape)] < 3.5  # peaks after about the shaping time


def test_deconvolution_undoes_the_response() -> None:
    config = WiresConfig(signal="electrons")
    ticks = buffer_ticks(config)
    both = response_spectrum(config.electronics, ticks) * deconvolution_spectrum(
        config.electronics, config.deconvolution, ticks
    )
    expected = electrons_filter(config.electronics, config.deconvolution, ticks)
    np.testing.assert_allclose(both, expected, atol=1e-5)
    assert expected[0] == 1.0


def test_electrons_are_found_again(quiet: WiresConfig) -> None:
    config = quiet.model_copy(update={"signal": "electrons", "drift": Drift(lifetime_ms=1e6)})
    deposits = point_charges(config, np.array([300.0]), np.array([30.5]), 2e5)
    measured = read_points(config, deposits, 100.0, 1)[1].measured
    assert measured[26:35].sum(dtype=float) == pytest.approx(2e5, rel=0.01)
