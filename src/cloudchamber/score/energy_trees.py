"""Gradient-boosted trees on features of a muon: the baseline that a network has to beat.

scikit-learn's histogram trees (after Ke et al., LightGBM, NeurIPS 2017). They are fitted where they are
needed and never stored.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from sklearn.ensemble import HistGradientBoostingRegressor

from cloudchamber.errors import InputError
from cloudchamber.score.energy_calibration import Energies, check_energies

QUANTILES = (0.15865, 0.5, 0.84135)
_LEAST_MUONS = 50

Features = Float[np.ndarray, "muon feature"]


def event_weights(energy_gev: Energies) -> Float[np.ndarray, "muon"]:
    """Return the deck's weights: 1 - sigmoid((E - 5 TeV) / 300 GeV), with 600 GeV above 5 TeV."""
    away = energy_gev - 5000.0
    return np.asarray(1 / (1 + np.exp(away / np.where(away > 0, 600.0, 300.0))))


@dataclass(frozen=True)
class EnergyTrees:
    """Fitted trees for the energy, and for its quantiles if they were asked for."""

    mean: HistGradientBoostingRegressor
    quantiles: tuple[HistGradientBoostingRegressor, ...] = ()

    def predict(self, features: Features) -> Energies:
        """Return the energy of every muon in GeV."""
        return np.asarray(self.mean.predict(features), np.float64)

    def predict_quantiles(self, features: Features) -> Float[np.ndarray, "muon 3"]:
        """Return the quantiles 15.865%, 50% and 84.135% of every muon's energy in GeV, in rising order.

        Raises
        ------
        InputError
            if the trees were fitted without quantiles.
        """
        if not self.quantiles:
            raise InputError("trees", "quantiles", "trees fitted with quantiles", "none")
        columns = [np.asarray(trees.predict(features), np.float64) for trees in self.quantiles]
        return np.sort(np.stack(columns, axis=1), axis=1)


def fit_energy_trees(
    features: Features,
    energy_gev: Energies,
    *,
    seed: int = 0,
    quantiles: bool = False,
    iterations: int = 300,
) -> EnergyTrees:
    """Fit trees to the features of muons of known energy.

    The squared error divided by the energy, with the weights of :func:`event_weights`, as for the networks;
    a tenth of the muons tells when to stop. Quantiles have the pinball loss with the same weights.

    Parameters
    ----------
    features : one row for each muon; NaN where one is not known.
    energy_gev : true energies.
    seed : the same seed gives the same trees.
    quantiles : whether to fit the quantiles too, at three times the cost.
    iterations : trees at most.

    Raises
    ------
    InputError
        if there are fewer than 50 muons, or not one energy above 0 for each row.
    """
    check_energies("trees", true_gev=energy_gev)
    if features.ndim != 2 or len(features) != len(energy_gev):
        raise InputError("trees", "features", f"{len(energy_gev)} rows", f"shape {features.shape}")
    if len(features) < _LEAST_MUONS:
        raise InputError("trees", "features", f"{_LEAST_MUONS} muons or more", str(len(features)))
    settings = {
        "learning_rate": 0.06, "max_iter": iterations, "max_leaf_nodes": 31, "min_samples_leaf": 20,
        "l2_regularization": 1.0, "early_stopping": True, "validation_fraction": 0.1, "n_iter_no_change": 15,
        "random_state": seed,
    }  # fmt: skip
    weights = event_weights(energy_gev) / energy_gev
    weights /= weights.mean()
    mean = HistGradientBoostingRegressor(**settings).fit(features, energy_gev, sample_weight=weights)
    others = tuple(
        HistGradientBoostingRegressor(loss="quantile", quantile=share, **settings).fit(
            features, energy_gev, sample_weight=weights
        )
        for share in (QUANTILES if quantiles else ())
    )
    return EnergyTrees(mean, others)
