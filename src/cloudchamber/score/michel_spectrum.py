"""The energy spectrum of Michel electrons, and the fit of its end point.

The electron of a muon that decays at rest has, with x its energy over the largest there is, the spectrum
2 x^2 (3 - 2 x) (Michel, Proc. Phys. Soc. A 63 (1950) 514, unpolarised, rho = 3/4; without the electron's mass
and radiative corrections). The end point is (m_mu^2 + m_e^2) / (2 m_mu) = 52.83 MeV (Review of Particle
Physics). A fitted end point over that is the energy scale.

A cluster of ionisation lacks what the electron radiated away: a third of its energy in liquid argon. What is
left follows from the stopping of the electron, step by step: for each energy dE that it leaves as ionisation
it radiates photons of energy k with the probability

    strength dE / E_c dk / k (4/3 (1 - k / E) + (k / E)^2),

E_c the critical energy (Rossi, High-Energy Particles (1952), section 5.2; complete screening: Tsai, Rev. Mod.
Phys. 46 (1974) 815). The strength is the share of the photons that the cluster lacks: 1 if all are lost, 0 if
all are found again in it, as those below 0.25 MeV always are. It can be fitted with the end point, which then
rests on the few electrons that radiated little: its error says so. A cluster that misses voxels, or holds
those of a track, is not modelled: compare with the fit of the true clusters.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.optimize import least_squares
from scipy.special import ndtr

from cloudchamber.errors import InputError
from cloudchamber.score.bootstrap import Frozen

MUON_MEV, ELECTRON_MEV = 105.6583755, 0.51099895
END_POINT_MEV = (MUON_MEV**2 + ELECTRON_MEV**2) / (2 * MUON_MEV)
CRITICAL_MEV = 32.0  # electrons in liquid argon
WINDOW_MEV = (10.0, 80.0)
BIN_MEV = 2.0
LEAST_ELECTRONS = 50
_STEP_MEV, _FINE_STEP_MEV, _MOST_MEV = 0.5, 0.05, 90.0


class EndPoint(Frozen):
    """A fitted end point, with the errors of the fit.

    ``error_mev`` is statistical, from the curvature of the likelihood with all parameters free. ``radiation``
    is the strength of the loss by radiation, its error none where it was not fitted. ``chi2`` is the
    deviance of the bins of the window, of Baker and Cousins (1984), for ``n_dof`` degrees of freedom; ``n``
    counts the electrons in the window.
    """

    end_point_mev: float
    error_mev: float
    resolution_mev: float
    resolution_error_mev: float
    radiation: float
    radiation_error: float | None
    chi2: float
    n_dof: int
    n: int
    window_mev: tuple[float, float]

    @property
    def scale(self) -> float:
        """The energy scale: the end point over that of the muon's decay."""
        return self.end_point_mev / END_POINT_MEV


def least_resolution_mev(radiation: float | None) -> float:
    """Return the least resolution that a fit can find: about the steps of its model."""
    return _FINE_STEP_MEV if radiation == 0 else _STEP_MEV


def michel_share(x: Float[np.ndarray, "point"]) -> Float[np.ndarray, "point"]:
    """Return the share of Michel electrons below ``x``, energy over end point: 2 x^3 - x^4."""
    inside = np.clip(x, 0, 1)
    return np.asarray(2 * inside**3 - inside**4)


@lru_cache(maxsize=8)
def kept_shares(radiation: float) -> Float[np.ndarray, "energy kept"]:
    """Return which share of the electrons of an energy leaves which energy as ionisation.

    Row and column j stand for j times 0.5 MeV; a row sums to one.
    """
    n = round(_MOST_MEV / _STEP_MEV) + 1
    kept = np.zeros((n, n))
    kept[0, 0] = 1.0
    for j in range(1, n):
        y_edges = np.minimum((np.arange(j) + 0.5) / j, 1.0)
        spectrum = 4 / 3 * (np.log(y_edges) - y_edges) + y_edges**2 / 2
        emitted = radiation * _STEP_MEV / CRITICAL_MEV * np.diff(spectrum)
        # After the step the electron has j - 1 steps of energy left, less the photon's.
        left = np.concatenate([emitted[::-1], [1 - emitted.sum()]])
        kept[j, 1:] = left @ kept[:j, :-1]
    return kept


