"""Contrasts: what each kind of comparison tests, as a bounded score per document.

To compare a figure with a threshold, each document gets a score that is linear in its quanta, lies
in a known range `[0, unit]`, and has a known mean if the figure equals the threshold. `betting`
then tests that mean.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import Field, dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import numpy as np

from headtests.statistics.betting import Bets, Resolution
from headtests.statistics.figures import total
from headtests.statistics.quanta import QUANTA, Float64s, Int64s

SMALL_DIVISOR = 2**-10
"""A divisor under this is small: rounding documents' figures to quanta moves the figure by more
than about a millionth, so that a threshold may be too near to tell on which side it lies."""


class Contrast(Protocol):
    """A figure over documents, in the order of the pass, that can be compared with thresholds."""

    @property
    def population(self) -> int | None:
        """The number of documents or texts; None for independent draws from a distribution."""

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and highest possible figure; the upper end may be infinite."""

    @property
    def value(self) -> Fraction:
        """The exact figure of these documents; raises `ValueError` where it divides by 0."""

    @property
    def rounding(self) -> float:
        """How far rounding to quanta may have moved the figure; 0 unless its divisor is small.

        Raises `ValueError` where the figure divides by 0.
        """

    def __len__(self) -> int: ...

    def first(self, units: int) -> Self:
        """Return the contrast of the first `units` documents."""

    def after_stop(self, stop: int) -> Fraction | None:
        """Return an estimate that stopping after `stop` documents does not bias, or None."""

    def scores(self, threshold: Fraction) -> Bets:
        """Return the exact scores that compare the figure with a threshold."""

    def approximate(self, threshold: float) -> Bets:
        """Return the scores in floating point, with a unit of 1; faster than `scores`."""

    def approximate_each(self, thresholds: Float64s) -> tuple[Float64s, Float64s]:
        """Return the values and boundaries of `approximate` at several thresholds.

        Shapes `[threshold, n]` and `[threshold]`.
        """


class _Line(NamedTuple):
    """A score `left * numerator - right * other + shift`, in [0, `unit`]."""

    left: Fraction
    right: Fraction
    shift: Fraction
    unit: Fraction
    null: Fraction
    """The mean of the score if the figure equals the threshold."""


