"""Each contrast and its bets, computed from the formulas, one document after another.

Slow, in fractions and loops: what the package computes is held to it.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from headtests.statistics import (
    QUANTA,
    BoundedRatio,
    Contrast,
    Int64s,
    Mean,
    MeanDifference,
    Ratio,
    ScaledMean,
)

Documents = Sequence[tuple[int, int]]
"""Two figures of each document, in quanta."""


@dataclass(frozen=True)
class Kind:
    """A kind of contrast of documents with two figures each, of which one may not count."""

    make: Callable[[Documents, int | None], Contrast]
    """The contrast of the package, of documents and a population."""
    line: Callable[[Fraction, Fraction, Fraction], tuple[Fraction, Fraction]]
    """The score of a document with two figures at a threshold, and its mean under the null."""
    value: Callable[[Documents], Fraction | None]
    """The figure of documents; None where it divides by 0."""
    needs_population: bool = False
    tie: Fraction = Fraction(1)
    """How many half quanta of the figure are a tie; 1, or those of each of two figures."""
    divisor: Callable[[Documents], Sequence[int]] | None = None
    """The measured divisor of each document, in quanta; None where nothing measured divides."""

    def thresholds(self, shares: Sequence[Fraction]) -> list[Fraction]:
        """Return the thresholds that lie at shares of the span."""
        low, high = self.make([(0, 0)], 1).span
        if math.isinf(high):
            return [share / (1 - share) for share in shares]
        ends = Fraction(str(low)), Fraction(str(high))
        return [ends[0] + share * (ends[1] - ends[0]) for share in shares]

    def side(self, documents: Documents, threshold: Fraction) -> int:
        """Return 1 where the figure of all lies over a threshold, -1 under it, 0 for a tie."""
        value = self.value(documents)
        if value is None:
            scores, null = self.scores(documents, threshold)
            gap = sum(scores) / len(scores) - null
        else:
            gap = value - threshold
            if abs(gap) <= self.tie * max(1, abs(threshold)) / (2 * QUANTA):
                return 0
        return (gap > 0) - (gap < 0)

    def may_be_hidden(self, documents: Documents, threshold: Fraction) -> bool:
        """Return whether rounding of the documents' figures could hide the side of the figure."""
        value = self.value(documents)
        if self.divisor is None or value is None:
            return False
        divisors = [divisor for divisor in self.divisor(documents) if divisor]
        is_small = sum(divisors) < len(divisors) * QUANTA / 2**10
        # Each figure was moved by half a quantum at most.
        most = len(documents) * (1 + threshold) / 2
        return is_small and abs(value - threshold) * sum(divisors) <= most

    def scores(self, documents: Documents, threshold: Fraction) -> tuple[list[Fraction], Fraction]:
        """Return the documents' scores, in [0, 1], and their mean under the null."""
        lines = [
            self.line(Fraction(left, QUANTA), Fraction(right, QUANTA), threshold)
            for left, right in documents
        ]
        return [score for score, _ in lines], lines[0][1]


BASE = Fraction(1, 8)
NARROW = Fraction(1, 4)
FACTOR = Fraction(6, 5)
SCALES = Fraction(8), Fraction(10, 3)


def _columns(documents: Documents) -> tuple[Int64s, Int64s]:
    columns = np.array(documents, dtype=np.int64).reshape(-1, 2)
    return columns[:, 0], columns[:, 1]


def _averages(documents: Documents) -> tuple[Fraction, Fraction]:
    count = len(documents) * QUANTA
    left, right = zip(*documents, strict=True)
    return Fraction(sum(left), count), Fraction(sum(right), count)


def _quotient(dividend: Fraction, divisor: Fraction) -> Fraction | None:
    return dividend / divisor if divisor else None


def _sorted(documents: Documents, largest: Fraction) -> tuple[Int64s, Int64s]:
    left, right = _columns(documents)
    share = int(1 / largest)
    return np.minimum(left, right) // share, np.maximum(left, right) // share


