"""Opening larcv2's ROOT files without ROOT: trees by type and producer, branches by the end of their name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot
from jaxtyping import Int64, Shaped

from cloudchamber.errors import InputError
from cloudchamber.voxel_events import offsets_of

MAGIC = b"root"


@contextmanager
def root_damage(path: Path, entry: str, expected: str) -> Iterator[None]:
    """Turn whatever uproot raises on a damaged or foreign file into an ``InputError``."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
        raise InputError(path, entry, expected, f"a damaged or foreign one ({reason[:150]})") from error


@contextmanager
def open_root(path: Path) -> Iterator[Any]:
    """Open a ROOT file for reading.

    Raises
    ------
    InputError
        if there is no such file, it is a folder or empty, it is not ROOT, it is cut off or damaged.
    """
    if path.is_dir():
        raise InputError(path, "", "a ROOT file", "a folder")
    try:
        with path.open("rb") as stream:
            start = stream.read(8)
    except OSError as error:
        raise InputError(path, "", "a ROOT file", error.strerror or str(error)) from error
    if not start.startswith(MAGIC):
        found = f"another kind of file (it starts with {start!r})" if start else "an empty file"
        raise InputError(path, "", "a ROOT file", found)
    with root_damage(path, "", "a whole ROOT file"):
        file = uproot.open({path: None}, handler=uproot.MemmapSource)
    with file:
        with root_damage(path, "", "a whole ROOT file"):
            size, said = path.stat().st_size, int(file.file.fEND)
            if size < said:
                raise InputError(path, "", f"a whole ROOT file of {said} bytes", f"{size} bytes")
        yield file


def producers(file: Any, path: Path, kind: str) -> list[str]:
    """Return the producers that left a tree of a type (sparse3d, cluster3d, particle) in a file."""
    with root_damage(path, "", "a list of trees"):
        names = {str(key).split(";")[0] for key in file.keys(recursive=False)}
    start, end = f"{kind}_", "_tree"
    return sorted(
        name[len(start) : -len(end)] for name in names if name.startswith(start) and name.endswith(end)
    )


def choose(file: Any, path: Path, kind: str, wanted: str | None, usual: str, *, only: bool) -> str | None:
    """Return the producer to read of a type, None if there is none and none need be.

    Parameters
    ----------
    wanted : its name, None for none, ``"auto"``: the usual one where it is there, else with ``only`` the only
        one.

    Raises
    ------
    InputError
        if it is not in the file, or several are and it cannot be told which.
    """
    if wanted is None:
        return None
    there = producers(file, path, kind)
    if wanted != "auto":
        if wanted not in there:
            listed = ", ".join(there) or "none"
            raise InputError(
                path, f"{kind}_{wanted}_tree", "a tree of that name", f"producers of {kind}: {listed}"
            )
        return wanted
    if usual in there:
        return usual
    if only and len(there) > 1:
        raise InputError(path, f"{kind}_*_tree", "one producer, or a choice", f"several: {', '.join(there)}")
    return there[0] if only and there else None


def open_tree(file: Any, path: Path, kind: str, producer: str) -> Any:
    """Return a tree of a file.

    Raises
    ------
    InputError
        if it is damaged or not a tree.
    """
    name = f"{kind}_{producer}_tree"
    with root_damage(path, name, "a tree"):
        tree = file[name]
        if not hasattr(tree, "num_entries") or not hasattr(tree, "branches"):
            raise InputError(path, name, "a tree", f"a {type(tree).__name__}")
    return tree


def find_branch(tree: Any, path: Path, leaf: str, *, needed: bool = True) -> Any:
    """Return the branch whose name, without those above it, is ``leaf``; None if it is not needed nor there.

    Raises
    ------
    InputError
        if it is needed and not there.
    """
    with root_damage(path, str(tree.name), "branches that can be listed"):
        for name, branch in tree.iteritems(recursive=True):
            if name.rsplit("/", 1)[-1] == leaf:
                return branch
    if needed:
        raise InputError(path, f"{tree.name}", f"a branch {leaf}", "none of that name")
    return None


def _read(branch: Any, path: Path, tree: Any, start: int, stop: int) -> Any:
    entry = f"{tree.name}, branch {branch.name}, entries {start} to {stop - 1}"
    with root_damage(path, entry, "numbers that can be read"):
        array = branch.array(entry_start=start, entry_stop=stop, library="ak")
        if len(array) != stop - start:
            raise InputError(path, entry, f"{stop - start} entries", f"{len(array)}")
    return array


def _numbers(array: Any, path: Path, entry: str) -> Shaped[np.ndarray, "value"]:
    with root_damage(path, entry, "numbers"):
        values = np.asarray(ak.to_numpy(array))
        if values.ndim != 1 or values.dtype.kind not in "iufb":
            raise InputError(path, entry, "numbers", f"{values.ndim} axes of {values.dtype}")
    return values.astype(values.dtype.newbyteorder("="))


def read_flat(tree: Any, path: Path, leaf: str, start: int, stop: int) -> Shaped[np.ndarray, "entry"]:
    """Read one number per entry.

    Raises
    ------
    InputError
        if the branch is missing, damaged or of another type.
    """
    array = _read(find_branch(tree, path, leaf), path, tree, start, stop)
    return _numbers(array, path, f"{tree.name}, branch {leaf}")


def read_jagged(
    tree: Any, path: Path, leaf: str, start: int, stop: int
) -> tuple[Int64[np.ndarray, "entry+1"], Shaped[np.ndarray, "value"]]:
    """Read any number of numbers per entry: where each entry starts, and the numbers of all.

    Raises
    ------
    InputError
        if the branch is missing, damaged or of another type.
    """
    array = _read(find_branch(tree, path, leaf), path, tree, start, stop)
    entry = f"{tree.name}, branch {leaf}"
    with root_damage(path, entry, "lists of numbers"):
        if array.ndim != 2:
            raise InputError(path, entry, "a list of numbers per entry", f"{array.ndim} axes")
        counts, flat = ak.to_numpy(ak.num(array, axis=1)), ak.flatten(array, axis=1)
    return offsets_of(counts), _numbers(flat, path, entry)


def read_names(tree: Any, path: Path, leaf: str, start: int, stop: int) -> list[list[str]]:
    """Read lists of text per entry; of one text per entry the parts between semicolons.

    Raises
    ------
    InputError
        if the branch is missing, damaged or of another type.
    """
    array = _read(find_branch(tree, path, leaf), path, tree, start, stop)
    with root_damage(path, f"{tree.name}, branch {leaf}", "text"):
        rows = array.to_list()
        if all(isinstance(row, str) for row in rows):
            return [row.split(";") if row else [] for row in rows]
        if not all(isinstance(name, str) for row in rows for name in row):
            raise InputError(path, f"{tree.name}, branch {leaf}", "text", f"{array.type}"[:100])
    return [list(row) for row in rows]