class _Linear(ABC):
    """The base of all contrasts: scores that are linear in columns of quanta."""

    # Tells type checkers that each contrast is a dataclass, so that `replace` accepts it.
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    population: int | None
    _columns: ClassVar[tuple[str, ...]]
    """The names of the column that a line calls numerator, and of the other one, if any."""

    @abstractmethod
    def _line(self, threshold: Fraction) -> _Line:
        """Return the coefficients of the scores that compare the figure with a threshold."""

    def __len__(self) -> int:
        return len(self._column(0))

    def first(self, units: int) -> Self:
        """Return the contrast of the first `units` documents."""
        return replace(self, **{name: getattr(self, name)[:units] for name in self._columns})

    @property
    def rounding(self) -> float:
        """How far rounding to quanta may have moved the figure; 0 unless its divisor is small.

        Raises `ValueError` where the figure divides by 0.
        """
        resolution = self._resolution(self.value)
        if resolution is None or not resolution.unknown[-1]:
            return 0.0
        return float(resolution.unknown[-1] / resolution.tied[-1] * _tie(self.value))

    @property
    def value(self) -> Fraction:
        """The exact figure of these documents; raises `ValueError` where it divides by 0."""
        columns = range(len(self._columns))
        return self._figure(*(_average(self._column(place)) for place in columns))

    @abstractmethod
    def _figure(self, *averages: Fraction) -> Fraction:
        """Return the figure of documents with these averages, one for each column."""

    def after_stop(self, stop: int) -> Fraction | None:
        """Return an estimate that stopping after `stop` documents does not bias.

        None if no later document was read, or if the figure divides by 0. Whatever the first
        documents are, those after them are a random sample of the rest. So the average of the
        population is estimated without bias by the known average of the first `stop` documents and
        that of the later ones, each weighted with its share of the population; beyond the
        population, the later ones alone. A ratio of two such averages is nearly unbiased.

        >>> float(Mean(np.array([QUANTA, QUANTA, 0, 0]), 4).after_stop(2))
        0.5
        """
        if stop >= len(self):
            return None
        known = Fraction(0) if self.population is None else Fraction(stop, self.population)
        averages = []
        for place in range(len(self._columns)):
            first, later = np.split(self._column(place), [stop])
            part = known * _average(first) if known else Fraction(0)
            averages.append(part + (1 - known) * _average(later))
        try:
            return self._figure(*averages)
        except ValueError:
            return None

    def _resolution(self, threshold: Fraction) -> Resolution | None:
        """Return how finely the figure is known, in quanta; None without a divisor."""
        return None

    def _scaled_resolution(self, threshold: Fraction, scale: float) -> Resolution | None:
        # Independent draws never make a side certain, so how finely does not matter.
        found = None if self.population is None else self._resolution(threshold)
        if found is None:
            return None
        return Resolution(found.tied * scale, found.tied_at_most * scale, found.unknown * scale)

    def _column(self, place: int) -> Int64s:
        column: Int64s = getattr(self, self._columns[place])
        return column

    def scores(self, threshold: Fraction) -> Bets:
        """Return the exact scores that compare the figure with a threshold."""
        line = self._line(threshold)
        shift, unit = line.shift * QUANTA, line.unit * QUANTA
        parts = (line.left, line.right, shift, unit)
        scale = math.lcm(*(part.denominator for part in parts))
        by_left, by_right, by_shift, whole = (int(part * scale) for part in parts)
        units = 1 if self.population is None else self.population
        boundary = line.null * QUANTA * scale * units
        numerators = self._column(0)
        others = self._column(1) if len(self._columns) > 1 else None
        sizes = (abs(boundary), whole * max(units, len(self)), by_left * QUANTA)
        if any(size >= 2**61 for size in sizes):
            # Python integers do not overflow, at a tenth of the speed.
            numerators = numerators.astype(object)
            others = None if others is None else others.astype(object)
        values = numerators * by_left + by_shift
        if others is not None:
            values = values - others * by_right
        resolution = self._scaled_resolution(threshold, float(scale))
        return Bets(values, whole, boundary, self.population, resolution)

    def approximate(self, threshold: float) -> Bets:
        """Return the scores in floating point, with a unit of 1; faster than `scores`."""
        line = self._line(Fraction(threshold))
        numerators = self._column(0)
        others = self._column(1) if len(self._columns) > 1 else None
        values = numerators * float(line.left / line.unit / QUANTA) + float(line.shift / line.unit)
        if others is not None:
            values = values - others * float(line.right / line.unit / QUANTA)
        units = 1 if self.population is None else self.population
        boundary = Fraction(float(line.null / line.unit * units))
        resolution = self._scaled_resolution(Fraction(threshold), float(1 / line.unit / QUANTA))
        return Bets(values, 1, boundary, self.population, resolution)

    def approximate_each(self, thresholds: Float64s) -> tuple[Float64s, Float64s]:
        """Return the values and boundaries of `approximate` at several thresholds.

        Shapes `[threshold, n]` and `[threshold]`.
        """
        # Each coefficient is linear in the threshold, so two thresholds determine it.
        at_zero, at_one = (
            np.array([float(part) for part in self._line(Fraction(end))]) for end in (0, 1)
        )
        parts = at_zero[:, None] + (at_one - at_zero)[:, None] * thresholds
        left, right, shift, unit, null = parts
        values = self._column(0) * (left / unit / QUANTA)[:, None] + (shift / unit)[:, None]
        if len(self._columns) > 1:
            values -= self._column(1) * (right / unit / QUANTA)[:, None]
        units = 1 if self.population is None else self.population
        return values, null / unit * units


@dataclass(frozen=True, eq=False)
class Mean(_Linear):
    """The average of numbers in [0, 1]: the score is the number itself."""

    numerators: Int64s
    """In quanta."""
    population: int | None
    """The number of documents or texts; None for independent draws from a distribution."""

    _columns: ClassVar[tuple[str, ...]] = ("numerators",)

    def __post_init__(self) -> None:
        _require_within("numerators", self.numerators, QUANTA)

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and highest possible figure."""
        return 0.0, 1.0

    def _figure(self, *averages: Fraction) -> Fraction:
        return averages[0]

    def _line(self, threshold: Fraction) -> _Line:
        return _Line(Fraction(1), Fraction(0), Fraction(0), Fraction(1), threshold)


@dataclass(frozen=True, eq=False)
class ScaledMean(_Linear):
    """The average of numbers in [0, 1], divided by the known base rate of the whole population.

    The score is the number itself; its mean under the null is `threshold * base_rate`.
    """

    numerators: Int64s
    """In quanta."""
    population: int
    """The number of documents."""
    base_total: int
    """In quanta: the sum of the base rates of all documents of the population."""

    _columns: ClassVar[tuple[str, ...]] = ("numerators",)

    def __post_init__(self) -> None:
        _require_within("numerators", self.numerators, QUANTA)
        if self.base_total <= 0:
            raise ValueError(
                f"expected base rates that sum to more than 0 but found {self.base_total}: nothing "
                "is a multiple of no attention."
            )

    @property
    def base_rate(self) -> Fraction:
        """What the average is divided by; greater than 0."""
        return Fraction(self.base_total, self.population * QUANTA)

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and highest possible figure, which an average of 1 has."""
        return 0.0, float(1 / self.base_rate)

    def _figure(self, *averages: Fraction) -> Fraction:
        return averages[0] / self.base_rate

    def _line(self, threshold: Fraction) -> _Line:
        null = threshold * self.base_rate
        return _Line(Fraction(1), Fraction(0), Fraction(0), Fraction(1), null)

    def _resolution(self, threshold: Fraction) -> Resolution:
        tied = np.full(len(self), _tie(threshold) * self.base_total)
        unknown = np.zeros(len(self))
        if self.base_rate < SMALL_DIVISOR:
            # The base rate of each document of the population was rounded, too.
            unknown = (np.cumsum(self.numerators > 0) + float(threshold) * self.population) / 2
        return Resolution(tied, tied, unknown)


