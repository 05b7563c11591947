"""The e-process that decides comparisons: sequential bets on whether a mean is over a threshold.

A gambler bets on one document after another, at odds that are fair if the mean equals the
threshold. Under the null hypothesis the wealth is a supermartingale that starts at 1, so it ever
reaches `1 / alpha` with a probability of at most `alpha` (Ville's inequality).

The bets are those of Waudby-Smith and Ramdas 2023, "Estimating means of bounded random variables
by betting", section 4, and section 5 for sampling without replacement, with an equally weighted
mixture over fixed fractions in place of their plug-in bets.
"""

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from headtests.statistics.quanta import QUANTA, Float64s

FRACTIONS: Float64s = np.geomspace(0.01, 0.95, 8)
"""The fractions of the wealth that are staked on each document; the mixture weighs them equally."""

NOTHING = 2.0**-40
"""A mean under the null hypothesis that is at most this counts as 0, and no bet is placed."""


@dataclass(frozen=True, eq=False)
class Resolution:
    """How finely a figure with a divisor is known, since figures are rounded to quanta.

    Half-widths around the threshold after each prefix, in the unit of sums of scores, float64
    `[n]`.
    """

    tied: Float64s
    """Within these, the figure ties with the threshold, whatever the divisors not read are."""
    tied_at_most: Float64s
    """The same if every divisor that was not read is as large as possible."""
    unknown: Float64s
    """Within these, rounding hides on which side the figure lies; 0 unless the divisor is small."""

    def first(self, units: int) -> "Resolution":
        """Return the half-widths of the first `units` prefixes."""
        return Resolution(self.tied[:units], self.tied_at_most[:units], self.unknown[:units])


@dataclass(frozen=True, eq=False)
class Bets:
    """The scores that are bet on: one for each document, or text, in the order of the pass.

    Raises `ValueError` for more scores than the population has.
    """

    values: npt.NDArray[Any]
    """The scores, in [0, `unit`], shape `[n]`.

    Integers of dtype int64 or object for exact results; float64 for approximate ones.
    """
    unit: int
    """The largest score that is possible."""
    boundary: Fraction
    """The sum of the scores of the whole population if its figure is exactly the threshold.

    Without a population, their mean.
    """
    population: int | None
    """The size of the finite population that is sampled without replacement.

    None for independent draws from a distribution.
    """
    resolution: Resolution | None = None
    """How finely the figure is known; None if half a quantum of a mean score is half a quantum of
    the figure."""

    def __post_init__(self) -> None:
        if self.population is not None and len(self) > self.population:
            raise ValueError(
                f"expected at most {self.population} scores, one for each of the population, but "
                f"found {len(self)}."
            )

    def __len__(self) -> int:
        return len(self.values)

    def first(self, units: int) -> "Bets":
        """Return the first `units` scores, with the same boundary and population."""
        resolution = None if self.resolution is None else self.resolution.first(units)
        return replace(self, values=self.values[:units], resolution=resolution)

    def mirrored(self) -> "Bets":
        """Return the scores `unit - values`, which test the opposite side of the threshold."""
        whole = self.unit * (1 if self.population is None else self.population)
        return replace(self, values=self.unit - self.values, boundary=whole - self.boundary)

    @cached_property
    def sums(self) -> npt.NDArray[Any]:
        """The cumulative sums of the scores, shape `[n]`; exact for integers."""
        return np.cumsum(self.values)

    def null_means(self) -> Float64s:
        """Return the mean of each score under the null, given the scores before it, shape `[n]`.

        The null hypothesis is that the figure is exactly the threshold. Means are in units of
        `unit`: in [0, 1], and outside where the scores so far have ruled the null out. Without
        replacement, a mean is `(boundary - sum so far) / scores left`.
        """
        if self.population is None:
            return np.full(len(self), float(self.boundary / self.unit))
        remaining = self.population - np.arange(len(self), dtype=np.float64)
        means: Float64s = self._short_of(self.sums - self.values) / float(self.unit) / remaining
        return means

    def _short_of(self, sums: npt.NDArray[Any]) -> Float64s:
        """Return how far sums of scores are below the boundary."""
        whole = math.floor(self.boundary)
        # Integers are subtracted before anything is rounded.
        short: Float64s = (whole - sums).astype(np.float64) + float(self.boundary - whole)
        return short

    def exceeded(self, ties: bool) -> npt.NDArray[np.bool_]:
        """Return after which prefixes the figure is certainly over the threshold, shape `[n]`.

        Certain means: whatever the scores that were not read are, and however those that were read
        were rounded. `ties`: whether a figure that equals the threshold, to half a quantum of the
        figure, counts as over it.
        """
        if self.population is None:
            # Scores are at least 0, so a threshold under 0 is exceeded before any is read.
            if self.boundary < 0 or (ties and self.boundary == 0):
                return np.ones(len(self), dtype=np.bool_)
            known = self.sums > 0 if self.boundary == 0 else np.zeros(len(self))
            return known.astype(np.bool_)
        if self.resolution is not None:
            beyond, unknown = -self._short_of(self.sums), self.resolution.unknown
            known = (unknown == 0) | (beyond >= unknown)
            if ties:
                return np.asarray(known & (beyond >= -self.resolution.tied))
            return np.asarray(known & (beyond > self.resolution.tied_at_most))
        slack = Fraction(self.population * self.unit, 2 * QUANTA)
        if ties:
            reached = self.sums >= _comparable(self.sums, self.boundary - slack, up=True)
        else:
            reached = self.sums > _comparable(self.sums, self.boundary + slack, up=False)
        return reached.astype(np.bool_)


