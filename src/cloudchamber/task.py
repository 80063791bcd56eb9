"""The tasks: what an image, a target and the figure of merit are in each."""

from dataclasses import dataclass
from enum import IntEnum

from cloudchamber.errors import InputError
from cloudchamber.labels import Activity, BeamLabel, VoxelLabel, WallLabel


@dataclass(frozen=True)
class Task:
    """One task, in the words of its users; ``labels`` are the classes of the target, None for a number."""

    name: str
    image: str
    target: str
    labels: type[IntEnum] | None
    merit: str


WALLS = Task(
    name="walls",
    image="map of radiation length from muon scattering: x0 float32 (sample, z, x, y) in m, z = 0 deepest",
    target="targs int (sample, z, x, y): 1 where there is wall, 0 where there is soil",
    labels=WallLabel,
    merit="IOU, mean over volumes",
)

VOXELS = Task(
    name="voxels",
    image="sparse charge of a LArTPC: position (voxel, 3) and energy_mev (voxel), voxel_count of each event",
    target="label (voxel): a value of VoxelLabel",
    labels=VoxelLabel,
    merit="non-zero accuracy: share of the voxels with charge that get their label",
)

ENERGY = Task(
    name="energy",
    image="cells of a calorimeter that hold energy: position (cell, 3) as z, x, y and energy_gev (cell), "
    "cell_count of each muon",
    target="energy_gev of each muon: its kinetic energy at the front face",
    labels=None,
    merit="MI: mean improvement over a tracker alone, in per cent, from 100 to 4000 GeV",
)

BEAM = Task(
    name="beam",
    image="collection wires of a LArTPC: code (event, wire, drift), the signal in units of step above zero",
    target="beam (event, wire, drift): a value of BeamLabel",
    labels=BeamLabel,
    merit="mIoU: intersection over union, mean over the classes",
)

HITS = Task(
    name="hits",
    image="wires of a LArTPC: code (event, wire, drift), the signal in units of step above zero, and hits",
    target="activity and michel (event, wire, drift): a value of Activity, and 1 for a Michel electron",
    labels=Activity,
    merit="area under the ROC curve, electromagnetic against track and Michel against the rest, at hits",
)

TASKS = {task.name: task for task in (WALLS, VOXELS, ENERGY, BEAM, HITS)}


def find_task(name: str) -> Task:
    """Return a task by name.

    Raises
    ------
    InputError
        if there is none of that name.
    """
    if name not in TASKS:
        raise InputError("task", "", f"one of {', '.join(TASKS)}", repr(name))
    return TASKS[name]
