"""Which task a file is for."""

from pathlib import Path

from cloudchamber.source.hdf5 import open_hdf5, read_attributes


def task_of(path: Path) -> str:
    """Return the task that a file of ours names; walls, if it names none, as the challenge's files.

    Raises
    ------
    InputError
        if it is not HDF5, cut off or damaged.
    """
    with open_hdf5(path) as file:
        return str(read_attributes(file, path).get("task", "walls"))
