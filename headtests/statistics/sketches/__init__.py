"""Sketches: mergeable summaries of more multiples than fit in memory.

Ranked pairs, a hashed sample, moments and a histogram. Each is filled with `update`, merged with
`merge` and serialised with `to_dict`; moments and histograms also take sums and counts that were
computed elsewhere, with `add`. A sketch depends on the multiset of its inputs only, not on their
order: merged shards equal the sketch of the whole, bit for bit.

Numpy only: no torch, no pytest, and nothing about heads or tokens.
"""

from headtests.errors import ObservationError
from headtests.statistics.sketches.checks import LARGEST_MULTIPLE
from headtests.statistics.sketches.histograms import (
    BINS_PER_OCTAVE,
    PLACE_OFFSET,
    PLACE_SHIFT,
    PLACES,
    Histogram,
    Moments,
    coarsened,
)
from headtests.statistics.sketches.pairs import Pairs, RankedPairs, SampledPairs

__all__ = [
    "BINS_PER_OCTAVE",
    "LARGEST_MULTIPLE",
    "PLACES",
    "PLACE_OFFSET",
    "PLACE_SHIFT",
    "Histogram",
    "Moments",
    "ObservationError",
    "Pairs",
    "RankedPairs",
    "SampledPairs",
    "coarsened",
]
