"""Figures of merit of the Michel chain, each with its denominator and its bootstrap error over events."""

import math
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from cloudchamber.errors import InputError
from cloudchamber.score.bootstrap import RESAMPLES, Estimate, Frozen, bootstrap_ratios
from cloudchamber.score.michel import Michels


class MichelScore(Frozen):
    """The Michel chain over ``n_events`` events; clusters and candidates as in :mod:`score.michel`.

    Parameters
    ----------
    n_predicted : predicted Michel clusters, of which ``n_attached`` are attached and ``n_candidates``
        attached at the edge of a predicted MIP cluster; ``n_matched`` candidates are matched.
    n_true : true Michel clusters (DBSCAN, so 5 voxels or more), of which ``n_findable`` are attached at the
        edge of a true MIP cluster; ``n_found`` and ``n_findable_found`` have a candidate matched to them.
    id_purity : n_matched / n_candidates. Two candidates matched to one true cluster both count as matched.
    id_efficiency : n_findable_found / n_findable. The paper does not print its denominator; this one asks of
        a true cluster what the selection asks of a predicted one.
    id_efficiency_of_all : n_found / n_true, every true cluster in the denominator.
    cluster_purity, cluster_efficiency : means over the matched candidates of (voxels in common with the true
        cluster matched) / (voxels of the candidate), and / (voxels of the true cluster).
    energy_ratio : mean over the matched candidates of their energy over that of the true cluster matched.

    Where all or none of a denominator count, the bootstrap sees no spread: the error of the first three is
    then binomial, sqrt(f (1 - f) / n) with f = (k + 1) / (n + 2).
    """

    n_events: int
    n_predicted: int
    n_attached: int
    n_candidates: int
    n_matched: int
    n_true: int
    n_findable: int
    n_found: int
    n_findable_found: int
    id_purity: Estimate
    id_efficiency: Estimate
    id_efficiency_of_all: Estimate
    cluster_purity: Estimate
    cluster_efficiency: Estimate
    energy_ratio: Estimate


def _binomial(estimate: Estimate, hits: int, n: int) -> Estimate:
    """Return an estimate with the binomial error where the bootstrap's is zero."""
    if n == 0 or 0 < hits < n:
        return estimate
    smoothed = (hits + 1) / (n + 2)
    return Estimate(value=hits / n, error=math.sqrt(smoothed * (1 - smoothed) / n))


def score_michels(michels: Michels, *, resamples: int = RESAMPLES, seed: int = 0) -> MichelScore:
    """Return the figures of merit of the Michel chain.

    Parameters
    ----------
    michels : what :func:`cloudchamber.score.michel.find_michels` found.
    resamples, seed : of the bootstrap over events.

    Raises
    ------
    InputError
        if there are no events.
    """
    if not michels.n_events:
        raise InputError("score", "events", "one or more", "none")
    ours, theirs, found = michels.predicted, michels.true, michels.found
    matched, candidate, findable = ours.matched, ours.candidate, theirs.findable
    to = ours.true[matched]
    purity, efficiency, energy = (np.zeros(len(ours.event)) for _ in range(3))
    purity[matched] = ours.n_common[matched] / ours.n_voxels[matched]
    efficiency[matched] = ours.n_common[matched] / theirs.n_voxels[to]
    energy[matched] = ours.energy_mev[matched] / theirs.deposit_mev[to]

    def of_ours(values: Shaped[np.ndarray, "cluster"]) -> Float[np.ndarray, "event"]:
        return np.bincount(ours.event, weights=values, minlength=michels.n_events)

    def of_theirs(values: Shaped[np.ndarray, "cluster"]) -> Float[np.ndarray, "event"]:
        return np.bincount(theirs.event, weights=values, minlength=michels.n_events)

    every = np.ones(len(theirs.event))
    ratios: dict[str, tuple[Any, Any]] = {
        "id_purity": (of_ours(matched), of_ours(candidate)),
        "id_efficiency": (of_theirs(findable & found), of_theirs(findable)),
        "id_efficiency_of_all": (of_theirs(found), of_theirs(every)),
        "cluster_purity": (of_ours(purity), of_ours(matched)),
        "cluster_efficiency": (of_ours(efficiency), of_ours(matched)),
        "energy_ratio": (of_ours(energy), of_ours(matched)),
    }
    above, below = (np.column_stack([ratio[k] for ratio in ratios.values()]) for k in (0, 1))
    estimates = dict(zip(ratios, bootstrap_ratios(above, below, resamples=resamples, seed=seed), strict=True))
    for name in ("id_purity", "id_efficiency", "id_efficiency_of_all"):
        hits, n = (round(float(each.sum())) for each in ratios[name])
        estimates[name] = _binomial(estimates[name], hits, n)
    return MichelScore(
        n_events=michels.n_events,
        n_predicted=len(ours.event),
        n_attached=int(ours.attached.sum()),
        n_candidates=int(candidate.sum()),
        n_matched=int(matched.sum()),
        n_true=len(theirs.event),
        n_findable=int(findable.sum()),
        n_found=int(found.sum()),
        n_findable_found=int((findable & found).sum()),
        **estimates,
    )
