"""Against a plane of real data, where the file is at hand (tests/conftest.py)."""

from pathlib import Path

import numpy as np
import pytest

from cloudchamber.simulate.wires.config import Deconvolution, Halo, WiresConfig
from cloudchamber.simulate.wires.event import simulate_wires

pytestmark = [pytest.mark.reference, pytest.mark.slow]


def test_cosmic_muons_are_as_many_and_as_bright_as_real_ones(reference: Path) -> None:
    """One real face of 480 wires is within the range of simulated ones, without any tuning to it."""
    with np.load(reference / "protodunehd_real_apa1_w.npz", allow_pickle=False) as arrays:
        real = arrays["frame"][:480]
    config = WiresConfig(
        signal="electrons", rebin=1, halo=Halo(count=(0, 0)), deconvolution=Deconvolution(regions=True)
    )
    config = config.model_copy(update={"beam": config.beam.model_copy(update={"count": 0})})
    signals = [simulate_wires(1, index, config).signal()[0] for index in range(5)]
    faces = [signal[start : start + 480] for signal in signals for start in (0, 480, 960)]
    for cut in (500.0, 2000.0):
        shares = [(face > cut).mean() for face in faces]
        assert min(shares) < (real > cut).mean() < max(shares)
    totals = [face.sum(dtype=float) for face in faces]
    assert min(totals) < real.sum(dtype=float) < max(totals)
    bright = [float(np.median(face[face > 2000.0])) for face in faces]
    assert np.median(real[real > 2000.0]) == pytest.approx(np.median(bright), rel=0.2)
