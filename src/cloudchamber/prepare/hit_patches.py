"""Patches around pixels: which are trained on, and how they are cut out of the planes when they are needed.

A patch is an index of eight bytes, so that millions fit in memory beside the planes.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Float32, Int16, Int32, Int64, UInt8
from numpy.random import Generator, Philox
from pydantic import BaseModel, ConfigDict, Field
from scipy.ndimage import maximum_filter

from cloudchamber.labels import Activity
from cloudchamber.prepare.hit_augment import HitAugment, draw_flips, vary_signal
from cloudchamber.prepare.hit_images import (
    CLASSES,
    NOT_A_VERTEX,
    VERTEX_KINDS,
    HitImages,
    HitScale,
    scale_codes,
    unpack_targets,
)

SIDE = 48
_NONE, _EM = CLASSES.index(Activity.NONE), CLASSES.index(Activity.EM)
_DECAY = VERTEX_KINDS.index("decay")


class PatchGroup(IntEnum):
    """What a training pixel is; where it is several things, the first counts."""

    MICHEL = 0
    VERTEX = 1
    STOPPING = 2  # a track near a Michel electron or the point of a decay
    EM = 3
    TRACK_MIXED = 4  # a track near an electron or a vertex
    TRACK_CLEAN = 5
    NONE = 6  # no charge, more than a few lit pixels in the patch


class PatchShares(BaseModel):
    """Which share of the pixels of each group is trained on (Sulej et al.; electrons and near: ours)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    michel: float = Field(default=1.0, ge=0, le=1)
    vertex: float = Field(default=1.0, ge=0, le=1)
    stopping: float = Field(default=1.0, ge=0, le=1)
    em: float = Field(default=1.0, ge=0, le=1)
    track_mixed: float = Field(default=1.0, ge=0, le=1)
    track_clean: float = Field(default=0.25, ge=0, le=1, description="published: 20 to 30%")
    none: float = Field(default=0.001, ge=0, le=1, description="of the pixels with enough lit ones around")
    lit_around: int = Field(default=6, ge=0, description="more lit pixels than this in the patch of a none")
    stopping_near: int = Field(default=24, ge=0, description="pixels from the end of a track that stops")
    mixed_near: int = Field(default=6, ge=0, description="pixels from an electron or a vertex")

    def share(self, group: PatchGroup) -> float:
        """Return the share of a group."""
        return float(getattr(self, group.name.lower()))


@dataclass(frozen=True)
class PatchIndex:
    """Pixels of planes, eight bytes each, and a byte for their group."""

    event: Int32[np.ndarray, "patch"]
    wire: Int16[np.ndarray, "patch"]
    drift: Int16[np.ndarray, "patch"]
    group: UInt8[np.ndarray, "patch"]

    def __len__(self) -> int:
        """Return the number of patches."""
        return len(self.event)

    def chosen(self, which: Int64[np.ndarray, "n"] | slice) -> "PatchIndex":
        """Return some of them."""
        return PatchIndex(self.event[which], self.wire[which], self.drift[which], self.group[which])


def join_indices(parts: list[PatchIndex]) -> PatchIndex:
    """Return several lists of pixels as one."""
    return PatchIndex(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in PatchIndex.__annotations__)
    )


def _near(mask: Bool[np.ndarray, "wire drift"], pixels: int) -> Bool[np.ndarray, "wire drift"]:
    found = maximum_filter(mask.view(np.uint8), 2 * pixels + 1, mode="constant")
    return np.asarray(found > 0)


def count_lit(lit: Bool[np.ndarray, "wire drift"], side: int = SIDE) -> Int32[np.ndarray, "wire drift"]:
    """Return how many lit pixels there are in the patch [w - side/2, w + side/2) x likewise of each pixel."""
    half, (wires, drifts) = side // 2, lit.shape
    sums = np.zeros((wires + side + 1, drifts + side + 1), np.int32)
    padded = np.pad(lit, half)
    sums[1:, 1:] = padded.cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32)
    counts = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return np.asarray(counts[:wires, :drifts])


def group_pixels(
    images: HitImages, event: int, scale: HitScale, shares: PatchShares
) -> UInt8[np.ndarray, "wire drift"]:
    """Return the group of every pixel of a plane; 255 where it has none."""
    classes, michel, vertex = unpack_targets(images.target[event])
    is_michel, is_vertex = michel > 0, vertex != NOT_A_VERTEX
    charged, is_em = classes != _NONE, classes == _EM
    groups = np.full(classes.shape, 255, np.uint8)
    groups[(classes == _NONE) & (count_lit(images.lit(event, scale)) > shares.lit_around)] = PatchGroup.NONE
    groups[charged] = PatchGroup.TRACK_CLEAN
    groups[charged & _near(is_em | is_vertex, shares.mixed_near)] = PatchGroup.TRACK_MIXED
    groups[is_em] = PatchGroup.EM
    ends = _near(is_michel | (vertex == _DECAY), shares.stopping_near)
    groups[charged & ~is_em & ends] = PatchGroup.STOPPING
    groups[is_vertex] = PatchGroup.VERTEX
    groups[is_michel] = PatchGroup.MICHEL
    return groups


