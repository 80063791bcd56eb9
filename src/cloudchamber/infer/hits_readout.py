"""Whether a readout is such as a network for hits was trained on; without torch."""

from cloudchamber.errors import InputError
from cloudchamber.wire_events import WireReadout

NEAR = 0.02  # a pixel this much larger or smaller is taken to be the same


def check_pixels(pitch_mm: float, drift_mm: float, readout: WireReadout) -> None:
    """Check that pixels are as large as those a network was trained on, and the unit is known.

    Raises
    ------
    InputError
        if not.
    """
    if readout.unit == "unknown":
        raise InputError("signal", "unit", "adc or electrons", "unknown")
    for name, wanted, found in (
        ("pitch", pitch_mm, readout.pitch_mm),
        ("drift", drift_mm, readout.drift_mm),
    ):
        if abs(found - wanted) > NEAR * wanted:
            text = f"{found:.3g} mm along it (a pixel spans {readout.rebin} ticks)"
            raise InputError("pixels", name, f"{wanted:.3g} mm, as the network was trained", text)