@dataclass(frozen=True, eq=False)
class Ratio(_Linear):
    """The ratio of two averages, where no document's numerator exceeds its denominator.

    The ratio is over t exactly if the mean of `numerator - t * denominator` is over 0. The score is
    that plus `t * largest`, in [0, `largest`]. A figure of less than half a quantum counts as none.
    """

    numerators: Int64s
    """In quanta; at most the denominator of the same document."""
    denominators: Int64s
    """In quanta; at most `largest`."""
    largest: Fraction
    """The largest possible denominator, in (0, 1]."""
    population: int | None
    """The number of documents or texts; None for independent draws from a distribution."""

    _columns: ClassVar[tuple[str, ...]] = ("numerators", "denominators")

    def __post_init__(self) -> None:
        if not 0 < self.largest <= 1:
            raise ValueError(
                f"expected a largest denominator over 0 and at most 1 but found {self.largest}."
            )
        _require_within("denominators", self.denominators, self._largest_quanta)
        _require_within("numerators", self.numerators, self.denominators)

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and highest possible figure."""
        return 0.0, 1.0

    def _figure(self, *averages: Fraction) -> Fraction:
        return _quotient(*averages)

    @property
    def _largest_quanta(self) -> int:
        # Denominators were rounded to quanta, possibly up.
        return math.ceil(self.largest * QUANTA)

    def _line(self, threshold: Fraction) -> _Line:
        if not 0 <= threshold <= 1:
            raise ValueError(
                f"expected a threshold from 0 to 1 for a share of a share but found {threshold}."
            )
        largest = Fraction(self._largest_quanta, QUANTA)
        level = threshold * largest
        return _Line(Fraction(1), threshold, level, largest, level)

    def _resolution(self, threshold: Fraction) -> Resolution:
        # All or nothing of a denominator stays that, however it is rounded.
        is_whole = self.numerators == self.denominators
        errors = _rounding(self.numerators, self.denominators, float(threshold))
        errors = np.where(is_whole, (self.denominators > 0) * (1 - float(threshold)) / 2, errors)
        largest = self._largest_quanta
        return _measured_divisor(self.denominators, errors, threshold, largest, self.population)


@dataclass(frozen=True, eq=False)
class BoundedRatio(_Linear):
    """The ratio of two averages of numbers in [0, 1], either of which may be the larger.

    The score is `numerator - t * denominator + t`, in [0, `1 + t`], for a threshold t.
    """

    numerators: Int64s
    """In quanta."""
    denominators: Int64s
    """In quanta."""
    population: int | None
    """The number of documents or texts; None for independent draws from a distribution."""

    _columns: ClassVar[tuple[str, ...]] = ("numerators", "denominators")

    def __post_init__(self) -> None:
        _require_within("denominators", self.denominators, QUANTA)
        _require_within("numerators", self.numerators, QUANTA)

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and highest possible figure."""
        return 0.0, math.inf

    def _figure(self, *averages: Fraction) -> Fraction:
        return _quotient(*averages)

    def _line(self, threshold: Fraction) -> _Line:
        if threshold < 0:
            raise ValueError(f"expected a threshold of 0 or more but found {threshold}.")
        return _Line(Fraction(1), threshold, threshold, 1 + threshold, threshold)

    def _resolution(self, threshold: Fraction) -> Resolution:
        errors = _rounding(self.numerators, self.denominators, float(threshold))
        return _measured_divisor(self.denominators, errors, threshold, QUANTA, self.population)