def _rng(seed: int, event: int) -> Generator:
    return Generator(Philox(key=np.array([seed, event], np.uint64)))


def _index_of(event: int, place: Int64[np.ndarray, "n 2"], group: UInt8[np.ndarray, "n"]) -> PatchIndex:
    wire, drift = place[:, 0].astype(np.int16), place[:, 1].astype(np.int16)
    return PatchIndex(np.full(len(place), event, np.int32), wire, drift, group)


def select_patches(
    images: HitImages, scale: HitScale, shares: PatchShares | None = None, *, seed: int = 0
) -> PatchIndex:
    """Return the pixels to train on: of every group of every plane the share asked for, drawn at random."""
    shares = shares or PatchShares()
    limits = np.zeros(256)
    limits[: len(PatchGroup)] = [shares.share(group) for group in PatchGroup]
    parts = []
    for event in range(len(images)):
        groups = group_pixels(images, event, scale, shares)
        place = np.argwhere(_rng(seed, event).random(groups.shape, dtype=np.float32) < limits[groups])
        parts.append(_index_of(event, place, groups[place[:, 0], place[:, 1]]))
    return join_indices(parts)


def select_vertices(
    images: HitImages,
    scale: HitScale,
    *,
    empty: int = 4,
    on_track: int = 8,
    apart: int = 6,
    seed: int = 0,
) -> PatchIndex:
    """Return all vertex pixels and, for each, so many empty pixels and so many on tracks (Sulej et al.).

    Pixels that are no vertex are ``apart`` pixels from one at least; empty ones have lit pixels in the patch
    where there are such. The group is that of ``VERTEX_KINDS``.
    """
    parts = []
    for event in range(len(images)):
        _, _, vertex = unpack_targets(images.target[event])
        is_vertex, lit = vertex != NOT_A_VERTEX, images.lit(event, scale)
        place = np.argwhere(is_vertex)
        away = ~_near(is_vertex, apart)
        rng = _rng(seed, event)
        chosen = [place]
        for mask, number in ((away & ~lit & (count_lit(lit) > 0), empty), (away & lit, on_track)):
            found = np.argwhere(mask)
            n = min(number * max(1, len(place)), len(found))
            chosen.append(found[np.sort(rng.choice(len(found), n, replace=False))] if n else found)
        places = np.concatenate(chosen)
        parts.append(_index_of(event, places, vertex[places[:, 0], places[:, 1]]))
    return join_indices(parts)


def cut_patches(
    images: HitImages,
    at: PatchIndex,
    scale: HitScale,
    *,
    side: int = SIDE,
    augment: HitAugment | None = None,
    rng: Generator | None = None,
) -> Float32[np.ndarray, "patch 1 side side"]:
    """Return the patches of pixels, scaled and clipped; what lies beyond a plane is zero.

    The pixel itself is at (side/2, side/2), in a flipped patch too. ``augment`` and ``rng``: vary them.

    Raises
    ------
    ValueError
        if it is not known in what unit the signal is.
    """
    wires, drifts = images.code.shape[1:]
    along = np.arange(side) - side // 2
    signs = np.ones((len(at), 2), np.int64)
    if augment is not None and rng is not None:
        signs -= 2 * draw_flips(augment, len(at), rng)
    wire = at.wire[:, None].astype(np.int64) + signs[:, :1] * along
    drift = at.drift[:, None].astype(np.int64) + signs[:, 1:] * along
    inside_wire, inside_drift = (wire >= 0) & (wire < wires), (drift >= 0) & (drift < drifts)
    code = images.code[
        at.event[:, None, None], wire.clip(0, wires - 1)[:, :, None], drift.clip(0, drifts - 1)[:, None, :]
    ]
    x = scale_codes(code, images.readout, scale)
    if augment is not None and rng is not None:
        x = vary_signal(x, augment, rng)
    beyond = ~(inside_wire.all(axis=1) & inside_drift.all(axis=1))
    if beyond.any():
        x[beyond] *= inside_wire[beyond, :, None] & inside_drift[beyond, None, :]
    return scale.clip(x)[:, None]
