"""Names and colours of classes of voxels: hues of Okabe and Ito (2008), tracks blue, Michels vermilion."""

from typing import NamedTuple

from matplotlib import colormaps

from cloudchamber.labels import Process, VoxelLabel

ENERGY_COLOURS = "viridis"
RIGHT, WRONG = "#8fa3b8", "#e69f00"


class ClassStyle(NamedTuple):
    """How a class is shown: its short name, what belongs to it, its colour on a light and on a dark page."""

    name: str
    what: str
    light: str
    dark: str


CLASSES = {
    VoxelLabel.HIP: ClassStyle("HIP", "protons", "#56b4e9", "#8fd3ff"),
    VoxelLabel.MIP: ClassStyle("MIP", "muons, pions", "#0072b2", "#3a93d6"),
    VoxelLabel.SHOWER: ClassStyle("shower", "electromagnetic", "#009e73", "#0fb488"),
    VoxelLabel.DELTA: ClassStyle("delta ray", "knocked-on electrons", "#cc79a7", "#e29cc4"),
    VoxelLabel.MICHEL: ClassStyle("Michel", "electrons of muon decays", "#d55e00", "#ff7f1f"),
}


def process_name(process: int) -> str:
    """Return a creating process in words."""
    if process == Process.MOLLER:
        return "Møller scattering"
    if process not in set(Process):
        return f"process {process}"
    return Process(process).name.lower().replace("_", " ")


def ramp(colours: int = 32) -> list[tuple[int, int, int]]:
    """Return the colour scale of energies and scores, from low to high, as red, green, blue of 0 to 255."""
    table = colormaps[ENERGY_COLOURS].resampled(colours)
    rgb = [[round(255 * part) for part in table(k)[:3]] for k in range(colours)]
    return [(red, green, blue) for red, green, blue in rgb]
