"""``cloudchamber fetch``: the public data sets of the MODE challenge, and of muons in a calorimeter."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cloudchamber.errors import InputError


def fetch(
    task: Literal["walls", "energy"] = "walls",
    output: Annotated[Path, Parameter(name=["-o", "--output"])] = Path("data"),
    *,
    private: bool = False,
    mirror: str | None = None,
) -> None:
    """Fetch a public data set: of walls, or of the energy of muons in a calorimeter.

    walls: train.h5 and test.h5 of the MODE challenge of 2022 (doi:10.5281/zenodo.7050560). energy: all fold
    files of arXiv:2107.02119 (doi:10.5281/zenodo.5163817). What broke off is taken up where it stopped when
    the same command is given again.

    Parameters
    ----------
    task
        The task that the data are for.
    output
        Folder to write to.
    private
        Fetch test_private.h5 as well, the test set of walls with targets.
    mirror
        Address of a folder with the same files and a registry.txt (name and checksum per line).
    """
    from cloudchamber.source.fetch import DOI, ENERGY_DOI, FILES, PRIVATE, check_room, list_files
    from cloudchamber.source.fetch import fetch as fetch_files

    if task == "energy":
        if private:
            raise InputError("--private", "", "the task walls, which has such a file", "energy")
        files = list_files(None, mirror, ENERGY_DOI)
    else:
        files = list_files([*FILES, PRIVATE] if private else FILES, mirror, DOI)
    need = check_room(output, files)
    names = ", ".join(file.name for file in files)
    unknown = "" if all(file.size_bytes for file in files) else " or more"
    print(f"{names}: {need / 1e6:.1f} MB{unknown} to fetch into {output}", file=sys.stderr)
    for path in fetch_files(output, files):
        print(path)
