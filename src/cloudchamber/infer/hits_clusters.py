"""Scores of clusters and tracks from those of their hits, and Michel electrons as clusters on the plane."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64, Shaped

from cloudchamber.prepare.clusters import dbscan

LEAST_PROBABILITY = 1e-6  # of a hit; no single hit may decide for its whole cluster
TRACK, EM, MICHEL = 0, 1, 3  # columns of the scores of a hit


def em_log_odds(scores: Float[np.ndarray, "hit 4"]) -> Float64[np.ndarray, "hit"]:
    """Return log(p_em / p_track) of each hit: the log-odds of em / (track + em), whatever is none."""
    held = np.clip(scores[:, [TRACK, EM]].astype(np.float64), LEAST_PROBABILITY, 1)
    return np.asarray(np.log(held[:, 1]) - np.log(held[:, 0]))


def michel_log_odds(scores: Float[np.ndarray, "hit 4"]) -> Float64[np.ndarray, "hit"]:
    """Return the log-odds of a Michel electron of each hit."""
    held = np.clip(scores[:, MICHEL].astype(np.float64), LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.asarray(np.log(held) - np.log1p(-held))


@dataclass(frozen=True)
class ClusterScores:
    """What clusters, or tracks, are: probabilities from the mean log-odds of their hits.

    ``em`` is against track; p(track) = 1 - em. NaN where a cluster has no hits.
    """

    hits: Int64[np.ndarray, "cluster"]
    em: Float64[np.ndarray, "cluster"]
    michel: Float64[np.ndarray, "cluster"]


def score_clusters(
    scores: Float[np.ndarray, "hit 4"],
    cluster: Shaped[np.ndarray, "hit"],
    clusters: int | None = None,
    weight: Float[np.ndarray, "hit"] | None = None,
) -> ClusterScores:
    """Return the scores of clusters.

    A mean of log-odds is what hits that are independent witnesses say together, but for the number of them;
    hits side by side see nearly the same patch and are not independent, hence the mean and not the sum.

    Parameters
    ----------
    cluster : of each hit, from 0; negative for none.
    clusters : how many there are; unless said, the largest number and one.
    weight : of each hit in the mean, such as its charge; unless said, all count alike.

    Raises
    ------
    ValueError
        if lengths differ or weights are negative.
    """
    weight = np.ones(len(scores)) if weight is None else np.asarray(weight, np.float64)
    if not len(scores) == len(cluster) == len(weight):
        raise ValueError(f"{len(scores)} hits, {len(cluster)} clusters and {len(weight)} weights")
    if (weight < 0).any():
        raise ValueError("weights that are not negative")
    inside = cluster >= 0
    number = cluster[inside].astype(np.int64)
    size = (int(number.max()) + 1 if len(number) else 0) if clusters is None else clusters
    total = np.bincount(number, weight[inside], size)
    means = []
    for odds in (em_log_odds(scores), michel_log_odds(scores)):
        with np.errstate(invalid="ignore"):
            means.append(np.bincount(number, (weight * odds)[inside], size) / total)
    em, michel = (1 / (1 + np.exp(-mean)) for mean in means)
    return ClusterScores(np.bincount(number, minlength=size), em, michel)


@dataclass(frozen=True)
class MichelCandidates:
    """Clusters of hits that look like Michel electrons, the best first."""

    cluster: Int64[np.ndarray, "hit"]  # of each hit: a candidate, or -1
    hits: Int64[np.ndarray, "candidate"]
    score: Float64[np.ndarray, "candidate"]  # from the mean log-odds
    wire: Float64[np.ndarray, "candidate"]  # mean over the hits
    drift: Float64[np.ndarray, "candidate"]
    extent_mm: Float64[np.ndarray, "candidate"]  # diagonal of the smallest box

    def __len__(self) -> int:
        """Return the number of candidates."""
        return len(self.hits)


def find_michels(
    scores: Float[np.ndarray, "hit 4"],
    wire: Shaped[np.ndarray, "hit"],
    drift: Shaped[np.ndarray, "hit"],
    *,
    pitch_mm: float,
    drift_mm: float,
    cut: float = 0.5,
    reach_mm: float = 15.0,
    least_hits: int = 3,
) -> MichelCandidates:
    """Return Michel candidates of one plane: hits above the cut, clustered by DBSCAN (Ester et al., 1996).

    Parameters
    ----------
    drift : bins; with ``drift_mm``, the length of one, and ``pitch_mm`` distances are taken in mm.
    reach_mm : hits that are not further apart are of one cluster.
    least_hits : fewer are no candidate.
    """
    chosen = np.flatnonzero(scores[:, MICHEL] > cut)
    cluster = np.full(len(scores), -1, np.int64)
    place = np.stack([wire, drift], axis=1).astype(np.float64)
    place_mm = place * (pitch_mm, drift_mm)
    if len(chosen):
        found = dbscan(place_mm[chosen], 1, reach_mm)
        counts = np.bincount(found)
        enough = counts >= least_hits
        renumbered = np.where(enough, np.cumsum(enough) - 1, -1)
        cluster[chosen] = renumbered[found]
    n = int(cluster.max(initial=-1)) + 1
    score = score_clusters(scores, cluster, n).michel
    best_first = np.argsort(-score, kind="stable")
    rank = np.empty(n + 1, np.int64)
    rank[best_first], rank[-1] = np.arange(n), -1
    cluster = rank[cluster]
    members = [np.flatnonzero(cluster == k) for k in range(n)]
    means = np.array([place[each].mean(axis=0) for each in members]).reshape(n, 2)
    sides = np.array([np.ptp(place_mm[each], axis=0) for each in members]).reshape(n, 2)
    return MichelCandidates(
        cluster, np.array([len(each) for each in members], np.int64), score[best_first], means[:, 0],
        means[:, 1], np.hypot(sides[:, 0], sides[:, 1]),
    )  # fmt: skip
