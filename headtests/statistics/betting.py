"""The e-process: the wealth of bets on documents, one after another, against a mean.

A bet that cannot win on average where the mean is at most the threshold, and has won much, is
evidence that the mean is over it. Waudby-Smith and Ramdas 2023, "Estimating means of bounded random
variables by betting", with a mixture over fixed fractions in place of their plug-in bets.
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
"""The parts of the wealth that are staked on each document, of equal weight."""

NOTHING = 2.0**-40
"""A mean under the null hypothesis that cannot be told from 0."""


@dataclass(frozen=True, eq=False)
class Bets:
    """What is bet on: a number for each document, or text, in the order of the pass."""

    values: npt.NDArray[Any]
    """Whole numbers from 0 to `unit`, of int64 or of Python; float64 where near enough will do."""
    unit: int
    """The largest value that is possible."""
    boundary: Fraction
    """What the values of the whole population sum to where its figure is exactly the threshold.

    Without a population, what they are on average.
    """
    population: int | None
    """How many there are of which these are a part; None for a sample of something larger."""

    def __post_init__(self) -> None:
        if self.population is not None and len(self) > self.population:
            raise ValueError(
                f"expected at most {self.population} scores, one for each of the population, but "
                f"found {len(self)}."
            )

    def __len__(self) -> int:
        return len(self.values)

    def first(self, units: int) -> "Bets":
        """Return the scores of the first so many."""
        return replace(self, values=self.values[:units])

    def mirrored(self) -> "Bets":
        """Return the scores by which what was much is little, and the other way round."""
        whole = self.unit * (1 if self.population is None else self.population)
        return replace(self, values=self.unit - self.values, boundary=whole - self.boundary)

    @cached_property
    def sums(self) -> npt.NDArray[Any]:
        """The sum of the first one, two, three and so on: exact; of shape [n]."""
        return np.cumsum(self.values)

    def null_means(self) -> Float64s:
        """Return what each score would be on average, given those before it, in [0, 1].

        Shape [n]. That is under the null hypothesis that the figure is exactly the threshold; under
        0 or over 1 where those before it leave it no longer possible.
        """
        if self.population is None:
            return np.full(len(self), float(self.boundary / self.unit))
        whole = math.floor(self.boundary)
        # Whole numbers are subtracted before anything is rounded.
        left = (whole - (self.sums - self.values)).astype(np.float64)
        remaining = self.population - np.arange(len(self), dtype=np.float64)
        means: Float64s = (left + float(self.boundary - whole)) / float(self.unit) / remaining
        return means

    def exceeded(self, ties: bool) -> npt.NDArray[np.bool_]:
        """Return after which prefixes the figure is over the threshold whatever the rest may be.

        Shape [n]. `ties`: whether the threshold itself, to half a quantum, counts as over it.
        """
        if self.population is None:
            # No figure is under 0: that much is known of what was not read, too.
            if self.boundary < 0 or (ties and self.boundary == 0):
                return np.ones(len(self), dtype=np.bool_)
            known = self.sums > 0 if self.boundary == 0 else np.zeros(len(self))
            return known.astype(np.bool_)
        slack = Fraction(self.population * self.unit, 2 * QUANTA)
        if ties:
            reached = self.sums >= _comparable(self.sums, self.boundary - slack, up=True)
        else:
            reached = self.sums > _comparable(self.sums, self.boundary + slack, up=False)
        return reached.astype(np.bool_)


def log_wealth(scores: Bets) -> tuple[Float64s, Float64s]:
    """Return the logarithms of the evidence that a figure is over its threshold, and under it.

    Each of shape [n], the value after every prefix: the natural logarithm of a process that starts
    at 1 and, where the figure is not over (not under) the threshold, ever reaches `1 / alpha` with
    a probability of at most `alpha`.

    >>> over, under = log_wealth(Bets(np.array([1, 1, 1, 1]), 1, Fraction(1, 2), None))
    >>> bool(over[-1] > 0 > under[-1])
    True
    """
    return _log_mean(_log_bets(scores)), _log_mean(_log_bets(scores.mirrored()))


@dataclass(frozen=True, slots=True)
class Settled:
    """How scores settle on which side of the threshold a figure lies."""

    over: bool | None
    """Whether it lies over the threshold, rather than under it; None where that is open."""
    units: int
    """The length of the shortest prefix that settled it; all of them where it is open."""
    exact: bool
    """Whether nothing that follows this prefix could change the answer."""
    log_over: float
    """The natural logarithm of the evidence after that prefix that it is over the threshold."""
    log_under: float
    """The same that it is under it."""


def settle(scores: Bets, alpha: float, ties: bool) -> Settled:
    """Return on which side of the threshold a figure lies, and since which prefix that is known.

    `ties`: whether a figure that is the threshold, to half a quantum, counts as over it. Raises
    `ValueError` for an alpha outside (0, 0.5).
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
    # No score adds to the evidence on both sides; beside a tie that is certain, bets say nothing.
    is_over = place == over and (place != under or bool(exactly_over[place]))
    exact = bool((exactly_over if is_over else exactly_under)[place])
    return Settled(is_over, place + 1, exact, float(log_over[place]), float(log_under[place]))


def settles_over(scores: Bets, alpha: float, ties: bool) -> bool:
    """Return whether `settle` finds the figure over its threshold: the same, sooner."""
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
    """Return the logarithm of the wealth of each fraction after each prefix, [fraction, n]."""
    means = scores.null_means()
    figures = scores.values.astype(np.float64) / float(scores.unit)
    # Where the null leaves nothing over, or is no longer possible, there is nothing to bet on.
    bettable = (means > NOTHING) & (means <= 1)
    gains = np.zeros(len(scores))
    np.divide(figures - means, means, out=gains, where=bettable)
    return np.cumsum(np.log1p(FRACTIONS[:, None] * gains), axis=1)


def _log_mean(logs: Float64s) -> Float64s:
    """Return the logarithm of the mean over the first axis of numbers given as logarithms."""
    largest = logs.max(axis=0)
    # Row by row: a sum over an axis has another order, and last digit, where there is one column.
    total = sum(np.exp(logs - largest), start=np.zeros(logs.shape[1]))
    mean: Float64s = largest + np.log(total / len(logs))
    return mean


def _first_over(scores: Bets, alpha: float, ties: bool) -> int | None:
    exact = _first(scores.exceeded(ties))
    bets = _log_bets(scores if exact is None else scores.first(exact))
    needed = math.log(1 / alpha)
    # A mean is nowhere over the largest, which needs no exponentials.
    near = np.flatnonzero(bets.max(axis=0) >= needed)
    reached = _first(_log_mean(bets[:, near]) >= needed)
    return exact if reached is None else int(near[reached])


def _first(where: npt.NDArray[np.bool_]) -> int | None:
    places = np.flatnonzero(where)
    return int(places[0]) if len(places) else None


def _comparable(sums: npt.NDArray[Any], limit: Fraction, up: bool) -> float | int:
    """Return a limit as the number that sums compare alike with: whole numbers with a whole one."""
    if sums.dtype == np.float64:
        return float(limit)
    return math.ceil(limit) if up else math.floor(limit)
