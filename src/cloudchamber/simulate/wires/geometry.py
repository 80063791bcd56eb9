"""Where particles are followed, and which wires see which part of it."""

from typing import NamedTuple

from cloudchamber.simulate.lartpc.record import Box
from cloudchamber.simulate.wires.config import WiresConfig

ALONG_DRIFT_MM = 0.8  # cells of deposits, about
PER_PITCH = 4  # cells of deposits across a pitch


class Face(NamedTuple):
    """Wires of one face of an APA, and the cells along x whose charge drifts to it."""

    first_wire: int  # in the readout
    wires: int
    first_pitch: int  # where its wires begin along z, in pitches
    low: int  # cells low to high - 1 along x
    high: int
    towards_low: bool  # the wires lie at the low end of the cells


class Layout(NamedTuple):
    """The box of deposits in the frame of the detector, and the faces that are read out."""

    box: Box
    origin_mm: tuple[float, float, float]  # corner of the box in the detector's frame
    faces: tuple[Face, ...]

    @property
    def wires(self) -> int:
        """Return the number of wires of the readout."""
        return sum(face.wires for face in self.faces)

    @property
    def size_mm(self) -> tuple[float, float, float]:
        """Return the size of the box."""
        (nx, ny, nz), (dx, dy, dz) = self.box.cells, self.box.cell_mm
        return nx * dx, ny * dy, nz * dz


def layout_of(config: WiresConfig) -> Layout:
    """Return what a readout sees.

    On the beam's side these are the drift volume at x < 0 and the faces towards it, wires rising with z. All:
    both volumes and the argon behind the APAs; wires APA by APA, first those of the beam's side, of each its
    face towards the drift volume and then that towards the wall.
    """
    geometry = config.geometry
    drift = round(geometry.drift_mm / ALONG_DRIFT_MM)
    cell = geometry.drift_mm / drift
    behind = max(1, round(geometry.behind_mm / cell))
    pitches, wires = geometry.apas * geometry.face_wires, geometry.face_wires
    cells_z, size_z = pitches * PER_PITCH, geometry.pitch_mm / PER_PITCH
    faces = []
    if config.readout == "beam-side":
        box = Box((drift, 1, cells_z), (cell, geometry.height_mm, size_z), geometry.margin_mm)
        faces = [Face(apa * wires, wires, apa * wires, 0, drift, True) for apa in range(geometry.apas)]
        return Layout(box, (-geometry.drift_mm, 0.0, 0.0), tuple(faces))
    near, middle, far = behind, behind + drift, behind + 2 * drift
    whole = far + behind
    box = Box((whole, 1, cells_z), (cell, geometry.height_mm, size_z), geometry.margin_mm)
    for side in range(2):
        for apa in range(geometry.apas):
            first = (side * geometry.apas + apa) * 2 * wires
            drifts = (near, middle, True) if side == 0 else (middle, far, False)
            wall = (0, near, False) if side == 0 else (far, whole, True)
            faces.append(Face(first, wires, apa * wires, *drifts))
            faces.append(Face(first + wires, wires, apa * wires, *wall))
    return Layout(box, (-geometry.drift_mm - behind * cell, 0.0, 0.0), tuple(faces))
