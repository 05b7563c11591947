"""What each kind of comparison bets on: figures of documents as scores, for any threshold.

A figure is compared with a threshold by a score of each document that is linear in its quanta, lies
in a range that is known, and whose mean is known where the figure is exactly the threshold.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import Field, dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import numpy as np

from headtests.statistics.betting import Bets
from headtests.statistics.figures import total
from headtests.statistics.quanta import QUANTA, Float64s, Int64s


class Contrast(Protocol):
    """A figure of documents, in the order of the pass, that thresholds can be compared with."""

    @property
    def population(self) -> int | None:
        """How many documents or texts there are; None for a sample of something larger."""

    @property
    def span(self) -> tuple[float, float]:
        """The thresholds that are possible; the upper end may be infinite."""

    @property
    def value(self) -> Fraction:
        """The figure, exact, of the documents at hand; `ValueError` where it has none."""

    def __len__(self) -> int: ...

    def first(self, units: int) -> Self:
        """Return the same of the first so many."""

    def scores(self, threshold: Fraction) -> Bets:
        """Return what to bet on to compare the figure with a threshold, in exact numbers."""

    def approximate(self, threshold: float) -> Bets:
        """Return the same in floating point, sooner."""

    def approximate_each(self, thresholds: Float64s) -> tuple[Float64s, Float64s]:
        """Return the same at several thresholds at once: values of a unit of 1, and boundaries.

        Shapes `[threshold, n]` and `[threshold]`.
        """


class _Line(NamedTuple):
    """A score as `left * numerator - right * other + shift`; from 0 to `unit`."""

    left: Fraction
    right: Fraction
    shift: Fraction
    unit: Fraction
    null: Fraction
    """What the score is on average where the figure is the threshold."""


class _Linear(ABC):
    """What the contrasts share: scores of lines, exact or approximate."""

    # What `replace` knows a dataclass by, which each contrast is.
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    population: int | None
    _columns: ClassVar[tuple[str, ...]]
    """The names of the columns: that which a line takes as numerator, and the other if any."""

    @abstractmethod
    def _line(self, threshold: Fraction) -> _Line:
        """Return the line whose scores compare the figure with a threshold."""

    def __len__(self) -> int:
        return len(self._column(0))

    def first(self, units: int) -> Self:
        """Return the same of the first so many."""
        return replace(self, **{name: getattr(self, name)[:units] for name in self._columns})

    def _column(self, place: int) -> Int64s:
        column: Int64s = getattr(self, self._columns[place])
        return column

    def scores(self, threshold: Fraction) -> Bets:
        """Return what to bet on to compare the figure with a threshold, in exact numbers."""
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
            # Past 64 bits numbers of Python do, at a tenth of the speed.
            numerators = numerators.astype(object)
            others = None if others is None else others.astype(object)
        values = numerators * by_left + by_shift
        if others is not None:
            values = values - others * by_right
        return Bets(values, whole, boundary, self.population)

    def approximate(self, threshold: float) -> Bets:
        """Return the same in floating point, sooner."""
        line = self._line(Fraction(threshold))
        numerators = self._column(0)
        others = self._column(1) if len(self._columns) > 1 else None
        values = numerators * float(line.left / line.unit / QUANTA) + float(line.shift / line.unit)
        if others is not None:
            values = values - others * float(line.right / line.unit / QUANTA)
        units = 1 if self.population is None else self.population
        return Bets(values, 1, Fraction(float(line.null / line.unit * units)), self.population)

    def approximate_each(self, thresholds: Float64s) -> tuple[Float64s, Float64s]:
        """Return the same at several thresholds at once: values of a unit of 1, and boundaries.

        Shapes `[threshold, n]` and `[threshold]`.
        """
        # Each part of a line is linear in the threshold.
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
    """The average of numbers from 0 to 1."""

    numerators: Int64s
    """In quanta."""
    population: int | None
    """How many documents or texts there are; None for a sample of something larger."""

    _columns: ClassVar[tuple[str, ...]] = ("numerators",)

    def __post_init__(self) -> None:
        _require_within("numerators", self.numerators, QUANTA)

    @property
    def span(self) -> tuple[float, float]:
        """The thresholds that are possible."""
        return 0.0, 1.0

    @property
    def value(self) -> Fraction:
        """The figure, exact, of the documents at hand; `ValueError` without documents."""
        return _quotient(Fraction(total(self.numerators)), Fraction(len(self) * QUANTA))

    def _line(self, threshold: Fraction) -> _Line:
        return _Line(Fraction(1), Fraction(0), Fraction(0), Fraction(1), threshold)


@dataclass(frozen=True, eq=False)
class ScaledMean(_Linear):
    """The average of numbers from 0 to 1 over a base rate that is known of the whole population."""

    numerators: Int64s
    """In quanta."""
    population: int
    """How many documents there are."""
    base_total: int
    """In quanta: what the base rates of all of them sum to."""

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
        """What the average is divided by, over 0."""
        return Fraction(self.base_total, self.population * QUANTA)

    @property
    def span(self) -> tuple[float, float]:
        """The thresholds that are possible: up to an average of 1."""
        return 0.0, float(1 / self.base_rate)

    @property
    def value(self) -> Fraction:
        """The figure, exact, of the documents at hand; `ValueError` without documents."""
        average = _quotient(Fraction(total(self.numerators)), Fraction(len(self) * QUANTA))
        return average / self.base_rate

    def _line(self, threshold: Fraction) -> _Line:
        null = threshold * self.base_rate
        return _Line(Fraction(1), Fraction(0), Fraction(0), Fraction(1), null)


@dataclass(frozen=True, eq=False)
class Ratio(_Linear):
    """The ratio of two averages, of which the first is nowhere more than the second."""

    numerators: Int64s
    """In quanta; of each document at most its denominator."""
    denominators: Int64s
    """In quanta; of each document at most `largest`."""
    largest: Fraction
    """The largest denominator that is possible, over 0 and at most 1."""
    population: int | None
    """How many documents or texts there are; None for a sample of something larger."""

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
        """The thresholds that are possible."""
        return 0.0, 1.0

    @property
    def value(self) -> Fraction:
        """The figure, exact, of the documents at hand; `ValueError` where all divide by 0."""
        return _quotient(Fraction(total(self.numerators)), Fraction(total(self.denominators)))

    @property
    def _largest_quanta(self) -> int:
        # Denominators are rounded to quanta, and may have been rounded up.
        return math.ceil(self.largest * QUANTA)

    def _line(self, threshold: Fraction) -> _Line:
        if not 0 <= threshold <= 1:
            raise ValueError(
                f"expected a threshold from 0 to 1 for a share of a share but found {threshold}."
            )
        largest = Fraction(self._largest_quanta, QUANTA)
        level = threshold * largest
        return _Line(Fraction(1), threshold, level, largest, level)


@dataclass(frozen=True, eq=False)
class BoundedRatio(_Linear):
    """The ratio of two averages of numbers from 0 to 1, either of which may be the larger."""

    numerators: Int64s
    """In quanta."""
    denominators: Int64s
    """In quanta."""
    population: int | None
    """How many documents or texts there are; None for a sample of something larger."""

    _columns: ClassVar[tuple[str, ...]] = ("numerators", "denominators")

    def __post_init__(self) -> None:
        _require_within("denominators", self.denominators, QUANTA)
        _require_within("numerators", self.numerators, QUANTA)

    @property
    def span(self) -> tuple[float, float]:
        """The thresholds that are possible."""
        return 0.0, math.inf

    @property
    def value(self) -> Fraction:
        """The figure, exact, of the documents at hand; `ValueError` where all divide by 0."""
        return _quotient(Fraction(total(self.numerators)), Fraction(total(self.denominators)))

    def _line(self, threshold: Fraction) -> _Line:
        if threshold < 0:
            raise ValueError(f"expected a threshold of 0 or more but found {threshold}.")
        return _Line(Fraction(1), threshold, threshold, 1 + threshold, threshold)


@dataclass(frozen=True, eq=False)
class MeanDifference(_Linear):
    """The difference of two averages on the same documents, each times a number of its own.

    `left_scale * left - factor * right_scale * right`, from `-factor * right_scale` to
    `left_scale`.
    """

    left: Int64s
    """In quanta, from 0 to 1."""
    right: Int64s
    """In quanta, from 0 to 1."""
    factor: Fraction
    """What the right one is multiplied by, 0 or more."""
    population: int | None
    """How many documents or texts there are; None for a sample of something larger."""
    left_scale: Fraction = Fraction(1)
    """1, or 1 over the base rate of a lift."""
    right_scale: Fraction = Fraction(1)
    """1, or 1 over the base rate of a lift."""

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
        """The thresholds that are possible."""
        return float(-self._right_factor), float(self.left_scale)

    @property
    def value(self) -> Fraction:
        """The figure, exact, of the documents at hand; `ValueError` without documents."""
        left = self.left_scale * total(self.left)
        right = self._right_factor * total(self.right)
        return _quotient(left - right, Fraction(len(self) * QUANTA))

    @property
    def _right_factor(self) -> Fraction:
        return self.factor * self.right_scale

    def _line(self, threshold: Fraction) -> _Line:
        most_lost = self._right_factor
        unit = self.left_scale + most_lost
        return _Line(self.left_scale, most_lost, most_lost, unit, threshold + most_lost)


def _quotient(dividend: Fraction, divisor: Fraction) -> Fraction:
    if not divisor:
        raise ValueError("expected documents that have a figure but found none: it divides by 0.")
    return dividend / divisor


def _require_within(name: str, quanta: Int64s, largest: Int64s | int) -> None:
    """Raise `ValueError` for a negative figure, or one over the largest."""
    wrong = np.count_nonzero((quanta < 0) | (quanta > largest))
    if wrong:
        raise ValueError(
            f"expected {name} from 0 to the largest that is possible but found {wrong} of "
            f"{len(quanta)} outside; bets on them would be worth nothing."
        )
