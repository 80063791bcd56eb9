"""Michel electrons found among predicted voxels: candidates, and the true electrons they belong to.

After Domine and Terao, Phys. Rev. D 102, 012005 (2020), and the authors' public code. Predicted MIP voxels
are clustered by DBSCAN with 10 voxels to a core and a reach of 5 voxels, predicted and true Michel voxels
with 5 to a core and a reach of 2 sqrt 2. (Ten voxels within 2 sqrt 2, as in an earlier version, leave no core
in a track one or two voxels thick, so no candidates: the later code reaches 5 voxels.) A Michel cluster is

- *attached* if it comes closer than 2 sqrt 2 to a clustered MIP voxel;
- at the *edge* of its MIP cluster if, once the MIP voxels within 15 voxels of the touching one are gone, the
  rest of that MIP cluster is one cluster or none (DBSCAN again, 5 voxels to a core, a reach of 5);
- a *candidate* if it is predicted, attached and at the edge;
- *matched* to the true cluster that is nearest to most of its voxels, of those that have a true Michel voxel
  closer than 2 sqrt 2. Voxels whose nearest is in no true cluster do not vote; of equal votes the first
  cluster wins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int32, Int64, UInt8
from scipy.spatial import cKDTree

from cloudchamber.labels import VoxelLabel
from cloudchamber.prepare.clusters import NOISE, REACH_VOXELS, dbscan
from cloudchamber.score.bootstrap import Frozen
from cloudchamber.score.voxels import confusion_by_event
from cloudchamber.voxel_events import VoxelEvents

_HAIR = 1e-6  # squared distances are whole numbers: 2 sqrt 2 itself is not closer than 2 sqrt 2


class MichelCuts(Frozen):
    """The cuts of the chain, distances in voxels.

    ``reach_voxels`` is that of Michel clusters, of attaching and of matching, ``mip_reach_voxels`` that of
    MIP clusters; ``mip_least`` and ``michel_least`` are voxels to a core, ``edge_least`` is that of a MIP
    cluster once the voxels within ``edge_voxels`` are gone.
    """

    reach_voxels: float = REACH_VOXELS
    mip_reach_voxels: float = 5.0
    mip_least: int = 10
    michel_least: int = 5
    edge_voxels: float = 15.0
    edge_least: int = 5


@dataclass(frozen=True)
class MichelCandidates:
    """Predicted Michel clusters, candidates or not, one entry each; flat arrays over all events.

    ``true`` is the row in TrueMichels of the cluster matched, -1 for none. ``n_common`` counts the voxels of
    the cluster that belong to it. Clusters that are not candidates are not matched.
    """

    event: Int64[np.ndarray, "cluster"]
    n_voxels: Int64[np.ndarray, "cluster"]
    energy_mev: Float[np.ndarray, "cluster"]
    attached: Bool[np.ndarray, "cluster"]
    edge: Bool[np.ndarray, "cluster"]
    true: Int64[np.ndarray, "cluster"]
    n_common: Int64[np.ndarray, "cluster"]

    @property
    def candidate(self) -> Bool[np.ndarray, "cluster"]:
        """Which of them are candidates."""
        return np.asarray(self.attached & self.edge)

    @property
    def matched(self) -> Bool[np.ndarray, "cluster"]:
        """Which of them are matched."""
        return np.asarray(self.true >= 0)


@dataclass(frozen=True)
class TrueMichels:
    """True Michel clusters, one entry each; flat arrays over all events.

    ``attached`` and ``edge`` are of the true MIP voxels. ``deposit_mev`` is what the voxels of the cluster
    hold; ``kinetic_mev`` the kinetic energy of the Michel electron that left most of it, ``particle`` its row
    in its event: NaN and -1 where the particles are not known.
    """

    event: Int64[np.ndarray, "cluster"]
    n_voxels: Int64[np.ndarray, "cluster"]
    deposit_mev: Float[np.ndarray, "cluster"]
    kinetic_mev: Float[np.ndarray, "cluster"]
    particle: Int64[np.ndarray, "cluster"]
    attached: Bool[np.ndarray, "cluster"]
    edge: Bool[np.ndarray, "cluster"]

    @property
    def findable(self) -> Bool[np.ndarray, "cluster"]:
        """Which of them are attached at the edge of a true MIP cluster, as a candidate must be."""
        return np.asarray(self.attached & self.edge)


@dataclass(frozen=True)
class Michels:
    """The Michel clusters of ``n_events`` events, predicted and true."""

    n_events: int
    predicted: MichelCandidates
    true: TrueMichels

    @property
    def found(self) -> Bool[np.ndarray, "cluster"]:
        """Which true clusters at least one candidate is matched to."""
        found = np.zeros(len(self.true.event), np.bool_)
        found[self.predicted.true[self.predicted.matched]] = True
        return found


class _Clusters:
    """The Michel clusters of one event among its voxels, and how they touch the MIP clusters."""

    def __init__(
        self, position: Int32[np.ndarray, "voxel 3"], label: UInt8[np.ndarray, "voxel"], cuts: MichelCuts
    ) -> None:
        self.rows = np.flatnonzero(label == VoxelLabel.MICHEL)
        self.position = position[self.rows]
        self.of = dbscan(self.position, cuts.michel_least, cuts.reach_voxels)
        self.n = int(self.of.max(initial=NOISE)) + 1
        self.attached, self.edge = np.zeros(self.n, np.bool_), np.zeros(self.n, np.bool_)
        if not self.n:
            return
        mip = position[label == VoxelLabel.MIP]
        of_mip = dbscan(mip, cuts.mip_least, cuts.mip_reach_voxels)
        mip, of_mip = mip[of_mip != NOISE], of_mip[of_mip != NOISE]
        if not len(mip):
            return
        distance, nearest = cKDTree(mip).query(self.position, distance_upper_bound=cuts.reach_voxels - _HAIR)
        for k in range(self.n):
            voxels = np.flatnonzero(self.of == k)
            closest = voxels[np.argmin(distance[voxels])]
            self.attached[k] = np.isfinite(distance[closest])
            if self.attached[k]:
                touching = nearest[closest]
                self.edge[k] = at_edge(mip[of_mip == of_mip[touching]], mip[touching], cuts)


def at_edge(cluster: Int32[np.ndarray, "voxel 3"], point: Int32[np.ndarray, "3"], cuts: MichelCuts) -> bool:
    """Return whether a cluster is one cluster, or none, without its voxels close to a point."""
    far = ((cluster - point).astype(np.int64) ** 2).sum(axis=1) > cuts.edge_voxels**2
    return len(set(dbscan(cluster[far], cuts.edge_least, cuts.mip_reach_voxels).tolist()) - {NOISE}) <= 1


def _match(
    predicted: _Clusters, true: _Clusters, cuts: MichelCuts
) -> tuple[Int64[np.ndarray, "cluster"], Int64[np.ndarray, "cluster"]]:
    """Return the true cluster that each candidate is matched to (-1: none), and the voxels in common."""
    match, common = np.full(predicted.n, -1), np.zeros(predicted.n, np.int64)
    if not true.n:
        return match, common
    distance, nearest = cKDTree(true.position).query(
        predicted.position, distance_upper_bound=cuts.reach_voxels - _HAIR
    )
    close = np.isfinite(distance)
    of_true = np.full(len(predicted.of), NOISE)
    of_true[close] = true.of[nearest[close]]
    for k in np.flatnonzero(predicted.attached & predicted.edge):
        inside = predicted.of == k
        votes = of_true[inside & (of_true != NOISE)]
        if len(votes):
            match[k] = np.bincount(votes).argmax()
            common[k] = np.count_nonzero(inside & (distance == 0) & (of_true == match[k]))
    return match, common


def _electron(event: VoxelEvents, rows: Int64[np.ndarray, "voxel"]) -> tuple[int, float]:
    """Return row and kinetic energy of the Michel electron that left most of the energy of some voxels.

    What a secondary of the electron left counts as its own: from the particle that left most, one goes up to
    the parents for as long as they are Michel.
    """
    if event.particle is None or event.particles is None:
        return -1, float("nan")
    of = event.particle[rows]
    if not (of >= 0).any():
        return -1, float("nan")
    row = int(np.bincount(of[of >= 0], weights=event.energy_mev[rows][of >= 0]).argmax())
    if event.particles["label"][row] != VoxelLabel.MICHEL:
        return -1, float("nan")
    parent = int(event.particles["parent"][row])
    while parent >= 0 and event.particles["label"][parent] == VoxelLabel.MICHEL:
        row, parent = parent, int(event.particles["parent"][parent])
    return row, float(event.particles["kinetic_mev"][row])


_CUTS = MichelCuts()


def find_michels(
    truth: VoxelEvents, predicted: UInt8[np.ndarray, "voxel"], cuts: MichelCuts = _CUTS
) -> Michels:
    """Cluster predicted and true voxels, select candidates and match them, event by event.

    Parameters
    ----------
    truth : events with labels; with particles too, the energy of the electrons.
    predicted : values of VoxelLabel, in the order of the voxels of ``truth``.
    cuts : those of the authors, unless others are given.

    Raises
    ------
    InputError
        if the events have no labels, or predictions are not one class for every voxel.
    """
    confusion_by_event(truth, predicted)
    of_predicted: list[tuple[int, int, float, bool, bool, int, int]] = []
    of_true: list[tuple[int, int, float, float, int, bool, bool]] = []
    for number, event in enumerate(truth):
        if event.label is None:
            continue
        theirs = _Clusters(event.position, event.label, cuts)
        ours = _Clusters(event.position, predicted[truth.voxels_of(number)], cuts)
        match, common = _match(ours, theirs, cuts)
        for k in range(ours.n):
            rows = ours.rows[ours.of == k]
            energy_mev = float(event.energy_mev[rows].sum(dtype=np.float64))
            true = len(of_true) + int(match[k]) if match[k] >= 0 else -1
            flags = bool(ours.attached[k]), bool(ours.edge[k])
            of_predicted.append((number, len(rows), energy_mev, *flags, true, int(common[k])))
        for k in range(theirs.n):
            rows = theirs.rows[theirs.of == k]
            deposit_mev = float(event.energy_mev[rows].sum(dtype=np.float64))
            particle, kinetic_mev = _electron(event, rows)
            flags = bool(theirs.attached[k]), bool(theirs.edge[k])
            of_true.append((number, len(rows), deposit_mev, kinetic_mev, particle, *flags))
    whole, real, truths = np.int64, np.float64, np.bool_
    return Michels(
        len(truth),
        MichelCandidates(*_columns(of_predicted, (whole, whole, real, truths, truths, whole, whole))),
        TrueMichels(*_columns(of_true, (whole, whole, real, real, whole, truths, truths))),
    )


def _columns(rows: Sequence[tuple[Any, ...]], kinds: tuple[type, ...]) -> list[Any]:
    return [np.array([row[k] for row in rows], dtype=kind) for k, kind in enumerate(kinds)]
