"""Which task a file is for."""

from pathlib import Path

from cloudchamber.source.hdf5 import holds, open_hdf5, read_attributes


def task_of(path: Path) -> str:
    """Return the task that a file of ours names.

    Files that name none are LUMIN's fold files, which are of the task energy, or the challenge's, of walls.

    Raises
    ------
    InputError
        if it is not HDF5, cut off or damaged.
    """
    with open_hdf5(path) as file:
        others = "energy" if holds(file, path, "fold_0") else "walls"
        return str(read_attributes(file, path).get("task", others))
