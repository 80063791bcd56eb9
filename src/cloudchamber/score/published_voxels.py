"""Published results on sparse 3D LArTPC images (Domine and Terao, arXiv:1903.05663), as data: all quoted."""

from cloudchamber.labels import VoxelLabel
from cloudchamber.score.bootstrap import Frozen

DECK = "Domine and Terao, ACAT 2019, slides"
JOURNAL = "Domine and Terao, Phys. Rev. D 102, 012005 (2020)"
DATA = "the authors' simulation: 80,000 training and 20,000 test images"


class PublishedAccuracy(Frozen):
    """Non-zero accuracy of each class, as fractions; quoted."""

    name: str
    trained_on: str
    scored_on: str
    accuracy: dict[VoxelLabel, float]
    source: str = DECK


class PublishedMichels(Frozen):
    """The Michel chain, as fractions; quoted. The denominators of the first two are not printed there."""

    name: str
    n_candidates: int | None
    id_purity: float
    id_efficiency: float
    cluster_purity: float
    cluster_efficiency: float
    source: str


class PublishedRatio(Frozen):
    """How many times less a sparse network needs than a dense one of another architecture; quoted."""

    what: str
    times: float
    conditions: str
    source: str


def _accuracy(hip: float, mip: float, shower: float, delta: float, michel: float) -> dict[VoxelLabel, float]:
    """Return fractions, from percent."""
    values = zip(VoxelLabel, (hip, mip, shower, delta, michel), strict=True)
    return {label: round(percent / 100, 3) for label, percent in values}


ACCURACIES = (
    PublishedAccuracy(
        name="regular",
        trained_on="regular labels",
        scored_on="regular labels",
        accuracy=_accuracy(98.0, 99.4, 99.4, 85.7, 56.6),
    ),
    PublishedAccuracy(
        name="regular, scored relabelled",
        trained_on="regular labels",
        scored_on="relabelled",
        accuracy=_accuracy(98.1, 99.2, 97.9, 94.8, 94.4),
    ),
    PublishedAccuracy(
        name="relabelled",
        trained_on="relabelled",
        scored_on="relabelled",
        accuracy=_accuracy(98.1, 99.4, 99.2, 96.0, 94.7),
    ),
    PublishedAccuracy(
        name="relabelled, class weights",
        trained_on="relabelled, with class weights",
        scored_on="relabelled",
        accuracy=_accuracy(99.3, 98.1, 99.2, 97.2, 95.7),
    ),
)
"""Accuracy by class for the four ways to label, in the order of the slides."""

MICHELS = (
    PublishedMichels(
        name="slides",
        n_candidates=7105,
        id_purity=0.988,
        id_efficiency=0.939,
        cluster_purity=0.973,
        cluster_efficiency=0.961,
        source=DECK,
    ),
    PublishedMichels(
        name="journal",
        n_candidates=None,
        id_purity=0.967,
        id_efficiency=0.939,
        cluster_purity=0.955,
        cluster_efficiency=0.954,
        source=JOURNAL,
    ),
)
"""The Michel chain, on the slides and in the journal, whose matching is stricter."""

RATIOS = (
    PublishedRatio(what="training time", times=119, conditions="against the dense network", source=DECK),
    PublishedRatio(what="memory", times=93, conditions="2D, 512 px, batch 88", source=DECK),
    PublishedRatio(what="time", times=3, conditions="2D, 512 px, batch 88", source=DECK),
    PublishedRatio(what="memory", times=364, conditions="3D, inference", source=JOURNAL),
    PublishedRatio(what="time", times=33, conditions="3D, inference", source=JOURNAL),
    PublishedRatio(what="memory", times=93, conditions="2D", source=JOURNAL),
    PublishedRatio(what="time", times=3.1, conditions="2D", source=JOURNAL),
)
"""Sparse against dense. The authors' dense network has another architecture than their sparse one."""
