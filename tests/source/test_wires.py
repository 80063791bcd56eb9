"""Readouts of wires come back as they were written, and what is wrong with a file is said with its place."""

from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from cloudchamber.cli.info_wires import check_wires, describe_wires
from cloudchamber.errors import InputError
from cloudchamber.source.check import check_sums
from cloudchamber.source.produce import produce
from cloudchamber.source.wires import (
    WIRES_AXES,
    WIRES_TABLES,
    WIRES_UNITS,
    iterate_wire_events,
    read_wire_events,
    readout_attributes,
    wire_arrays,
    write_wire_events,
)
from cloudchamber.voxel_events import offsets_of
from cloudchamber.wire_events import HIT, WIRE_PARTICLE, WireEvents, WireReadout, join_wire_events

WIRES, DRIFTS = 12, 20
READOUT = WireReadout(rebin=6, zero=40.0, step=1.5)


def random_readouts(
    n: int, seed: int = 0, *, truth: bool = True, dtype: str = "u1", hits: int = 6
) -> WireEvents:
    """Return ``n`` readouts of random numbers, with up to ``hits`` hits each."""
    rng = np.random.default_rng(seed)
    shape = (n, WIRES, DRIFTS)
    code = rng.integers(0, 200, shape).astype(dtype)
    counts = rng.integers(0, hits + 1, n)
    table = np.zeros(int(counts.sum()), HIT)
    table["wire"], table["peak_tick"] = rng.integers(0, WIRES, len(table)), rng.random(len(table)) * 100
    if not truth:
        return WireEvents(READOUT, code, hit_offsets=offsets_of(counts), hits=table)
    particles = rng.integers(1, 5, n)
    rows = np.zeros(int(particles.sum()), WIRE_PARTICLE)
    rows["pdg"], rows["parent"], rows["origin"] = 13, -1, rng.integers(0, 5, len(rows))
    particle = np.stack([rng.integers(-1, k, shape[1:]) for k in particles]).astype(np.int32)
    beam, activity, michel, vertex = (rng.integers(0, top, shape).astype(np.uint8) for top in (3, 3, 2, 128))
    return WireEvents(
        READOUT, code, beam, activity, michel, vertex, particle, offsets_of(particles), rows,
        offsets_of(counts), table,
    )  # fmt: skip


def same(a: WireEvents, b: WireEvents) -> None:
    for field in fields(WireEvents):
        np.testing.assert_array_equal(getattr(a, field.name), getattr(b, field.name))


def pieces(events: WireEvents, size: int) -> Iterator[WireEvents]:
    return (events.chosen(i, min(len(events), i + size)) for i in range(0, len(events), size))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "wires.h5"
    write_wire_events(target, 5, iter([random_readouts(5)]), {"seed": 1})
    return target


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4"])
@pytest.mark.parametrize("truth", [True, False])
def test_what_was_written_is_read(tmp_path: Path, truth: bool, dtype: str) -> None:
    events = random_readouts(9, 3, truth=truth, dtype=dtype)
    write_wire_events(tmp_path / "a.h5", 9, iter([events]), {"seed": 3})
    found, attributes = read_wire_events(tmp_path / "a.h5")
    same(found, events)
    assert found.code.dtype == events.code.dtype
    assert attributes["seed"] == 3
    assert attributes["task"] == "wires"
    same(join_wire_events(list(iterate_wire_events(tmp_path / "a.h5", 4))), events)
    same(read_wire_events(tmp_path / "a.h5", start=2, stop=7)[0], events.chosen(2, 7))
    assert {"code", "hits"} <= set(check_sums(tmp_path / "a.h5"))


def test_a_readout_that_is_not_known_is_kept(tmp_path: Path) -> None:
    readout = WireReadout(float("nan"), float("nan"), 4, float("nan"), "unknown")
    events = WireEvents(readout, np.ones((2, WIRES, DRIFTS), np.float32))
    write_wire_events(tmp_path / "a.h5", 2, iter([events]), {})
    found = read_wire_events(tmp_path / "a.h5")[0]
    assert (found.readout.rebin, found.readout.unit) == (4, "unknown")
    assert np.isnan([found.readout.pitch_mm, found.readout.tick_us, found.readout.drift_mm_us]).all()
    assert found.beam is found.hits is found.particles is None


def test_events_without_hits(tmp_path: Path) -> None:
    events = random_readouts(3, hits=0)
    write_wire_events(tmp_path / "a.h5", 3, iter([events]), {})
    same(read_wire_events(tmp_path / "a.h5")[0], events)


def test_bytes_do_not_depend_on_blocks(tmp_path: Path) -> None:
    events = random_readouts(700)
    for size in (700, 1, 64):
        write_wire_events(tmp_path / f"{size}.h5", 700, pieces(events, size), {"seed": 1})
    assert len({(tmp_path / f"{size}.h5").read_bytes() for size in (700, 1, 64)}) == 1


def make_one(index: int) -> dict[str, np.ndarray]:
    return wire_arrays(random_readouts(1, index))


