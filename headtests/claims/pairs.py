"""Pairs of a head with their multiples, and what a sample of them shows.

The shapes that `ranked_multiples`, `random_multiples` and `distribution` return. Which pairs there
are is measured by `headtests.measurement`; comparing a figure of them is
`headtests.claims.estimate`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from headtests.claims.definitions import RowOptions
from headtests.expressions import Expression
from headtests.statistics.sketches import Histogram, Moments, ObservationError, Pairs


@dataclass(frozen=True, slots=True)
class Ranked:
    """The above-average pairs of highest multiple, over the whole budget."""

    size: int
    options: RowOptions
    on: Expression | None = None
    """A relation that limits the pairs."""
    reverse: bool = False
    """Those of lowest multiple instead."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """A uniform sample of the pairs, over the whole budget."""

    size: int
    options: RowOptions
    on: Expression | None = None
    """A relation that limits the pairs."""
    above_average: bool = True
    """Of the above-average pairs only."""


@dataclass(frozen=True, slots=True)
class Distributed:
    """How the multiples of all pairs are distributed, over the whole budget."""

    options: RowOptions
    on: Expression | None = None
    """A relation that limits the pairs."""


PairRequest = Ranked | Sampled | Distributed
"""What is asked of a head's pairs."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One query and one key of a document, with the row that the key stands in."""

    token: str
    """The key's token."""
    multiple: float
    """`pattern[key]` times the number of keys that the row may attend to; 1 is average."""
    document: int
    """The document's place in the population."""
    text: str
    """The id of the document's text."""
    query: int
    key: int
    tokens: tuple[str, ...] = field(repr=False)
    """Every token of the document, special ones included."""
    attendable: tuple[int, ...] = field(repr=False)
    """The positions that the row may attend to."""
    pattern: tuple[float, ...] = field(repr=False)
    """The attention from the query to each token, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class QuantileBand:
    """Pairs whose multiples lie between two quantiles, as examples of them."""

    low: float
    """The lower quantile, in [0, 1]."""
    high: float
    """The upper quantile, in [0, 1]."""
    multiples: tuple[float, float]
    """The multiples at those quantiles, to the histogram's resolution."""
    examples: tuple[Pair, ...]
    """A uniform sample of the pairs in between."""


@dataclass(frozen=True)
class Distribution:
    """How multiples are distributed over the pairs of a relation, with examples in context.

    Over all of them, or over a hashed sample: those pairs whose hash is smallest, which no
    multiple has a part in, and which are the same for every head. Raises `ObservationError` for
    a sample of more pairs than there are.
    """

    histogram: Histogram
    moments: Moments
    examples: Callable[[], Sequence[QuantileBand]]
    """Reads the bands: documents may have to run for the rows of their pairs."""
    sample_of: int | None = None
    """How many pairs there are in all, of which these are a hashed sample; None where all are."""

    def __post_init__(self) -> None:
        if self.pairs < self.count:
            raise ObservationError(
                f"{self.count:,} pairs are distributed, expected no more than the {self.pairs:,} "
                "that there are. Give sample_of the number of pairs in all."
            )

    @cached_property
    def bands(self) -> Sequence[QuantileBand]:
        """Examples between quantiles, from the lowest multiples to the highest."""
        return self.examples()

    @property
    def count(self) -> int:
        """How many pairs it is of, all or sampled."""
        return self.moments.count

    @property
    def pairs(self) -> int:
        """How many pairs there are in all."""
        return self.count if self.sample_of is None else self.sample_of

    @property
    def sampled(self) -> int | None:
        """The number of hashed pairs that it is of; None where it is of all."""
        return None if self.count == self.pairs else self.count

    @property
    def mean(self) -> float:
        """The average multiple."""
        return self.moments.mean or 0.0

    def quantile(self, probability: float) -> float:
        """Return the multiple below which this share of the pairs lies, to bin resolution."""
        return self.histogram.quantile(probability) or 0.0

    def __str__(self) -> str:
        quantiles = ", ".join(
            f"{p:.0%} {self.quantile(p):.3g}" for p in (0.05, 0.25, 0.5, 0.75, 0.95)
        )
        sample = "" if self.sampled is None else f"a hashed sample of {self.sampled:,} of "
        return f"multiples of {sample}{self.pairs:,} pairs: mean {self.mean:.3g}; {quantiles}"

    def __repr__(self) -> str:
        return f"<Distribution: {self}>"


@dataclass(frozen=True, eq=False)
class DistributionSketch:
    """How the multiples of pairs are distributed, with a sample to choose examples from."""

    histogram: Histogram
    moments: Moments
    sample: Pairs
    """The pairs of smallest hash, first of the order first."""
    sample_of: int | None
    """How many pairs there are in all, where histogram and moments are of a sample."""


@dataclass(frozen=True, eq=False)
class Overview:
    """Above-average pairs of a head on the first documents of the pass."""

    ranked: Pairs
    random: Pairs
    count: int
    """How many there are."""
