"""Published results on the energy of muons from a calorimeter, as data: all quoted."""

from cloudchamber.score.bootstrap import Estimate, Frozen

DECK = "Strong, Dorigo and Layer, 13 July 2021, slides"
JOURNAL = "Kieseler et al., EPJC 82, 79 (2022), arXiv:2107.02119"
DATA = "the authors' Geant4 simulation: 886,716 muons of 50 to 8000 GeV for training"


class PublishedImprovement(Frozen):
    """The mean improvement over a tracker, MI in per cent, of one network; quoted.

    ``change_percent`` is the change of MI against the default, in per cent of it, as printed.
    """

    key: str
    name: str
    mi: Estimate
    change_percent: Estimate | None
    source: str = DECK


def _row(
    key: str, name: str, mi: tuple[float, float], change: tuple[float, float] | None = None
) -> PublishedImprovement:
    both = None if change is None else Estimate(value=change[0], error=change[1])
    return PublishedImprovement(
        key=key, name=name, mi=Estimate(value=mi[0], error=mi[1]), change_percent=both
    )


ABLATIONS = (
    _row("default", "default", (19.42, 0.08)),
    _row("no_norm", "no batch norm", (18.5, 0.3), (-5, 1)),
    _row("no_identity", "no identity path", (18.72, 0.08), (-3.6, 0.6)),
    _row("batch_norm", "nominal batch norm", (19.2, 0.2), (-1.1, 0.9)),
    _row("no_energy_pass", "no E-pass", (19.30, 0.05), (-0.6, 0.5)),
    _row("no_squeeze", "no squeeze-excitation", (19.33, 0.09), (-0.5, 0.6)),
    _row("no_pooling", "no pooling", (19.4, 0.1), (-0.4, 0.7)),
    _row("no_cnn", "no CNN: features only", (17.45, 0.09), (-10.2, 0.6)),
)
"""The ablation of the paper network, in the order of the slides; keys name the same network here."""