def log_wealth(scores: Bets) -> tuple[Float64s, Float64s]:
    """Return the log e-processes for the figure being over its threshold, and under it.

    Natural logarithms, each of shape `[n]`, one value for every prefix. If the figure is not over
    (not under) the threshold, the process ever reaches `1 / alpha` with a probability of at most
    `alpha`. The process is the mean over `FRACTIONS` f of the products of `1 + f * (x / m - 1)`,
    with `x` a score and `m` its mean under the null (`Bets.null_means`).

    >>> over, under = log_wealth(Bets(np.array([1, 1, 1, 1]), 1, Fraction(1, 2), None))
    >>> bool(over[-1] > 0 > under[-1])
    True
    """
    return _log_mean(_log_bets(scores)), _log_mean(_log_bets(scores.mirrored()))


@dataclass(frozen=True, slots=True)
class Settled:
    """The decision on which side of the threshold a figure lies."""

    over: bool | None
    """True if the figure is over the threshold, False if it is under; None if undecided."""
    units: int
    """The length of the shortest prefix that decided it; all scores if undecided."""
    exact: bool
    """Whether the decision is certain, whatever the scores after this prefix are."""
    log_over: float
    """The log e-value after that prefix for the figure being over the threshold."""
    log_under: float
    """The log e-value after that prefix for the figure being under the threshold."""


def settle(scores: Bets, alpha: float, ties: bool) -> Settled:
    """Decide on which side of the threshold a figure lies, at the shortest prefix that decides.

    A side is decided when its e-value reaches `1 / alpha`, or when it is certain. `ties`: whether
    a figure that equals the threshold, to half a quantum, counts as over it. Raises `ValueError`
    for an alpha outside (0, 0.5).

    >>> decision = settle(Bets(np.ones(20, dtype=np.int64), 1, Fraction(1, 2), None), 0.01, True)
    >>> decision.over, decision.units, decision.exact
    (True, 10, False)
    """
    require_alpha(alpha)
    log_over, log_under = log_wealth(scores)
    exactly_over, exactly_under = scores.exceeded(ties), scores.mirrored().exceeded(not ties)
    needed = math.log(1 / alpha)
    over = _first(exactly_over | (log_over >= needed))
    under = _first(exactly_under | (log_under >= needed))
    if over is None and under is None:
        if not len(scores):
            return Settled(None, 0, False, 0.0, 0.0)
        return Settled(None, len(scores), False, float(log_over[-1]), float(log_under[-1]))
    place = min(place for place in (over, under) if place is not None)
    # Bets never decide both sides at once; a certain side goes before one decided by bets.
    is_over = place == over and (place != under or bool(exactly_over[place]))
    exact = bool((exactly_over if is_over else exactly_under)[place])
    return Settled(is_over, place + 1, exact, float(log_over[place]), float(log_under[place]))


def settles_over(scores: Bets, alpha: float, ties: bool) -> bool:
    """Return whether `settle` decides that the figure is over its threshold, but faster."""
    place = _first_over(scores, alpha, ties)
    return (
        place is not None
        and _first_over(scores.mirrored().first(place), alpha, ties=not ties) is None
    )


def require_alpha(alpha: float) -> None:
    """Raise `ValueError` for an alpha outside (0, 0.5)."""
    if not 0 < alpha < 0.5:
        raise ValueError(f"expected an alpha over 0 and under 0.5 but found {alpha!r}.")


def _log_bets(scores: Bets) -> Float64s:
    """Return the log wealth of each fraction after each prefix, shape `[fraction, n]`."""
    means = scores.null_means()
    figures = scores.values.astype(np.float64) / float(scores.unit)
    # No bet is placed where the null mean is 0, or outside [0, 1] and so ruled out.
    bettable = (means > NOTHING) & (means <= 1)
    gains = np.zeros(len(scores))
    np.divide(figures - means, means, out=gains, where=bettable)
    return np.cumsum(np.log1p(FRACTIONS[:, None] * gains), axis=1)


def _log_mean(logs: Float64s) -> Float64s:
    """Return the log of the mean, over the first axis, of numbers given as logarithms."""
    largest = logs.max(axis=0)
    # Row by row: numpy sums a single column in another order, which changes the last digit.
    total = sum(np.exp(logs - largest), start=np.zeros(logs.shape[1]))
    mean: Float64s = largest + np.log(total / len(logs))
    return mean


def _first_over(scores: Bets, alpha: float, ties: bool) -> int | None:
    exact = _first(scores.exceeded(ties))
    bets = _log_bets(scores if exact is None else scores.first(exact))
    needed = math.log(1 / alpha)
    # A mean is at most the largest element, so prefixes below the limit need no exponentials.
    near = np.flatnonzero(bets.max(axis=0) >= needed)
    reached = _first(_log_mean(bets[:, near]) >= needed)
    return exact if reached is None else int(near[reached])


def _first(where: npt.NDArray[np.bool_]) -> int | None:
    places = np.flatnonzero(where)
    return int(places[0]) if len(places) else None


def _comparable(sums: npt.NDArray[Any], limit: Fraction, up: bool) -> float | int:
    """Return the limit in a type that compares exactly with the sums: rounded for integers."""
    if sums.dtype == np.float64:
        return float(limit)
    return math.ceil(limit) if up else math.floor(limit)
