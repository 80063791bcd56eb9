"""Writing our HDF5 files: block by block, with checksums, the same bytes for the same arrays."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Shaped

from cloudchamber import __version__
from cloudchamber.errors import InputError
from cloudchamber.files import whole
from cloudchamber.source.sink import create_hdf5

FORMAT = 1
CHUNK_BYTES = 2**18
AXES = "(sample, z, x, y), z = 0 deepest"
Attributes = Mapping[str, str | int | float]
Blocks = Mapping[str, Shaped[np.ndarray, "sample ..."]]


class StoreWriter:
    """Takes blocks of rows in order and writes whole chunks, so the blocks' sizes leave no trace.

    There are ``n`` rows in the end, or, with None, as many as come.
    """

    def __init__(self, file: h5py.File, n: int | None, units: Mapping[str, str]) -> None:
        self.file, self.n, self.units = file, n, units
        self.datasets: dict[str, h5py.Dataset] = {}
        self.sums: dict[str, hashlib._Hash] = {}
        self.waiting: list[dict[str, np.ndarray]] = []
        self.rows, self.written, self.received = 1, 0, 0

    def _create(self, blocks: Blocks) -> None:
        widest = max(array[:1].nbytes for array in blocks.values())
        fitting = max(1, CHUNK_BYTES // max(1, widest))
        self.rows = fitting if self.n is None else min(self.n, fitting)
        for name, array in blocks.items():
            self.datasets[name] = self.file.create_dataset(
                name, (self.n or 0, *array.shape[1:]), array.dtype.newbyteorder("<"),
                maxshape=(self.n, *array.shape[1:]), chunks=(self.rows, *array.shape[1:]),
                compression="lzf", shuffle=True, fletcher32=True, track_times=False,
            )  # fmt: skip
            self.sums[name] = hashlib.sha256()

    def add(self, blocks: Blocks) -> None:
        """Add samples: arrays of equal length under the data sets' names."""
        if not self.datasets:
            self._create(blocks)
        lengths = {len(array) for array in blocks.values()}
        shapes = {name: (array.shape[1:], array.dtype.newbyteorder("<")) for name, array in blocks.items()}
        wanted = {name: (data.shape[1:], data.dtype) for name, data in self.datasets.items()}
        if len(lengths) != 1 or shapes != wanted:
            raise ValueError(f"blocks must have one length and {wanted}, not {lengths} and {shapes}")
        self.received += lengths.pop()
        if self.n is not None and self.received > self.n:
            raise ValueError(f"{self.n} samples were announced and {self.received} were given")
        self.waiting.append(dict(blocks))
        if self.received - self.written >= self.rows or self.received == self.n:
            self._write()

    def _write(self, last: bool = False) -> None:
        """Write what fills chunks; hold back the rest unless it is the last."""
        joined = {name: np.concatenate([part[name] for part in self.waiting]) for name in self.datasets}
        held = self.received - self.written
        take = held if last or self.received == self.n else held - held % self.rows
        if self.n is None:
            for data in self.datasets.values():
                data.resize(self.written + take, axis=0)
        for start in range(0, take, self.rows):
            stop = min(take, start + self.rows)
            for name, data in self.datasets.items():
                rows = np.ascontiguousarray(joined[name][start:stop], dtype=data.dtype)
                self.sums[name].update(rows.tobytes())
                data[self.written + start : self.written + stop] = rows
        self.written += take
        self.waiting = [{name: array[take:].copy() for name, array in joined.items()}]

    def finish(self) -> None:
        """Write what was held back, and the attributes of the data sets, once all rows have come."""
        if self.n is None and self.received > self.written:
            self._write(last=True)
        if self.n is not None and self.written != self.n:
            raise ValueError(f"{self.n} samples were announced and {self.written} were given")
        for name, data in self.datasets.items():
            _write_attributes(data, {"unit": self.units[name], "sha256": self.sums[name].hexdigest()})


def _write_attributes(place: h5py.File | h5py.Dataset, attributes: Attributes) -> None:
    for key, value in sorted(attributes.items()):
        if isinstance(value, str):  # of fixed length, for HDF5 keeps those where its checksums reach
            text = value.encode("utf-8")
            place.attrs.create(key, text, dtype=h5py.string_dtype("utf-8", max(1, len(text))))
        else:
            place.attrs.create(key, value, dtype="<i8" if isinstance(value, int) else "<f8")


def check_target(path: Path, overwrite: bool) -> None:
    """Refuse early what could not be written in the end.

    Raises
    ------
    InputError
        if ``path`` is a folder or a file that may not be replaced, or no folder to write to.
    """
    folder = nearest_folder(path)
    if not folder.is_dir():
        raise InputError(path, "", "a folder to write to", f"{folder}, which is a file")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(path, "", "a folder to write to", f"{folder}, which may not be written")
    if path.is_dir():
        raise InputError(path, "", "a file to write", "a folder of that name")
    if path.exists() and not overwrite:
        raise InputError(path, "", "a new file", "one that exists (--overwrite replaces it)")


def nearest_folder(path: Path) -> Path:
    """Return what exists of the folders above ``path``."""
    folder = path.absolute().parent
    while not folder.exists():
        folder = folder.parent
    return folder


@contextmanager
def write_store(
    path: Path,
    n: int,
    attributes: Attributes,
    units: Mapping[str, str],
    *,
    axes: str = AXES,
    tables: Mapping[str, str] = {},
) -> Iterator[Callable[[Blocks], None]]:
    """Write a file of ``n`` samples block by block; memory stays flat, the file appears only when whole.

    Parameters
    ----------
    attributes : of the file, such as task, seed and config; ``format``, ``package_version``, ``n`` and
        ``axes`` are added.
    units : the unit of each data set, which becomes its attribute.
    axes : what the file says of the axes of its images.
    tables : data sets with any number of rows per sample: which table each one is a column of. The columns
        of a table have the same rows.

    Yields
    ------
    A function that takes the next samples as arrays (sample, ...) by name of data set, in order. The bytes
    of the file depend on the samples alone, not on how they were cut into blocks.

    Raises
    ------
    InputError
        if the path cannot be written or the disk is full.
    ValueError
        if blocks do not fit each other or are not ``n`` samples together.
    """
    check_target(path, overwrite=True)
    with whole(path) as temporary, create_hdf5(temporary) as (file, raise_failed):
        writers = {"": StoreWriter(file, n, units)}
        writers |= {table: StoreWriter(file, None, units) for table in sorted(set(tables.values()))}

        def add(blocks: Blocks) -> None:
            for table, writer in writers.items():
                columns = {name: rows for name, rows in blocks.items() if tables.get(name, "") == table}
                if columns or not table:
                    writer.add(columns)
            raise_failed()

        yield add
        for writer in writers.values():
            writer.finish()
        ours: Attributes = {"format": FORMAT, "package_version": __version__, "n": n, "axes": axes}
        _write_attributes(file, {**ours, **attributes})
