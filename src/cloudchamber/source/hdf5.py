"""Reading HDF5 files that may be damaged: whatever HDF5 raises becomes one line for the user."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Shaped

from cloudchamber.errors import InputError

# What h5py raises on files that are cut off, damaged or hold things it has no numpy type for.
DAMAGE = (
    OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, IndexError, MemoryError,
    OverflowError, SystemError,
)  # fmt: skip
KINDS = {"f": "floating-point numbers", "iub": "whole numbers", "V": "records", "iubf": "numbers"}
VOLUMES = "(sample, z, x, y)"
COMPRESSES = 1100  # more than any filter of HDF5 can: deflate ends at 1032
SMALL = 2**26


def _reason(error: BaseException) -> str:
    return str(error.args[0] if isinstance(error, KeyError) and error.args else error) or type(error).__name__


@contextmanager
def damage_is_an_input_error(path: Path, entry: str, expected: str) -> Iterator[None]:
    """Turn what h5py raises on a damaged file into an ``InputError``."""
    try:
        yield
    except InputError:
        raise
    except DAMAGE as error:
        raise InputError(path, entry, expected, f"a damaged or foreign one ({_reason(error)})") from error


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading.

    Raises
    ------
    InputError
        if there is no such file, it is a folder or empty, it is not HDF5, it is cut off or damaged.
    """
    if path.is_dir():
        raise InputError(path, "", "an HDF5 file", "a folder")
    try:
        size = path.stat().st_size
        if size:
            path.open("rb").close()
    except OSError as error:
        raise InputError(path, "", "an HDF5 file", error.strerror or str(error)) from error
    if size == 0:
        raise InputError(path, "", "an HDF5 file", "an empty file")
    with damage_is_an_input_error(path, "", "a whole HDF5 file"):
        if not h5py.is_hdf5(path):
            raise InputError(path, "", "an HDF5 file", f"another kind of file ({_signature(path)})")
        file = h5py.File(path, "r", locking=False)
    try:
        yield file
    finally:
        with damage_is_an_input_error(path, "", "a whole HDF5 file"):
            file.close()


def _signature(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(8)
    return f"it starts with {start!r}"


def holds(file: h5py.File, path: Path, name: str) -> bool:
    """Say whether something stands under a name.

    Raises
    ------
    InputError
        if the file is too damaged to tell.
    """
    with damage_is_an_input_error(path, name, "a name that can be looked up"):
        return name in file


def find_dataset(
    file: h5py.File, path: Path, name: str, kinds: str, unit: str = "", axes: str = VOLUMES
) -> h5py.Dataset:
    """Return a data set of a file once its place, type, dimensions and size make sense.

    Parameters
    ----------
    kinds : the numpy kinds allowed: ``"f"``, ``"iub"``, ``"iubf"`` or ``"V"``.
    unit : what the ``unit`` attribute must say where there is one.
    axes : the names of its axes, as an error shows them; a number among them is that axis' length.

    Raises
    ------
    InputError
        if it is missing, a group, a link to another file, of another type, with other axes, or empty.
    """
    expected = f"a data set of {KINDS[kinds]} with the axes {axes}"
    with damage_is_an_input_error(path, name, expected):
        found = None
        if name not in file:
            found = f"none of that name (the file has {', '.join(list(file)[:8]) or 'nothing'})"
        elif isinstance(file.get(name, getlink=True), h5py.ExternalLink):
            found = "a link to another file"
        elif not isinstance(file[name], h5py.Dataset):
            found = f"a {type(file[name]).__name__.lower()}"
        if found is not None:
            raise InputError(path, name, expected, found)
        dataset = file[name]
        dtype, shape = dataset.dtype, dataset.shape
        if dtype.kind not in kinds or (dtype.itemsize > 8 and kinds != "V") or h5py.check_dtype(ref=dtype):
            raise InputError(path, name, expected, f"the type {dtype}")
        lengths = [int(axis) if axis.isdecimal() else None for axis in axes.strip("()").split(", ")]
        if (
            shape is None
            or len(shape) != len(lengths)
            or 0 in shape
            or any(wanted not in (None, found) for wanted, found in zip(lengths, shape, strict=True))
        ):
            raise InputError(path, name, expected, f"the shape {shape}")
        if dataset.is_virtual or dataset.external:
            raise InputError(path, name, "numbers inside the file", "a reference to another file")
        size, room = dataset.size * dtype.itemsize, path.stat().st_size
        if size > max(SMALL, COMPRESSES * room):
            raise InputError(path, name, expected, f"the shape {shape}, too large for {room} bytes")
        if unit and "unit" in dataset.attrs and read_attributes(dataset, path, name)["unit"] != unit:
            found = repr(read_attributes(dataset, path, name)["unit"])
            raise InputError(path, f"{name}, attribute unit", repr(unit), found)
    return dataset


def read_rows(dataset: h5py.Dataset, path: Path, start: int, stop: int) -> Shaped[np.ndarray, "sample z x y"]:
    """Read samples ``start`` to ``stop``, which checks the Fletcher-32 sums of their chunks."""
    name = f"{str(dataset.name).lstrip('/')}, samples {start} to {stop - 1}"
    with damage_is_an_input_error(path, name, "samples that can be read"):
        return np.asarray(dataset[start:stop])


def read_attributes(
    place: h5py.File | h5py.Dataset, path: Path, entry: str = "attributes"
) -> dict[str, str | int | float]:
    """Return the attributes that are text or one number; others are passed over."""
    values: dict[str, str | int | float] = {}
    with damage_is_an_input_error(path, entry, "attributes that can be read"):
        for key, value in place.attrs.items():
            if isinstance(value, (bytes, np.bytes_)):
                values[key] = value.decode("utf-8")
            elif isinstance(value, str):
                values[key] = value
            elif isinstance(value, (np.integer, np.bool_)):
                values[key] = int(value)
            elif isinstance(value, np.floating):
                values[key] = float(value)
    return values


def refuse_first(
    bad: Shaped[np.ndarray, "sample z x y"],
    start: int,
    path: Path,
    name: str,
    expected: str,
    values: Shaped[np.ndarray, "sample z x y"],
) -> None:
    """Raise an ``InputError`` that names the first bad voxel, if there is one."""
    if bad.any():
        sample, *voxel = np.unravel_index(int(np.argmax(bad)), bad.shape)
        entry = f"{name}, sample {start + int(sample)}, voxel (z, x, y) = {tuple(int(i) for i in voxel)}"
        raise InputError(path, entry, expected, str(values[(sample, *voxel)].item()))


def block_starts(n: int, block: int) -> Iterator[tuple[int, int]]:
    """Yield (start, stop) of every block of ``block`` samples in ``n``."""
    for start in range(0, n, block):
        yield start, min(n, start + block)
