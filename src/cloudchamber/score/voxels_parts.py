"""Where the classes of voxels are lost: towards a track's end, inside a shower, at which probability.

Errors are bootstrap errors over events.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64, Shaped

from cloudchamber.labels import VoxelLabel
from cloudchamber.score.bootstrap import Estimate, Frozen, bootstrap_ratios
from cloudchamber.voxel_events import VoxelEvents

DISTANCES_VOXELS = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0, 200.0)
_BINS = 10


class DistanceBin(Frozen):
    """HIP and MIP voxels at ``low`` <= distance < ``high`` from the end of their particle; none: no limit."""

    low_voxels: float
    high_voxels: float | None
    n_voxels: int
    accuracy: Estimate


class ShowerUniformity(Frozen):
    """The softmax score of showers over true shower voxels; the deck shows its mean in an image.

    ``event_mean`` is the mean over events of an event's mean; ``spread_of_events`` the standard deviation of
    these means over events; ``spread_in_event`` the mean over events of the standard deviation over the
    voxels of one. Standard deviations are of n, not n - 1.
    """

    n_events: int
    event_mean: Estimate
    spread_of_events: Estimate
    spread_in_event: Estimate


class ReliabilityBin(Frozen):
    """Voxels whose highest probability is in one bin, and how many of them are right."""

    low: float
    high: float
    n_voxels: int
    mean_probability: float
    accuracy: Estimate


@dataclass(frozen=True)
class ShowerScores:
    """Softmax score of showers in the events that have true shower voxels: mean and standard deviation."""

    mean: Float[np.ndarray, "event"]
    spread: Float[np.ndarray, "event"]
    n_voxels: Int64[np.ndarray, "event"]


def sum_by_event(
    truth: VoxelEvents, values: Shaped[np.ndarray, "voxel"], group: Int64[np.ndarray, "voxel"], groups: int
) -> Float[np.ndarray, "event group"]:
    """Return sums of ``values`` by event and group; voxels of group -1 count nowhere."""
    kept = group >= 0
    cell = truth.event_of_voxel()[kept] * groups + group[kept]
    sums = np.bincount(cell, weights=values[kept], minlength=len(truth) * groups)
    return np.asarray(sums.reshape(len(truth), groups))


def distance_to_end(truth: VoxelEvents) -> Float[np.ndarray, "voxel"] | None:
    """Return the distance of the middle of a HIP or MIP voxel to the end of its particle, in voxels.

    NaN for other voxels, for those whose particle is not itself HIP or MIP, and where the end is not known;
    None where the events come without labels or particles.
    """
    if (
        truth.label is None
        or truth.particle is None
        or truth.particles is None
        or truth.particle_offsets is None
    ):
        return None
    tracks = (int(VoxelLabel.HIP), int(VoxelLabel.MIP))
    chosen = np.flatnonzero(np.isin(truth.label, tracks) & (truth.particle >= 0))
    row = truth.particle_offsets[truth.event_of_voxel()[chosen]] + truth.particle[chosen]
    of_track = np.isin(truth.particles["label"][row], tracks)
    chosen, row = chosen[of_track], row[of_track]
    end = truth.particles["end_mm"][row].astype(np.float64) / truth.voxel_mm
    distance = np.full(len(truth.label), np.nan)
    distance[chosen] = np.linalg.norm(truth.position[chosen] + 0.5 - end, axis=1)
    return distance


def score_track_ends(
    truth: VoxelEvents, right: Bool[np.ndarray, "voxel"], *, resamples: int, seed: int
) -> tuple[DistanceBin, ...]:
    """Return the accuracy of HIP and MIP voxels by the distance to the end of their particle.

    Bins without voxels are left out; there is none where particles are not known.
    """
    distance = distance_to_end(truth)
    if distance is None:
        return ()
    place = np.searchsorted(DISTANCES_VOXELS, np.nan_to_num(distance, nan=-1.0), side="right") - 1
    above = sum_by_event(truth, right, place, len(DISTANCES_VOXELS))
    below = sum_by_event(truth, np.ones(len(right)), place, len(DISTANCES_VOXELS))
    accuracy = bootstrap_ratios(above, below, resamples=resamples, seed=seed)
    highs = (*DISTANCES_VOXELS[1:], None)
    return tuple(
        DistanceBin(
            low_voxels=DISTANCES_VOXELS[k], high_voxels=highs[k], n_voxels=int(n), accuracy=accuracy[k]
        )
        for k, n in enumerate(below.sum(axis=0))
        if n
    )


def shower_scores(truth: VoxelEvents, probability: Float[np.ndarray, "voxel class"]) -> ShowerScores:
    """Return mean and spread of the shower's probability over the true shower voxels of each event."""
    if truth.label is None:
        raise ValueError("these events come without labels")
    group = np.where(truth.label == VoxelLabel.SHOWER, 0, -1)
    score = probability[:, VoxelLabel.SHOWER].astype(np.float64)
    n, total, squares = (
        sum_by_event(truth, w, group, 1)[:, 0] for w in (np.ones_like(score), score, score**2)
    )
    there = n > 0
    mean = total[there] / n[there]
    spread = np.sqrt(np.maximum(squares[there] / n[there] - mean**2, 0))
    return ShowerScores(mean, spread, n[there].astype(np.int64))


def score_showers(
    truth: VoxelEvents, probability: Float[np.ndarray, "voxel class"], *, resamples: int, seed: int
) -> ShowerUniformity | None:
    """Return how uniform the score of showers is, over events and within them; none without a shower."""
    scores = shower_scores(truth, probability)
    if not len(scores.mean):
        return None
    square = (scores.mean - scores.mean.mean()) ** 2
    spread = np.sqrt(square.mean())
    # Linearised, so that the spread is a mean over events too: d sqrt(v) = dv / (2 sqrt(v)).
    change = (square - spread**2) / (2 * spread) if spread > 0 else np.zeros_like(square)
    columns = np.column_stack([scores.mean, spread + change, scores.spread])
    found = bootstrap_ratios(columns, np.ones_like(columns), resamples=resamples, seed=seed)
    return ShowerUniformity(
        n_events=len(columns), event_mean=found[0], spread_of_events=found[1], spread_in_event=found[2]
    )


def score_reliability(
    truth: VoxelEvents,
    right: Bool[np.ndarray, "voxel"],
    probability: Float[np.ndarray, "voxel class"],
    *,
    resamples: int,
    seed: int,
) -> tuple[ReliabilityBin, ...]:
    """Return the accuracy in ten bins of the highest probability of a voxel; empty bins are left out."""
    highest = probability.max(axis=1).astype(np.float64)
    place = np.clip((highest * _BINS).astype(np.int64), 0, _BINS - 1)
    above, below, total = (
        sum_by_event(truth, what, place, _BINS) for what in (right, np.ones_like(highest), highest)
    )
    accuracy = bootstrap_ratios(above, below, resamples=resamples, seed=seed)
    return tuple(
        ReliabilityBin(
            low=k / _BINS,
            high=(k + 1) / _BINS,
            n_voxels=int(n),
            mean_probability=float(total[:, k].sum() / n),
            accuracy=accuracy[k],
        )
        for k, n in enumerate(below.sum(axis=0))
        if n
    )
