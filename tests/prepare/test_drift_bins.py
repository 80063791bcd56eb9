"""Pixels of another number of ticks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.prepare.drift_bins import as_adc, median_lit, rebin_events
from cloudchamber.wire_events import WireEvents, WireReadout


def _events(rebin: int, drifts: int = 24) -> WireEvents:
    rng = np.random.default_rng(rebin)
    code = rng.gamma(1, 10, (2, 3, drifts)).astype(np.float32)
    return WireEvents(
        WireReadout(rebin=rebin, unit="unknown"),
        code,
        activity=rng.integers(0, 3, code.shape).astype(np.uint8),
    )


@given(st.sampled_from([1, 2, 3, 4, 6, 8]), st.sampled_from([1, 2, 3, 4, 6, 12]))
def test_the_sum_of_the_signal_stays(old: int, new: int) -> None:
    events = _events(old)
    out = rebin_events(events, new)
    assert out.readout.drift_mm == pytest.approx(events.readout.drift_mm * new / old)
    ticks = out.drifts * new
    per_tick = np.repeat(events.signal(), old, axis=2)[:, :, :ticks]
    np.testing.assert_allclose(out.signal().sum(axis=2) * new, per_tick.sum(axis=2), rtol=1e-5)


def test_four_ticks_become_six_as_by_hand() -> None:
    code = np.array([[[3, 9, 0, 6, 6, 6]]], np.float32)
    labels = np.array([[[0, 1, 2, 0, 1, 2]]], np.uint8)
    out = rebin_events(WireEvents(WireReadout(rebin=4), code, activity=labels), 6)
    np.testing.assert_allclose(out.code, [[[5, 3, 6, 6]]])  # (3 + 3 + 9) / 3, (9 + 0 + 0) / 3, ...
    assert out.activity is not None
    assert out.activity[0, 0, :2].tolist() == [1, 1]
    with pytest.raises(ValueError, match="one tick"):
        rebin_events(out, 0)


def test_an_unknown_unit_becomes_adc() -> None:
    events = _events(4)
    median = median_lit(events.signal(), 2.0)
    out = as_adc(events, 88.0 / median)
    assert out.readout.unit == "adc"
    assert median_lit(out.signal(), 2.0 * 88.0 / median) == pytest.approx(88.0, rel=1e-5)
    assert np.isnan(median_lit(np.zeros(3, np.float32), 0.0))