def bin_shares(
    edges_mev: Float[np.ndarray, "edge"], end_point_mev: float, resolution_mev: float, radiation: float
) -> Float[np.ndarray, "bin"]:
    """Return the share of electrons in each bin of reconstructed energy.

    Parameters
    ----------
    edges_mev : edges of the bins, rising.
    end_point_mev, resolution_mev : end point, and standard deviation of a Gaussian of constant width.
    radiation : strength of the loss by radiation, 0 for none.
    """
    step = _STEP_MEV if radiation > 0 else _FINE_STEP_MEV
    grid = step * np.arange(round(_MOST_MEV / step) + 1)
    between = np.append(grid - step / 2, _MOST_MEV + step / 2)
    shares = np.diff(michel_share(between / end_point_mev))
    if radiation > 0:
        shares = shares @ kept_shares(radiation)
    smeared = ndtr((edges_mev[:, None] - grid) / resolution_mev) @ shares
    return np.diff(smeared)


def fit_end_point(
    energies_mev: Float[np.ndarray, "electron"],
    *,
    radiation: float | None = 0.0,
    window_mev: tuple[float, float] = WINDOW_MEV,
) -> EndPoint:
    """Fit end point and resolution of a spectrum of Michel electrons, in bins of 2 MeV, by likelihood.

    Parameters
    ----------
    energies_mev : reconstructed energies; those outside the window do not count.
    radiation : strength of the loss by radiation. The default 0 is for energies that lack nothing, such as
        kinetic energies; none fits the strength too, which clusters of ionisation need.
    window_mev : energies that the fit looks at; the model is normalised within. Below it are clusters too
        small to be found, and pieces.

    Raises
    ------
    InputError
        if there are fewer than 50 electrons in the window.
    """
    low, high = window_mev
    edges = np.linspace(low, high, max(2, round((high - low) / BIN_MEV)) + 1)
    counts = np.histogram(energies_mev, edges)[0].astype(np.float64)
    n = int(counts.sum())
    if n < LEAST_ELECTRONS:
        where = f"{LEAST_ELECTRONS} electrons or more at {low:g} to {high:g} MeV"
        raise InputError("end point", "", where, str(n))
    filled = counts > 0

    def residuals(found: Float[np.ndarray, "parameter"]) -> Float[np.ndarray, "bin"]:
        strength = float(found[2]) if radiation is None else radiation
        shares = bin_shares(edges, float(found[0]), float(found[1]), strength)
        expected = np.maximum(n * shares / max(shares.sum(), 1e-12), 1e-9)
        deviance = 2 * (expected - counts)
        deviance[filled] += 2 * counts[filled] * np.log(counts[filled] / expected[filled])
        return np.asarray(np.sign(counts - expected) * np.sqrt(np.maximum(deviance, 0)))

    start, least, most = (
        [50.0, 3.0],
        [25.0, least_resolution_mev(radiation)],
        [85.0, 20.0],
    )
    if radiation is None:
        start, least, most = [*start, 0.8], [*least, 0.0], [*most, 2.0]
    fit = least_squares(residuals, start, bounds=(least, most), x_scale=start, diff_step=1e-3)
    covariance = np.linalg.pinv(fit.jac.T @ fit.jac)
    errors = np.sqrt(np.diag(covariance))
    free = radiation is None
    return EndPoint(
        end_point_mev=float(fit.x[0]),
        error_mev=float(errors[0]),
        resolution_mev=float(fit.x[1]),
        resolution_error_mev=float(errors[1]),
        radiation=float(fit.x[2]) if radiation is None else radiation,
        radiation_error=float(errors[2]) if free else None,
        chi2=2 * float(fit.cost),
        n_dof=len(counts) - len(start) - 1,
        n=n,
        window_mev=(float(low), float(high)),
    )


def expected_counts(fit: EndPoint, edges_mev: Float[np.ndarray, "edge"]) -> Float[np.ndarray, "bin"]:
    """Return how many electrons a fit expects in each bin, normalised to those in its window."""
    how = fit.end_point_mev, fit.resolution_mev, fit.radiation
    inside = bin_shares(np.array(fit.window_mev), *how).sum()
    return np.asarray(fit.n * bin_shares(edges_mev, *how) / inside)
