"""The score of hits: ROC curves of the selections, efficiency and purity by class, energy and distance.

Selections of Sulej et al.: EM-like by p(em) / (p(track) + p(em)), Michel-like by p(Michel). Errors are
bootstrap errors over events.
"""

from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Shaped

from cloudchamber.errors import InputError
from cloudchamber.labels import Activity
from cloudchamber.prepare.hit_images import CLASSES, NOT_A_VERTEX, VERTEX_KINDS
from cloudchamber.score.bootstrap import Estimate, Frozen, bootstrap_ratios
from cloudchamber.score.hits_truth import HitTruth
from cloudchamber.score.hits_vertices import FoundVertices
from cloudchamber.score.roc import RESAMPLES, RocCurve, score_roc

ENERGY_EDGES_MEV = (0.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, float("inf"))
DISTANCE_EDGES_MM = (0.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, float("inf"))
MICHEL_CUTS = (0.5, 0.8, 0.9)
_TRACK, _EM, _NONE = (CLASSES.index(each) for each in (Activity.TRACK, Activity.EM, Activity.NONE))
_MICHEL = 3

Probability = Float[np.ndarray, "hit 4"]


class Selection(Frozen):
    """How many of a kind a cut finds, and how many of those it finds are of the kind."""

    name: str
    cut: float
    n: int  # of the kind
    efficiency: Estimate
    purity: Estimate


class EfficiencyBin(Frozen):
    """Efficiency of the EM-like, track-like and Michel-like selection in a bin, of true hits of the kind."""

    low: float
    high: float | None  # none: no end
    n: tuple[int, int, int]  # em, track, Michel
    em: Estimate
    track: Estimate
    michel: Estimate


class HitsScore(Frozen):
    """The score of ``n`` hits or lit pixels. Those without charge count against Michel electrons only."""

    n_events: int
    n: int
    at: str
    em: RocCurve
    michel: RocCurve
    selections: tuple[Selection, ...]
    by_energy: tuple[EfficiencyBin, ...] = ()
    by_distance: tuple[EfficiencyBin, ...] = ()


class VertexKindScore(Frozen):
    """How well one kind of vertex is found among all pixels scored."""

    name: str
    n: int
    efficiency: Estimate
    purity: Estimate
    area: RocCurve


class VertexScore(Frozen):
    """The score of ``n`` pixels, vertices and others; ``found`` on whole planes of ``n_planes`` events."""

    n_events: int
    n: int
    vertex: RocCurve
    kinds: tuple[VertexKindScore, ...]
    n_planes: int = 0
    found: tuple[FoundVertices, ...] = ()


def em_score(probability: Probability) -> Float[np.ndarray, "hit"]:
    """Return p(em) / (p(track) + p(em)); a half where both are zero."""
    em = probability[:, _EM].astype(np.float64)
    both = em + probability[:, _TRACK]
    return np.asarray(np.divide(em, both, out=np.full(len(em), 0.5), where=both > 0))


def _ratios(
    event: Shaped[np.ndarray, "hit"],
    n_events: int,
    columns: list[tuple[Bool[np.ndarray, "hit"], Bool[np.ndarray, "hit"]]],
    resamples: int,
    seed: int,
) -> tuple[Estimate, ...]:
    """Return share of the second of each pair that is in the first as well, with errors over events."""
    above = [np.bincount(event[one & other], minlength=n_events) for one, other in columns]
    below = [np.bincount(event[other], minlength=n_events) for _, other in columns]
    return bootstrap_ratios(np.stack(above, axis=1), np.stack(below, axis=1), resamples=resamples, seed=seed)


def _bins(
    value: Float[np.ndarray, "hit"],
    edges: tuple[float, ...],
    selected: tuple[Bool[np.ndarray, "hit"], ...],
    true: tuple[Bool[np.ndarray, "hit"], ...],
    event: Shaped[np.ndarray, "hit"],
    n_events: int,
    options: tuple[int, int],
) -> tuple[EfficiencyBin, ...]:
    found = []
    for low, high in pairwise(edges):
        inside = (value >= low) & (value < high)
        columns = [(one, other & inside) for one, other in zip(selected, true, strict=True)]
        counts = tuple(int(np.count_nonzero(other)) for _, other in columns)
        if any(counts):
            em, track, michel = _ratios(event, n_events, columns, *options)
            end = high if np.isfinite(high) else None
            found.append(EfficiencyBin(
                low=low, high=end, n=counts, em=em, track=track, michel=michel,
            ))  # fmt: skip
    return tuple(found)


