"""Pairs of a head with their multiples, and requests for them.

The types behind `ranked_multiples`, `random_multiples` and `distribution`. Measuring is
`headtests.measurement`; comparing figures of pairs is `headtests.claims.pair_figure`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from headtests.claims.definitions import RowOptions
from headtests.expressions import Expression
from headtests.statistics.sketches import Histogram, Moments, ObservationError, Pairs


@dataclass(frozen=True, slots=True)
class RankedRequest:
    """A request for the above-average pairs of highest multiple, over the whole budget."""

    size: int
    options: RowOptions
    on: Expression | None = None
    """A relation that limits the pairs."""
    reverse: bool = False
    """Whether the pairs of lowest multiple are requested instead."""


@dataclass(frozen=True, slots=True)
class SampledRequest:
    """A request for a uniform sample of the pairs, over the whole budget."""

    size: int
    options: RowOptions
    on: Expression | None = None
    """A relation that limits the pairs."""
    above_average: bool = True
    """Whether only above-average pairs are sampled."""


@dataclass(frozen=True, slots=True)
class DistributionRequest:
    """A request for the distribution of multiples, over the whole budget."""

    options: RowOptions
    on: Expression | None = None
    """A relation that limits the pairs."""


PairRequest = RankedRequest | SampledRequest | DistributionRequest
"""A request for a head's pairs."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One query and one key of a document, with the query's row of attention."""

    token: str
    """The key's token."""
    multiple: float
    """`pattern[key]` times the number of keys that the row may attend to; 1 is average."""
    document: int
    """The document's index in the population."""
    text: str
    """The id of the document's text."""
    query: int
    """The query's position in the document."""
    key: int
    """The key's position in the document."""
    tokens: tuple[str, ...] = field(repr=False)
    """Every token of the document, including special tokens."""
    attendable: tuple[int, ...] = field(repr=False)
    """The positions that the row may attend to."""
    pattern: tuple[float, ...] = field(repr=False)
    """The attention from the query to each token, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class QuantileBand:
    """Examples of pairs whose multiples lie between two quantiles."""

    low: float
    """The lower quantile, in [0, 1]."""
    high: float
    """The upper quantile, in [0, 1]."""
    multiples: tuple[float, float]
    """The multiples at those quantiles, to the histogram's resolution."""
    examples: tuple[Pair, ...]
    """A uniform sample of the pairs between them."""


@dataclass(frozen=True)
class Distribution:
    """The distribution of multiples over the pairs of a relation, with examples in context.

    Over all pairs, or over a hashed sample: the pairs of smallest hash, which does not depend on
    the multiples and is the same for every head. Raises `ObservationError` for a sample larger
    than the number of pairs.
    """

    histogram: Histogram
    moments: Moments
    examples: Callable[[], Sequence[QuantileBand]]
    """Reads the bands; documents whose rows are not in the spool run through the model again."""
    sample_of: int | None = None
    """Number of pairs in all, if this is a hashed sample of them; else None."""

    def __post_init__(self) -> None:
        if self.pairs < self.count:
            raise ObservationError(
                f"expected a sample of at most {self.pairs:,} pairs but found {self.count:,}. Give "
                "sample_of the number of pairs in all."
            )

    @cached_property
    def bands(self) -> Sequence[QuantileBand]:
        """Examples between quantiles, from the lowest multiples to the highest."""
        return self.examples()

    @property
    def count(self) -> int:
        """Number of pairs measured, all or a sample."""
        return self.moments.count

    @property
    def pairs(self) -> int:
        """Number of pairs in all."""
        return self.count if self.sample_of is None else self.sample_of

    @property
    def sampled(self) -> int | None:
        """Size of the hashed sample; None if all pairs were measured."""
        return None if self.count == self.pairs else self.count

    @property
    def mean(self) -> float:
        """The mean multiple."""
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
    """The distribution of the multiples of pairs, with a sample to choose examples from."""

    histogram: Histogram
    moments: Moments
    sample: Pairs
    """The pairs of smallest hash, in the order of the sample."""
    sample_of: int | None
    """Number of pairs in all, if histogram and moments are of a sample; else None."""


@dataclass(frozen=True, eq=False)
class Overview:
    """Above-average pairs of a head on the first documents of the pass."""

    ranked: Pairs
    random: Pairs
    count: int
    """Number of above-average pairs."""
