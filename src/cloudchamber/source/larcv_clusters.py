"""larcv's sets of voxels by particle (cluster3d), from bytes that uproot refuses.

A branch ``_voxel_vv._voxel_v`` holds vectors of vectors of (id, value), streamed member by member. Per
entry, big-endian: u4 number of bytes that follow, with the bit 0x40000000 set; u2 version, with the bit
0x4000 for "member by member" set; u2 version of the inner class, and if that is 0 its u4 checksum; then for
every set u4 n, n u8 ids, n f4 values.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Int64, UInt64

from cloudchamber.errors import InputError
from cloudchamber.source.larcv_tree import find_branch, read_jagged, root_damage

VOXELS, SETS = "_voxel_vv._voxel_v", "_voxel_vv._id"
COUNTED, MEMBERWISE = 0x40000000, 0x4000


class Sets(NamedTuple):
    """The voxel sets of an entry, one after the other."""

    size: Int64[np.ndarray, "set"]
    number: UInt64[np.ndarray, "voxel"]
    value: Float32[np.ndarray, "voxel"]


def _whole_number(data: bytes, start: int, size: int, path: Path, entry: str) -> int:
    if start + size > len(data):
        wanted = f"{size} bytes at byte {start}"
        raise InputError(path, entry, wanted, f"the end of the entry at byte {len(data)}")
    return int.from_bytes(data[start : start + size], "big")


def parse_sets(data: bytes, path: Path, entry: str) -> Sets:
    """Return the voxel sets in the bytes of one entry.

    Raises
    ------
    InputError
        if the bytes are not what the module's text says, to the last of them.
    """
    count = _whole_number(data, 0, 4, path, entry)
    if not count & COUNTED or count & ~COUNTED != len(data) - 4:
        wanted = f"a count of the {len(data) - 4} bytes that follow"
        raise InputError(path, entry, wanted, f"{count:#010x}")
    version = _whole_number(data, 4, 2, path, entry)
    if not version & MEMBERWISE:
        raise InputError(path, entry, "voxels streamed member by member", f"the version {version:#06x}")
    at = 8 if _whole_number(data, 6, 2, path, entry) else 12
    sizes: list[int] = []
    numbers, values = [np.zeros(0, ">u8")], [np.zeros(0, ">f4")]
    while at < len(data):
        n = _whole_number(data, at, 4, path, entry)
        at += 4
        if at + 12 * n > len(data):
            wanted = f"{n} voxels in set {len(sizes)}"
            raise InputError(
                path, entry, wanted, f"{max(0, len(data) - at)} bytes, room for {(len(data) - at) // 12}"
            )
        numbers.append(np.frombuffer(data, ">u8", n, at))
        values.append(np.frombuffer(data, ">f4", n, at + 8 * n))
        sizes.append(n)
        at += 12 * n
    if at != len(data):
        raise InputError(path, entry, f"{at} bytes", f"{len(data)} bytes")
    return Sets(
        np.array(sizes, np.int64),
        np.concatenate(numbers).astype(np.uint64),
        np.concatenate(values).astype(np.float32),
    )


def _entries(branch: Any, path: Path, where: str, start: int, stop: int) -> Iterator[bytes]:
    """Yield the bytes of entries ``start`` to ``stop``, basket by basket."""
    wanted, done = f"the bytes of entries {start} to {stop - 1}", start
    with root_damage(path, where, wanted):
        for number in range(branch.num_baskets):
            first, last = branch.basket_entry_start_stop(number)
            if last <= start or first >= stop:
                continue
            basket = branch.basket(number)
            if basket.byte_offsets is None or len(basket.byte_offsets) != last - first + 1:
                raise InputError(
                    path, where, f"the places of {last - first} entries in basket {number}", "others"
                )
            data, places = np.ascontiguousarray(basket.data), basket.byte_offsets.tolist()
            if places != sorted(places) or places[0] < 0 or places[-1] > len(data):
                raise InputError(path, where, f"rising places of entries in basket {number}", f"{places[:8]}")
            for entry in range(max(first, start), min(last, stop)):
                yield data[places[entry - first] : places[entry - first + 1]].tobytes()
                done += 1
    if done != stop:
        raise InputError(path, where, wanted, f"{done - start} entries")


def read_sets(tree: Any, path: Path, start: int, stop: int) -> Iterator[Sets]:
    """Yield the voxel sets of entries ``start`` to ``stop`` of a cluster3d tree.

    Raises
    ------
    InputError
        if a branch is missing, or the bytes of an entry are cut or damaged.
    """
    branch = find_branch(tree, path, VOXELS)
    offsets, _ = read_jagged(tree, path, SETS, start, stop)
    sets = np.diff(offsets)
    where = f"{tree.name}, branch {VOXELS}"
    for index, data in enumerate(_entries(branch, path, where, start, stop)):
        entry = f"{where}, entry {start + index}"
        found = parse_sets(data, path, entry)
        if len(found.size) != sets[index]:
            raise InputError(path, entry, f"{sets[index]} voxel sets", str(len(found.size)))
        yield found
