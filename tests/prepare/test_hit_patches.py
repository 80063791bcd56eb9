"""Patches, crops and the choice of examples: against what is counted and cut by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudchamber.labels import Activity, VertexFlag
from cloudchamber.prepare.hit_augment import HitAugment, batch_generator, vary_signal
from cloudchamber.prepare.hit_crops import cut_crops, find_crops
from cloudchamber.prepare.hit_draw import HitDraw, draw_epoch, draw_weights
from cloudchamber.prepare.hit_images import (
    CLASSES,
    VERTEX_KINDS,
    HitImages,
    HitScale,
    keep_images,
    pack_targets,
    scale_codes,
    scale_planes,
    unpack_targets,
    vertex_kinds,
)
from cloudchamber.prepare.hit_patches import (
    PatchGroup,
    PatchIndex,
    PatchShares,
    count_lit,
    cut_patches,
    group_pixels,
    select_patches,
    select_vertices,
)
from cloudchamber.wire_events import WireEvents, WireReadout

from ..hit_planes import make_hit_events

SCALE = HitScale()
EVENTS = make_hit_events(4)
IMAGES = keep_images(EVENTS)


def _at(*pixels: tuple[int, int, int]) -> PatchIndex:
    event, wire, drift = np.array(pixels).T
    return PatchIndex(
        event.astype(np.int32), wire.astype(np.int16), drift.astype(np.int16), np.zeros(len(pixels), np.uint8)
    )


def test_a_minimum_ionising_track_is_scaled_alike_in_adc_and_electrons() -> None:
    code = np.array([[100.0]], np.float32)
    adc = scale_codes(code, WireReadout(unit="adc"), SCALE)
    electrons = scale_codes(code * np.float32(29e3 / 1200), WireReadout(unit="electrons"), SCALE)
    assert adc[0, 0] == 20
    np.testing.assert_allclose(electrons, adc, rtol=1e-6)
    with pytest.raises(ValueError, match="ADC or electrons"):
        scale_codes(code, WireReadout(unit="unknown"), SCALE)
    with pytest.raises(ValueError, match="rising order"):
        HitScale(active=40)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32])
def test_codes_of_every_kind_give_the_same_signal(kind: type) -> None:
    events = WireEvents(EVENTS.readout, EVENTS.code.astype(kind))
    expected = np.clip(events.signal() / np.float32(SCALE.scale_adc), -10, 30)[:, None]
    np.testing.assert_allclose(scale_planes(events, SCALE), expected, atol=1e-5)


def test_targets_survive_packing() -> None:
    target = unpack_targets(pack_targets(EVENTS))
    assert EVENTS.activity is not None
    assert EVENTS.vertex is not None
    for index, activity in enumerate(CLASSES):
        np.testing.assert_array_equal(target.classes == index, EVENTS.activity == activity)
    np.testing.assert_array_equal(target.michel, EVENTS.michel)
    np.testing.assert_array_equal(target.vertex, vertex_kinds(EVENTS.vertex))
    with pytest.raises(ValueError, match="truth"):
        pack_targets(make_hit_events(1, truth=False))


def test_of_several_flags_one_kind_counts() -> None:
    flags = [
        0, VertexFlag.ELASTIC, VertexFlag.ELECTRON_END, VertexFlag.CONVERSION,
        VertexFlag.CONVERSION | VertexFlag.DECAY, VertexFlag.INELASTIC,
        VertexFlag.HADRONIC | VertexFlag.DECAY,
        VertexFlag.NEUTRINO_PRIMARY | VertexFlag.HADRONIC,
    ]  # fmt: skip
    names = [VERTEX_KINDS[kind] for kind in vertex_kinds(np.array(flags, np.uint8))]
    assert names == ["not", "not", "not", "conversion", "decay", "hadronic", "hadronic", "neutrino"]


def test_patches_are_the_published_window_and_zero_beyond() -> None:
    at = _at((0, 0, 0), (1, 30, 40), (2, 63, 79), (3, 24, 5))
    planes = scale_planes(EVENTS, SCALE)[:, 0]
    for patch, event, wire, drift in zip(
        cut_patches(IMAGES, at, SCALE), at.event, at.wire, at.drift, strict=True
    ):
        for i in range(0, 48, 5):
            for j in range(0, 48, 5):
                w, d = int(wire) - 24 + i, int(drift) - 24 + j
                inside = 0 <= w < 64 and 0 <= d < 80
                assert patch[0, i, j] == (planes[event, w, d] if inside else 0)


def test_a_flipped_patch_has_its_pixel_in_the_same_place() -> None:
    at = _at(*[(0, 30, 40)] * 64)
    patches = cut_patches(IMAGES, at, SCALE, augment=HitAugment(), rng=batch_generator(1, 0, 0))[:, 0]
    plain = cut_patches(IMAGES, at.chosen(slice(1)), SCALE)[0, 0]
    assert np.all(patches[:, 24, 24] == plain[24, 24])
    flips = {tuple((patch[1:, 1:] == plain[1:, 1:][::a, ::b]).all() for a in (1, -1) for b in (1, -1))
             for patch in patches}  # fmt: skip
    assert len(flips) == 4
    assert all(sum(each) == 1 for each in flips)


def test_what_is_varied_follows_from_seed_epoch_and_batch() -> None:
    augment = HitAugment(gain=0.1, noise=0.5)
    at = _at((0, 5, 5), (1, 30, 40))

    def cut(*key: int) -> bytes:
        return cut_patches(IMAGES, at, SCALE, augment=augment, rng=batch_generator(*key)).tobytes()

    assert cut(1, 2, 3) == cut(1, 2, 3)
    assert len({cut(1, 2, 3), cut(0, 2, 3), cut(1, 0, 3), cut(1, 2, 0)}) == 4
    patch = cut_patches(IMAGES, at, SCALE, augment=augment, rng=batch_generator(1, 2, 3))[0, 0]
    edges = np.concatenate([patch[0], patch[-1], patch[:, 0], patch[:, -1]])
    assert np.count_nonzero(edges == 0) >= 48  # noise does not go beyond the plane


def test_gain_and_noise_are_as_wide_as_said() -> None:
    x = np.full((4000, 4, 4), 10, np.float32)
    gains = vary_signal(x, HitAugment(gain=0.1), np.random.default_rng(1))[:, 0, 0] / 10
    assert np.log(gains).std() == pytest.approx(0.1, rel=0.05)
    noise = vary_signal(x, HitAugment(noise=0.6), np.random.default_rng(1)) - 10
    assert noise.std() == pytest.approx(0.6 / np.sqrt(3), rel=0.03)  # RMS of a uniform RMS


@given(st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_lit_pixels_are_counted_as_by_hand(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lit = rng.random((30, 37)) < 0.1
    counts = count_lit(lit, 8)
    for wire, drift in rng.integers(0, (30, 37), (20, 2)):
        patch = lit[max(0, wire - 4) : wire + 4, max(0, drift - 4) : drift + 4]
        assert counts[wire, drift] == np.count_nonzero(patch)


def test_groups_of_pixels() -> None:
    groups = group_pixels(IMAGES, 0, SCALE, PatchShares())
    activity, michel, vertex = EVENTS.activity[0], EVENTS.michel[0], EVENTS.vertex[0]  # type: ignore[index]
    np.testing.assert_array_equal(groups == PatchGroup.MICHEL, michel > 0)
    assert set(groups[(vertex > 0) & (michel == 0)]) <= {PatchGroup.VERTEX}
    np.testing.assert_array_equal(groups == PatchGroup.EM, (activity == Activity.EM) & (michel == 0))
    tracks = activity == Activity.TRACK
    assert set(groups[tracks]) == {
        PatchGroup.VERTEX, PatchGroup.STOPPING, PatchGroup.TRACK_MIXED, PatchGroup.TRACK_CLEAN
    } - ({PatchGroup.TRACK_MIXED} if not (groups == PatchGroup.TRACK_MIXED).any() else set())  # fmt: skip
    end = np.argwhere(vertex)[0]
    distance = np.abs(np.argwhere(groups == PatchGroup.STOPPING) - end).max(axis=1)
    assert distance.max() <= 24 + 6  # of the end, or of a pixel of the Michel electron
    assert set(groups[activity == Activity.NONE]) <= {PatchGroup.NONE, 255}


def test_the_selection_takes_the_shares_asked_for() -> None:
    shares = PatchShares(track_clean=0.5, track_mixed=0, em=1, none=0.02)
    chosen = select_patches(IMAGES, SCALE, shares, seed=3)
    whole = [group_pixels(IMAGES, event, SCALE, shares) for event in range(4)]
    for group in PatchGroup:
        n = sum(np.count_nonzero(each == group) for each in whole)
        expected, found = n * shares.share(group), np.count_nonzero(chosen.group == group)
        assert abs(found - expected) <= 4 * np.sqrt(expected * (1 - shares.share(group)) + 1e-9)
    again = select_patches(IMAGES, SCALE, shares, seed=3)
    np.testing.assert_array_equal(chosen.wire, again.wire)
    pixels = set(zip(chosen.event, chosen.wire, chosen.drift, strict=True))
    assert len(pixels) == len(chosen)
    assert sum(getattr(chosen, name).nbytes for name in ("event", "wire", "drift")) == 8 * len(chosen)


def test_a_vertex_comes_with_empty_pixels_and_pixels_on_tracks() -> None:
    chosen = select_vertices(IMAGES, SCALE, empty=4, on_track=8, apart=6)
    target = unpack_targets(IMAGES.target[chosen.event, chosen.wire, chosen.drift])
    np.testing.assert_array_equal(chosen.group, target.vertex)
    not_vertex = VERTEX_KINDS.index("not")
    assert np.count_nonzero(chosen.group != not_vertex) == 4
    lit = np.array([
        IMAGES.lit(e, SCALE)[w, d] for e, w, d in zip(chosen.event, chosen.wire, chosen.drift, strict=True)
    ])  # fmt: skip
    assert np.count_nonzero(~lit) == 16
    assert np.count_nonzero(lit & (chosen.group == not_vertex)) <= 32


def test_crops_cover_what_is_lit_and_come_from_where_they_say() -> None:
    at = find_crops(IMAGES, 32, SCALE, least_lit=1)
    covered = np.zeros(IMAGES.code.shape, bool)
    for event, wire, drift in zip(at.event, at.wire, at.drift, strict=True):
        covered[event, wire : wire + 32, drift : drift + 32] = True
    assert all(not (IMAGES.lit(event, SCALE) & ~covered[event]).any() for event in range(4))
    michel = {k for k in range(len(at)) if unpack_targets(IMAGES.target[at.event[k]]).michel[
        at.wire[k] : at.wire[k] + 32, at.drift[k] : at.drift[k] + 32].any()}  # fmt: skip
    assert michel == set(np.flatnonzero(at.michel))
    start = np.stack([at.wire, at.drift], axis=1).astype(np.int64)
    crops = cut_crops(IMAGES, at.event, start, 32, SCALE, augment=HitAugment(), rng=batch_generator(1, 0, 0))
    planes = scale_planes(EVENTS, SCALE)[:, 0]
    for k in range(len(at)):
        (wire, drift), (over_wire, over_drift) = crops.start[k], crops.flip[k]
        turned = (slice(None, None, -1 if over_wire else 1), slice(None, None, -1 if over_drift else 1))
        plain = crops.x[k, 0][turned]
        np.testing.assert_array_equal(plain, planes[at.event[k], wire : wire + 32, drift : drift + 32])
    assert len({tuple(flip) for flip in crops.flip}) == 4
    assert np.abs(crops.start - start).max() <= 16


def test_hard_examples_come_more_often_and_michel_electrons_in_their_share() -> None:
    loss = np.where(np.arange(1000) % 10 == 0, 9.0, 1.0)
    michel = np.arange(1000) % 50 == 1
    draw = HitDraw(hardness=1.0, floor=0.01, michel_share=0.4, per_epoch=10_000)
    order = draw_epoch(loss, michel, draw, seed=1, epoch=2)
    assert np.count_nonzero(michel[order]) == 4000
    counts = np.bincount(order, minlength=1000)
    rest = ~michel
    ratio = counts[rest & (loss > 5)].mean() / counts[rest & (loss < 5)].mean()
    weights = draw_weights(loss, draw)
    assert ratio == pytest.approx(weights[0] / weights[1], rel=0.02)
    np.testing.assert_array_equal(order, draw_epoch(loss, michel, draw, seed=1, epoch=2))
    assert not np.array_equal(order, draw_epoch(loss, michel, draw, seed=1, epoch=3))


@given(st.integers(1, 200), st.integers(0, 1000))
def test_without_hardness_every_example_comes_once(n: int, seed: int) -> None:
    order = draw_epoch(np.full(n, np.nan), np.zeros(n, bool), HitDraw(), seed=seed, epoch=0)
    assert sorted(order) == list(range(n))


def test_examples_not_yet_seen_count_as_the_mean() -> None:
    weights = draw_weights(np.array([1.0, np.nan, 3.0]), HitDraw(hardness=1.0, floor=0.5))
    np.testing.assert_allclose(weights, [1.0, 1.5, 2.0])
    with pytest.raises(ValueError, match="needs examples"):
        draw_epoch(np.empty(0), np.empty(0, bool), HitDraw(), seed=0, epoch=0)


def test_planes_of_several_readouts_are_refused() -> None:
    other = WireEvents(WireReadout(), EVENTS.code, activity=EVENTS.activity, michel=EVENTS.michel)
    with pytest.raises(ValueError, match="one readout"):
        keep_images([EVENTS, other])
    assert isinstance(IMAGES, HitImages)
    assert len(keep_images([EVENTS, EVENTS])) == 8
