"""Bytes that ROOT streams for sets of voxels are parsed, and cut ones refused."""

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.errors import InputError
from cloudchamber.source.larcv_clusters import parse_sets


def streamed(sets: list[list[tuple[int, float]]], *, checksum: bool = True) -> bytes:
    """Return what ROOT streams for voxel sets, put together number by number."""
    body = struct.pack(">HH", 0x4009, 0 if checksum else 1) + (b"\x7a\x38\x4f\xda" if checksum else b"")
    for voxels in sets:
        body += struct.pack(">I", len(voxels))
        body += b"".join(struct.pack(">Q", number) for number, _ in voxels)
        body += b"".join(struct.pack(">f", value) for _, value in voxels)
    return struct.pack(">I", 0x40000000 | len(body)) + body


SETS = st.lists(
    st.lists(st.tuples(st.integers(0, 2**64 - 1), st.floats(0, 100, width=32)), max_size=4), max_size=4
)


@given(sets=SETS, checksum=st.booleans())
@settings(max_examples=60)
def test_streamed_sets_are_parsed(sets: list[list[tuple[int, float]]], checksum: bool) -> None:
    found = parse_sets(streamed(sets, checksum=checksum), Path("f"), "e")
    assert found.size.tolist() == [len(voxels) for voxels in sets]
    assert found.number.tolist() == [number for voxels in sets for number, _ in voxels]
    assert found.value.tolist() == [value for voxels in sets for _, value in voxels]


@given(sets=SETS, data=st.data())
@settings(max_examples=60)
def test_streamed_sets_cut_or_lengthened_are_refused(sets: list[list[tuple[int, float]]], data: Any) -> None:
    whole = streamed(sets)
    cut = data.draw(st.integers(0, len(whole) - 1))
    for bad in (whole[:cut], whole + b"\0" * (1 + cut)):
        with pytest.raises(InputError, match="f: e: expected"):
            parse_sets(bad, Path("f"), "e")
    # The number of bytes made to fit, what is inside is still cut short or goes on for too long.
    for bad in (whole[:cut], whole + b"\xff"):
        fitted = struct.pack(">I", 0x40000000 | max(0, len(bad) - 4)) + bad[4:]
        try:
            found = parse_sets(fitted, Path("f"), "e")
        except InputError:
            continue
        assert found.size.tolist() == [len(voxels) for voxels in sets][: len(found.size)]


def test_sets_streamed_object_by_object_are_refused() -> None:
    whole = bytearray(streamed([[(1, 2.0)]]))
    whole[4:6] = struct.pack(">H", 9)
    with pytest.raises(InputError, match="member by member"):
        parse_sets(bytes(whole), Path("f"), "e")
