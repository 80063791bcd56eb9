"""Highland's formula as a variance per length: what the likelihood of a muon's scattering is built on."""

import numpy as np
from jaxtyping import Float

from cloudchamber.simulate.walls.config import Transport, Volume
from cloudchamber.simulate.walls.muons import MUON_MASS_GEV
from cloudchamber.simulate.walls.transport import HIGHLAND_GEV, HIGHLAND_LOG, bethe_gev_per_m

# Physics without the quirks of the challenge of 2022: what muons do in your own detector.
NATURE = Transport(log_term="volume", azimuth_shrinks=False, beta=True, energy_loss=True)


def scattering_variance(
    momentum_gev: Float[np.ndarray, "muon"],
    slope: Float[np.ndarray, "muon 2"],
    volume: Volume,
    law: Transport,
) -> Float[np.ndarray, "muon"]:
    """Return the variance of the scattering angle in a plane per radiation length, in rad^2.

    theta0^2 = (13.6 MeV / (beta p))^2 n (1 + 0.038 ln n)^2 (Lynch and Dahl; PDG review 2024, eq. 34.16) is
    not linear in the thickness n, as a sum over voxels needs it. So the logarithm is taken once for each
    muon, and what is left is n times the number returned here: n in the logarithm is the whole height of the
    volume in soil along the muon (``law.log_term="volume"``), or one step of ``law.step_m`` in soil as in the
    challenge of 2022 (``"step"``). A muon that meets much else than soil is off by the change of the
    logarithm: a tenfold thickness changes the factor by 15 to 20%. beta is 1 unless ``law.beta``.
    """
    length_m = volume.shape[0] * volume.voxel_m if law.log_term == "volume" else law.step_m
    n = length_m / volume.soil.x0_m * np.sqrt(1 + np.square(slope).sum(axis=1))
    variance = (HIGHLAND_GEV / momentum_gev * (1 + HIGHLAND_LOG * np.log(n))) ** 2
    return np.asarray(variance * (1 + (MUON_MASS_GEV / momentum_gev) ** 2) if law.beta else variance)


def loss_gev_per_m(
    momentum_gev: Float[np.ndarray, "muon"], volume: Volume, law: Transport
) -> Float[np.ndarray, "muon"]:
    """Return what each muon loses in soil in GeV per metre: the Bethe formula at its momentum above."""
    if not law.energy_loss:
        return np.zeros_like(momentum_gev)
    low, high = np.min(momentum_gev), np.max(momentum_gev)
    table = np.geomspace(low, max(high, 1.001 * low), 200)
    losses = [bethe_gev_per_m(float(p), volume.soil) for p in table]
    return np.asarray(np.interp(momentum_gev, table, losses))
