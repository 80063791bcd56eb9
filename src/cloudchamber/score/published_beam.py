"""The published result on beam and cosmics in ProtoDUNE (Timilsina, 2018), as data: all quoted."""

from cloudchamber.labels import BeamLabel
from cloudchamber.score.bootstrap import Frozen

DECK = "Timilsina, ProtoDUNE sim/reco meeting, 27 February 2018, slides"
DATA = "the authors' LArSoft simulation (MCC11) of 7 GeV beams, images of hits alone: 60 test images"


class PublishedIou(Frozen):
    """IOU of each class and their mean, as fractions; quoted, without errors."""

    name: str
    trained_on: str
    iou: dict[BeamLabel, float]
    mean_iou: float
    source: str = DECK

    @property
    def mean_iou_without_background(self) -> float:
        """The mean of beam and not-beam, which the slides do not give."""
        return (self.iou[BeamLabel.NOT_BEAM] + self.iou[BeamLabel.BEAM]) / 2


TIRAMISU = PublishedIou(
    name="Tiramisu",
    trained_on="2600 images, 390 epochs",
    iou={BeamLabel.BACKGROUND: 0.9998, BeamLabel.NOT_BEAM: 0.982, BeamLabel.BEAM: 0.831},
    mean_iou=0.938,
)
CLASS_RATIO = {BeamLabel.BACKGROUND: 142, BeamLabel.NOT_BEAM: 14, BeamLabel.BEAM: 1}
"""Pixels of each class for one of the beam."""
LOSSES = {
    "cross-entropy": "works fine; the result above",
    "weighted": "tried, no figure given",
    "epoch-weights": "tried, no figure given",
    "focal": "tried, no figure given",
    "dice": "tried, no figure given",
    "fbeta": "tried, no figure given",
}
"""What the slides say of each loss."""