@dataclass(frozen=True, eq=False)
class MeanDifference(_Linear):
    """The difference of two averages over the same documents, each with its own scale.

    `left_scale * left - factor * right_scale * right`, in
    [`-factor * right_scale`, `left_scale`]. The score is that plus `factor * right_scale`.
    """

    left: Int64s
    """In quanta, each figure in [0, 1]."""
    right: Int64s
    """In quanta, each figure in [0, 1]."""
    factor: Fraction
    """What the right average is multiplied by; at least 0."""
    population: int | None
    """The number of documents or texts; None for independent draws from a distribution."""
    left_scale: Fraction = Fraction(1)
    """1 for a mass or rate; for a lift, 1 over its base rate."""
    right_scale: Fraction = Fraction(1)
    """1 for a mass or rate; for a lift, 1 over its base rate."""

    _columns: ClassVar[tuple[str, ...]] = ("left", "right")

    def __post_init__(self) -> None:
        _require_within("left figures", self.left, QUANTA)
        _require_within("right figures", self.right, QUANTA)
        if self.factor < 0 or self.left_scale <= 0 or self.right_scale <= 0:
            raise ValueError(
                "expected a factor of 0 or more and scales over 0 but found "
                f"{self.factor}, {self.left_scale} and {self.right_scale}."
            )

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and highest possible figure."""
        return float(-self._right_factor), float(self.left_scale)

    def _figure(self, *averages: Fraction) -> Fraction:
        left, right = averages
        return self.left_scale * left - self._right_factor * right

    @property
    def _right_factor(self) -> Fraction:
        return self.factor * self.right_scale

    def _line(self, threshold: Fraction) -> _Line:
        most_lost = self._right_factor
        unit = self.left_scale + most_lost
        return _Line(self.left_scale, most_lost, most_lost, unit, threshold + most_lost)

    def _resolution(self, threshold: Fraction) -> Resolution | None:
        if self.left_scale == self.right_scale == 1:
            return None
        units = len(self) if self.population is None else self.population
        # Half a quantum of each of the two figures.
        tied = np.full(len(self), _tie(threshold) * float(1 + self.factor) * QUANTA * units)
        unknown = np.zeros(len(self))
        if max(self.left_scale, self.right_scale) * SMALL_DIVISOR > 1:
            sides = (self.left, 1.0, self.left_scale), (self.right, self.factor, self.right_scale)
            for figures, factor, scale in sides:
                # What was rounded: the figures, and a base rate of each document.
                most = 1.0 if scale == 1 else 1 + figures / QUANTA * float(scale)
                unknown += np.cumsum((figures > 0) * most) * float(factor) * float(scale) / 2
        return Resolution(tied, tied, unknown)


def _average(column: Int64s) -> Fraction:
    return _quotient(Fraction(total(column)), Fraction(len(column) * QUANTA))


def _tie(threshold: Fraction) -> float:
    """Return how near to a threshold a figure ties with it: half a quantum, relative over 1."""
    return max(1.0, abs(float(threshold))) / (2 * QUANTA)


def _rounding(numerators: Int64s, denominators: Int64s, threshold: float) -> Float64s:
    """Return how far rounding moved `numerator - threshold * denominator`, at most, in quanta.

    Less than half a quantum counts as nothing, so that 0 was not rounded.
    """
    errors: Float64s = ((numerators > 0) + threshold * (denominators > 0)) / 2
    return errors


def _measured_divisor(
    denominators: Int64s,
    errors: Float64s,
    threshold: Fraction,
    largest: int,
    population: int | None,
) -> Resolution:
    """Return how finely a ratio is known, in quanta, given each document's rounding error."""
    read = np.arange(1, len(denominators) + 1)
    unread = 0 if population is None else population - read
    divisor = np.cumsum(denominators.astype(np.float64))
    tie = _tie(threshold)
    is_small = divisor < SMALL_DIVISOR * QUANTA * np.cumsum(denominators > 0)
    unknown = np.where(is_small, np.cumsum(errors), 0.0)
    return Resolution(tie * divisor, tie * (divisor + unread * largest), unknown)


def _quotient(dividend: Fraction, divisor: Fraction) -> Fraction:
    if not divisor:
        raise ValueError("expected documents that have a figure but found none: it divides by 0.")
    return dividend / divisor


def _require_within(name: str, quanta: Int64s, largest: Int64s | int) -> None:
    """Raise `ValueError` for a figure that is negative or over the largest possible one."""
    wrong = np.count_nonzero((quanta < 0) | (quanta > largest))
    if wrong:
        raise ValueError(
            f"expected {name} from 0 to the largest that is possible but found {wrong} of "
            f"{len(quanta)} outside, which would invalidate the test."
        )
