"""Colours and letters of every plot: told apart by colour-blind readers, legible on light and dark pages.

Hues are of the set by Okabe and Ito (2008); grey means right, orange and blue mean wrong. Text and lines of
an SVG in a page take the page's own colours, through CSS variables.
"""

import io
import re
from contextlib import AbstractContextManager
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.figure import Figure

WALL = "#8fa3b8"
MISSED = "#e69f00"
ADDED = "#0072b2"
ACCENT = "#0b6aa8"
EDGE = "#2b3440"
INK, MUTED, GRID = "#1f2329", "#5f6874", "#d8dde3"
X0_COLOURS = "viridis"
X0_TICKS_M = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
FONTS = ["Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans"]
DPI = 150

_VARIABLES = {INK: "--ink", MUTED: "--muted", GRID: "--grid", ACCENT: "--accent"}
_STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "cloudchamber",
    "image.interpolation": "nearest",
}


def style() -> AbstractContextManager[None]:
    """Return a context in which matplotlib draws in the style of this package."""
    installed = set(font_manager.fontManager.get_font_names())
    _STYLE["font.sans-serif"] = [font for font in FONTS if font in installed]
    return matplotlib.rc_context(_STYLE)


def svg_bytes(figure: Figure) -> bytes:
    """Return a figure as an SVG file; the same figure gives the same bytes."""
    stream = io.BytesIO()
    with style():
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None}, dpi=DPI)
    return stream.getvalue()


def png_bytes(figure: Figure, dpi: int = DPI, background: str = "white") -> bytes:
    """Return a figure as a PNG file."""
    stream = io.BytesIO()
    with style():
        figure.savefig(stream, format="png", dpi=dpi, facecolor=background, metadata={"Software": None})
    return stream.getvalue()


def inline_svg(figure: Figure, name: str, alt: str) -> str:
    """Return a figure as an ``<svg>`` element for a page.

    Parameters
    ----------
    name : put before every id, so that several plots live on one page.
    alt : what a reader who cannot see the plot should know.
    """
    text = svg_bytes(figure).decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    text = re.sub(r"'[^;\"]*?sans-serif", f"{', '.join(repr(font) for font in FONTS)}, sans-serif", text)
    width, height = (float(match) for match in re.findall(r'(?:width|height)="([\d.]+)pt"', text)[:2])
    head = f'<svg role="img" aria-label="{_escape(alt)}" style="max-width:{width * 4 / 3:.0f}px" '
    text = re.sub(r'(<svg[^>]*?)width="[\d.]+pt"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?)height="[\d.]+pt"', r"\1", text, count=1)
    return text.replace("<svg ", f'{head}data-ratio="{width / height:.3f}" ', 1)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
