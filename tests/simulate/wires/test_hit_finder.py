"""Hits stand where pulses are, with their width and charge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.simulate.wires.config import WiresConfig
from cloudchamber.simulate.wires.hit_finder import find_hits

CONFIG = WiresConfig()
TICKS = np.arange(600)


def pulses(*shapes: tuple[float, float, float]) -> np.ndarray:
    """Return one wire with Gaussians of given place, sigma and height."""
    line = sum(h * np.exp(-0.5 * ((TICKS - at) / s) ** 2) for at, s, h in shapes)
    return np.asarray(line, np.float32)[None]


@settings(max_examples=40, deadline=None)
@given(at=st.floats(50, 550), sigma=st.floats(2.5, 8), height=st.floats(60, 1000))
def test_a_gaussian_is_one_hit(at: float, sigma: float, height: float) -> None:
    hits = find_hits(pulses((at, sigma, height)), CONFIG)
    assert len(hits) == 1
    assert hits["peak_tick"][0] == pytest.approx(at, abs=0.1)
    assert hits["rms_ticks"][0] == pytest.approx(sigma, rel=0.05)
    assert hits["peak"][0] == pytest.approx(height, rel=0.03)
    assert hits["sum"][0] == pytest.approx(height * sigma * np.sqrt(2 * np.pi), rel=0.06)


def test_two_pulses_are_two_hits_when_there_is_a_valley() -> None:
    apart = find_hits(pulses((200, 3, 200), (214, 3, 120)), CONFIG)
    assert apart["peak_tick"] == pytest.approx([200, 214], abs=0.5)
    together = find_hits(pulses((200, 3, 200), (204, 3, 120)), CONFIG)
    assert len(together) == 1
    whole = pulses((200, 3, 200), (214, 3, 120)).sum(dtype=float)
    assert apart["sum"].sum(dtype=float) == pytest.approx(whole, rel=0.05)


def test_a_long_pulse_is_cut_in_pieces() -> None:
    line = np.zeros((1, 600), np.float32)
    line[0, 100:420] = 80.0
    hits = find_hits(line, CONFIG)
    assert len(hits) == 8
    assert hits["sum"].sum() == pytest.approx(320 * 80)
    assert (np.diff(hits["peak_tick"]) > 20).all()


def test_nothing_is_found_in_noise_and_wires_are_counted_on() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 3.8, (100, 600)).astype(np.float32)
    assert len(find_hits(noise, CONFIG)) <= 1
    noise[7] += pulses((300, 3, 150))[0]
    hits = find_hits(noise, CONFIG, first_wire=480)
    assert hits["wire"].tolist() == [487]
    assert len(find_hits(np.full((2, 50), -5, np.float32), CONFIG)) == 0


def test_many_hits_find_room() -> None:
    line = np.tile(pulses(*((20 + 30 * k, 3, 100) for k in range(19))), (60, 1))
    hits = find_hits(line, CONFIG)
    assert len(hits) == 60 * 19  # more than the room there is at first
    assert (np.diff(hits["wire"]) >= 0).all()
