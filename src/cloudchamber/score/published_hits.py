"""Published results on pixel-level identification in LArTPCs, as data: all quoted."""

from cloudchamber.score.bootstrap import Frozen

DECK = "Sulej et al., CNN solutions for pixel-level ID, slides"
SERVICE = "Wang et al., arXiv:2009.04509"
EVENT = "one ProtoDUNE event of 6 APAs: a beam event and 60 to 70 cosmics"


class PublishedTime(Frozen):
    """Seconds that the network's module takes for an event; quoted."""

    key: str
    name: str
    seconds: float
    processors: int
    what: str = EVENT
    source: str = DECK


class PublishedRatio(Frozen):
    """How many times as fast something is; quoted."""

    key: str
    name: str
    times: float
    source: str


TIMES = (
    PublishedTime(key="plain", name="plain C++", seconds=606.107, processors=4),
    PublishedTime(key="tensorflow", name="TensorFlow with AVX", seconds=50.716, processors=4),
)
"""The time of the module EmTrackMichelId."""

RATIOS = (
    PublishedRatio(key="service", name="GPU as a service, the module", times=17, source=SERVICE),
    PublishedRatio(key="chain", name="GPU as a service, all of reconstruction", times=2.7, source=SERVICE),
)

PARAMETERS = 11_900_420
"""Of the published network with two heads. Its ROC curves are pictures in the slides: no areas to quote."""
