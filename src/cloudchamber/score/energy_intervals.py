"""Intervals for the energy of each muon that hold the truth as often as they say, at every energy.

A network's quantiles are those of a posterior: over all muons together they may be right, and yet miss nearly
all muons near the ends of the spectrum that it was trained on. What is wanted is Neyman's confidence belt
(Phil. Trans. R. Soc. A 236 (1937) 333), with the network's own quantiles as the ruler: muons at a true energy
E lie some number of the network's widths from its median, and the limits between which 68% of them do are
measured on muons of that energy. An event's interval is every E within whose limits it lies. Sharp events
keep short intervals. The limits are order statistics, one place farther out than the sample quantile, as
conformal prediction takes them (Vovk, Gammerman and Shafer, 2005).
"""

from itertools import pairwise
from typing import Self

import numpy as np
from jaxtyping import Float
from pydantic import Field, model_validator

from cloudchamber.errors import InputError
from cloudchamber.score.bootstrap import RESAMPLES, Estimate, Frozen, bootstrap_ratios
from cloudchamber.score.energy_calibration import Energies, check_energies

LEVEL = 0.6827  # between the percentiles 15.865 and 84.135
LEAST_GEV = 1.0
_LEAST_WIDTH = 1e-3  # of a side of an interval, as a share of the median
_BINS, _LEAST_MUONS, _GRID = 20, 100, 400
_QUINTILES = 5
_BLOCK = 4_000_000  # numbers held at once

Table = Float[np.ndarray, "event energy"]


def _widths(
    energy_gev: Float[np.ndarray, "*shape"],
    middle_gev: Float[np.ndarray, "*shape"],
    low_gev: Float[np.ndarray, "*shape"],
    high_gev: Float[np.ndarray, "*shape"],
) -> Float[np.ndarray, "*shape"]:
    """Return how far energies lie above the median in upper widths, or below it in lower ones, in log E."""
    low, middle, high, energy = (
        np.log(np.maximum(each, LEAST_GEV)) for each in (low_gev, middle_gev, high_gev, energy_gev)
    )
    away = energy - middle
    side = np.where(away > 0, high - middle, middle - low)
    return np.asarray(away / np.maximum(side, _LEAST_WIDTH))


