"""Several networks as one: the mean of their predictions, weighted by the inverse of their losses."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from cloudchamber.errors import InputError


def loss_weights(losses: Sequence[float]) -> Float[np.ndarray, "model"]:
    """Return weights in proportion to 1 / loss that sum to 1 (Strong, Dorigo and Layer, 2021).

    Raises
    ------
    InputError
        if there are no losses, or one is not a finite number above 0.
    """
    values = np.asarray(losses, np.float64)
    if values.ndim != 1 or not len(values) or not ((values > 0) & np.isfinite(values)).all():
        raise InputError("ensemble", "losses", "one finite loss above 0 for each model", str(list(losses)))
    inverse = values.min() / values
    return np.asarray(inverse / inverse.sum())


def average_models(
    predictions: Float[np.ndarray, "model *rest"], losses: Sequence[float]
) -> Float[np.ndarray, "*rest"]:
    """Return the mean of several models' predictions, in their unit, weighted by 1 / loss.

    Raises
    ------
    InputError
        if there is not one loss for each model, see :func:`loss_weights`.
    """
    weights = loss_weights(losses)
    if len(predictions) != len(weights):
        raise InputError("ensemble", "losses", f"{len(predictions)} losses", str(len(weights)))
    return np.asarray(np.tensordot(weights, predictions, axes=1))
