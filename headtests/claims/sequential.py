"""Readings: a statistic on the documents read so far, and the test that a comparison makes.

A reading holds the figures of the documents read, in the order of the pass, and the eligible
documents of the population. Comparing readings for a claim is `headtests.claims.estimate`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from headtests.claims.definitions import Lift, Mass, Precision, Question
from headtests.claims.evidence import Evidence
from headtests.claims.verdicts import Decision, decide, decide_apart
from headtests.statistics import (
    QUANTA,
    BoundedRatio,
    Contrast,
    DocumentFigures,
    Eligible,
    Mean,
    MeanDifference,
    MoreDocuments,
    Ratio,
    ScaledMean,
    bounds,
    more_documents,
    narrowing,
    on_common_documents,
    total,
)
from headtests.wording import Operator

STOPS = 24
"""Maximum number of prefixes of a reading that show how its interval narrowed."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The estimate and its interval after some of the documents."""

    units: int
    """Number of eligible documents, or texts, read."""
    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Reading:
    """One statistic on the first eligible documents, or texts, of a population."""

    question: Question
    figures: DocumentFigures
    """One per document, or one per text if the question goes beyond the corpus."""
    eligible: Eligible
    """Every eligible document of the population."""
    extent: int
    """Number of documents of the pass that were read, eligible or not."""

    def __len__(self) -> int:
        return len(self.figures)

    @property
    def documents(self) -> int:
        """Number of eligible documents read."""
        return int(self.figures.sizes.sum())

    @property
    def is_whole(self) -> bool:
        """Whether every eligible document was read, so that the figure is exact."""
        return not self.question.beyond_corpus and self.documents == len(self.eligible)

    @property
    def has_value(self) -> bool:
        """Whether there are documents, and the divisor is not zero."""
        return self.figures.average is not None and base_of(self.question, self.eligible) != 0

    @property
    def divisor(self) -> Fraction | None:
        """What the figure divides by: the average over documents, or the base rate of a lift.

        None for a plain average.
        """
        base = base_of(self.question, self.eligible)
        if base is not None:
            return base
        divisors = self.figures.denominators
        if divisors is None or not len(self):
            return None
        return Fraction(total(divisors), len(self) * QUANTA)

    def first(self, units: int) -> "Reading":
        """Return the reading of the first `units` documents, or texts."""
        return replace(self, figures=self.figures.first(units))

    def least_with_value(self, units: int) -> int:
        """Return the least number of documents or texts, at least `units`, that have a value.

        A trivial claim may be decided while the divisor is still zero.
        """
        divisors = self.figures.denominators
        if divisors is None:
            return max(units, 1)
        return max(units, 1, 1 + int(np.flatnonzero(divisors)[0]))

    def of(self, figures: DocumentFigures) -> DocumentFigures:
        """Return figures of the same statistic on this reading's documents, in its units."""
        read = self.eligible.documents[: self.documents]
        figures = figures.of_documents(read)
        if not self.question.beyond_corpus or len(figures) != len(read):
            return figures
        return figures.by_text(self.eligible.texts[: self.documents])

    @property
    def population(self) -> int | None:
        """Number of eligible documents of the population; None beyond the corpus."""
        return None if self.question.beyond_corpus else len(self.eligible)

    @property
    def contrast(self) -> Contrast:
        """The contrast that a comparison of the statistic with a number tests."""
        return contrast_of(self.question, self.figures, self.eligible)

    def course(self, alpha: float) -> list["Stop"]:
        """Return the estimate and its interval after some prefixes, shortest first.

        Prefixes without a value are left out. The intervals are those of `narrowing`, at alpha.
        """
        stops = [units for units in _stops(len(self)) if self.first(units).has_value]
        contrast = self.contrast
        ends = narrowing(contrast, alpha, stops)
        return [
            Stop(units, float(contrast.first(units).value), *end)
            for units, end in zip(stops, ends, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class PairedReading:
    """Two statistics on the same documents, or texts."""

    left: Reading
    right: Reading

    def __len__(self) -> int:
        return len(self.left)

    @property
    def has_value(self) -> bool:
        """Whether there are documents, and neither divisor is zero."""
        return self.left.has_value and self.right.has_value

    def least_with_value(self, units: int) -> int:
        """Return the least number of documents or texts, at least `units`, that have values."""
        return max(side.least_with_value(units) for side in (self.left, self.right))

    def first(self, units: int) -> "PairedReading":
        """Return the reading of the first `units` documents, or texts."""
        return PairedReading(self.left.first(units), self.right.first(units))

    @property
    def _is_linear(self) -> bool:
        """Whether both sides are averages of documents' figures, possibly scaled."""
        return all(isinstance(side.contrast, Mean | ScaledMean) for side in (self.left, self.right))

    def _contrast(self, factor: Fraction) -> MeanDifference:
        """Return the contrast that a comparison of two averages tests."""
        scales = [
            1 / (base_of(side.question, side.eligible) or Fraction(1))
            for side in (self.left, self.right)
        ]
        numerators = self.left.figures.numerators, self.right.figures.numerators
        return MeanDifference(*numerators, factor, self.left.population, *scales)

    def decide(
        self, operator: Operator, factor: Fraction, offset: Fraction, alpha: float
    ) -> Decision:
        """Return the decision of these documents on `left operator factor * right + offset`."""
        if self._is_linear:
            return decide(self._contrast(factor), operator, offset, alpha)
        sides = self.left.contrast, self.right.contrast
        return decide_apart(sides[0], operator, sides[1], factor, offset, alpha)

    def difference(self, factor: Fraction, alpha: float) -> tuple[float, float, float]:
        """Return `left - factor * right` with its bounds, each at alpha."""
        left, right = self.left.contrast, self.right.contrast
        value = left.value - factor * right.value
        if self._is_linear:
            return (float(value), *bounds(self._contrast(factor), alpha))
        (low, high), (right_low, right_high) = bounds(left, alpha / 2), bounds(right, alpha / 2)
        times = float(factor)
        return float(value), low - times * right_high, high - times * right_low

    def after_stop(self, factor: Fraction, stop: int) -> Fraction | None:
        """Return `left - factor * right`, estimated as in `Contrast.after_stop`."""
        left, right = (side.contrast.after_stop(stop) for side in (self.left, self.right))
        return None if left is None or right is None else left - factor * right

    def course(self, factor: Fraction, alpha: float) -> list[Stop]:
        """Return `left - factor * right` and its interval after some prefixes, shortest first.

        Prefixes without a value are left out. The intervals are made as in `difference`.
        """
        stops = [units for units in _stops(len(self.left)) if self.first(units).has_value]
        left, right = self.left.contrast, self.right.contrast
        if self._is_linear:
            ends = narrowing(self._contrast(factor), alpha, stops)
        else:
            times = float(factor)
            sides = (narrowing(side, alpha / 2, stops) for side in (left, right))
            ends = [
                (low - times * right_high, high - times * right_low)
                for (low, high), (right_low, right_high) in zip(*sides, strict=True)
            ]
        return [
            Stop(units, float(left.first(units).value - factor * right.first(units).value), *end)
            for units, end in zip(stops, ends, strict=True)
        ]

    def more_documents(
        self, factor: Fraction, offset: Fraction, alpha: float
    ) -> MoreDocuments | None:
        """Return about how many more documents, or texts, would decide it; None if none would."""
        if self._is_linear:
            return more_documents(self._contrast(factor), offset, alpha)
        left, right = self.left.contrast, self.right.contrast
        # The claim is decided when the intervals are disjoint, about half-way between the figures.
        middle = (left.value + factor * right.value + offset) / 2
        one = more_documents(left, middle, alpha / 2)
        other = more_documents(right, (middle - offset) / factor, alpha / 2)
        if one is None or other is None:
            return None
        uppers = None if one.upper is None or other.upper is None else max(one.upper, other.upper)
        return MoreDocuments(max(one.median, other.median), max(one.lower, other.lower), uppers)


def _stops(units: int) -> list[int]:
    """Return lengths of prefixes in a geometric sequence, from 1 to below `units`."""
    stops = np.unique(np.rint(np.geomspace(1, max(units, 1), STOPS)).astype(np.int64))
    return [stop for stop in stops.tolist() if stop < units]


def base_of(question: Question, eligible: Eligible) -> Fraction | None:
    """Return the base rate of a lift over every eligible document; None for other statistics."""
    base = eligible.base_rates
    if question.beyond_corpus or base is None or not len(base):
        return None
    return Fraction(total(base), len(base) * QUANTA)


def contrast_of(question: Question, figures: DocumentFigures, eligible: Eligible) -> Contrast:
    """Return the contrast that a comparison of figures with a number tests."""
    population = None if question.beyond_corpus else len(eligible)
    tops, divisors = figures.numerators, figures.denominators
    statistic = question.statistic
    if divisors is None:
        return Mean(tops, population)
    match statistic:
        case Lift() if population is not None and eligible.base_rates is not None:
            return ScaledMean(tops, population, total(eligible.base_rates))
        case Lift():
            return BoundedRatio(tops, divisors, population)
        case Precision():
            largest = statistic.largest_share(question.options.suppress_first_token)
            return Ratio(tops, divisors, largest, population)
        case Mass():
            return Ratio(tops, divisors, Fraction(1), population)
        case _:
            raise TypeError(f"no comparison is known of the ratio {statistic!r}")


def read_in_steps(evidence: Evidence, question: Question) -> Iterator[Reading]:
    """Yield a statistic's reading after each step of the pass, up to the budget.

    Stops after the last eligible document; yields nothing if there is none.
    """
    eligible = evidence.eligible(question)
    for extent in evidence.extents(question.beyond_corpus) if len(eligible) else ():
        figures = evidence.figures(question, extent)
        yield Reading(question, _in_units(figures, question, eligible), eligible, extent)
        if len(figures) == len(eligible):
            return


def read_pair_in_steps(
    evidence: Evidence, left: Question, right: Question
) -> Iterator[PairedReading]:
    """Yield the readings of two statistics on the documents that are eligible for both."""
    of_left, of_right = evidence.eligible(left), evidence.eligible(right)
    # The same documents, with the base rates of each side.
    common, mirrored = of_left.common_with(of_right), of_right.common_with(of_left)
    for extent in evidence.extents(left.beyond_corpus) if len(common) else ():
        both = on_common_documents(evidence.figures(left, extent), evidence.figures(right, extent))
        yield PairedReading(
            Reading(left, _in_units(both[0], left, common), common, extent),
            Reading(right, _in_units(both[1], right, mirrored), mirrored, extent),
        )
        if len(both[0]) == len(common):
            return


def _in_units(figures: DocumentFigures, question: Question, eligible: Eligible) -> DocumentFigures:
    if not question.beyond_corpus:
        return figures
    texts, read = eligible.texts, len(figures)
    if read < len(texts):
        # The last text counts only when all of its documents were read.
        starts = np.flatnonzero(np.diff(texts, prepend=-1))
        read = int(starts[np.searchsorted(starts, read, side="right") - 1])
    return figures.first(read).by_text(texts[:read])