def _ratio(largest: Fraction) -> Kind:
    share = int(1 / largest)

    def line(a: Fraction, b: Fraction, t: Fraction) -> tuple[Fraction, Fraction]:
        num, den = (Fraction(int(part * QUANTA) // share, QUANTA) for part in sorted((a, b)))
        return (num - t * den + t * largest) / largest, t

    def value(documents: Documents) -> Fraction | None:
        pairs = [sorted(document) for document in documents]
        num, den = (sum(part // share for part in column) for column in zip(*pairs, strict=True))
        return _quotient(Fraction(num), Fraction(den))

    return Kind(
        lambda documents, population: Ratio(*_sorted(documents, largest), largest, population),
        line,
        value,
        divisor=lambda documents: [max(pair) // share for pair in documents],
    )


def _difference(left: Fraction, right: Fraction) -> Kind:
    lost = FACTOR * right
    return Kind(
        lambda documents, population: MeanDifference(
            *_columns(documents), FACTOR, population, left, right
        ),
        lambda a, b, t: ((left * a - lost * b + lost) / (left + lost), (t + lost) / (left + lost)),
        lambda documents: left * _averages(documents)[0] - lost * _averages(documents)[1],
        tie=1 + FACTOR,
    )


KINDS: dict[str, Kind] = {
    "mean": Kind(
        lambda documents, population: Mean(_columns(documents)[0], population),
        lambda a, b, t: (a, t),
        lambda documents: _averages(documents)[0],
    ),
    "lift": Kind(
        lambda documents, population: ScaledMean(
            _columns(documents)[0], population or 0, int(BASE * QUANTA * (population or 0))
        ),
        lambda a, b, t: (a, t * BASE),
        lambda documents: _averages(documents)[0] / BASE,
        needs_population=True,
    ),
    "ratio": _ratio(Fraction(1)),
    "narrow ratio": _ratio(NARROW),
    "bounded ratio": Kind(
        lambda documents, population: BoundedRatio(*_columns(documents), population),
        lambda a, b, t: ((a - t * b + t) / (1 + t), t / (1 + t)),
        lambda documents: _quotient(*_averages(documents)),
        divisor=lambda documents: [right for _, right in documents],
    ),
    "difference": _difference(Fraction(1), Fraction(1)),
    "difference of lifts": _difference(*SCALES),
}
"""Every contrast of the package."""
CASES: dict[str, tuple[Kind, bool]] = {
    f"{name}{', a sample' if beyond else ''}": (kind, beyond)
    for name, kind in KINDS.items()
    for beyond in (False, True)
    if not (beyond and kind.needs_population)
}
"""Every contrast over the whole of a population, and over a sample of something larger."""


def wealth(
    scores: Sequence[Fraction], null: Fraction, population: int | None
) -> Iterator[tuple[float, float]]:
    """Yield after each document the wealth of bets that the mean is over the null, and under it.

    Exact but for the fractions, and for means that cannot be bet on.
    """
    fractions = [Fraction(0.01 * 95 ** (place / 7)) for place in range(8)]
    over, under = [Fraction(1)] * 8, [Fraction(1)] * 8
    before = Fraction(0)
    for place, score in enumerate(scores):
        mean = null
        if population is not None:
            mean = (population * null - before) / (population - place)
        if 0 < mean <= 1:
            over = [w * (1 + f * (score / mean - 1)) for w, f in zip(over, fractions, strict=True)]
        if 0 <= mean < 1:
            lost = (1 - score) / (1 - mean) - 1
            under = [w * (1 + f * lost) for w, f in zip(under, fractions, strict=True)]
        before += score
        yield float(sum(over) / 8), float(sum(under) / 8)


def most_false(runs: int, rate: float) -> int:
    """Return the number of false decisions of so many runs that chance exceeds once in a million.

    Of runs that each decide falsely at a rate, independently.
    """
    below, number = 0.0, -1
    while below < 1 - 1e-6:
        number += 1
        logs = math.lgamma(runs + 1) - math.lgamma(number + 1) - math.lgamma(runs - number + 1)
        below += math.exp(logs + number * math.log(rate) + (runs - number) * math.log1p(-rate))
    return number
