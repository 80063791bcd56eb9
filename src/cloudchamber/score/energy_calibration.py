"""What a network predicts on average at a true energy, as a curve, and the correction that undoes it.

A curve is fitted to muons that neither train nor test the network, stored as plain numbers, and inverted: a
prediction becomes the energy at which it is the expected one.
"""

from itertools import pairwise
from typing import Annotated, Literal, Self

import numpy as np
from jaxtyping import Float
from pydantic import Field, model_validator
from scipy.interpolate import make_smoothing_spline
from scipy.optimize import isotonic_regression, minimize_scalar

from cloudchamber.errors import InputError
from cloudchamber.score.bootstrap import Frozen

SPLIT_GEV, END_GEV = 4000.0, 8000.0
LINE_EDGES_GEV = tuple(np.linspace(100.0, SPLIT_GEV, 40).tolist())
_POWER_EDGES_GEV = tuple(np.linspace(SPLIT_GEV, END_GEV, 41).tolist())
_LEAST_BINS = 3  # a line or a power through fewer means nothing
_LEAST_SLOPE = 1e-6  # of the line: less is rounding
_MEDIAN_BINS, _LEAST_MEDIANS, _KNOTS = 40, 6, 41

Energies = Float[np.ndarray, "muon"]


class DeckCalibration(Frozen):
    """The curve of the deck (Strong, Dorigo and Layer, 2021): three pieces, continuous, rising.

    ``slope`` E + ``offset`` up to 4 TeV, ``scale`` E ^ ``exponent`` + ``shift`` up to 8 TeV, then the tangent
    of that. Energies in GeV.
    """

    kind: Literal["deck"] = "deck"
    slope: float = Field(gt=0)
    offset: float
    scale: float = Field(gt=0)
    exponent: float = Field(gt=0)
    shift: float

    def _ends(self) -> tuple[float, float, float]:
        """Return the curve at 4 and at 8 TeV, and its slope at 8 TeV."""
        high = self.scale * END_GEV**self.exponent
        return self.slope * SPLIT_GEV + self.offset, high + self.shift, high * self.exponent / END_GEV

    def predicted(self, true_gev: Energies) -> Energies:
        """Return the expected prediction at true energies, in GeV."""
        _, end, tangent = self._ends()
        power = self.scale * np.clip(true_gev, SPLIT_GEV, END_GEV) ** self.exponent + self.shift
        beyond = end + tangent * (true_gev - END_GEV)
        line = self.slope * true_gev + self.offset
        return np.where(true_gev <= SPLIT_GEV, line, np.where(true_gev <= END_GEV, power, beyond))

    def corrected(self, predicted_gev: Energies) -> Energies:
        """Return the energies at which these predictions are the expected ones, in GeV."""
        split, end, tangent = self._ends()
        base = (np.clip(predicted_gev, split, end) - self.shift) / self.scale
        power = np.maximum(base, 0.0) ** (1 / self.exponent)
        beyond = END_GEV + (predicted_gev - end) / tangent
        line = (predicted_gev - self.offset) / self.slope
        return np.where(predicted_gev <= split, line, np.where(predicted_gev <= end, power, beyond))


class MedianCalibration(Frozen):
    """The median prediction at some true energies, straight lines between and beyond them; energies in GeV.

    Medians commute with a rising curve: corrected predictions have no median bias where the curve is right,
    whatever its shape. The deck's straight line has one where networks bend, at the lowest energies.
    """

    kind: Literal["median"] = "median"
    true_gev: tuple[float, ...]
    predicted_gev: tuple[float, ...]

    @model_validator(mode="after")
    def _rises(self) -> Self:
        knots = np.array([self.true_gev, self.predicted_gev])
        if knots.shape[1] < 2 or not (np.diff(knots) > 0).all():
            raise ValueError("two knots or more, both energies rising from one to the next")
        return self

    def predicted(self, true_gev: Energies) -> Energies:
        """Return the median prediction at true energies, in GeV."""
        return _follow(true_gev, np.array(self.true_gev), np.array(self.predicted_gev))

    def corrected(self, predicted_gev: Energies) -> Energies:
        """Return the energies at which these predictions are the median ones, in GeV."""
        return _follow(predicted_gev, np.array(self.predicted_gev), np.array(self.true_gev))


EnergyCalibration = Annotated[DeckCalibration | MedianCalibration, Field(discriminator="kind")]
"""Either curve, as a field of a configuration."""


def _follow(
    at: Energies, x: Float[np.ndarray, "knot"], y: Float[np.ndarray, "knot"]
) -> Float[np.ndarray, "muon"]:
    """Return the straight lines through the knots (x, y), the outermost ones drawn on."""
    segment = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    share = (at - x[segment]) / (x[segment + 1] - x[segment])
    return np.asarray(y[segment] + share * (y[segment + 1] - y[segment]))


def check_energies(where: str, **columns: Energies | None) -> None:
    """Make sure that columns of energies are finite, of one length and not empty; true ones above 0.

    Raises
    ------
    InputError
        if they are not.
    """
    given = {name: values for name, values in columns.items() if values is not None}
    shape = next(iter(given.values())).shape
    for name, values in given.items():
        if values.ndim != 1 or values.shape != shape or not len(values):
            raise InputError(where, name, "one energy for each muon, at least one", f"shape {values.shape}")
        if not np.isfinite(values).all():
            found = f"{np.count_nonzero(~np.isfinite(values))} that are not"
            raise InputError(where, name, "finite energies", found)
    if "true_gev" in given and not (given["true_gev"] > 0).all():
        raise InputError(where, "true_gev", "energies above 0", str(given["true_gev"].min()))


