"""What to read of a foreign file of wires, and what it does not say itself."""

from dataclasses import dataclass
from math import isfinite, isnan
from pathlib import Path

from cloudchamber.errors import InputError
from cloudchamber.wire_events import Unit, WireReadout

LARGEST_PIXELS = 2**29  # of one image
VIEWS = ("U", "V", "W")


@dataclass(frozen=True)
class WireChoice:
    """Which plane of a foreign file to read; None stands for what the file, or else its format, says.

    Parameters
    ----------
    plane : U, V or W, or its number; by default the collection plane: W or, of numbers, the highest.
    tpc : number of the TPC in PointIdTrainingData; by default each TPC is an event of its own.
    producer : of larcv's image2d tree; by default the only one, or ``data``.
    rebin : of frames: how many ticks to put together, by their mean. Of PointIdTrainingData, which does not
        say it: how many ticks its pixels are (6, unless said).
    pitch_mm, tick_us, drift_mm_us : as in WireReadout.
    unit : of the signal.
    """

    plane: str | None = None
    tpc: int | None = None
    producer: str | None = None
    rebin: int | None = None
    pitch_mm: float | None = None
    tick_us: float | None = None
    drift_mm_us: float | None = None
    unit: Unit | None = None

    def __post_init__(self) -> None:
        for name in ("pitch_mm", "tick_us", "drift_mm_us"):
            value = getattr(self, name)
            option = f"--{name.replace('_', '-')}"
            if value is not None and not isnan(value) and not (isfinite(value) and value > 0):
                raise InputError(option, "", "a number above 0", f"{value:g}")
        if self.rebin is not None and not 1 <= self.rebin <= 1000:
            raise InputError("--rebin", "", "1 to 1000 ticks", str(self.rebin))

    def readout(self, **theirs: object) -> WireReadout:
        """Return a readout: what was chosen, else what the file says, else ProtoDUNE's."""
        own = {name: getattr(self, name) for name in ("pitch_mm", "tick_us", "drift_mm_us", "unit")}
        chosen = theirs | {name: value for name, value in own.items() if value is not None}
        return WireReadout(**chosen)  # type: ignore[arg-type]

    def view(self, there: list[int], path: Path, entry: str) -> int:
        """Return the number of the plane to read among those that a file has.

        Raises
        ------
        InputError
            if it is not there.
        """
        if self.plane is None:
            return max(there)
        name = self.plane.strip().upper()
        number = VIEWS.index(name) if name in VIEWS else int(name) if name.isdecimal() else -1
        if number not in there:
            named = ", ".join(f"{k} ({VIEWS[k]})" if k < len(VIEWS) else str(k) for k in sorted(there))
            raise InputError(path, entry, f"the plane {self.plane}", f"planes {named}")
        return number


def check_span(path: Path, n: int, start: int, stop: int | None) -> tuple[int, int]:
    """Return the first event to read and the one after the last.

    Raises
    ------
    InputError
        if they are not there.
    """
    end = n if stop is None else stop
    if not 0 <= start < end <= n:
        raise InputError(path, "", f"events {start} to {end - 1}", f"{n} events")
    return start, end


def check_pixels(path: Path, entry: str, wires: int, drifts: int) -> None:
    """Refuse images without pixels and those that no detector has.

    Raises
    ------
    InputError
        if there are too few or too many.
    """
    if wires < 1 or drifts < 1 or wires * drifts > LARGEST_PIXELS:
        wanted = f"an image of 1 to {LARGEST_PIXELS} pixels (wires x drift)"
        raise InputError(path, entry, wanted, f"{wires} x {drifts}")
