"""Creating HDF5 files on disks that may run full.

When the disk is full HDF5 can neither flush nor close its file, and h5py then crashes the process (a
segmentation fault in HDF5 2.0, measured). So HDF5 writes to an object that keeps the error to itself until
it is asked.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

# The 1.10 layout, because every piece of its structure has a checksum: a flipped bit is noticed.
LAYOUT = ("v110", "v110")


class Sink(io.FileIO):
    """A file that takes everything; what the system said to the first failed write is in ``error``."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "x+")
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all bytes, or remember why not and say that they are written."""
        view = memoryview(data).cast("B")
        done = 0
        while self.error is None and done < len(view):
            try:
                done += super().write(view[done:])
            except OSError as error:
                self.error = error
        if self.error is not None:
            self.seek(len(view) - done, io.SEEK_CUR)
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Set the size, or remember why not."""
        if self.error is None:
            try:
                return super().truncate(size)
            except OSError as error:
                self.error = error
        return size if size is not None else self.tell()

    def raise_failed(self) -> None:
        """Raise the error that was kept back, if any."""
        if self.error is not None:
            raise self.error


@contextmanager
def create_hdf5(path: Path) -> Iterator[tuple[h5py.File, Callable[[], None]]]:
    """Create an HDF5 file without time stamps.

    Yields
    ------
    The file, and a function that raises the ``OSError`` of a failed write, to be called now and then.

    Raises
    ------
    OSError
        at the end, if a write failed and nobody asked.
    """
    with Sink(path) as sink:
        try:
            with h5py.File(sink, "w", libver=LAYOUT, track_times=False) as file:
                yield file, sink.raise_failed
        finally:
            failed = sink.error
        if failed is not None:
            raise failed
