"""What a scan can be planned with: one property varied at a time, in either physics setting."""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from cloudchamber.simulate.walls.config import CHALLENGE, FULL, SETTINGS, Frozen, WallsConfig
from cloudchamber.simulate.walls.exposure import with_count

EXPOSURES = (300, 1000, 3000, 10_000, 30_000, 100_000)
RESOLUTIONS_MM = (0.05, 0.1, 0.3, 1.0, 3.0, 10.0)
SPANS_M: dict[str, tuple[float, ...]] = {
    CHALLENGE: (3.0, 5.0, 7.0, 10.0, 15.0, 20.0),
    FULL: (5.0, 6.0, 8.0, 10.0, 14.0, 20.0),
}
PANELS = (2, 3, 4)
MOMENTA = ("known", "smeared", "unknown")
_QUICK = {
    "exposure": (300, 3000, 30_000), "resolution": (0.1, 1.0, 10.0), "span": (5.0, 10.0, 20.0),
    "panels": (2, 4), "momentum": MOMENTA,
}  # fmt: skip


class Scan(Frozen):
    """One property that is varied.

    ``names`` on the axis are places in a row, in the order of the points.
    """

    name: str
    title: str
    axis: str
    scale: Literal["log", "linear", "names"]
    about: str


class Variation(NamedTuple):
    """One point of a scan: where it stands on the axis (``x``, in the axis' unit), and what to simulate."""

    scan: str
    setting: str
    x: float
    label: str
    config: WallsConfig

    @property
    def changed(self) -> bool:
        """Whether more than the exposure differs from the setting."""
        return with_count(self.config, 1) != with_count(SETTINGS[self.setting](), 1)


SCANS = (
    Scan(
        name="exposure",
        title="Exposure",
        axis="muons per volume",
        scale="log",
        about="Muons whose straight line meets the volume, seen by the panels or not.",
    ),
    Scan(
        name="resolution",
        title="Hit resolution",
        axis="hit resolution (mm)",
        scale="log",
        about="Per coordinate and panel, known to the track fit, which here is in double precision: that of "
        "the challenge, in single precision, adds an error of its own as large as 0.1 mm.",
    ),
    Scan(
        name="span",
        title="Size of the panels",
        axis="half side, or Gaussian width (m)",
        scale="linear",
        about="In full: half the side of square panels, centred on the volume, which is 5 m to either side. "
        "In challenge-2022: width of the Gaussian by which resolution and efficiency fade. "
        "The same muons arrive, so small panels see fewer of them.",
    ),
    Scan(
        name="panels",
        title="Number of panels",
        axis="panels above, and as many below",
        scale="linear",
        about="Evenly spaced, the outermost always 0.75 m apart. Two hits on either side make a track.",
    ),
    Scan(
        name="momentum",
        title="What is known of the momentum",
        axis="momentum",
        scale="names",
        about="In challenge-2022 all muons have 1 GeV, and it is known. In full: the sea-level spectrum; "
        "momenta known exactly at the top panel, smeared by 20%, or 4 GeV assumed for every muon.",
    ),
)


def changed(config: WallsConfig, section: str, **update: Any) -> WallsConfig:
    """Return a configuration with some keys of one section changed, and all of it checked again."""
    values = config.model_dump()
    values[section] |= update
    return WallsConfig.model_validate(values)


def _evenly(heights: tuple[float, ...], count: int) -> tuple[float, ...]:
    """Return ``count`` heights from the first to the last of those given."""
    first, last = heights[0], heights[-1]
    return tuple(first + (last - first) * k / (count - 1) for k in range(count))


def _points(name: str, setting: str, quick: bool) -> Iterator[tuple[float, str, WallsConfig]]:
    base = SETTINGS[setting]()
    panels = base.panels
    if name == "exposure":
        for count in _QUICK[name] if quick else EXPOSURES:
            yield float(count), f"{count:,}", changed(base, "muons", count=count)
    elif name == "resolution":
        exact = changed(base, "reconstruction", fit_precision="double")
        for mm in _QUICK[name] if quick else RESOLUTIONS_MM:
            yield float(mm), f"{mm:g} mm", changed(exact, "panels", resolution_m=float(mm) / 1000)
    elif name == "span":
        for span_m in _QUICK[name] if quick else SPANS_M[setting]:
            yield float(span_m), f"{span_m:g} m", changed(base, "panels", span_m=span_m)
    elif name == "panels":
        for count in _QUICK[name] if quick else PANELS:
            heights = {side: _evenly(getattr(panels, side), int(count)) for side in ("above_m", "below_m")}
            yield float(count), f"{count} + {count}", changed(base, "panels", **heights)
    elif setting == CHALLENGE:
        yield 0.0, "1 GeV, known", base
    else:
        for place, knowledge in enumerate(MOMENTA):
            yield 1.0 + place, f"spectrum, {knowledge}", changed(base, "reconstruction", momentum=knowledge)


def vary(name: str, setting: str, *, quick: bool = False) -> list[Variation]:
    """Return the points of one scan in one physics setting, all else as the setting has it.

    Parameters
    ----------
    name : of one of ``SCANS``.
    quick : fewer points.
    """
    return [Variation(name, setting, *point) for point in _points(name, setting, quick)]
