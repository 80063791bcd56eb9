"""``cloudchamber fetch``: the public data set of the MODE challenge."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def fetch(
    output: Annotated[Path, Parameter(name=["-o", "--output"])] = Path("data"),
    *,
    private: bool = False,
    mirror: str | None = None,
) -> None:
    """Fetch train.h5 and test.h5 of the MODE challenge of 2022 (doi:10.5281/zenodo.7050560).

    What broke off is taken up where it stopped when the same command is given again.

    Parameters
    ----------
    output
        Folder to write to.
    private
        Fetch test_private.h5 as well, the test set with targets.
    mirror
        Address of a folder with the same files and a registry.txt (name and checksum per line).
    """
    from cloudchamber.source.fetch import FILES, PRIVATE, check_room, list_files
    from cloudchamber.source.fetch import fetch as fetch_files

    files = list_files([*FILES, PRIVATE] if private else FILES, mirror)
    need = check_room(output, files)
    names = ", ".join(file.name for file in files)
    unknown = "" if all(file.size_bytes for file in files) else " or more"
    print(f"{names}: {need / 1e6:.1f} MB{unknown} to fetch into {output}", file=sys.stderr)
    for path in fetch_files(output, files):
        print(path)
