"""Ranked and random pairs of a head, and the distribution of its multiples.

The pairs come from `headtests.claims.evidence`; their figures are `headtests.claims.pair_figure`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from statistics import median
from typing import overload

from headtests.claims.evidence import Evidence
from headtests.claims.pair_figure import PairFigure
from headtests.claims.pairs import (
    Distribution,
    DistributionRequest,
    Pair,
    QuantileBand,
    RankedRequest,
    SampledRequest,
)
from headtests.claims.quantity import Subject
from headtests.expressions import Expression, require_relation
from headtests.statistics.sketches import Histogram, Moments, Pairs


@dataclass(frozen=True, eq=False, repr=False)
class Multiples(Sequence[Pair]):
    """Ranked or random pairs of a head: a sequence of `Pair`, with figures that compare.

    Returned by `Head.ranked_multiples` and `Head.random_multiples`. Lazy: the pairs are read when
    they are first used, and everything announced by then is read in the same pass.

    >>> top = head.ranked_multiples(3)
    >>> len(top)
    3
    >>> top[0].multiple >= top[1].multiple
    True
    >>> [pair.query - pair.key for pair in top]
    [1, 1, 1]
    """

    subject: Subject
    request: RankedRequest | SampledRequest
    source: str
    english: str
    basis: str

    @cached_property
    def columns(self) -> Pairs:
        """The pairs as columns of numbers, without their tokens and rows."""
        return self.subject.evidence.pairs(self.subject.name, self.request)

    @cached_property
    def pairs(self) -> Sequence[Pair]:
        """The pairs with their tokens and rows, as `Pair` objects."""
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

    def on_evidence(self, evidence: Evidence) -> "Multiples":
        """Return the same request to other evidence, not yet read."""
        return replace(self, subject=Subject(self.subject.name, evidence, self.subject.options))

    def fraction(self, relation: Expression) -> PairFigure:
        """Return the share of these pairs that lie in a relation, in [0, 1].

        A comparison of it is decided exactly. Raises `ExpressionError` for a condition on the
        query alone.

        >>> bool(head.ranked_multiples(50).fraction(ht.previous) >= 0.9)
        True
        """
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
            lambda evidence: self.on_evidence(evidence).fraction(checked),
        )

    @property
    def median(self) -> PairFigure:
        """The median of their multiples, 0 or more; 1 is the average attention of a row.

        >>> bool(head.ranked_multiples(50).median > head.random_multiples(50).median)
        True
        """
        multiples = self.columns.multiples.tolist()
        middle = Fraction(median(multiples)) if multiples else None
        return self._figure(
            "median",
            "median",
            f"the median of {self.english}",
            middle,
            again=lambda evidence: self.on_evidence(evidence).median,
        )

    @property
    def mean(self) -> PairFigure:
        """The mean of their multiples, 0 or more; 1 is the average attention of a row.

        >>> bool(head.ranked_multiples(50).mean >= 10)
        True
        """
        multiples = self.columns.multiples.tolist()
        total = sum(map(Fraction, multiples), Fraction(0))
        average = total / len(multiples) if multiples else None
        return self._figure(
            "mean",
            "mean",
            f"the mean of {self.english}",
            average,
            again=lambda evidence: self.on_evidence(evidence).mean,
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
    """The distribution of a head's multiples, read on first use.

    Returned by `Head.distribution`. Every attribute raises `NoEligibleRowError` if there are no
    pairs.
    """

    subject: Subject
    request: DistributionRequest

    @cached_property
    def read(self) -> Distribution:
        """The measured distribution.

        Raises `NoEligibleRowError` if there are no pairs.
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
        """Number of pairs measured, all or a sample."""
        return self.read.count

    @property
    def pairs(self) -> int:
        """Number of pairs in all."""
        return self.read.pairs

    @property
    def sampled(self) -> int | None:
        """Size of the hashed sample; None if all pairs were measured."""
        return self.read.sampled

    @property
    def mean(self) -> float:
        """The mean multiple."""
        return self.read.mean

    def quantile(self, probability: float) -> float:
        """Return the multiple below which this share of the pairs lies, to bin resolution.

        >>> distribution = head.distribution(on=ht.previous)
        >>> distribution.quantile(0.05) < distribution.quantile(0.95)
        True
        """
        return self.read.quantile(probability)

    def __str__(self) -> str:
        return str(self.read)

    def __repr__(self) -> str:
        return repr(self.read)
