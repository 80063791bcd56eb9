"""The energies of the Michel electrons, reconstructed and true, and the end point of each spectrum."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from cloudchamber.errors import InputError
from cloudchamber.score.bootstrap import Frozen
from cloudchamber.score.michel import Michels
from cloudchamber.score.michel_spectrum import EndPoint, fit_end_point

EDGES_MEV = tuple(float(edge) for edge in range(0, 82, 2))


class MichelEnergies(NamedTuple):
    """Energies of Michel electrons, one entry per cluster, in MeV.

    ``reconstructed`` of the candidates, matched or not: what the predicted voxels hold; ``deposited`` of the
    true clusters attached at the edge of a track; ``kinetic`` of their electrons, each once, where known.
    """

    reconstructed: Float[np.ndarray, "candidate"]
    deposited: Float[np.ndarray, "cluster"]
    kinetic: Float[np.ndarray, "electron"]


class MichelSpectrum(Frozen):
    """Counts in bins of energy, for each kind of :class:`MichelEnergies`, and the fitted end points.

    The strength of the loss by radiation is fitted for the first two, and zero for kinetic energies. A fit is
    none where there are too few electrons for it.
    """

    edges_mev: tuple[float, ...]
    reconstructed: tuple[int, ...]
    deposited: tuple[int, ...]
    kinetic: tuple[int, ...]
    reconstructed_fit: EndPoint | None
    deposited_fit: EndPoint | None
    kinetic_fit: EndPoint | None


def michel_energies(michels: Michels) -> MichelEnergies:
    """Return the energies of the Michel electrons that were found, and of those that were there."""
    true = michels.true
    chosen = true.findable
    known = np.flatnonzero(chosen & (true.particle >= 0))
    _, first = np.unique(
        np.column_stack([true.event[known], true.particle[known]]), axis=0, return_index=True
    )
    return MichelEnergies(
        michels.predicted.energy_mev[michels.predicted.candidate],
        true.deposit_mev[chosen],
        true.kinetic_mev[known[np.sort(first)]],
    )


def _fit(energies_mev: Float[np.ndarray, "electron"], radiation: float | None) -> EndPoint | None:
    try:
        return fit_end_point(energies_mev, radiation=radiation)
    except InputError:
        return None


def michel_spectrum(michels: Michels, edges_mev: tuple[float, ...] = EDGES_MEV) -> MichelSpectrum:
    """Return the spectra of the Michel electrons with the fits of their end points."""
    energies = michel_energies(michels)

    def counts(values: Float[np.ndarray, "electron"]) -> tuple[int, ...]:
        return tuple(np.histogram(values, edges_mev)[0].tolist())

    return MichelSpectrum(
        edges_mev=edges_mev,
        reconstructed=counts(energies.reconstructed),
        deposited=counts(energies.deposited),
        kinetic=counts(energies.kinetic),
        reconstructed_fit=_fit(energies.reconstructed, None),
        deposited_fit=_fit(energies.deposited, None),
        kinetic_fit=_fit(energies.kinetic, 0.0),
    )
