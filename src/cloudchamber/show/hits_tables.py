"""The scores of hits as rows of text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cloudchamber.score.hits import EfficiencyBin, HitsScore, VertexScore, em_score
from cloudchamber.score.published_hits import TIMES
from cloudchamber.score.roc import RocCurve
from cloudchamber.show.tables import Rows
from cloudchamber.show.voxels_tables import percent

MEASURED_ON = "cloudchamber's simulation"


@dataclass(frozen=True)
class RealPlane:
    """What a model says of the lit pixels of simulated planes, and of a real one."""

    name: str
    simulated: Float[np.ndarray, "pixel 4"]
    real: Float[np.ndarray, "pixel 4"]

    @property
    def sets(self) -> dict[str, Float[np.ndarray, "pixel 4"]]:
        """Both by name."""
        return {"simulation": self.simulated, "real": self.real}


def area_text(curve: RocCurve) -> str:
    """Return an area; none where all scores are alike, as those of a head that a network does not have."""
    return "–" if curve.area.value == 0.5 and not curve.area.error else curve.area.text(4)


def area_row(name: str, score: HitsScore) -> list[str]:
    """Return name and areas of a score."""
    return [name, area_text(score.em), area_text(score.michel), f"{score.n:,}"]


def area_rows(scores: Mapping[str, HitsScore]) -> Rows:
    """Return the areas under the ROC curves of several scores: of networks, places or data."""
    head = ["area under the ROC curve", "EM against track", "Michel", "hits, pixels"]
    return Rows(head=head, rows=[area_row(name, score) for name, score in scores.items()])


def _cut(curve: RocCurve, efficiency: float) -> str:
    """Return the share of the others that is selected at an efficiency, in per cent."""
    for found, mistag in zip(curve.efficiency, curve.mistag, strict=True):
        if found >= efficiency:
            return f"{100 * mistag:.2f}"
    return "–"


def mistag_rows(score: HitsScore, efficiencies: Sequence[float] = (0.9, 0.95, 0.99)) -> Rows:
    """Return which share of the others is selected at some efficiencies."""
    rows = [
        [name, *(_cut(curve, each) for each in efficiencies)]
        for name, curve in (("EM-like: tracks", score.em), ("Michel-like: others", score.michel))
    ]
    return Rows(head=["mistag (%) at efficiency", *(f"{each:.0%}" for each in efficiencies)], rows=rows)


def selection_rows(score: HitsScore) -> Rows:
    """Return efficiency and purity of every selection."""
    rows = [
        [f"{each.name}-like, p > {each.cut:g}", f"{each.n:,}", percent(each.efficiency), percent(each.purity)]
        for each in score.selections
    ]
    return Rows(head=["selection", "true hits", "efficiency (%)", "purity (%)"], rows=rows)


def _range(each: EfficiencyBin) -> str:
    return f"{each.low:g} and more" if each.high is None else f"{each.low:g} to {each.high:g}"


def bin_rows(bins: Sequence[EfficiencyBin], name: str) -> Rows:
    """Return efficiencies of the three selections in bins of something."""
    rows = [
        [_range(each), *(percent(value) for value in (each.em, each.track, each.michel)),
         " / ".join(f"{n:,}" for n in each.n)]
        for each in bins
    ]  # fmt: skip
    head = [name, "EM-like (%)", "track-like (%)", "Michel-like (%)", "hits: EM / track / Michel"]
    return Rows(head=head, rows=rows)


def vertex_rows(score: VertexScore) -> Rows:
    """Return efficiency, purity and area of each kind of vertex."""
    rows = [
        [each.name, f"{each.n:,}", percent(each.efficiency), percent(each.purity), each.area.area.text(4)]
        for each in score.kinds
    ]
    rows.append(["any", f"{score.vertex.n_positive:,}", "–", "–", score.vertex.area.text(4)])
    head = ["vertex", "pixels", "efficiency (%)", "purity (%)", "area under the ROC curve"]
    return Rows(head=head, rows=rows)


def found_rows(score: VertexScore) -> Rows:
    """Return efficiency and purity of each kind of vertex, searched for on whole planes."""
    rows = [
        [each.name, f"{each.cut:.3f}", f"{each.n:,}", f"{each.candidates:,}", percent(each.efficiency),
         percent(each.purity)]
        for each in score.found
    ]  # fmt: skip
    return Rows(head=["vertex", "cut", "true", "candidates", "efficiency (%)", "purity (%)"], rows=rows)


def real_rows(planes: Sequence[RealPlane]) -> Rows:
    """Return what share of the lit pixels is selected, on simulated planes and on a real one."""
    rows = [
        [f"{plane.name}, {where}", f"{len(each):,}", _selected(em_score(each), 1), _selected(each[:, 3], 2)]
        for plane in planes
        for where, each in plane.sets.items()
    ]
    return Rows(head=["lit pixels of", "pixels", "EM-like (%)", "Michel-like (%)"], rows=rows)


def _selected(score: Float[np.ndarray, "pixel"], digits: int) -> str:
    """Return the share above 0.5 in per cent; none where all scores are alike, as of a missing head."""
    return f"{100 * (score > 0.5).mean():.{digits}f}" if np.ptp(score) else "–"


def time_rows(ours: Mapping[str, tuple[float, int]] | None = None) -> Rows:
    """Return the published times of an event, and ours: seconds and processors by name."""
    rows = [[f"{each.name} (quoted)", f"{each.seconds:.1f}", str(each.processors)] for each in TIMES]
    rows += [[name, f"{seconds:.1f}", str(n)] for name, (seconds, n) in (ours or {}).items()]
    return Rows(head=["one event of 6 APAs, the module alone", "seconds", "processors"], rows=rows)


def summary_items(score: HitsScore) -> list[tuple[str, str]]:
    """Return name and value of what is said of all hits."""
    by_name = {(each.name, each.cut): each for each in score.selections}
    items = [
        ("EM against track", score.em.area.text(4)),
        ("Michel", score.michel.area.text(4)),
    ]
    for name in ("em", "track", "Michel"):
        each = by_name[name, 0.5]
        label = f"{name}-like: efficiency, purity"
        items.append((label, f"{percent(each.efficiency)} %, {percent(each.purity)} %"))
    return items
