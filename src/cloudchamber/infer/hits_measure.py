"""What a model says at pixels of events, and its score there; whole events, one after the other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import torch
from jaxtyping import Float32

from cloudchamber.errors import InputError
from cloudchamber.infer.hits_bundle import HitsBundle
from cloudchamber.infer.hits_readout import check_pixels
from cloudchamber.infer.predict import device_of
from cloudchamber.prepare.hit_images import (
    NOT_A_VERTEX,
    HitImages,
    keep_images,
    scale_planes,
    vertex_kinds,
)
from cloudchamber.prepare.hit_patches import PatchIndex, cut_patches, select_vertices
from cloudchamber.score.hits import HitsScore, VertexScore, score_hits, score_vertices
from cloudchamber.score.hits_truth import HitTruth, Pixels, join_truth, lit_pixels, pixels_of_hits, truth_at
from cloudchamber.score.hits_vertices import VertexMatches, join_matches, match_vertices, score_found
from cloudchamber.wire_events import WireEvents

Matches: TypeAlias = Mapping[str, VertexMatches]
Where = Literal["hits", "lit pixels"]
_BATCH = 512


def _index_of(at: Pixels) -> PatchIndex:
    group = np.zeros(len(at), np.uint8)
    return PatchIndex(at.event.astype(np.int32), at.wire.astype(np.int16), at.drift.astype(np.int16), group)


@torch.inference_mode()
def _of_patches(bundle: HitsBundle, events: WireEvents, at: Pixels) -> Float32[np.ndarray, "hit output"]:
    key = (at.event * events.wires + at.wire) * events.drifts + at.drift
    _, first, of_hit = np.unique(key, return_index=True, return_inverse=True)
    once = Pixels(at.event[first], at.wire[first], at.drift[first])
    images = HitImages(events.readout, events.code, np.empty((0, 0, 0), np.uint8))
    index, device, parts = _index_of(once), device_of(bundle.network), []
    side: int = bundle.network.config.patch  # type: ignore[assignment, union-attr]
    for start in range(0, len(once), _BATCH):
        x = cut_patches(images, index.chosen(slice(start, start + _BATCH)), bundle.config.scale, side=side)
        out = bundle.network(torch.from_numpy(x).to(device))
        if bundle.reads == "vertex-patch":
            parts.append(torch.softmax(out.float(), dim=1).cpu().numpy())
        else:
            both = torch.softmax(out[0].float(), dim=1), torch.sigmoid(out[1].float())
            parts.append(torch.cat(both, dim=1).cpu().numpy())
    return np.concatenate(parts)[of_hit] if parts else np.empty((0, 4), np.float32)


@torch.inference_mode()
def _of_planes(bundle: HitsBundle, events: WireEvents, at: Pixels) -> Float32[np.ndarray, "hit 4"]:
    probability, device = np.empty((len(at), 4), np.float32), device_of(bundle.network)
    for event in range(len(events)):
        here = at.event == event
        if not here.any():
            continue
        plane = scale_planes(events.chosen(event, event + 1), bundle.config.scale)
        classes, michel = bundle.network(torch.from_numpy(plane).to(device))
        wire, drift = at.wire[here], at.drift[here]
        probability[here, :3] = torch.softmax(classes[0, :, wire, drift].T.float(), dim=1).cpu().numpy()
        probability[here, 3] = torch.sigmoid(michel[0, 0, wire, drift].float()).cpu().numpy()
    return probability


def classify_pixels(bundle: HitsBundle, events: WireEvents, at: Pixels) -> Float32[np.ndarray, "hit output"]:
    """Return probabilities at pixels: of track, em, none and Michel electron, or of the kinds of vertex.

    Hits that share a pixel are done once.

    Raises
    ------
    InputError
        if pixels are of another size than the network was trained on.
    """
    check_pixels(bundle.config.pitch_mm, bundle.config.drift_mm, events.readout)
    return (_of_planes if bundle.reads == "plane" else _of_patches)(bundle, events, at)


@dataclass(frozen=True)
class Classified:
    """Pixels of some events: truth and probabilities."""

    n_events: int
    truth: HitTruth
    probability: Float32[np.ndarray, "hit output"]
    where: Where = "hits"


def classify_events(
    bundle: HitsBundle, blocks: Iterable[WireEvents], where: Where = "hits", *, apart: int = 6
) -> Classified:
    """Return truth and probabilities at the hits, or lit pixels, of events that come block by block.

    Of a network for vertices: at all vertex pixels and, for each, at 4 empty pixels and 8 on tracks.

    Raises
    ------
    InputError
        if pixels are of another size than the network was trained on.
    ValueError
        if events have no truth, or no hits.
    """
    truths, probabilities, counts = [], [], []
    for block in blocks:
        if bundle.reads == "vertex-patch":
            chosen = select_vertices(keep_images([block]), bundle.config.scale, apart=apart)
            at = Pixels(*(each.astype(np.int64) for each in (chosen.event, chosen.wire, chosen.drift)))
        else:
            at = pixels_of_hits(block) if where == "hits" else lit_pixels(block, bundle.config.scale)
        probabilities.append(classify_pixels(bundle, block, at))
        truths.append(truth_at(block, at))
        counts.append(len(block))
    return Classified(sum(counts), join_truth(truths, counts), np.concatenate(probabilities), where)


def score_classified(found: Classified) -> HitsScore:
    """Return the score of hits, or lit pixels, that are classified.

    Raises
    ------
    InputError
        if there are none.
    """
    return score_hits(found.truth, found.probability, n_events=found.n_events, at=found.where)


def match_planes(bundle: HitsBundle, blocks: Iterable[WireEvents]) -> tuple[int, dict[str, VertexMatches]]:
    """Return how many events there are, and what a network for vertices says at their hits beside the truth.

    Raises
    ------
    InputError
        if pixels are of another size than the network was trained on, or there are no events.
    ValueError
        if events have no vertices, or no hits.
    """
    parts: list[dict[str, VertexMatches]] = []
    for event in (one for block in blocks for one in block):
        at, pixel_mm = pixels_of_hits(event), (event.readout.pitch_mm, event.readout.drift_mm)
        if event.vertex is None:
            raise ValueError("events with vertices")
        kinds = vertex_kinds(event.vertex[0])
        place = np.argwhere(kinds != NOT_A_VERTEX)
        parts.append(
            match_vertices(
                len(parts), classify_pixels(bundle, event, at),
                np.stack([at.wire, at.drift], axis=1) * pixel_mm, kinds[tuple(place.T)], place * pixel_mm,
            )
        )  # fmt: skip
    if not parts:
        raise InputError("score", "events", "one at least", "none")
    return len(parts), join_matches(parts)


def with_planes(score: VertexScore, cuts: Sequence[float], n: int, matches: Matches) -> VertexScore:
    """Return a score with what is found on the planes of n events."""
    return score.model_copy(update={"n_planes": n, "found": score_found(matches, cuts, n_events=n)})


def measure_hits(
    bundle: HitsBundle,
    blocks: Iterable[WireEvents],
    where: Where = "hits",
    *,
    planes: Iterable[WireEvents] | None = None,
) -> HitsScore | VertexScore:
    """Return the score of a model on events that come block by block.

    ``planes`` are events in which a network for vertices is asked at all hits, too, if it has cuts.

    Raises
    ------
    InputError
        if pixels are of another size than the network was trained on, or there are no hits.
    ValueError
        if events have no truth, or no hits.
    """
    found = classify_events(bundle, blocks, where)
    if bundle.reads == "vertex-patch":
        score = score_vertices(found.truth, found.probability, n_events=found.n_events)
        cuts = bundle.config.vertex_cuts
        return with_planes(score, cuts, *match_planes(bundle, planes)) if planes and cuts else score
    return score_classified(found)
