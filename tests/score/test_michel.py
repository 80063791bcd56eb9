"""The Michel chain on hand-made events, and against a literal one with scikit-learn and all distances."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import UInt8
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN

from cloudchamber.errors import InputError
from cloudchamber.labels import VoxelLabel
from cloudchamber.prepare.relabel import relabel_events
from cloudchamber.score.michel import MichelCuts, Michels, at_edge, find_michels
from cloudchamber.score.michel_energy import michel_energies, michel_spectrum
from cloudchamber.score.michel_score import score_michels
from cloudchamber.voxel_events import VoxelEvents, join_events

from .lartpc import event, label_of, line, mistaken, random_events, stopping, thick

HIP, MIP, SHOWER, DELTA, MICHEL = VoxelLabel
EPS = 2.8284271247461903


def clusters(position: np.ndarray, least: int, eps: float = EPS) -> np.ndarray:
    if not len(position):
        return np.zeros(0, int)
    return np.asarray(DBSCAN(eps=eps, min_samples=least).fit(position).labels_)


def literal(events: VoxelEvents, predicted: UInt8[np.ndarray, "voxel"]) -> list[tuple[Any, ...]]:
    """Return size, attached, edge and, if matched, voxels in common and those of the true cluster."""
    found: list[tuple[Any, ...]] = []
    for k in range(len(events)):
        at, label = events.position[events.voxels_of(k)], label_of(events)[events.voxels_of(k)]
        pred = predicted[events.voxels_of(k)]
        mip, true, ours = at[pred == MIP], at[label == MICHEL], at[pred == MICHEL]
        of_mip, of_true, of_ours = clusters(mip, 10, 5), clusters(true, 5), clusters(ours, 5)
        mip, of_mip = mip[of_mip > -1], of_mip[of_mip > -1]
        for which in range(of_ours.max(initial=-1) + 1):
            mine = ours[of_ours == which]
            attached = edge = False
            if len(mip):
                apart = cdist(mine, mip)
                attached = apart.min() < EPS
                touching = np.unravel_index(apart.argmin(), apart.shape)[1]
                whole = mip[of_mip == of_mip[touching]]
                rest = whole[np.linalg.norm(whole - mip[touching], axis=1) > 15]
                edge = bool(attached) and len({*clusters(rest, 5, 5)} - {-1}) <= 1
            row: tuple[Any, ...] = (len(mine), attached, edge)
            if attached and edge and len(true):
                apart = cdist(mine, true)
                votes = of_true[apart.argmin(axis=1)][apart.min(axis=1) < EPS]
                votes = votes[votes > -1]
                if len(votes):
                    match = np.bincount(votes).argmax()
                    common = len({*map(tuple, mine)} & {*map(tuple, true[of_true == match])})
                    row += (common, int((of_true == match).sum()))
            found.append(row)
    return found


def ours(michels: Michels) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    p = michels.predicted
    for k in range(len(p.event)):
        row: tuple[Any, ...] = (p.n_voxels[k], p.attached[k], p.edge[k])
        if p.true[k] >= 0:
            row += (p.n_common[k], michels.true.n_voxels[p.true[k]])
        found.append(row)
    return found


@settings(max_examples=25)
@given(st.integers(0, 2000), st.floats(0, 0.6))
def test_equal_to_the_literal_chain(seed: int, share: float) -> None:
    events = random_events(seed, 3)
    predicted = mistaken(events, share, seed)
    assert ours(find_michels(events, predicted)) == literal(events, predicted)


@settings(max_examples=25)
@given(st.integers(0, 2000))
def test_a_perfect_prediction_gives_one(seed: int) -> None:
    events = relabel_events(random_events(seed))
    score = score_michels(find_michels(events, label_of(events)), resamples=10)
    for ratio in (score.id_purity, score.id_efficiency, score.cluster_purity, score.cluster_efficiency):
        assert ratio.value in (1.0, None)
    assert score.n_candidates == score.n_matched == score.n_findable == score.n_findable_found


@settings(max_examples=25)
@given(st.integers(0, 2000))
def test_the_order_of_events_changes_nothing(seed: int) -> None:
    events = random_events(seed, 4)
    predicted = mistaken(events, 0.2, seed)
    order = np.random.default_rng(seed).permutation(4)
    turned = join_events([events.chosen(k, k + 1) for k in order])
    again = np.concatenate([predicted[events.voxels_of(k)] for k in order])
    a, b = (
        score_michels(find_michels(*pair), resamples=2) for pair in ((events, predicted), (turned, again))
    )
    for name in type(a).model_fields:
        x, y = getattr(a, name), getattr(b, name)
        if not isinstance(x, int):
            x, y = x.value or 0.0, pytest.approx(y.value or 0.0, rel=1e-12)
        assert x == y


def test_one_electron_found_whole() -> None:
    events = event(stopping(20), kinetic_mev=[200, 35])
    michels = find_michels(events, label_of(events))
    assert michels.predicted.energy_mev.tolist() == michels.true.deposit_mev.tolist() == [12.0]
    assert michels.true.kinetic_mev.tolist() == [35.0]
    assert michels.true.particle.tolist() == [1]
    assert michels.found.tolist() == [True]
    purity = score_michels(michels).id_purity  # one of one: the bootstrap sees no spread
    assert purity.value == 1
    assert purity.error == pytest.approx(np.sqrt(2 / 3 * 1 / 3))


def test_half_of_one_electron() -> None:
    events = event(stopping(20, n_michel=20))
    predicted = label_of(events).copy()
    at = events.position
    predicted[(label_of(events) == MICHEL) & (at[:, 2] >= 28)] = SHOWER  # 8 of its 20 voxels are left
    predicted[at[:, 0] == 69] = MICHEL  # and the muon's last two
    score = score_michels(find_michels(events, predicted))
    assert score.n_matched == 1
    assert score.cluster_purity.value == pytest.approx(8 / 10)
    assert score.cluster_efficiency.value == pytest.approx(8 / 20)
    assert score.energy_ratio.value == pytest.approx(10 / 20)


def test_missed_and_made_up() -> None:
    """Of three true clusters one is found, one missed, one not at an end; one candidate is no electron."""
    parts = [*stopping(20), *stopping(60), (MIP, thick((10, 100, 20), 80))]
    parts.append((MICHEL, line((50, 102, 20), (0, 1, 0), 9)))  # at the middle of a crossing muon
    parts += [(MIP, thick((10, 150, 20), 60)), (DELTA, line((70, 150, 20), (0, 0, 1), 9))]
    events = event(parts)
    predicted = label_of(events).copy()
    y = events.position[:, 1]
    predicted[(label_of(events) == MICHEL) & (y == 60)] = SHOWER
    predicted[label_of(events) == DELTA] = MICHEL
    michels = find_michels(events, predicted)
    score = score_michels(michels)
    assert (score.n_predicted, score.n_attached, score.n_candidates, score.n_matched) == (3, 3, 2, 1)
    assert (score.n_true, score.n_findable, score.n_found, score.n_findable_found) == (3, 2, 1, 1)
    assert score.id_purity.value == 1 / 2
    assert score.id_efficiency.value == 1 / 2
    assert score.id_efficiency_of_all.value == 1 / 3
    assert sorted(michel_energies(michels).reconstructed) == [9, 12]
    assert sorted(michel_energies(michels).deposited) == [12, 12]


@pytest.mark.parametrize(("gap", "attached"), [((2, 1, 1), True), ((2, 2, 0), False), ((3, 0, 0), False)])
def test_attached_is_closer_than_the_reach(gap: tuple[int, int, int], attached: bool) -> None:
    x, y, z = gap
    electron = line((39 + x, 20 + y, 20 + z), (0, 0, 1), 9)
    events = event([(MIP, thick((10, 19, 20), 30)), (MICHEL, electron)])
    assert find_michels(events, label_of(events)).predicted.attached.tolist() == [attached]


@pytest.mark.parametrize(
    ("touching", "edge"),
    [(0, True), (15, True), (19, True), (20, False), (40, False), (59, False), (60, True), (79, True)],
)
def test_edge_of_a_track(touching: int, edge: bool) -> None:
    """Within a line of 80 voxels two pieces of five or more are left between 20 and 59; four are none."""
    track = line((0, 0, 0), (1, 0, 0), 80).astype(np.int32)
    assert at_edge(track, track[touching], MichelCuts()) == edge


def test_a_short_track_is_all_edge() -> None:
    track = line((0, 0, 0), (1, 0, 0), 14).astype(np.int32)
    assert all(at_edge(track, voxel, MichelCuts()) for voxel in track)


def test_a_track_one_voxel_thick() -> None:
    """Its voxels have four others within 2 sqrt 2 and ten within 5: the longer reach makes a cluster."""
    events = event([(MIP, line((10, 20, 20), (1, 0, 0), 60)), (MICHEL, line((70, 20, 20), (0, 0, 1), 9))])
    assert find_michels(events, label_of(events)).predicted.candidate.tolist() == [True]
    short = MichelCuts(mip_reach_voxels=EPS)
    assert find_michels(events, label_of(events), short).predicted.attached.tolist() == [False]


def test_small_clusters_do_not_count() -> None:
    few_michel, few_mip = event(stopping(20, n_michel=4)), event(stopping(20, n_track=4))
    michels = find_michels(few_michel, label_of(few_michel))
    assert len(michels.predicted.event) == len(michels.true.event) == 0
    michels = find_michels(few_mip, label_of(few_mip))
    assert michels.predicted.candidate.tolist() == [False]
    assert score_michels(michels).id_purity.value is None


def test_kinetic_energy_is_that_of_the_electron_not_of_its_secondary() -> None:
    parts = [*stopping(20, n_michel=4), (MICHEL, line((70, 20, 24), (0, 0, 1), 9))]
    events = event(parts, kinetic_mev=[200, 41, 7], parents=[-1, 0, 1])
    michels = find_michels(events, label_of(events))
    assert michels.true.n_voxels.tolist() == [13]
    assert michels.true.kinetic_mev.tolist() == [41.0]


def test_energy_is_not_known_without_particles() -> None:
    bare = dataclasses.replace(
        event(stopping(20), kinetic_mev=[200, 35]), particle=None, particles=None, particle_offsets=None
    )
    michels = find_michels(bare, label_of(bare))
    assert np.isnan(michels.true.kinetic_mev).all()
    assert len(michel_energies(michels).kinetic) == 0
    assert michel_spectrum(michels).deposited_fit is None


def test_no_events() -> None:
    events = event(stopping(20)).chosen(0, 0)
    with pytest.raises(InputError, match="one or more"):
        score_michels(find_michels(events, np.zeros(0, np.uint8)))
