"""What a pass finds of a head's pairs, before any of them is shown in its context."""

from dataclasses import dataclass

from headtests.sketches import Histogram, Moments, Pairs


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
