"""Pairs of a head with their multiples, and what a sample of them shows.

The shapes that `ranked_multiples`, `random_multiples` and `distribution` return. Which pairs
there are is measured by `headtests.sweep`; comparing a figure of them is `headtests.estimates`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from headtests.sketches import Histogram, Moments


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


@dataclass(frozen=True, slots=True)
class Distribution:
    """How multiples are distributed over the pairs of a relation, with examples in context."""

    histogram: Histogram
    moments: Moments
    bands: Sequence[QuantileBand]
    """From the lowest multiples to the highest."""

    @property
    def count(self) -> int:
        """How many pairs there are."""
        return self.moments.count

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
        return f"multiples of {self.count:,} pairs: mean {self.mean:.3g}; {quantiles}"
