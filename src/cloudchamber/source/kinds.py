"""Which task a file is for."""

from pathlib import Path

from cloudchamber.source.hdf5 import holds, open_hdf5, read_attributes
from cloudchamber.source.labelled_frames import is_labelled_frames

# How files begin that hold wire readouts of others, if anything that is read here: ROOT's and NumPy's .npz.
_WIRES = (b"root", b"PK\x03\x04")


def task_of(path: Path) -> str:
    """Return the task that a file of ours names.

    Files that name none are LUMIN's fold files, which are of the task energy, labelled frames, of wires, or
    the challenge's, of walls. ROOT's files and .npz are taken to be of wires: which, ``wire_kind`` finds out.

    Raises
    ------
    InputError
        if it is not HDF5, cut off or damaged.
    """
    if _starts_as_wires(path):
        return "wires"
    with open_hdf5(path) as file:
        others = "energy" if holds(file, path, "fold_0") else "walls"
        if is_labelled_frames(file, path):
            others = "wires"
        return str(read_attributes(file, path).get("task", others))


def _starts_as_wires(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(4) in _WIRES
    except OSError:
        return False  # which opening it as HDF5 explains
