"""Downsampling against plain loops, labels that follow, selection by beam."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.errors import InputError
from cloudchamber.labels import BeamLabel, BeamSpecies
from cloudchamber.prepare.beam_images import (
    BeamImageConfig,
    count_beam,
    hit_pixels,
    iterate_images,
    join_images,
    make_images,
    rebinned,
)
from cloudchamber.prepare.windows import reduce_windows, window_edges, window_of
from cloudchamber.wire_events import HIT, WIRE_PARTICLE, WireEvents, WireReadout, join_wire_events

READOUT = WireReadout(rebin=6, zero=10.0, step=0.5)
SMALL = BeamImageConfig(wires=5, drifts=7, least_beam=0, least_signal=0)


def events(seed: int = 1, n: int = 3, shape: tuple[int, int] = (12, 17), dtype: str = "u1") -> WireEvents:
    rng = np.random.default_rng(seed)
    code = rng.integers(0, 200, (n, *shape)).astype(dtype)
    beam = rng.choice(3, (n, *shape), p=[0.8, 0.1, 0.1]).astype(np.uint8)
    return WireEvents(READOUT, code, beam=beam)


@given(st.integers(1, 60), st.integers(1, 20))
def test_windows_cover_every_pixel_and_are_as_even_as_can_be(size: int, parts: int) -> None:
    edges = window_edges(size, parts)
    assert edges[0, 0] == 0
    assert edges[-1, 1] == size
    assert (edges[1:, 0] <= edges[:-1, 1]).all()
    widths = np.diff(edges, axis=1)
    assert widths.min() >= 1
    assert widths.max() <= -(-size // parts) + 1
    if size % parts == 0:
        assert (widths == size // parts).all()
    nearest = window_of(size, parts)
    inside = (edges[nearest, 0] <= np.arange(size)) & (np.arange(size) < edges[nearest, 1])
    assert inside.all()


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4"])
@pytest.mark.parametrize("label", ["maximum", "labelled"])
def test_largest_signal_and_its_label_against_loops(dtype: str, label: str) -> None:
    some = events(dtype=dtype)
    if dtype != "u1":
        some = replace(some, code=(some.code - 90).astype(dtype))
    config = SMALL.model_copy(update={"label": label})
    images = make_images(some, config)
    assert images.label is not None
    assert some.beam is not None
    assert images.code.dtype == (np.uint8 if dtype == "u1" else np.float16)
    for k in range(3):
        for i, (w0, w1) in enumerate(window_edges(12, 5)):
            for j, (d0, d1) in enumerate(window_edges(17, 7)):
                code, truth = some.code[k, w0:w1, d0:d1].ravel(), some.beam[k, w0:w1, d0:d1].ravel()
                assert images.signal([k])[0, i, j] == (float(code.max()) - 10) * 0.5
                if label == "labelled":
                    code = np.where(truth > 0, code.astype(float), -np.inf)
                best = truth[code == code.max()]
                assert images.label[k, i, j] == (best.max() if np.isfinite(code.max()) else 0)


@pytest.mark.parametrize("how", ["mean", "sum"])
def test_mean_and_sum_against_loops(how: str) -> None:
    some = events()
    images = make_images(some, SMALL.model_copy(update={"downsampling": how}))
    signal = some.signal()
    for i, (w0, w1) in enumerate(window_edges(12, 5)):
        for j, (d0, d1) in enumerate(window_edges(17, 7)):
            wanted = getattr(np, how)(signal[:, w0:w1, d0:d1], axis=(1, 2))
            np.testing.assert_allclose(images.signal(slice(None))[:, i, j], wanted, rtol=2e-3, atol=0.05)


def test_learned_reads_a_finer_image_of_the_same_labels() -> None:
    some = events(shape=(24, 28))
    plain = make_images(some, SMALL)
    finer = make_images(some, SMALL.model_copy(update={"downsampling": "learned", "fine": 2}))
    assert finer.code.shape == (3, 10, 14)
    assert finer.label is not None
    assert plain.label is not None
    np.testing.assert_array_equal(finer.label, plain.label)
    even = make_images(
        some, BeamImageConfig(wires=6, drifts=7, least_beam=0, least_signal=0, downsampling="learned")
    )
    whole = make_images(some, BeamImageConfig(wires=6, drifts=7, least_beam=0, least_signal=0))
    np.testing.assert_array_equal(reduce_windows(np.maximum, even.code, 6, 7), whole.code)


def test_species_are_those_of_the_particles() -> None:
    some = events(n=2)
    rows = np.zeros(5, WIRE_PARTICLE)
    rows["pdg"] = 211, -11, 13, 2212, 3112
    particle = np.where(some.beam == 0, -1, np.random.default_rng(2).integers(0, 2, some.code.shape))
    particle[1][particle[1] >= 0] += 1
    known = replace(
        some, particle=particle.astype(np.int32), particles=rows, particle_offsets=np.array([0, 2, 5])
    )
    config = BeamImageConfig(wires=12, drifts=17, classes="species", least_beam=0, least_signal=0)
    label = make_images(known, config).label
    assert label is not None
    assert known.beam is not None
    names = [BeamSpecies.PION, BeamSpecies.ELECTRON, BeamSpecies.MUON, BeamSpecies.PROTON, BeamSpecies.OTHER]
    for event, offset in ((0, 0), (1, 2)):
        for row in range(3):
            here = (known.beam[event] == BeamLabel.BEAM) & (particle[event] == row)
            assert (label[event][here] == names[min(offset + row, 4)]).all()
        others = known.beam[event] != BeamLabel.BEAM
        np.testing.assert_array_equal(label[event][others], known.beam[event][others])
    with pytest.raises(InputError, match="species"):
        make_images(some, config)


def test_ticks_are_averaged_and_keep_their_truth() -> None:
    fine = replace(events(shape=(4, 27), dtype="i2"), readout=replace(READOUT, rebin=2))
    coarse = rebinned(fine, 6)
    assert coarse.code.shape == (3, 4, 9)
    np.testing.assert_allclose(coarse.code, fine.code.reshape(3, 4, 9, 3).mean(axis=3), rtol=1e-6)
    assert fine.beam is not None
    assert coarse.beam is not None
    np.testing.assert_array_equal(coarse.beam > 0, fine.beam.reshape(3, 4, 9, 3).max(axis=3) > 0)
    assert rebinned(coarse, 6) is coarse
    with pytest.raises(InputError, match="pixels of 5 ticks"):
        rebinned(fine, 5)


def test_beam_is_counted_in_hits_and_events_are_selected() -> None:
    some = events(n=2)
    assert some.beam is not None
    pixels = (some.beam == BeamLabel.BEAM).sum(axis=(1, 2))
    np.testing.assert_array_equal(count_beam(some), pixels)
    hits = np.zeros(3, HIT)
    wire, drift = np.argwhere(some.beam[1] == BeamLabel.BEAM)[0]
    other = np.argwhere(some.beam[1] == 0)[0]
    hits["wire"], hits["peak_tick"] = [0, wire, other[0]], [3.0, 6 * drift + 2.5, 6 * other[1] + 1]
    with_hits = replace(some, hits=hits, hit_offsets=np.array([0, 1, 3]))
    first = int(some.beam[0, 0, 0] == BeamLabel.BEAM)
    np.testing.assert_array_equal(count_beam(with_hits), [first, 1])
    least = SMALL.model_copy(update={"least_beam": int(pixels.max())})
    chosen = join_images(list(iterate_images([some, some], least)))
    assert (chosen.event == np.array([np.argmax(pixels), 2 + np.argmax(pixels)])).all() or len(chosen) == 4
    every = join_images(list(iterate_images([some], least, select=False)))
    np.testing.assert_array_equal(every.code, make_images(some, SMALL).code)


def test_joining_needs_one_way() -> None:
    with pytest.raises(ValueError, match="one way"):
        join_images(
            [
                make_images(events(), SMALL),
                make_images(events(), BeamImageConfig(wires=3, drifts=3, least_signal=0)),
            ]
        )
    assert len(join_wire_events([events(), events()])) == 6


def test_charge_without_a_hit_is_background() -> None:
    some = events(n=2)
    hits = np.zeros(2, HIT)
    hits["wire"], hits["peak_tick"], hits["rms_ticks"] = [3, 7], [33.0, 2.0], [4.0, 1.0]
    known = replace(some, hits=hits, hit_offsets=np.array([0, 1, 2]))
    covered = np.zeros(some.code.shape, bool)
    covered[0, 3, 4:7] = True  # ticks 25 to 41 of pixels of 6
    covered[1, 7, 0] = True
    np.testing.assert_array_equal(hit_pixels(known), covered)
    label = make_images(
        known, BeamImageConfig(wires=12, drifts=17, least_beam=0, truth="hits", least_signal=0)
    ).label
    assert some.beam is not None
    np.testing.assert_array_equal(label, np.where(covered, some.beam, 0))
    with pytest.raises(InputError, match="hits"):
        make_images(some, BeamImageConfig(least_beam=0, truth="hits"))


def test_what_lies_in_the_noise_is_background() -> None:
    some = events()
    config = BeamImageConfig(wires=12, drifts=17, least_beam=0, least_signal=40.0)
    assert some.beam is not None
    wanted = np.where(some.signal() >= 40, some.beam, 0)
    np.testing.assert_array_equal(make_images(some, config).label, wanted)


def test_more_windows_than_pixels_are_refused() -> None:
    events = WireEvents(WireReadout(rebin=6), np.zeros((1, 8, 20), np.uint8))
    with pytest.raises(InputError, match="drifts: expected as many windows as pixels at most, 20, found 32"):
        make_images(events, BeamImageConfig(wires=8, drifts=32))
