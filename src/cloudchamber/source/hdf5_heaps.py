"""Checks of the heaps in which HDF5 keeps rows of variable length.

A heap has no checksum, and HDF5 2.0 steps through a zeroed one forever, in steps of nothing (measured), so
it is walked here first. Layouts: HDF5 File Format Specification 3.0, global heap and variable-length data (u4
length, u8 address of the heap, u4 index in it).
"""

import struct
from pathlib import Path
from typing import BinaryIO

import h5py
import numpy as np
from jaxtyping import Shaped

from cloudchamber.errors import InputError
from cloudchamber.source.hdf5 import damage_is_an_input_error

REFERENCE = np.dtype([("length", "<u4"), ("address", "<u8"), ("index", "<u4")])
SIGNATURE, HEADER = b"GCOL\x01", 16


def _read(stream: BinaryIO, start: int, size: int) -> bytes:
    stream.seek(start)
    return stream.read(size)


def _references(dataset: h5py.Dataset, stream: BinaryIO, start: int, stop: int) -> Shaped[np.ndarray, "row"]:
    """Return where rows ``start`` to ``stop`` lie; none for those whose references are compressed."""
    width = REFERENCE.itemsize
    found = [np.zeros(0, REFERENCE)]
    if dataset.chunks is None:
        offset = dataset.id.get_offset()
        if offset is not None and dataset.id.get_storage_size() == width * len(dataset):
            data = _read(stream, offset + width * start, width * (stop - start))
            found.append(np.frombuffer(data[: len(data) // width * width], REFERENCE))
    elif dataset.id.get_create_plist().get_nfilters() == 0:
        rows = dataset.chunks[0]
        for first in range(start // rows * rows, stop, rows):
            chunk = dataset.id.get_chunk_info_by_coord((first,))
            if chunk.byte_offset is not None and chunk.size == width * rows:
                low, high = max(first, start) - first, min(first + rows, stop) - first
                data = _read(stream, chunk.byte_offset + width * low, width * (high - low))
                found.append(np.frombuffer(data[: len(data) // width * width], REFERENCE))
    return np.concatenate(found)


def _fault(stream: BinaryIO, address: int, room: int) -> str:
    """Return what is wrong with the heap at an address, nothing if it is sound."""
    start = _read(stream, address, HEADER)
    if len(start) < HEADER or not start.startswith(SIGNATURE):
        return f"{start[:5]!r} at byte {address}"
    (size,) = struct.unpack_from("<Q", start, 8)
    if size < HEADER or address + size > room:
        return f"a heap of {size} bytes at byte {address} of {room}"
    at = HEADER
    while at + HEADER <= size:
        index, _, length = struct.unpack("<HHxxxxQ", _read(stream, address + at, HEADER))
        # Number 0 is the space that is left, its length with its header; others are padded to 8 bytes.
        step = length if index == 0 else HEADER + (length + 7) // 8 * 8
        if step < HEADER or at + step > size:
            return f"a step of {step} bytes at byte {at} of a heap of {size}"
        at += step
    return ""


def check_heaps(dataset: h5py.Dataset, path: Path, name: str, start: int, stop: int) -> None:
    """Check the heaps of rows ``start`` to ``stop`` of a data set of variable-length rows.

    Where the references to the heaps are compressed (which checks them) they are not looked into.

    Raises
    ------
    InputError
        if one is damaged.
    """
    entry = f"{name}, events {start} to {stop - 1}"
    with damage_is_an_input_error(path, entry, "rows that can be read"), path.open("rb") as stream:
        references = _references(dataset, stream, start, stop)
        base, room = dataset.file.userblock_size, path.stat().st_size
        for address in np.unique(references["address"][references["length"] > 0]).tolist():
            fault = _fault(stream, base + address, room)
            if fault:
                raise InputError(path, entry, "rows in a sound heap", fault)
