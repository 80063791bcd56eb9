"""Names, colours and order of what pixels of wire planes show: hues of Okabe and Ito (2008).

Of a group of pixels drawn as one the last class in the order is shown, so rare things come last.
"""

from typing import NamedTuple

from cloudchamber.labels import VertexFlag


class PixelStyle(NamedTuple):
    """How a class of pixels is shown: its name, what belongs to it, its colour on a light and a dark page."""

    name: str
    what: str
    light: str
    dark: str


_BLUE, _GREEN, _RED = ("#0072b2", "#3a93d6"), ("#009e73", "#0fb488"), ("#d55e00", "#ff7f1f")
_SKY, _PINK, _ORANGE = ("#56b4e9", "#8fd3ff"), ("#cc79a7", "#e29cc4"), ("#b07a00", "#e69f00")

BEAM_CLASSES = (
    PixelStyle("background", "no charge", "", ""),
    PixelStyle("not beam", "cosmics and halo", *_BLUE),
    PixelStyle("beam", "the beam's particle and what it made", *_RED),
)
ACTIVITY_CLASSES = (
    PixelStyle("none", "no activity", "", ""),
    PixelStyle("track", "muons, hadrons", *_BLUE),
    PixelStyle("EM", "electromagnetic", *_GREEN),
    PixelStyle("Michel", "electrons of muon decays", *_RED),
)
# Of labelled frames, in the order of this page, with the file's number.
FRAME_CLASSES = {
    0: PixelStyle("background", "", "", ""),
    1: PixelStyle("track", "", *_BLUE),
    6: PixelStyle("other", "", *_ORANGE),
    5: PixelStyle("blip", "", *_SKY),
    4: PixelStyle("delta ray", "", *_PINK),
    2: PixelStyle("shower", "", *_GREEN),
    3: PixelStyle("Michel", "", *_RED),
}
VERDICTS = (
    PixelStyle("", "", "", ""),
    PixelStyle("right", "", "#8fa3b8", "#8fa3b8"),
    PixelStyle("wrong", "", "#d55e00", "#e69f00"),
)
VERTEX_STYLES = {
    VertexFlag.HADRONIC: PixelStyle("hadronic", "", "#d55e00", "#ff7f1f"),
    VertexFlag.DECAY: PixelStyle("decay", "", "#cc79a7", "#e29cc4"),
    VertexFlag.CONVERSION: PixelStyle("conversion", "", "#009e73", "#0fb488"),
    VertexFlag.NEUTRINO_PRIMARY: PixelStyle("primary", "", "#b07a00", "#e69f00"),
    VertexFlag.ELECTRON_END: PixelStyle("electron's end", "", "#56b4e9", "#8fd3ff"),
    VertexFlag.ELASTIC: PixelStyle("elastic", "", "#5f6874", "#a0a9b4"),
    VertexFlag.INELASTIC: PixelStyle("inelastic", "", "#0072b2", "#3a93d6"),
}
UNITS = {"adc": "ADC", "electrons": "electrons", "unknown": ""}


def signal_name(unit: str, rebin: int) -> str:
    """Return the words beneath the scale of the signal."""
    if unit == "unknown":
        return "signal (the file does not say its unit)"
    return f"{UNITS[unit]} per tick{f', mean of {rebin} ticks' if rebin > 1 else ''}"