def check_probability(probability: Float[np.ndarray, "hit output"], n: int, outputs: int) -> None:
    """Check that probabilities are of so many hits and outputs, finite, between 0 and 1.

    Raises
    ------
    InputError
        if not, or if there are none.
    """
    if probability.shape != (n, outputs) or not n:
        raise InputError(
            "score", "probability", f"({n}, {outputs}), one hit at least", str(probability.shape)
        )
    if not (np.isfinite(probability).all() and probability.min() >= 0 and probability.max() <= 1.001):
        raise InputError("score", "probability", "numbers from 0 to 1", "others")


def score_hits(
    truth: HitTruth,
    probability: Probability,
    *,
    n_events: int,
    at: str = "hits",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> HitsScore:
    """Score hits, or lit pixels, whose truth is known.

    Parameters
    ----------
    truth : of every hit.
    probability : (hit, 4) of track, em, none, and of a Michel electron.
    n_events : events that the hits are of.
    at : what is scored, in a word or two.
    resamples, seed : of the bootstrap over events.

    Raises
    ------
    InputError
        if there are no hits or events, or probabilities are of another number or no probabilities.
    """
    check_probability(probability, len(truth), 4)
    em_like, michel_like = em_score(probability), probability[:, _MICHEL].astype(np.float64)
    charged, event = truth.classes != _NONE, truth.event
    is_em, is_track = truth.classes == _EM, truth.classes == _TRACK
    common = {"resamples": resamples, "seed": seed}
    pairs = [("em", 0.5, em_like > 0.5, is_em, charged), ("track", 0.5, em_like <= 0.5, is_track, charged)]
    everything = np.ones(len(truth), bool)
    pairs += [("Michel", cut, michel_like > cut, truth.michel, everything) for cut in MICHEL_CUTS]
    columns = [(chosen, true) for _, _, chosen, true, _ in pairs]
    columns += [(true, chosen & among) for _, _, chosen, true, among in pairs]
    values = _ratios(event, n_events, columns, resamples, seed)
    selections = tuple(
        Selection(
            name=name, cut=cut, n=int(np.count_nonzero(true)), efficiency=values[k],
            purity=values[len(pairs) + k],
        )
        for k, (name, cut, _, true, _) in enumerate(pairs)
    )  # fmt: skip
    chosen = (em_like > 0.5, em_like <= 0.5, michel_like > 0.5)
    true = (is_em, is_track, truth.michel)
    options = (resamples, seed)
    return HitsScore(
        n_events=n_events,
        n=len(truth),
        at=at,
        em=score_roc(em_like[charged], is_em[charged], event[charged], **common),
        michel=score_roc(michel_like, truth.michel, event, **common),
        selections=selections,
        by_energy=_bins(truth.kinetic_mev, ENERGY_EDGES_MEV, chosen, true, event, n_events, options),
        by_distance=_bins(truth.distance_mm, DISTANCE_EDGES_MM, chosen, true, event, n_events, options),
    )


def score_vertices(
    truth: HitTruth,
    probability: Float[np.ndarray, "pixel 5"],
    *,
    n_events: int,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> VertexScore:
    """Score pixels, vertices and others, by the probability of each of ``VERTEX_KINDS``.

    A pixel is taken to be of its likeliest kind.

    Raises
    ------
    InputError
        if there are no pixels or events, or probabilities are of another number or no probabilities.
    """
    check_probability(probability, len(truth), len(VERTEX_KINDS))
    said, event = probability.argmax(axis=1), truth.event
    names = VERTEX_KINDS[:NOT_A_VERTEX]
    columns = [(said == kind, truth.vertex == kind) for kind in range(len(names))]
    columns += [(true, chosen) for chosen, true in columns]
    values = _ratios(event, n_events, columns, resamples, seed)
    common = {"resamples": resamples, "seed": seed}
    kinds = tuple(
        VertexKindScore(
            name=name, n=int(np.count_nonzero(truth.vertex == kind)), efficiency=values[kind],
            purity=values[len(names) + kind],
            area=score_roc(probability[:, kind].astype(np.float64), truth.vertex == kind, event, **common),
        )
        for kind, name in enumerate(names)
    )  # fmt: skip
    any_vertex = 1 - probability[:, NOT_A_VERTEX].astype(np.float64)
    return VertexScore(
        n_events=n_events, n=len(truth), kinds=kinds,
        vertex=score_roc(any_vertex, truth.vertex != NOT_A_VERTEX, event, **common),
    )  # fmt: skip