def test_production_joins_readouts(tmp_path: Path) -> None:
    for name, packed in (("a.h5", False), ("b.h5", True)):
        produce(
            tmp_path / name, make_one, 7, attributes=readout_attributes(READOUT), block=3, units=WIRES_UNITS,
            axes=WIRES_AXES, tables=WIRES_TABLES, packed=packed,
        )  # fmt: skip
    same(read_wire_events(tmp_path / "a.h5")[0], join_wire_events([random_readouts(1, i) for i in range(7)]))
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_truth_is_left_out_or_asked_for(path: Path, tmp_path: Path) -> None:
    blind = read_wire_events(path, truth=False)[0]
    assert blind.beam is blind.particles is blind.vertex is None
    assert blind.hits is not None
    write_wire_events(tmp_path / "blind.h5", 5, iter([blind]), {})
    with pytest.raises(InputError, match="beam, activity: expected one of them"):
        read_wire_events(tmp_path / "blind.h5", truth=True)


def put(name: str, row: Any, value: Any, field: str = "") -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        values = file[name][:]
        (values[field] if field else values)[row] = value
        del file[name]
        file[name] = values

    return change


def swap(name: str, values: np.ndarray) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = values

    return change


def mark(name: str, value: Any) -> Callable[[h5py.File], None]:
    return lambda file: file.attrs.__setitem__(name, value)


SHAPE = (5, WIRES, DRIFTS)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (put("beam", (3, 2, 1), 3), "beam, event 3, wire 2, drift 1: expected a value of BeamLabel, 0 to 2"),
        (put("activity", (0, 0, 7), 9), "activity, event 0, wire 0, drift 7: expected a value of Activity"),
        (put("michel", (4, 11, 19), 2), "michel, event 4, wire 11, drift 19: expected 0 or 1, found 2"),
        (put("vertex", (1, 0, 0), 200), "vertex, event 1, wire 0, drift 0: expected a sum of vertex flags"),
        (put("particle", (2, 1, 0), 77), "particle, event 2, wire 1, drift 0: expected a row of the event's"),
        (put("particle", (2, 1, 0), -2), "expected a row of the event's particles, or -1, found -2"),
        (put("particles", 0, 0, "parent"), "particles, parent, event 0, particle 0: expected an earlier row"),
        (put("particles", 1, 9, "origin"), "expected a value of Origin, 0 to 4, found 9"),
        (put("hits", 0, WIRES, "wire"), f"expected a wire, 0 to {WIRES - 1}, found {WIRES}"),
        (put("hits", 0, 120.0, "peak_tick"), "hits, peak_tick, event 0, hit 0: expected a tick from 0"),
        (put("hits", 0, -1.0, "rms_ticks"), "expected a width from 0 ticks up"),
        (put("hits", 0, np.nan, "peak"), "hits, peak, event 0, hit 0: expected a finite number"),
        (put("hit_count", 0, -4), "hit_count, event 0: expected a number of rows"),
        (put("particle_count", 0, 77), "particles: expected"),
        (swap("code", np.full(SHAPE, np.inf, "f4")), "code, event 0, wire 0, drift 0: expected finite"),
        (swap("beam", np.zeros((5, 3, 3), "u1")), "beam: expected a data set of whole numbers with the axes"),
        (swap("hits", np.zeros(3)), "hits: expected"),
        (swap("hit_count", np.zeros(3, int)), "hit_count: expected as many events as code, 5, found 3"),
        (lambda file: file.__delitem__("code"), "code: expected"),
        (lambda file: file.__delitem__("particles"), "particles: expected"),
        (mark("rebin", 0), "attribute rebin: expected the ticks of a pixel"),
        (mark("step", -1.0), "attribute step: expected a number above 0"),
        (mark("unit", "volt"), "attribute unit: expected one of adc"),
        (mark("task", "walls"), "attribute task: expected 'wires'"),
        (mark("n", 4), "code: expected 4 events"),
    ],
)  # fmt: skip
def test_faults_are_named(path: Path, change: Callable[[h5py.File], None], says: str) -> None:
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(InputError) as caught:
        read_wire_events(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_cut_file_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError):
            read_wire_events(path)


def test_events_that_are_not_there(path: Path) -> None:
    with pytest.raises(InputError, match="found 5 events"):
        read_wire_events(path, start=3, stop=8)


def test_blocks_must_fit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="events to write"):
        write_wire_events(tmp_path / "a.h5", 3, iter([]), {})
    other = WireEvents(WireReadout(rebin=3), np.zeros((1, WIRES, DRIFTS), np.uint8))
    with pytest.raises(ValueError, match="one readout"):
        write_wire_events(tmp_path / "a.h5", 3, iter([random_readouts(2), other]), {})
    assert list(tmp_path.iterdir()) == []


def test_check_and_info_say_what_is_there(path: Path) -> None:
    said = check_wires(path)
    assert "good. 5 readouts of 12 wires x 20 drift bins" in said
    assert "beam: 0 to 2" in said
    found, events = describe_wires(path), random_readouts(5)
    assert found["readouts"] == 5
    assert events.beam is not None
    assert found["beam, share of pixels"]["BEAM"] == pytest.approx((events.beam == 2).mean(), abs=1e-6)
    assert found["attributes"]["seed"] == 1