class IntervalCalibration(Frozen):
    """The limits, in widths, between which ``level`` of the muons lie at some energies in GeV.

    Straight lines in the logarithm of the energy between them, constant beyond the outermost; no interval
    reaches outside ``range_gev``.
    """

    energy_gev: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    range_gev: tuple[float, float]
    level: float = Field(default=LEVEL, gt=0, lt=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not len(self.energy_gev) == len(self.lower) == len(self.upper) > 0:
            raise ValueError("one lower and one upper limit for each energy")
        if any(np.diff(self.energy_gev) <= 0) or not 0 < self.range_gev[0] < self.range_gev[1]:
            raise ValueError("energies and ends of the range that rise from above 0")
        return self

    def calibrated(
        self, middle_gev: Energies, low_gev: Energies, high_gev: Energies
    ) -> tuple[Energies, Energies]:
        """Return the ends of each muon's interval, from the network's median and two quantiles, in GeV."""
        check_energies("intervals", middle_gev=middle_gev, low_gev=low_gev, high_gev=high_gev)
        low, high = np.empty(len(middle_gev)), np.empty(len(middle_gev))
        step = max(1, _BLOCK // _GRID)
        for start in range(0, len(middle_gev), step):
            rows = slice(start, start + step)
            low[rows], high[rows] = self._block(middle_gev[rows], low_gev[rows], high_gev[rows])
        return low, high

    def _block(
        self, middle_gev: Energies, low_gev: Energies, high_gev: Energies
    ) -> tuple[Energies, Energies]:
        grid = np.log(np.geomspace(*self.range_gev, _GRID))
        knots = np.log(self.energy_gev)
        z = _widths(np.exp(grid)[None], middle_gev[:, None], low_gev[:, None], high_gev[:, None])
        above = z - np.interp(grid, knots, self.lower)  # below 0: too low an energy for this muon
        below = np.interp(grid, knots, self.upper) - z  # below 0: too high a one
        low, high = _first_rise(grid, above), -_first_rise(-grid[::-1], below[:, ::-1])
        return np.exp(low), np.exp(np.maximum(low, high))


def _first_rise(grid: Float[np.ndarray, "energy"], margin: Table) -> Float[np.ndarray, "event"]:
    """Return where ``margin`` first rises through 0; the end of the grid where it never does."""
    last = len(grid) - 1
    inside = np.where((margin >= 0).any(axis=1), (margin >= 0).argmax(axis=1), last)
    outside, rows = np.maximum(inside - 1, 0), np.arange(len(margin))
    here, there = margin[rows, inside], margin[rows, outside]
    share = np.divide(here, here - there, out=np.zeros_like(here), where=(here >= 0) & (there < 0))
    return np.asarray(grid[inside] + share * (grid[outside] - grid[inside]))


def fit_intervals(
    true_gev: Energies,
    middle_gev: Energies,
    low_gev: Energies,
    high_gev: Energies,
    *,
    level: float = LEVEL,
    range_gev: tuple[float, float] | None = None,
) -> IntervalCalibration:
    """Measure the limits on muons that neither train nor test the network.

    With n of them the share held in a fifth of the energies is right to (5 level (1 - level) / n)^1/2, which
    is 1 point for 10,000.

    Parameters
    ----------
    true_gev : true energies.
    middle_gev, low_gev, high_gev : the network's median and quantiles; where it has none, any fixed share of
        the prediction below and above it will do.
    level : the share of muons that the intervals shall hold.
    range_gev : the energies that can occur, by default those that do.

    Raises
    ------
    InputError
        if there are fewer than 100 muons, or energies are not finite or differ in length.
    """
    check_energies("intervals", true_gev=true_gev, middle_gev=middle_gev, low_gev=low_gev, high_gev=high_gev)
    if len(true_gev) < _LEAST_MUONS:
        raise InputError("intervals", "true_gev", f"{_LEAST_MUONS} muons or more", str(len(true_gev)))
    z = _widths(true_gev, middle_gev, low_gev, high_gev)
    order = np.argsort(true_gev, kind="stable")
    tail = (1 - level) / 2
    rows: list[tuple[float, float, float]] = []
    for part in np.array_split(order, max(1, min(_BINS, len(order) // _LEAST_MUONS))):
        centre = float(np.exp(np.log(true_gev[part]).mean()))
        if rows and centre <= rows[-1][0]:  # one energy over several bins: they are one
            continue
        ordered, place = np.sort(z[part]), tail * (len(part) + 1)
        lower = np.interp(place - 1, np.arange(len(part)), ordered)
        upper = np.interp(len(part) - place, np.arange(len(part)), ordered)
        rows.append((centre, float(lower), float(upper)))
    energy, lowers, uppers = zip(*rows, strict=True)
    ends = range_gev or (float(true_gev.min()), float(max(true_gev.max(), true_gev.min() * (1 + 1e-6))))
    return IntervalCalibration(energy_gev=energy, lower=lowers, upper=uppers, range_gev=ends, level=level)


class CoverageBin(Frozen):
    """Muons between two energies: how many of their intervals hold the truth, and half their mean width."""

    low_gev: float
    high_gev: float
    n_muons: int
    coverage: Estimate
    half_width: Estimate  # as a share of the true energy


def score_coverage(
    true_gev: Energies,
    low_gev: Energies,
    high_gev: Energies,
    *,
    by_gev: Energies | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[CoverageBin, ...]:
    """Return how often intervals hold the truth: all muons first, then each fifth of them by energy.

    Parameters
    ----------
    true_gev, low_gev, high_gev : truth, and the ends of the intervals.
    by_gev : the energy whose fifths are taken, by default the true one.
    resamples, seed : of the bootstrap over muons.

    Raises
    ------
    InputError
        if energies are not finite, or there is not one of each for every muon.
    """
    by = true_gev if by_gev is None else by_gev
    check_energies("coverage", true_gev=true_gev, low_gev=low_gev, high_gev=high_gev, by_gev=by)
    edges = np.quantile(by, np.linspace(0, 1, _QUINTILES + 1))
    fifth = np.clip(np.searchsorted(edges, by, side="right") - 1, 0, _QUINTILES - 1)
    of = np.concatenate([np.ones((1, len(by))), fifth == np.arange(_QUINTILES)[:, None]]).T
    held = (low_gev <= true_gev) & (true_gev <= high_gev)
    half = (high_gev - low_gev) / (2 * true_gev)
    numerator = np.concatenate([of * held[:, None], of * half[:, None]], axis=1)
    found = bootstrap_ratios(numerator, np.concatenate([of, of], axis=1), resamples=resamples, seed=seed)
    limits = [(edges[0], edges[-1]), *pairwise(edges)]
    return tuple(
        CoverageBin(
            low_gev=float(low),
            high_gev=float(high),
            n_muons=int(of[:, k].sum()),
            coverage=found[k],
            half_width=found[len(limits) + k],
        )
        for k, (low, high) in enumerate(limits)
    )