def _bins(true_gev: Energies, edges_gev: tuple[float, ...]) -> list[np.ndarray]:
    """Return the muons of every bin of true energy that has two or more; the last bin has both its edges."""
    order = np.argsort(true_gev, kind="stable")
    places = np.searchsorted(true_gev[order], edges_gev, side="left")
    places[-1] = np.searchsorted(true_gev[order], edges_gev[-1], side="right")
    parts = (order[low:high] for low, high in pairwise(places))
    return [part for part in parts if len(part) > 1]


def _means(
    true_gev: Energies, predicted_gev: Energies, edges_gev: tuple[float, ...]
) -> Float[np.ndarray, "3 bin"]:
    """Return mean true energy, mean prediction and the latter's standard error of the bins with muons."""
    rows = []
    for part in _bins(true_gev, edges_gev):
        centre = true_gev[part].mean()
        spread = max(float(predicted_gev[part].std(ddof=1)), 1e-3 * centre)
        rows.append((centre, predicted_gev[part].mean(), spread / np.sqrt(len(part))))
    return np.array(rows, np.float64).reshape(-1, 3).T


def fit_deck_calibration(
    true_gev: Energies, predicted_gev: Energies, *, power: bool = False
) -> DeckCalibration:
    """Fit the deck's curve to the mean predictions in bins of true energy, weighted by their errors.

    The line comes from 39 bins over 100..4000 GeV. Unless ``power`` is asked for it goes on beyond: so the
    authors' program corrects for the MI of 100..4000 GeV (github.com/GilesStrong/calo_muon_regression), and
    so all networks can be compared, also those whose predictions bend before 4 TeV (decision 14). With
    ``power`` 40 bins over 4..8 TeV give that piece, tied to the line's end, if three or more have muons.

    Raises
    ------
    InputError
        if fewer than three bins below 4 TeV have muons, or predictions do not rise with the energy.
    """
    check_energies("calibration", true_gev=true_gev, predicted_gev=predicted_gev)
    true_gev, predicted_gev = true_gev.astype(np.float64), predicted_gev.astype(np.float64)
    x, y, error = _means(true_gev, predicted_gev, LINE_EDGES_GEV)
    if len(x) < _LEAST_BINS:
        wanted = f"muons in {_LEAST_BINS} bins of 100 GeV or more, from 100 to 4000 GeV"
        raise InputError("calibration", "true_gev", wanted, str(len(x)))
    slope, offset = np.polyfit(x, y, 1, w=1 / error)
    if slope < _LEAST_SLOPE:
        raise InputError("calibration", "predicted_gev", "predictions that rise with the energy", "none")
    scale, exponent = slope, 1.0
    x, y, error = _means(true_gev, predicted_gev, _POWER_EDGES_GEV)
    start = slope * SPLIT_GEV + offset
    if power and len(x) >= _LEAST_BINS:
        rise, weight = (y - start) / error, 1 / error

        def scale_of(power: float) -> tuple[float, float]:
            """Return the best scale at an exponent, and how far off the curve then is."""
            shape = (x**power - SPLIT_GEV**power) * weight
            best = float(shape @ rise / (shape @ shape))
            return best, float(((rise - best * shape) ** 2).sum())

        exponent = float(minimize_scalar(lambda power: scale_of(power)[1], bounds=(0.05, 4)).x)
        scale = scale_of(exponent)[0]
        if scale <= 0:
            raise InputError("calibration", "predicted_gev", "predictions that rise beyond 4 TeV", "none")
    return DeckCalibration(
        slope=float(slope),
        offset=float(offset),
        scale=float(scale),
        exponent=exponent,
        shift=float(start - scale * SPLIT_GEV**exponent),
    )


def fit_median_calibration(true_gev: Energies, predicted_gev: Energies) -> MedianCalibration:
    """Fit the median prediction against true energy: the logarithm of one as a spline in that of the other.

    The medians of 40 bins of equal width in the square root of the energy, weighted by their errors, are
    smoothed by the cubic spline of least generalised cross-validation (Wahba, SIAM, 1990). It is made to rise
    (isotonic regression) and stored at 41 energies, equally far apart in the logarithm.

    Raises
    ------
    InputError
        if fewer than six bins have muons with a median prediction above 0, or predictions do not rise.
    """
    check_energies("calibration", true_gev=true_gev, predicted_gev=predicted_gev)
    true_gev, predicted_gev = true_gev.astype(np.float64), predicted_gev.astype(np.float64)
    edges = np.linspace(np.sqrt(true_gev.min()), np.sqrt(true_gev.max()), _MEDIAN_BINS + 1) ** 2
    edges[0], edges[-1] = true_gev.min(), true_gev.max()
    rows = []
    for part in _bins(true_gev, tuple(edges.tolist())):
        low, middle, high = np.percentile(predicted_gev[part], [15.865, 50, 84.135])
        if middle > 0:
            spread = max(high - low, 1e-3 * middle) / middle
            rows.append((np.log(np.median(true_gev[part])), np.log(middle), np.sqrt(len(part)) / spread))
    if len(rows) < _LEAST_MEDIANS:
        raise InputError("calibration", "true_gev", f"muons in {_LEAST_MEDIANS} bins or more", str(len(rows)))
    x, y, weight = np.array(rows).T
    curve = make_smoothing_spline(x, y, w=(weight / weight.mean()) ** 2)
    knots = np.linspace(x[0], x[-1], _KNOTS)
    heights = isotonic_regression(curve(knots)).x
    heights = heights + 1e-6 * np.arange(_KNOTS)  # a hair, so that level pieces can be inverted
    if heights[-1] - heights[0] < 0.1:
        raise InputError("calibration", "predicted_gev", "predictions that rise with the energy", "none")
    return MedianCalibration(
        true_gev=tuple(np.exp(knots).tolist()), predicted_gev=tuple(np.exp(heights).tolist())
    )
