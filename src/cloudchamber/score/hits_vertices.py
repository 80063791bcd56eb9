"""Vertices found on whole planes: candidates at hits, a cut for each kind, efficiency and purity.

Sulej et al. apply the network for vertices to hits, and do not say what counts as found. Here, of every kind:
a candidate is a hit whose score is the largest within ``REACH_MM`` of it, on the plane; it is right if a true
vertex of the kind lies no further away than that, and a true vertex is found if a candidate does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64, Shaped
from scipy.spatial import cKDTree

from cloudchamber.errors import InputError
from cloudchamber.prepare.hit_images import NOT_A_VERTEX, VERTEX_KINDS
from cloudchamber.score.bootstrap import Estimate, Frozen, bootstrap_ratios
from cloudchamber.score.roc import RESAMPLES

REACH_MM = 30.0
"""Six pixels: nearer to a vertex the training has no examples of none (``prepare.hit_patches``)."""
ANY = "any"
SOUGHT = (*VERTEX_KINDS[:NOT_A_VERTEX], ANY)
"""The kinds sought, and vertices whatever their kind."""
NO_CUT = 0.5  # where there is nothing to choose a cut by


class FoundVertices(Frozen):
    """How many vertices of a kind are found on planes, and how many of what is found is of the kind.

    ``n`` true vertices, ``candidates`` above the cut.
    """

    name: str
    cut: float
    n: int
    candidates: int
    efficiency: Estimate
    purity: Estimate


@dataclass(frozen=True)
class VertexMatches:
    """Of one kind: the best candidate's score near each true vertex, 0 for none, and every candidate."""

    event: Int64[np.ndarray, "vertex"]
    best: Float64[np.ndarray, "vertex"]
    candidate_event: Int64[np.ndarray, "candidate"]
    score: Float64[np.ndarray, "candidate"]
    right: Bool[np.ndarray, "candidate"]


def vertex_scores(probability: Float[np.ndarray, "hit 5"]) -> Float64[np.ndarray, "hit 5"]:
    """Return the scores of ``SOUGHT``: the probability of each kind, and that of any."""
    scores = probability.astype(np.float64)
    scores[:, NOT_A_VERTEX] = 1 - scores[:, NOT_A_VERTEX]
    return scores


def find_vertices(
    score: Float[np.ndarray, "hit"], place_mm: Float[np.ndarray, "hit 2"], reach_mm: float = REACH_MM
) -> Int64[np.ndarray, "candidate"]:
    """Return the hits that are candidates, best first: taken in falling order, none near one taken before.

    Those above a cut are the same whether the cut is made before or after.
    """
    order = np.argsort(-np.asarray(score), kind="stable")
    near = cKDTree(place_mm).query_ball_point(place_mm, reach_mm) if len(order) else []
    free, taken = np.ones(len(order), bool), []
    for hit in order.tolist():
        if free[hit]:
            taken.append(hit)
            free[near[hit]] = False
    return np.array(taken, np.int64)


def match_vertices(
    event: int,
    probability: Float[np.ndarray, "hit 5"],
    place_mm: Float[np.ndarray, "hit 2"],
    kind: Shaped[np.ndarray, "vertex"],
    vertex_mm: Float[np.ndarray, "vertex 2"],
    reach_mm: float = REACH_MM,
) -> dict[str, VertexMatches]:
    """Return, for each of ``SOUGHT``, the candidates at the hits of an event beside its true vertices.

    Parameters
    ----------
    kind : of each true vertex, an index in ``VERTEX_KINDS``.
    place_mm, vertex_mm : along wires and drift.
    """
    found = {}
    for k, name in enumerate(SOUGHT):
        score = vertex_scores(probability)[:, k]
        taken = find_vertices(score, place_mm, reach_mm)
        true_mm = vertex_mm if name == ANY else vertex_mm[kind == k]
        right, best = np.zeros(len(taken), bool), np.zeros(len(true_mm))
        if len(taken) and len(true_mm):
            near = np.hypot(*(place_mm[taken][:, None] - true_mm).transpose(2, 0, 1)) <= reach_mm
            right, best = near.any(axis=1), np.where(near, score[taken][:, None], 0).max(axis=0)
        found[name] = VertexMatches(
            np.full(len(true_mm), event), best, np.full(len(taken), event), score[taken], right
        )
    return found


def join_matches(parts: Sequence[Mapping[str, VertexMatches]]) -> dict[str, VertexMatches]:
    """Return matches of several events as one."""
    joined = {}
    for name in SOUGHT:
        columns = ([getattr(part[name], key) for part in parts] for key in VertexMatches.__dataclass_fields__)
        joined[name] = VertexMatches(*(np.concatenate(each) for each in columns))
    return joined


def choose_cut(matches: VertexMatches) -> float:
    """Return the cut with the largest efficiency x purity; a half where no vertex is found at any.

    Of N true vertices a cut finds S = N efficiency, among B others: S^2 / (S + B), the square of the
    significance, is N efficiency x purity.
    """
    order = np.argsort(-matches.score)[: np.count_nonzero(matches.score > 0)]
    score = matches.score[order]
    purity = np.cumsum(matches.right[order]) / np.arange(1, len(score) + 1)
    found = np.searchsorted(np.sort(-matches.best), -score, side="right")
    last = np.append(score[1:] < score[:-1], True)[: len(score)]  # of those with one score
    merit = np.where(last, found * purity, -1)
    if not len(score) or merit.max() <= 0:
        return NO_CUT
    best = int(np.argmax(merit))
    below = score[best + 1] if best + 1 < len(score) else 0.0
    return float((score[best] + below) / 2)


def choose_cuts(matches: Mapping[str, VertexMatches]) -> tuple[float, ...]:
    """Return the cuts on the scores of ``SOUGHT``, for which the matches must be of validation events."""
    return tuple(choose_cut(matches[name]) for name in SOUGHT)


def score_found(
    matches: Mapping[str, VertexMatches],
    cuts: Sequence[float],
    *,
    n_events: int,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[FoundVertices, ...]:
    """Return efficiency and purity of each of ``SOUGHT``, with bootstrap errors over the events.

    Raises
    ------
    InputError
        if there are no events.
    ValueError
        if there is not a cut for each.
    """
    if n_events < 1:
        raise InputError("score", "events", "one at least", "none")
    above, below = [], []
    for name, cut in zip(SOUGHT, cuts, strict=True):
        one = matches[name]
        chosen = one.score > cut
        for event, passes in ((one.event, one.best > cut), (one.candidate_event[chosen], one.right[chosen])):
            above.append(np.bincount(event[passes], minlength=n_events))
            below.append(np.bincount(event, minlength=n_events))
    columns = np.stack(above, axis=1), np.stack(below, axis=1)
    values = bootstrap_ratios(*columns, resamples=resamples, seed=seed)
    return tuple(
        FoundVertices(
            name=name, cut=cut, n=len(matches[name].best),
            candidates=int(np.count_nonzero(matches[name].score > cut)), efficiency=values[2 * k],
            purity=values[2 * k + 1],
        )
        for k, (name, cut) in enumerate(zip(SOUGHT, cuts, strict=True))
    )  # fmt: skip
