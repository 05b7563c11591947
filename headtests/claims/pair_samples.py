"""Ranked and random pairs of a head, and their figures, which compare.

The pairs come from `headtests.claims.evidence`; a figure of them is `headtests.claims.pair_figure`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from statistics import median
from typing import overload

from headtests.claims.evidence import Evidence
from headtests.claims.pair_figure import PairFigure
from headtests.claims.pairs import Distributed, Distribution, Pair, QuantileBand, Ranked, Sampled
from headtests.claims.quantity import Subject
from headtests.expressions import Expression, require_relation
from headtests.statistics.sketches import Histogram, Moments, Pairs


@dataclass(frozen=True, eq=False, repr=False)
class Multiples(Sequence[Pair]):
    """Ranked or random pairs of a head, and the figures of them that compare.

    Nothing is read before it is asked for: what was asked for together is read in one pass.
    """

    subject: Subject
    request: Ranked | Sampled
    source: str
    english: str
    basis: str

    @cached_property
    def columns(self) -> Pairs:
        """The pairs without their context."""
        return self.subject.evidence.pairs(self.subject.name, self.request)

    @cached_property
    def pairs(self) -> Sequence[Pair]:
        """The pairs with their tokens and rows."""
        return self.subject.evidence.in_context(self.subject.name, self.columns)

    @overload
    def __getitem__(self, index: int) -> Pair: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Pair]: ...
    def __getitem__(self, index: int | slice) -> Pair | Sequence[Pair]:
        return self.pairs[index]

    def __len__(self) -> int:
        return len(self.columns)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    def measured_by(self, evidence: Evidence) -> "Multiples":
        """Return the same request of other evidence, where nothing is read yet."""
        return replace(self, subject=Subject(self.subject.name, evidence, self.subject.options))

    def fraction(self, relation: Expression) -> PairFigure:
        """Return the share of these pairs that lie in a relation, in [0, 1]."""
        checked = require_relation(relation, "relation", has_when=False)
        inside = self.subject.evidence.in_relation(
            self.columns, self.subject.name, checked, self.subject.options
        )
        return self._figure(
            "fraction",
            f"fraction({checked!r})",
            f"the share with keys {checked.english} among {self.english}",
            Fraction(sum(inside), len(inside)) if inside else None,
            checked,
            tuple(inside),
            lambda evidence: self.measured_by(evidence).fraction(checked),
        )

    @property
    def median(self) -> PairFigure:
        """The median of their multiples."""
        multiples = self.columns.multiples.tolist()
        middle = Fraction(median(multiples)) if multiples else None
        return self._figure(
            "median",
            "median",
            f"the median of {self.english}",
            middle,
            again=lambda evidence: self.measured_by(evidence).median,
        )

    @property
    def mean(self) -> PairFigure:
        """The average of their multiples."""
        multiples = self.columns.multiples.tolist()
        total = sum(map(Fraction, multiples), Fraction(0))
        average = total / len(multiples) if multiples else None
        return self._figure(
            "mean",
            "mean",
            f"the mean of {self.english}",
            average,
            again=lambda evidence: self.measured_by(evidence).mean,
        )

    def _figure(
        self,
        kind: str,
        call: str,
        english: str,
        measured: Fraction | None,
        relation: Expression | None = None,
        inside: tuple[bool, ...] = (),
        again: Callable[[Evidence], PairFigure] | None = None,
    ) -> PairFigure:
        return PairFigure(
            self.subject,
            kind,
            f"{self.source}.{call}",
            english,
            self.basis,
            self.columns,
            measured,
            relation,
            inside,
            again,
        )

    def __repr__(self) -> str:
        rows = "".join(
            f"\n  {pair.multiple:8.2f}x  {pair.token!r} from query {pair.query} of document "
            f"{pair.document} ({pair.text})"
            for pair in self.pairs[:10]
        )
        more = f"\n  and {len(self) - 10} more" if len(self) > 10 else ""
        return f"{self.source}: {len(self)} pairs{rows}{more}"


@dataclass(frozen=True, eq=False, repr=False)
class MultiplesDistribution:
    """How a head's multiples are distributed; nothing is read before it is asked for."""

    subject: Subject
    request: Distributed

    @cached_property
    def read(self) -> Distribution:
        """The distribution, once it was measured.

        Raises `NoEligibleRowError` where there are no pairs.
        """
        return self.subject.evidence.distribution(self.subject.name, self.request)

    @property
    def histogram(self) -> Histogram:
        """Counts of the multiples in bins."""
        return self.read.histogram

    @property
    def moments(self) -> Moments:
        """Number, mean and variance of the multiples."""
        return self.read.moments

    @property
    def bands(self) -> Sequence[QuantileBand]:
        """Examples between quantiles, from the lowest multiples to the highest."""
        return self.read.bands

    @property
    def count(self) -> int:
        """How many pairs it is of, all or sampled."""
        return self.read.count

    @property
    def pairs(self) -> int:
        """How many pairs there are in all."""
        return self.read.pairs

    @property
    def sampled(self) -> int | None:
        """The number of hashed pairs that it is of; None where it is of all."""
        return self.read.sampled

    @property
    def mean(self) -> float:
        """The average multiple."""
        return self.read.mean

    def quantile(self, probability: float) -> float:
        """Return the multiple below which this share of the pairs lies, to bin resolution."""
        return self.read.quantile(probability)

    def __str__(self) -> str:
        return str(self.read)

    def __repr__(self) -> str:
        return repr(self.read)


def _limited(on: Expression | None) -> str:
    return "" if on is None else f" on keys {on.english}"
