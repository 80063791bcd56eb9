"""Published results on the buried walls of the MODE data challenge (2022), as data."""

from cloudchamber.score.bootstrap import Frozen

SOURCE = "MODE data challenge, results deck, 15 Sep 2022"
STARTER = "MODE data challenge, starter notebook, doi:10.5281/zenodo.7050560"


class PublishedResult(Frozen):
    """One published figure: mean IOU over the challenge's own volumes.

    The public score is over 5036 test volumes, the private one over 25,000. What was measured on other
    volumes stands in ``other_iou``, and ``measured_on`` says on which.
    """

    name: str
    method: str
    public_iou: float | None = None
    private_iou: float | None = None
    other_iou: float | None = None
    measured_on: str = ""
    parameters: int | None = None
    source: str = SOURCE


SOLUTIONS = (
    PublishedResult(
        name="Strong",
        method="3D U-Net + GravNet, 10 models, x8 averaging, pseudo-labels (organiser, unranked)",
        public_iou=0.822,
        private_iou=0.824,
        parameters=2_695_606,
    ),
    PublishedResult(
        name="Bury",
        method="2D encoder-decoder, layers as channels; power Jaccard; per-layer cuts; x8 averaging",
        public_iou=0.7925,
        private_iou=0.7931,
        parameters=231_000,
    ),
    PublishedResult(
        name="Auclair", method="3D DnCNN, soft IOU, x8 averaging", public_iou=0.7728, private_iou=0.7719
    ),
    PublishedResult(
        name="Munkes", method="vote of five MLPs, mean squared error", public_iou=0.6916, private_iou=0.6921
    ),
    PublishedResult(
        name="Gonzalez",
        method="one 3D convolution + dense layers; per-layer cuts",
        public_iou=0.6628,
        private_iou=0.6659,
        parameters=776_375,
    ),
)
"""The five solutions shown at the end of the challenge, best first (Bury's parameters: about 231k)."""

BASELINES = (
    PublishedResult(
        name="Baseline CNN",
        method="stride-1 CNN, binary cross entropy (organisers)",
        other_iou=0.611,
        measured_on="split not stated",
    ),
    PublishedResult(
        name="Cuts per layer",
        method="X0 below a cut of each layer (0.2293 on its own training volumes)",
        other_iou=0.2244,
        measured_on="training file, held out",
        source=STARTER,
    ),
    PublishedResult(
        name="Single cut",
        method="X0 below 0.01152 m",
        other_iou=0.222,
        measured_on="training file, 8000 volumes",
        source=STARTER,
    ),
)
"""The organisers' baselines, best first."""

STEPS = (
    PublishedResult(
        name="Strong, U-Net f8",
        method="3D U-Net with 8 features, no GravNet, one model, x8 averaging (0.8089 without)",
        other_iou=0.8122,
        measured_on="split not stated",
    ),
)
"""Steps on the way to a solution that were shown with a figure of their own."""
